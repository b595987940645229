"""Wall clocks, zones and their edges: whatever the times, a reading is right within a minute or has none."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from device_drivers.readings import ReportedTime
from device_drivers.timestamps import (
    RIGHT_WITHIN,
    CoincidentTimeStamp,
    Evidence,
    MemoryOrder,
    TimeQuality,
    effective_time,
)
from device_drivers.wall_clocks import Stay, Zones, other_instants, time_by_eye

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
ZONES = ["Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
EDGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
]
instants = st.one_of(
    st.integers(0, int((END - START).total_seconds())).map(lambda s: START + timedelta(seconds=s)),
    st.builds(lambda edge, s: edge + timedelta(seconds=s), st.sampled_from(EDGES), st.integers(-7200, 7200)),
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
errors = st.one_of(
    st.sampled_from([timedelta(0), timedelta(hours=12), timedelta(days=-730)]),
    st.integers(-400 * 86400, 400 * 86400).map(lambda s: timedelta(seconds=s)),
)
travels = st.builds(
    lambda home, away, leaves, days: Zones(
        home, (Stay(leaves, leaves + timedelta(days=days), away),)
    ),
    zones, zones, instants, st.integers(2, 60),
)  # fmt: skip
COPENHAGEN = Zones(ZoneInfo("Europe/Copenhagen"))
HALF_PAST_TWO = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of two
patients = st.one_of(zones.map(Zones), travels)


def shown(time: datetime, patient: Zones) -> datetime:
    """The patient's wall clock."""
    return time.astimezone(patient.at(time)).replace(tzinfo=None, fold=0)


def said(local: datetime) -> ReportedTime:
    return ReportedTime(local.isoformat(), local)


@given(instants, patients)
def test_every_instant_is_among_those_of_what_the_wall_showed(time: datetime, patient: Zones) -> None:
    assert time in patient.instants(shown(time, patient))


@given(instants, patients)
def test_every_instant_of_a_wall_time_shows_that_time(time: datetime, patient: Zones) -> None:
    local = shown(time, patient)
    found = patient.instants(local)
    assert {shown(each, patient) for each in found} == {local}
    assert list(found) == sorted(set(found))


@example(HALF_PAST_TWO, HALF_PAST_TWO + timedelta(hours=7), 0, COPENHAGEN, timedelta(0), True)
@given(instants, instants, st.integers(0, 3 * 86400), patients, errors, st.booleans())
@settings(max_examples=400)
def test_a_clock_left_alone_or_kept_at_the_wall_is_right_or_held(
    one: datetime, other: datetime, late_s: int, patient: Zones, error: timedelta, is_kept: bool
) -> None:
    """A device with a constant error, against UTC or against the patient's wall: the two ways people treat clocks."""
    time, now = min(one, other), max(one, other)
    device = (lambda t: shown(t, patient) + error) if is_kept else (lambda t: t.replace(tzinfo=None) + error)
    stamp = CoincidentTimeStamp(now, device(now))
    received_at = now + timedelta(seconds=late_s)
    found = effective_time(said(device(time)), stamp, received_at, Evidence(started_at=now, read_at=now))
    if found.time is None or found.quality is TimeQuality.IMPLAUSIBLE or other_instants(found.time, stamp, patient):
        return
    # A kept clock whose error looks like no clock that was ever kept (hours off) cannot be told from one left alone.
    dial = error % timedelta(hours=12)
    is_told = not is_kept or min(dial, timedelta(hours=12) - dial) < timedelta(minutes=20)
    assert not is_told or abs(found.time - time) <= RIGHT_WITHIN


@example(HALF_PAST_TWO - timedelta(hours=2), [7200, 3600], COPENHAGEN)
@given(
    instants, st.lists(st.one_of(st.integers(1, 4000), st.integers(1, 86400 * 20)), min_size=1, max_size=30), patients
)
def test_a_checked_clock_is_right_or_held(start: datetime, steps: list[int], patient: Zones) -> None:
    times = [start]
    for step in steps:
        times.append(times[-1] + timedelta(seconds=step))
    now, order = times[-1], MemoryOrder()
    for time in reversed(times):
        local = shown(time, patient)
        evidence = Evidence(went_back_to=order.older(local), read_at=now)
        found = time_by_eye(said(local), start, patient, now, evidence)
        assert found.time is None or found.quality is TimeQuality.IMPLAUSIBLE or found.time == time


@given(instants, st.integers(60, 86400), st.integers(1, 400 * 86400), st.integers(0, 30))
def test_a_clock_set_between_two_visits_is_right_or_held(
    since: datetime, length_s: int, moved_s: int, parts: int
) -> None:
    """Set back or forward once, at any moment between; the reading before or after it."""
    now = since + timedelta(seconds=length_s)
    for moved in (timedelta(seconds=moved_s), -timedelta(seconds=moved_s)):
        set_at = since + (now - since) * parts / 30
        for time in (since + (now - since) * k / 10 for k in range(11)):
            local = time.replace(tzinfo=None) + (moved if time >= set_at else timedelta(0))
            stamp = CoincidentTimeStamp(now, now.replace(tzinfo=None) + moved)
            previous = CoincidentTimeStamp(since, since.replace(tzinfo=None))
            found = effective_time(said(local), stamp, now, Evidence(previous=previous, drained_at=since))
            within = 2 * RIGHT_WITHIN  # two stamps without seconds leave a minute more
            assert found.time is None or found.quality is TimeQuality.IMPLAUSIBLE or abs(found.time - time) <= within


@given(st.lists(st.integers(-86400 * 400, 86400 * 400), max_size=60))
def test_the_order_of_a_memory_speaks_of_nothing_but_clocks_that_went_back(seconds: list[int]) -> None:
    newest_first = [datetime.fromisoformat("2026-06-01") + timedelta(seconds=s) for s in seconds]
    order = MemoryOrder()
    for index, local in enumerate(newest_first):
        newer = newest_first[:index]
        expected = min(newer) if newer and local - min(newer) > RIGHT_WITHIN else None
        assert order.older(local) == expected


@pytest.mark.parametrize(
    ("local", "found"),
    [
        ("2026-03-29T02:30", ()),
        ("2026-10-25T02:30", ("2026-10-25T00:30", "2026-10-25T01:30")),
        ("2026-07-01T12:00", ("2026-07-01T10:00",)),
        ("0001-01-01T00:00", ()),
        ("9999-12-31T23:59", ("9999-12-31T22:59",)),
    ],
)
def test_a_wall_time_comes_once_twice_or_never(local: str, found: tuple[str, ...]) -> None:
    home = Zones(ZoneInfo("Europe/Copenhagen"))
    assert home.instants(datetime.fromisoformat(local)) == tuple(
        datetime.fromisoformat(each).replace(tzinfo=UTC) for each in found
    )


def test_in_a_zone_that_nobody_knows_no_wall_clock_is_taken_at_its_word() -> None:
    noon = datetime.fromisoformat("2026-06-01T12:00")
    found = time_by_eye(said(noon), START, Zones(None), END)
    assert (found.time, found.quality) == (None, TimeQuality.UNKNOWN_TIMELINE)


def test_a_clock_that_drifts_between_two_visits_is_mapped_by_what_it_was_then() -> None:
    """Four seconds a day for a hundred days: nobody set it, and the middle is half as far off."""
    day = timedelta(days=1)
    previous = CoincidentTimeStamp(START, START.replace(tzinfo=None))
    now = START + 100 * day
    stamp = CoincidentTimeStamp(now, now.replace(tzinfo=None) - timedelta(seconds=400))
    middle = START + 50 * day
    reported = said(middle.replace(tzinfo=None) - timedelta(seconds=200))
    found = effective_time(reported, stamp, now, Evidence(previous=previous, drained_at=START))
    assert found.time is not None
    assert abs(found.time - middle) < timedelta(seconds=1)
