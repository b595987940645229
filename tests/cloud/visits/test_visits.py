"""What is typed to invite somebody, and moments on the patient's clock; it is arranged by an appointment."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.plans.fields import Refused
from cloud.visits import entries
from tests.cloud.made import NOW

VISIT = {"way": "clinic", "by_day": "2026-12-05", "why": "to talk about your mornings"}
HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("why", " ", "no_reason"),
        ("way", "pigeon", "missing"),
        ("by_day", "soon", "not_a_date"),
        ("by_day", "2026-11-20", "past"),
        ("by_day", "2036-11-20", "too_far"),
    ],
)
def test_an_invitation_that_cannot_be_taken_is_refused_at_its_field(field: str, typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.asked({**VISIT, field: typed}, date(2026, 11, 21))
    assert refused.value.refusals[field].code == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2027-03-28T03:30", "clocks_change"),  # skipped in Helsinki
        ("2027-10-31T03:30", "clocks_change"),  # shown twice
        ("2026-11-21T13:00+02:00", "not_a_moment"),
        ("tomorrow", "not_a_moment"),
        ("0001-01-01T00:00", "past"),
        ("9999-12-31T23:59", "too_far"),
        ("2027-12-01T10:00", "too_far"),
    ],
)
def test_a_time_that_the_patients_clock_does_not_show_once_is_asked_for_again(typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.starts_at({"starts_at": typed}, HELSINKI, NOW)
    assert refused.value.refusals["starts_at"].code == code


def test_a_time_is_the_patients() -> None:
    assert entries.starts_at({"starts_at": "2026-12-01T10:30"}, HELSINKI, NOW) == datetime(
        2026, 12, 1, 8, 30, tzinfo=UTC
    )
