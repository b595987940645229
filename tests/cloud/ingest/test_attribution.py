"""Readings of a session answered together: always what each of them alone would have got."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import event, given, settings
from hypothesis import strategies as st

from cloud.devices.models import Assignment
from cloud.ingest.attribution import attribute, attribute_all
from device_drivers.readings import Reading
from device_drivers.timestamps import CLOCK_LOST, CoincidentTimeStamp, Evidence
from device_drivers.wall_clocks import Stay, Zones
from tests.cloud.made import METER, glucose

T = TypeVar("T")

VISIT = datetime(2026, 11, 3, 12, tzinfo=UTC)  # nine days after Europe's clocks went back, two after America's
ZONES = ["Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "UTC"]


def mostly(usual: st.SearchStrategy[T], unusual: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Four times in five what is usual: else hardly a session would have nothing odd about it."""
    return st.integers(0, 4).flatmap(lambda n: unusual if n == 4 else usual)


nothing = st.none()
seconds = st.one_of(st.integers(-90, 90), st.integers(-30 * 86_400, 30 * 86_400), st.integers(-(10**9), 10**8))
around_the_visit = seconds.map(lambda s: VISIT + timedelta(seconds=s))
before = st.integers(60, 60 * 86_400).map(lambda s: VISIT - timedelta(seconds=s))
errors = mostly(
    st.sampled_from([timedelta(0), timedelta(hours=1), timedelta(hours=-5), timedelta(seconds=40)]),
    seconds.map(lambda s: timedelta(seconds=s)),
)


def stamp(at: datetime, error: timedelta) -> CoincidentTimeStamp:
    """The device shows the time, and an error."""
    return CoincidentTimeStamp(at, (at + error).replace(tzinfo=None))


now = st.just(VISIT)
stamps = st.builds(stamp, mostly(now, around_the_visit), errors)
earlier_stamps = st.builds(stamp, mostly(before, around_the_visit), errors)
evidences = st.builds(
    Evidence,
    previous=mostly(nothing, earlier_stamps),
    drained_at=mostly(nothing, before),
    synchronised=st.sampled_from([None, True, True, False]),
    started_at=st.sampled_from([None, VISIT, VISIT - timedelta(minutes=2)]),
    oldest_read_at=mostly(now, nothing),
    waited=mostly(nothing, st.integers(0, 120).map(lambda s: timedelta(seconds=s))),
)
walls = st.builds(
    lambda home, away, since, days: Zones(
        ZoneInfo(home), (Stay(since, since + timedelta(days=days), ZoneInfo(away)),) if days else ()
    ),
    st.sampled_from(ZONES),
    st.sampled_from(ZONES),
    around_the_visit,
    mostly(st.just(0), st.integers(1, 40)),
)


def assigned(number: int, since: datetime | None, days: int, zones: Zones, user_index: int | None) -> Assignment:
    """A patient has the meter for so many days; none: still."""
    return Assignment(
        device_id=METER.device_id,
        user_index=user_index,
        patient_id=UUID(int=number),
        since=since,
        until=since + timedelta(days=days) if since and days else None,
        zones=zones,
    )


long_ago = st.just(VISIT - timedelta(days=9000))
user_indices = mostly(nothing, st.just(1))
assignments = mostly(
    st.lists(st.builds(assigned, st.just(1), long_ago, st.just(0), walls, nothing), min_size=1, max_size=1),
    st.lists(
        st.builds(
            assigned, st.integers(1, 3), nothing | long_ago | around_the_visit, st.integers(0, 400), walls, user_indices
        ),
        max_size=3,
    ),
)
ages = mostly(st.integers(60, 8 * 86_400), st.integers(-600, 40 * 86_400) | st.integers(0, 10**9))


def reading(age: int, value: int, user_index: int | None, went_back: datetime | None) -> Reading:
    """Measured so many seconds before the visit, by the device's clock."""
    made = glucose(str(value), at=VISIT - timedelta(seconds=age))
    return replace(made, user_index=user_index, clock_went_back_to=went_back)


usual = st.builds(reading, ages, st.sampled_from([100, 41, 300, 4000]), nothing, nothing)
odd = st.builds(reading, ages, st.just(100), user_indices, mostly(nothing, st.just(CLOCK_LOST)))
delays = mostly(st.integers(0, 90), st.integers(-7200, 7200))
came = mostly(
    st.lists(st.tuples(usual, delays), min_size=1, max_size=4),
    st.lists(st.tuples(usual | odd, delays), max_size=4),
)


@settings(max_examples=400)
@given(came, mostly(stamps, nothing), assignments, evidences, mostly(st.integers(0, 10**6), st.integers(-120, 0)))
def test_a_session_together_gets_what_each_reading_gets_alone(
    came: list[tuple[Reading, int]],
    coincident: CoincidentTimeStamp | None,
    assigned: list[Assignment],
    evidence: Evidence,
    late_s: int,
) -> None:
    received_at = VISIT + timedelta(seconds=late_s)
    timed = [(reading, VISIT + timedelta(seconds=delay)) for reading, delay in came]

    together = attribute_all(timed, coincident, received_at, assigned, evidence)

    alone = [
        attribute(
            reading,
            coincident,
            received_at,
            assigned,
            replace(evidence, read_at=read_at, went_back_to=reading.clock_went_back_to),
        )
        for reading, read_at in timed
    ]
    event(f"kinds of answers: {sorted({type(one).__name__ for one in alone})}")
    assert list(together) == alone
