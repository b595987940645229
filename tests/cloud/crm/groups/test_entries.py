"""What is typed about events and groups."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from cloud.crm.groups import entries
from cloud.crm.groups.models import Audience
from cloud.plans.fields import Refused
from tests.cloud.crm.groups.made import LECTURE

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")


def test_an_event_begins_on_the_clinics_clock() -> None:
    made = entries.event(LECTURE, MOSCOW, NOW, set())
    assert made.starts_at == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert made.ends_at - made.starts_at == timedelta(hours=1)
    assert (made.capacity, made.audience, made.group_id) == (2, Audience.ALL, None)


def test_a_group_is_named_by_its_id_and_must_be_one_that_goes_on() -> None:
    group = uuid4()
    made = entries.event({**LECTURE, "audience": str(group)}, MOSCOW, NOW, {group})
    assert (made.audience, made.group_id) == (Audience.GROUP, group)
    with pytest.raises(Refused) as refused:
        entries.event({**LECTURE, "audience": str(uuid4())}, MOSCOW, NOW, {group})
    assert set(refused.value.refusals) == {"audience"}


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("kind", "party", "choose"),
        ("title", "", "missing"),
        ("plan", "x" * 1001, "too_long"),
        ("language", "de", "choose"),
        ("place", "", "place_or_link"),
        ("link", "http://x.example", "not_a_link"),
        ("starts_at", "2026-11-20T15:00", "past"),
        ("starts_at", "2062-11-20T15:00", "too_far"),
        ("starts_at", "2026-11-25T15:00+03:00", "not_a_moment"),
        ("starts_at", "0001-01-01T00:00", "past"),
        ("starts_at", "9999-12-31T23:59", "too_far"),
        ("minutes", "0", "out_of_range"),
        ("minutes", "721", "out_of_range"),
        ("capacity", "٣", "out_of_range"),
        ("capacity", "1001", "out_of_range"),
        ("audience", "", "choose"),
    ],
)
def test_what_cannot_be_an_event_is_said_at_its_field(field: str, text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.event({**LECTURE, field: text}, MOSCOW, NOW, set())
    assert refused.value.refusals[field].code == code


def test_who_does_not_join_shows_no_name() -> None:
    assert entries.joining({"answer": "yes", "shown_as": " Asta "}) == (True, "Asta")
    assert entries.joining({"answer": "yes", "shown_as": ""}) == (True, None)
    assert entries.joining({"answer": "no", "shown_as": "Asta"}) == (False, None)
    with pytest.raises(Refused):
        entries.joining({"answer": ""})


@pytest.mark.parametrize("mark", ["0", "6", "", "x", "٣"])
def test_a_mark_is_from_one_to_five(mark: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.evaluation({"useful": mark, "clear": "5"})
    assert set(refused.value.refusals) == {"useful"}


@pytest.mark.parametrize("starts_at", ["2027-03-28T02:30", "2027-10-31T02:30"])
def test_an_event_at_a_time_that_the_clinics_clock_does_not_show_once_is_asked_for_again(starts_at: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.event({**LECTURE, "starts_at": starts_at}, ZoneInfo("Europe/Copenhagen"), NOW, set())
    assert refused.value.refusals["starts_at"].code == "clocks_change"
