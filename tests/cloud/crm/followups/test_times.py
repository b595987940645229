"""A day of the patient's calendar, in zones that skip midnights and whole days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.followups.templates import BadPlan, all_plans, parse
from cloud.crm.followups.times import begins, is_due

# Midnights that clocks skip (Beirut, Santiago), half hours, a day that never was.
ZONES = [
    "Europe/Copenhagen", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati",
    "America/Los_Angeles", "Asia/Shanghai",
]  # fmt: skip
days = st.dates(date(2010, 1, 1), date(2032, 1, 1))


@given(day=days, name=st.sampled_from(ZONES))
def test_a_follow_up_is_due_from_the_day_on_that_the_patients_calendar_shows(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    at = begins(day, zone)
    assert is_due(day, zone, at)
    # At most an hour before, the calendar shows an earlier day.
    assert not is_due(day, zone, at - timedelta(hours=1, seconds=1)) or day == date(2011, 12, 30)


@given(day=days, one=st.sampled_from(ZONES), other=st.sampled_from(ZONES))
def test_what_was_due_stays_due_but_for_the_day_that_a_journey_gives_back(day: date, one: str, other: str) -> None:
    """Whoever travels west lives part of a day again; a day later it is due wherever they are."""
    at = begins(day, ZoneInfo(one)) + timedelta(hours=26)
    assert is_due(day, ZoneInfo(other), at)


def test_a_day_that_a_zone_skips_is_due_on_the_next() -> None:
    apia = ZoneInfo("Pacific/Apia")
    assert is_due(date(2011, 12, 30), apia, datetime(2011, 12, 30, 10, 1, tzinfo=UTC))  # the 31st there
    assert not is_due(date(2011, 12, 30), apia, datetime(2011, 12, 30, 9, 59, tzinfo=UTC))  # the 29th


def test_each_plan_of_ours_can_be_used() -> None:
    assert [one.plan_id for one in all_plans()] == ["after_hospital", "diabetes", "hypertension"]


@pytest.mark.parametrize(
    "steps",
    ["", "{ what = 'dance', after_days = 1 }", "{ what = 'call', after_days = 400 }",
     "{ what = 'questionnaire', after_days = 1 }"],
)  # fmt: skip
def test_a_plan_that_cannot_be_used_is_refused(steps: str) -> None:
    with pytest.raises(BadPlan):
        parse(f'id = "p"\nversion = 1\ntitle = "P"\nsteps = [{steps}]')
