"""What is typed about appointments: read, or refused at its field."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from cloud.auth.models import Role
from cloud.crm.appointments import entries
from cloud.duty.models import Staff
from cloud.plans.fields import Refused
from cloud.visits.models import Way
from tests.cloud.made import NOW

ADA = UUID(int=7)
PEOPLE = {ADA: Staff(account_id=ADA, display_name="Ada Weiss", role=Role.DOCTOR)}
TODAY = date(2026, 11, 21)
COPENHAGEN = ZoneInfo("Europe/Copenhagen")
HOURS = {
    "account_id": str(ADA), "way_clinic": "on", "place": "Room 4", "link": "", "starts": "09:00", "ends": "10:00",
    "slot_minutes": "30", "weekday_0": "on", "weekday_2": "on", "first_day": "2026-11-23", "last_day": "",
}  # fmt: skip
WISH = {"way": "clinic", "seen_by": "", "first_day": "2026-11-23", "last_day": "2026-11-30"}
OTHER = {
    "starts_at": "2026-12-01T10:30",
    "minutes": "30",
    "way": "video",
    "seen_by": str(ADA),
    "link": "https://v.example",
}


def test_hours_are_read_as_typed() -> None:
    found = entries.hours(HOURS, PEOPLE, TODAY)
    assert (found.ways, found.weekdays, found.for_patients, found.last_day) == ((Way.CLINIC,), (0, 2), False, None)


@pytest.mark.parametrize(
    ("field", "typed", "at", "code"),
    [
        ("account_id", "nobody", "account_id", "choose"),
        ("way_clinic", "", "ways", "choose"),
        ("ends", "08:00", "ends", "ends_before_it_begins"),
        ("ends", "24:00:00.5", "ends", "not_a_time"),
        ("starts", "09:00+01:00", "starts", "not_a_time"),
        ("slot_minutes", "3", "slot_minutes", "out_of_range"),
        ("slot_minutes", "٣٠", "slot_minutes", "out_of_range"),
        ("first_day", "2026-11-01", "first_day", "past"),
        ("first_day", "2066-11-01", "first_day", "too_far"),
        ("last_day", "2026-11-22", "last_day", "ends_before_it_begins"),
        ("link", "http://video.example", "link", "not_a_link"),
        ("link", "https://" + "v" * 500 + ".example", "link", "too_long"),
        ("place", "x" * 201, "place", "too_long"),
    ],
)
def test_hours_that_cannot_be_are_refused_at_their_field(field: str, typed: str, at: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.hours({**HOURS, field: typed}, PEOPLE, TODAY)
    assert refused.value.refusals[at].code == code


@pytest.mark.parametrize(
    "link",
    ["http://v.example", "javascript:alert(1)", "https://", "https://a:b@v.example", "https://[",
     "https://v.example/a b", "//v.example", "https:v.example", "https://v.example/\u202e", "HTTPS", "ftp://v.example"],
)  # fmt: skip
def test_a_link_that_is_not_plainly_https_is_refused(link: str) -> None:
    with pytest.raises(Refused):
        entries.link({"link": link})


def test_a_link_may_be_left_open_and_is_kept_as_it_is() -> None:
    assert entries.link({"link": ""}) == ""
    assert entries.link({"link": " https://v.example/r/1?x=2#y "}) == "https://v.example/r/1?x=2#y"


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("way", "pigeon", "choose"),
        ("seen_by", "nobody", "choose"),
        ("first_day", "2026-11-20", "past"),
        ("last_day", "2026-11-22", "ends_before_it_begins"),
        ("last_day", "2028-01-01", "too_far"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_at_its_field(field: str, typed: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.wanted({**WISH, field: typed}, PEOPLE, TODAY)
    assert refused.value.refusals[field].code == code


def test_a_time_outside_the_hours_is_the_patients_and_its_link_that_of_a_video_consultation() -> None:
    found = entries.other_time(OTHER, PEOPLE, COPENHAGEN, NOW)
    assert found.starts_at == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
    assert (found.ends_at - found.starts_at).total_seconds() == 1800
    assert found.link == "https://v.example"
    assert entries.other_time({**OTHER, "way": "home"}, PEOPLE, COPENHAGEN, NOW).link == ""


@pytest.mark.parametrize("text", ["", "tomorrow", "9999-12-31", "0001-01-01"])
def test_a_day_that_is_none_is_the_day_that_is_shown_otherwise(text: str) -> None:
    assert entries.day_in(text, TODAY) == TODAY
