"""What is due by the patient's clock, over DST edges; what is missed; and what silence asks for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.adherence import Pause, Schedule, Slot, Standing, adherence, due_times, missed, silence, today
from alerting.reasons import SilenceStep
from alerting.vigilance import HEIGHTENED_FOR, WATCH, Vigilance, watch
from alerting.windows import Times, instant
from device_drivers.readings import Kind

BERLIN = ZoneInfo("Europe/Berlin")
SINCE = datetime(2026, 3, 2, 0, 0, tzinfo=BERLIN)
STEADY, HEIGHTENED = WATCH[Vigilance.STEADY], WATCH[Vigilance.HEIGHTENED]
WEEK = timedelta(days=7)


def schedule(*slots: Slot, pauses: tuple[Pause, ...] = (), since: datetime = SINCE) -> Schedule:
    """Blood pressure, each day at 08:00 unless told otherwise."""
    return Schedule(
        kind=Kind.BLOOD_PRESSURE, zone=BERLIN, slots=slots or (Slot(at=time(8)),), since=since, pauses=pauses
    )


def taken(*times: datetime) -> Times:
    """A column of reading times."""
    return np.array([instant(at) for at in times], dtype="datetime64[us]")


def at(day: int, hour: int = 8, minute: int = 0, second: int = 0) -> datetime:
    """In March 2026, by the patient's clock."""
    return datetime(2026, 3, day, hour, minute, second, tzinfo=BERLIN)


def utc(*times: datetime) -> list[datetime]:
    """The same in UTC."""
    return [time.astimezone(UTC) for time in times]


def test_a_measurement_is_due_at_the_patients_wall_clock() -> None:
    found = [due.at for due in due_times(schedule(), at(2, 0), at(4, 0))]
    assert found == utc(at(2), at(3))
    assert [due.hour for due in found] == [7, 7]


# Berlin: on 29 March 2026 02:00 becomes 03:00; on 25 October 03:00 becomes 02:00.
@pytest.mark.parametrize(
    ("day", "clock", "expected"),
    [
        (date(2026, 3, 28), time(8), "2026-03-28T07:00:00+00:00"),
        (date(2026, 3, 29), time(8), "2026-03-29T06:00:00+00:00"),
        (date(2026, 3, 29), time(1, 59), "2026-03-29T00:59:00+00:00"),
        (date(2026, 3, 29), time(2, 30), "2026-03-29T01:30:00+00:00"),  # skipped: 03:30 on the clock
        (date(2026, 3, 29), time(3, 0), "2026-03-29T01:00:00+00:00"),
        (date(2026, 10, 25), time(1, 59), "2026-10-24T23:59:00+00:00"),
        (date(2026, 10, 25), time(2, 30), "2026-10-25T00:30:00+00:00"),  # shown twice: the first
        (date(2026, 10, 25), time(3, 0), "2026-10-25T02:00:00+00:00"),
    ],
)
def test_each_day_has_exactly_one_due_time_over_the_clocks_changes(day: date, clock: time, expected: str) -> None:
    start = datetime.combine(day, time(), tzinfo=BERLIN)
    found = due_times(schedule(Slot(at=clock)), start, start.replace(hour=23, minute=59))
    assert [due.at.isoformat() for due in found] == [expected]


def test_a_year_has_a_due_time_for_each_day() -> None:
    found = due_times(schedule(Slot(at=time(2, 30))), SINCE, SINCE + timedelta(days=365))
    assert len(found) == 365


def test_only_the_slots_weekdays_are_due() -> None:
    monday_and_thursday = schedule(Slot(at=time(8), weekdays=frozenset({0, 3})))
    assert [due.at for due in due_times(monday_and_thursday, at(2, 0), at(9, 0))] == utc(at(2), at(5))


def test_nothing_is_due_before_the_schedule_or_in_a_pause() -> None:
    paused = schedule(pauses=(Pause(start=at(4), end=at(6)),), since=at(3))
    assert [due.at for due in due_times(paused, at(1), at(8))] == utc(at(3), at(6), at(7))
    for_ever = schedule(pauses=(Pause(start=at(4), end=None),))
    assert [due.at for due in due_times(for_ever, at(1), at(8))] == utc(at(2), at(3))


# 3 hours before to 2 hours after: a proposal of this project.
@pytest.mark.parametrize(
    ("reading", "is_missed"),
    [
        (at(3, 4, 59, 59), True), (at(3, 5), False), (at(3, 5, 0, 1), False),
        (at(3, 9, 59, 59), False), (at(3, 10), False), (at(3, 10, 0, 1), True),
    ],
)  # fmt: skip
def test_a_reading_meets_what_is_due_around_it(reading: datetime, is_missed: bool) -> None:
    found = missed(schedule(), taken(reading), at(3, 0), at(3, 12))
    assert bool(found) is is_missed


@pytest.mark.parametrize(("now", "count"), [(at(3, 9, 59), 0), (at(3, 10), 0), (at(3, 10, 0, 1), 1)])
def test_what_can_still_be_met_is_not_missed(now: datetime, count: int) -> None:
    assert len(missed(schedule(), taken(), at(3, 0), now)) == count


# Reminder after 2 h, technical check after 24 h, call after 48 h (heightened: 12 h and 24 h): proposals.
@pytest.mark.parametrize(
    ("watched", "hours", "step"),
    [
        (STEADY, 1.99, None), (STEADY, 2, SilenceStep.REMIND_PATIENT), (STEADY, 23.99, SilenceStep.REMIND_PATIENT),
        (STEADY, 24, SilenceStep.CHECK_TECHNICALLY), (STEADY, 47.99, SilenceStep.CHECK_TECHNICALLY),
        (STEADY, 48, SilenceStep.CALL_PATIENT), (STEADY, 48.01, SilenceStep.CALL_PATIENT),
        (HEIGHTENED, 1.99, None), (HEIGHTENED, 2, SilenceStep.REMIND_PATIENT),
        (HEIGHTENED, 11.99, SilenceStep.REMIND_PATIENT), (HEIGHTENED, 12, SilenceStep.CHECK_TECHNICALLY),
        (HEIGHTENED, 23.99, SilenceStep.CHECK_TECHNICALLY), (HEIGHTENED, 24, SilenceStep.CALL_PATIENT),
    ],
)  # fmt: skip
def test_silence_asks_for_one_step_after_the_other(watched: object, hours: float, step: SilenceStep | None) -> None:
    assert watched is STEADY or watched is HEIGHTENED
    found = silence(schedule(), taken(at(2)), watched, at(3) + timedelta(hours=hours), WEEK)
    assert (found.reason.step if found.reason else None) is step
    if found.reason is not None:
        assert found.reason.missed_since == at(3)
        assert found.reason.heightened is (watched is HEIGHTENED)


@pytest.mark.parametrize(
    ("now", "next_at"),
    [
        (at(2, 9), at(3, 10)),  # nothing is missing: the next measurement, and the reminder's time
        (at(3, 9), at(3, 10)), (at(3, 10), at(4)), (at(4), at(5)), (at(5), None),
    ],
)  # fmt: skip
def test_silence_says_when_to_look_again(now: datetime, next_at: datetime | None) -> None:
    assert silence(schedule(), taken(at(2)), STEADY, now, WEEK).next_at == next_at


def test_a_reading_at_an_odd_hour_ends_the_silence() -> None:
    readings = taken(at(2), at(4, 22))
    assert silence(schedule(), readings, STEADY, at(5, 7), WEEK).reason is None
    found = silence(schedule(), readings, STEADY, at(7, 8), WEEK)
    assert found.reason is not None
    assert (found.reason.missed_since, found.reason.missed) == (at(5), 2)


def test_readings_of_the_future_do_not_end_a_silence() -> None:
    assert silence(schedule(), taken(at(2), at(20)), STEADY, at(5, 9), WEEK).reason is not None


def test_a_patient_who_never_measured_is_silent_since_the_first_due_time() -> None:
    found = silence(schedule(), taken(), STEADY, at(4, 9), WEEK)
    assert found.reason is not None
    assert found.reason.missed_since == at(2)


def test_there_is_no_silence_in_a_pause() -> None:
    paused = schedule(pauses=(Pause(start=at(3, 0), end=None),))
    found = silence(paused, taken(at(2)), STEADY, at(9), WEEK)
    assert (found.reason, found.next_at) == (None, None)


# HyperLink: at least 6 readings a week.
@pytest.mark.parametrize(("readings", "enough"), [(5, False), (6, True), (7, True)])
def test_adherence_counts_readings_of_a_week(readings: int, enough: bool) -> None:
    times: Sequence[datetime] = [at(2 + n) for n in range(readings)]
    found = adherence(schedule(), taken(*times), at(2, 0), at(9, 0))
    assert found.enough is enough
    assert (found.due, found.made) == (7, readings)


def test_adherence_is_a_percentage_of_what_was_due() -> None:
    assert adherence(schedule(), taken(at(2), at(3)), at(2, 0), at(5, 0)).percent == Decimal("66.7")
    assert adherence(schedule(since=at(20)), taken(), at(2, 0), at(5, 0)).percent is None


# 14 days: a proposal of this project.
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (SINCE + HEIGHTENED_FOR - timedelta(seconds=1), Vigilance.HEIGHTENED),
        (SINCE + HEIGHTENED_FOR, Vigilance.STEADY),
        (SINCE + HEIGHTENED_FOR + timedelta(seconds=1), Vigilance.STEADY),
    ],
)
def test_the_first_period_is_heightened(now: datetime, expected: Vigilance) -> None:
    assert watch(SINCE + HEIGHTENED_FOR, now).vigilance is expected
    assert watch(None, now).vigilance is Vigilance.STEADY


def test_nothing_closes_by_itself_in_the_heightened_period() -> None:
    assert not HEIGHTENED.may_close_automatically
    assert HEIGHTENED.every_reading_is_reviewed
    assert STEADY.may_close_automatically


ZONES = ("Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Casablanca", "UTC")


@given(
    st.sampled_from(ZONES),
    st.dates(date(2010, 1, 1), date(2030, 1, 1)),
    st.times(timezones=st.none()).map(lambda clock: clock.replace(second=0, microsecond=0)),
    st.integers(1, 400),
)
def test_whatever_the_zone_does_each_of_its_days_has_one_due_time(
    zone: str, first: date, clock: time, days: int
) -> None:
    start = datetime.combine(first, time(), tzinfo=ZoneInfo(zone))
    end = datetime.combine(first + timedelta(days=days), time(), tzinfo=ZoneInfo(zone))
    plan = Schedule(kind=Kind.GLUCOSE, zone=ZoneInfo(zone), slots=(Slot(at=clock),), since=start)
    found = [due.at for due in due_times(plan, start, end)]
    # A clock that skips midnight, or a whole day as Apia's did, moves one due time over the edge of the span.
    assert abs(len(found) - days) <= 1
    assert found == sorted(set(found))


def test_a_date_that_the_zone_skips_is_not_due_twice() -> None:
    apia = ZoneInfo("Pacific/Apia")
    start = datetime(2011, 12, 28, tzinfo=apia)
    plan = Schedule(kind=Kind.GLUCOSE, zone=apia, slots=(Slot(at=time(8)),), since=start)
    found = [due.at.astimezone(apia).day for due in due_times(plan, start, datetime(2012, 1, 2, tzinfo=apia))]
    assert found == [28, 29, 31, 1]


def standings(of: Schedule, times: Times, now: datetime) -> list[tuple[int, Standing]]:
    """The wall-clock hour of each task, and how it stands."""
    return [(task.due.at.astimezone(BERLIN).hour, task.standing) for task in today(of, times, now)]


def test_each_due_measurement_of_the_day_is_done_open_missed_or_later() -> None:
    of = schedule(Slot(at=time(7)), Slot(at=time(12)), Slot(at=time(18)), Slot(at=time(23)))
    assert standings(of, taken(at(5, 6)), at(5, 15, 30)) == [
        (7, Standing.DONE), (12, Standing.MISSED), (18, Standing.OPEN), (23, Standing.LATER),
    ]  # fmt: skip
    [first, *_] = today(of, taken(at(5, 6)), at(5, 15, 30))
    assert first.measured_at == at(5, 6)


def test_a_reading_that_is_still_to_come_is_not_done_yet() -> None:
    assert standings(schedule(), taken(at(5, 9)), at(5, 8, 30)) == [(8, Standing.OPEN)]


def test_what_is_still_open_of_yesterday_stands_before_todays() -> None:
    of = schedule(Slot(at=time(23)), Slot(at=time(8)))
    assert standings(of, taken(), at(6, 0, 30)) == [(23, Standing.OPEN), (8, Standing.LATER), (23, Standing.LATER)]
    assert standings(of, taken(), at(6, 1, 30)) == [(8, Standing.LATER), (23, Standing.LATER)]


def test_a_day_of_23_hours_has_each_of_its_measurements_once() -> None:
    of = schedule(Slot(at=time(2, 30)), Slot(at=time(23, 30)))
    change = datetime(2026, 3, 29, 12, tzinfo=BERLIN)
    assert [task.due.at for task in today(of, taken(), change)] == utc(
        datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN), datetime(2026, 3, 29, 23, 30, tzinfo=BERLIN)
    )


def test_in_a_pause_nothing_is_due_today() -> None:
    assert today(schedule(pauses=(Pause(start=at(4), end=at(6)),)), taken(), at(5, 9)) == ()
