"""The corpus of wrong clocks, through the real ingest on the real database: right within a minute, or flagged.

Each home is told twice: as it was (true instants) and as its devices showed it. What is stored must be what was, to
within a minute; what cannot be known must be held, whole, with its reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cloud.devices import store as devices
from cloud.ingest.arrivals import Arrival
from cloud.zones import store as zones
from device_drivers.readings import Reading, ReportedTime
from device_drivers.timestamps import RIGHT_WITHIN, MemoryOrder
from gateway.wire import v1
from tests.cloud.made import CUFF, METER, Ward, arrival, glucose, message, pressure

HOME = ZoneInfo("Europe/Copenhagen")  # the ward's patient lives there; clocks change on 29 March and 25 October 2026
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    """A true instant, written on Copenhagen's clocks; ``fold`` by a trailing ``*`` for the second of two."""
    local = datetime.fromisoformat(text.rstrip("*"))
    return local.replace(tzinfo=HOME, fold=int(text.endswith("*"))).astimezone(UTC)


def wall(time: datetime, error: timedelta = timedelta(0)) -> datetime:
    """What a device kept at the patient's time shows, with an error."""
    return time.astimezone(HOME).replace(tzinfo=None, fold=0) + error


@dataclass(frozen=True)
class Made:
    """One measurement: when it really was, and what the device wrote down."""

    true: datetime
    shown: datetime | None


def visit(
    now: datetime,
    shown: datetime | None,
    *,
    previous: v1.WirePrevious | None = None,
    synchronised: bool | None = True,
    gateway_error: timedelta = timedelta(0),
    cuff: bool = False,
) -> v1.WireSession:
    """A visit at the true instant ``now``; the device shows ``shown``, the gateway's clock is off by an error."""
    said = now + gateway_error
    return v1.WireSession(
        session_id=uuid4().hex,
        device=v1.wire_device(CUFF if cuff else METER),
        started_at=said,
        profile="lifescan-ultra2",
        device_time=shown.isoformat() if shown else None,
        gateway_time=said if shown else None,
        holds=3,
        previous=previous,
        clock_synchronised=synchronised,
    )


def before(now: datetime, shown: datetime | None, *, drained: bool = True) -> v1.WirePrevious:
    """What a visit tells of the one before it."""
    return v1.WirePrevious(gateway_time=now, device_time=shown.isoformat() if shown else None, drained=drained)


def memory(made: Iterable[Made], *, cuff: bool = False) -> list[Reading]:
    """A memory as a driver gives it out: newest first, marked where its order shows that the clock went back."""
    order, found = MemoryOrder(), []
    for number, each in enumerate(reversed(list(made))):
        blank = pressure(str(110 + number)) if cuff else glucose(str(90 + number))
        shown = ReportedTime(each.shown.isoformat(), each.shown) if each.shown else ReportedTime("0000-00-00", None)
        found.append(replace(blank, reported_time=shown, clock_went_back_to=order.older(shown.local)))
    return found


def judged(
    ward: Ward,
    made: list[Made],
    session: v1.WireSession,
    received: datetime,
    *,
    cuff: bool = False,
    waited: timedelta | None = None,
    kept_s: int | None = 0,
) -> list[str]:
    """What became of each: ``right``, the reason for which it is held, or ``WRONG by ...``. Oldest first.

    ``waited`` in the gateway, as it says, and ``kept_s`` at the broker.
    """
    readings = memory(made, cuff=cuff)
    waited_s = waited.total_seconds() if waited is not None else None
    told = msgspec.structs.replace(message(*readings, visit=session), waited_s=waited_s)
    sent: Arrival = arrival(told, at=received, kept_s=kept_s)
    fates = ward.receive(sent, at=received)[0].receipts.receipts
    table = "SELECT reading_id, effective_time FROM "
    rows = ward.rows(table + "blood_pressure") if cuff else ward.rows("SELECT reading_id, effective_time FROM glucose")
    stored = {reading_id.hex: time for reading_id, time in rows}
    found = []
    for reading, true, fate in zip(readings, reversed([m.true for m in made]), fates, strict=True):
        if fate.fate is v1.Fate.STORED:
            off = stored[reading.reading_id] - true
            found.append("right" if abs(off) <= RIGHT_WITHIN else f"WRONG by {off}")
        else:
            found.append(str(fate.reason))
    assert ward.count("quarantine") == sum(fate.fate is v1.Fate.QUARANTINED for fate in fates)
    return found[::-1]


def kept(*times: datetime, error: timedelta = timedelta(0)) -> list[Made]:
    """Measurements on a clock with one error against the patient's wall."""
    return [Made(time, wall(time, error)) for time in times]


NOON = at("2026-11-21T12:00")
DAYS = [NOON - 3 * DAY, NOON - 1 * DAY, NOON - 10 * MINUTE]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(timedelta(0), id="right"),
        pytest.param(12 * HOUR, id="am_pm_swapped"),
        pytest.param(-12 * HOUR, id="pm_am_swapped"),
        pytest.param(-730 * DAY, id="wrong_year"),
        pytest.param(3650 * DAY, id="years_ahead"),
        pytest.param(7 * MINUTE, id="seven_minutes"),
        pytest.param(-31 * DAY - 5 * HOUR, id="wrong_month_and_hour"),
    ],
)
def test_a_clock_with_a_constant_error_is_mapped(ward: Ward, error: timedelta) -> None:
    assert judged(ward, kept(*DAYS, error=error), visit(NOON, wall(NOON, error)), NOON) == ["right"] * 3


# Both edges ------------------------------------------------------------------------------------------------------

EDGES = [
    pytest.param("2026-10-24T20:00", "2026-10-25T20:00", id="back"),
    pytest.param("2026-03-28T20:00", "2026-03-29T20:00", id="forward"),
]


@pytest.mark.parametrize(("old", "now"), EDGES)
@pytest.mark.parametrize("error", [timedelta(0), 12 * HOUR, 4 * MINUTE])
def test_a_memory_that_reaches_over_an_edge_is_never_an_hour_off(
    ward: Ward, old: str, now: str, error: timedelta
) -> None:
    """Somebody set the meter by the kitchen clock: what is older than the edge may be an hour off, and is held."""
    made = kept(at(old), at(now) - HOUR, error=error)
    assert judged(ward, made, visit(at(now), wall(at(now), error)), at(now)) == ["unknown_timeline", "right"]


@pytest.mark.parametrize(("old", "now"), EDGES)
def test_a_meter_that_nobody_set_at_the_edge_is_mapped_across_it(ward: Ward, old: str, now: str) -> None:
    """It still shows the old season's time, so it was not touched."""
    offset = at(old).astimezone(HOME).utcoffset() or timedelta(0)
    made = [Made(t, (t + offset).replace(tzinfo=None)) for t in (at(old), at(now) - HOUR)]
    shown = (at(now) + offset).replace(tzinfo=None)
    assert judged(ward, made, visit(at(now), shown), at(now)) == ["right", "right"]


@pytest.mark.parametrize(("old", "now"), EDGES)
def test_visits_on_both_sides_of_an_edge_prove_that_nobody_set_the_meter(ward: Ward, old: str, now: str) -> None:
    shown = at(now).replace(tzinfo=None)  # it shows UTC, as it did before
    made = [Made(t, t.replace(tzinfo=None)) for t in (at(old) + HOUR, at(now) - HOUR)]
    session = visit(at(now), shown, previous=before(at(old), at(old).replace(tzinfo=None)))
    assert judged(ward, made, session, at(now)) == ["right", "right"]


def test_between_two_visits_a_clock_that_was_set_back_leaves_two_answers(ward: Ward) -> None:
    old, now = at("2026-10-24T20:00"), at("2026-10-25T20:00")
    made = kept(old + HOUR, now - 8 * HOUR)
    session = visit(now, wall(now), previous=before(old, wall(old)))
    assert judged(ward, made, session, now) == ["unknown_timeline", "unknown_timeline"]


def test_between_two_visits_a_clock_that_was_set_forward_leaves_one_answer_for_what_is_fresh(ward: Ward) -> None:
    old, now = at("2026-03-28T20:00"), at("2026-03-29T20:00")
    made = kept(old + HOUR, now - 8 * HOUR, now - 10 * MINUTE)
    session = visit(now, wall(now), previous=before(old, wall(old)))
    assert judged(ward, made, session, now) == ["unknown_timeline", "unknown_timeline", "right"]


# Battery ---------------------------------------------------------------------------------------------------------


def test_a_battery_pulled_in_the_middle_of_the_memory_leaves_what_was_before_without_a_time(ward: Ward) -> None:
    reset_at, reset_to = NOON - 2 * DAY, datetime.fromisoformat("2026-01-01T00:00")
    earlier = kept(NOON - 5 * DAY, NOON - 3 * DAY)
    later = [Made(t, reset_to + (t - reset_at)) for t in (NOON - DAY, NOON - HOUR)]
    session = visit(NOON, reset_to + (NOON - reset_at))
    found = judged(ward, earlier + later, session, NOON)
    assert found == ["unknown_timeline", "unknown_timeline", "right", "right"]


def test_a_battery_pulled_and_the_clock_set_again_is_seen_by_the_visit_before(ward: Ward) -> None:
    """The readings in between carry the reset clock's date: before a visit that took everything there was."""
    between = [Made(NOON - DAY, datetime.fromisoformat("2026-01-01T08:00"))]
    later = kept(NOON - HOUR)
    session = visit(NOON, wall(NOON), previous=before(NOON - 2 * DAY, wall(NOON - 2 * DAY)))
    assert judged(ward, between + later, session, NOON) == ["unknown_timeline", "right"]


def test_a_clock_that_was_never_set_and_then_was_leaves_its_readings_without_a_time(ward: Ward) -> None:
    made = [*kept(NOON - 3 * DAY), Made(NOON - 2 * DAY, None), *kept(NOON - HOUR)]
    assert judged(ward, made, visit(NOON, wall(NOON)), NOON) == ["unknown_timeline", "unknown_timeline", "right"]


# Travel ----------------------------------------------------------------------------------------------------------


def test_a_traveller_who_leaves_the_meter_alone_is_dated_right(ward: Ward) -> None:
    zones.move(ward.admin, ward.patient_id, "America/New_York", NOON - 2 * DAY)
    assert judged(ward, kept(*DAYS), visit(NOON, wall(NOON)), NOON) == ["right"] * 3


def test_a_traveller_who_sets_the_meter_is_dated_right_since_and_held_before(ward: Ward) -> None:
    zones.move(ward.admin, ward.patient_id, "America/New_York", NOON - 2 * DAY)
    there = timedelta(hours=-6)
    made = [
        *kept(NOON - 3 * DAY),
        Made(NOON - DAY, wall(NOON - DAY, there)),
        Made(NOON - HOUR, wall(NOON - HOUR, there)),
    ]
    found = judged(ward, made, visit(NOON, wall(NOON, there)), NOON)
    assert found == ["unknown_timeline", "right", "right"]


# The gateway's own clock -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [2 * MINUTE, 3 * HOUR, 400 * DAY], ids=str)
@pytest.mark.parametrize("synchronised", [None, False, True])
def test_a_gateway_that_runs_ahead_dates_nothing(ward: Ward, error: timedelta, synchronised: bool | None) -> None:
    session = visit(NOON, wall(NOON), gateway_error=error, synchronised=synchronised)
    assert judged(ward, kept(*DAYS), session, NOON) == ["unknown_timeline"] * 3


@pytest.mark.parametrize("error", [-2 * MINUTE, -3 * HOUR, -20000 * DAY], ids=str)
def test_a_gateway_without_ntp_that_is_behind_dates_nothing(ward: Ward, error: timedelta) -> None:
    session = visit(NOON, wall(NOON), gateway_error=error, synchronised=False)
    assert judged(ward, kept(*DAYS), session, NOON) == ["unknown_timeline"] * 3


def test_a_gateway_without_ntp_is_believed_where_its_reading_comes_at_once_and_agrees(ward: Ward) -> None:
    session = visit(NOON, wall(NOON), synchronised=False)
    assert judged(ward, kept(*DAYS), session, NOON + 20 * SECOND, waited=20 * SECOND) == ["right"] * 3


def test_a_gateway_without_ntp_whose_message_was_held_up_dates_nothing(ward: Ward) -> None:
    session = visit(NOON, wall(NOON), synchronised=False)
    assert judged(ward, kept(*DAYS), session, NOON + HOUR, waited=HOUR) == ["unknown_timeline"] * 3


@pytest.mark.parametrize("late", [65 * SECOND, 2 * MINUTE, HOUR, 3 * DAY], ids=str)
@pytest.mark.parametrize("at_broker", [0.0, 0.3, 1.0], ids=["in_the_outbox", "in_both", "at_the_broker"])
@pytest.mark.parametrize("ahead", [-1, 1], ids=["behind", "ahead"])
def test_a_gateway_without_ntp_that_is_off_by_as_much_as_its_message_is_late_dates_nothing(
    ward: Ward, late: timedelta, at_broker: float, ahead: int
) -> None:
    """Ahead, it looks as if it came at once and agreed: only how long it waited tells."""
    kept_s = int(at_broker * late.total_seconds())
    waited = late - kept_s * SECOND
    session = visit(NOON, wall(NOON), gateway_error=ahead * late, synchronised=False)
    found = judged(ward, kept(*DAYS), session, NOON + late, waited=waited, kept_s=kept_s)
    assert found == ["unknown_timeline"] * 3


@pytest.mark.parametrize("waited", [None, timedelta(0)], ids=["an_older_gateway", "a_younger_gateway"])
@pytest.mark.parametrize("kept_s", [None, 0], ids=["a_broker_that_does_not_say", "a_broker_that_says"])
def test_a_gateway_without_ntp_dates_nothing_where_nobody_knows_how_long_a_message_waited(
    ward: Ward, waited: timedelta | None, kept_s: int | None
) -> None:
    session = visit(NOON, wall(NOON), synchronised=False)
    is_known = waited is not None and kept_s is not None
    found = judged(ward, kept(*DAYS), session, NOON, waited=waited, kept_s=kept_s)
    assert found == (["right"] if is_known else ["unknown_timeline"]) * 3


def test_a_message_that_comes_again_after_a_reconnection_is_judged_by_its_own_waiting_time(ward: Ward) -> None:
    """The first did not arrive. The clock is ahead by 90 s, and the second comes so late that it seems to fit."""
    off = 90 * SECOND
    session = visit(NOON, wall(NOON), gateway_error=off, synchronised=False)
    assert judged(ward, kept(*DAYS), session, NOON + off, waited=off) == ["unknown_timeline"] * 3


@pytest.mark.parametrize("error", [-50 * SECOND, -31 * SECOND, 31 * SECOND, 50 * SECOND], ids=str)
@pytest.mark.parametrize("late", [0 * SECOND, 40 * SECOND], ids=str)
def test_a_gateway_without_ntp_that_does_not_agree_to_half_a_minute_dates_nothing(
    ward: Ward, error: timedelta, late: timedelta
) -> None:
    session = visit(NOON, wall(NOON), gateway_error=error, synchronised=False)
    assert judged(ward, kept(*DAYS), session, NOON + late, waited=late) == ["unknown_timeline"] * 3


@pytest.mark.parametrize("error", [-HOUR, HOUR], ids=["behind", "ahead"])
@pytest.mark.parametrize("late", [0 * HOUR, 3 * HOUR], ids=["at_once", "late"])
def test_a_known_waiting_time_contradicts_a_clock_of_which_nobody_knows(
    ward: Ward, error: timedelta, late: timedelta
) -> None:
    session = visit(NOON, wall(NOON), gateway_error=error, synchronised=None)
    assert judged(ward, kept(*DAYS), session, NOON + late, waited=late) == ["unknown_timeline"] * 3


@pytest.mark.parametrize("synchronised", [None, True])
def test_a_clock_that_nothing_speaks_against_dates_what_comes_late(ward: Ward, synchronised: bool | None) -> None:
    session = visit(NOON, wall(NOON), synchronised=synchronised)
    assert judged(ward, kept(*DAYS), session, NOON + 3 * HOUR, waited=3 * HOUR) == ["right"] * 3


@pytest.mark.parametrize("jump", [-3 * HOUR, 3 * HOUR], ids=["back", "forward"])
def test_a_gateway_clock_that_jumps_within_a_visit_dates_nothing(ward: Ward, jump: timedelta) -> None:
    session = msgspec.structs.replace(visit(NOON, wall(NOON)), started_at=NOON - jump)
    assert judged(ward, kept(*DAYS), session, NOON) == ["unknown_timeline"] * 3


def test_a_gateway_clock_that_went_back_between_two_visits_dates_nothing_late(ward: Ward) -> None:
    previous = before(NOON + 5 * DAY, wall(NOON + 5 * DAY))
    session = visit(NOON, wall(NOON), previous=previous, synchronised=None)
    assert judged(ward, kept(*DAYS), session, NOON + 6 * DAY) == ["unknown_timeline"] * 3


# Clocks that cannot be read --------------------------------------------------------------------------------------


def checked(ward: Ward, time: datetime) -> None:
    """A nurse compared the cuff's clock with her watch."""
    [(assignment_id,)] = ward.rows("SELECT assignment_id FROM device_assignment WHERE device_id LIKE '%00091f%'")
    devices.check_clock(ward.admin, assignment_id, time, ward.nurse_id)


def cuff_judged(ward: Ward, made: list[Made], now: datetime, **facts: object) -> list[str]:
    session = msgspec.structs.replace(visit(now, None, cuff=True), **facts)
    return judged(ward, made, session, now, cuff=True)


def test_a_cuff_whose_clock_nobody_can_read_and_nobody_checked_is_held(ward: Ward) -> None:
    assert cuff_judged(ward, kept(*DAYS), NOON) == ["unknown_timeline"] * 3


def test_a_cuff_whose_clock_was_checked_by_eye_is_taken_at_its_word_since(ward: Ward) -> None:
    checked(ward, NOON - 2 * DAY)
    assert cuff_judged(ward, kept(*DAYS), NOON) == ["unknown_timeline", "right", "right"]
    assert ward.rows("SELECT DISTINCT time_quality FROM blood_pressure") == [("mapped",)]


def test_a_check_can_be_said_with_the_assignment(ward: Ward) -> None:
    ward.admin.execute("DELETE FROM device_assignment")
    devices.assign_device(
        ward.admin, CUFF.device_id, ward.patient_id, NOON - 9 * DAY,
        clock_checked_at=NOON - 9 * DAY, clock_checked_by=ward.nurse_id,
    )  # fmt: skip
    assert cuff_judged(ward, kept(*DAYS), NOON) == ["right"] * 3


def test_a_checked_cuff_that_shows_the_future_is_contradicted(ward: Ward) -> None:
    checked(ward, NOON - 9 * DAY)
    assert cuff_judged(ward, kept(NOON - 10 * MINUTE, error=HOUR), NOON) == ["impossible_time"]


def test_a_checked_cuff_whose_battery_was_pulled_is_held(ward: Ward) -> None:
    checked(ward, NOON - 9 * DAY)
    reset = [Made(NOON - HOUR, datetime.fromisoformat("2026-01-01T00:10"))]
    assert cuff_judged(ward, kept(NOON - 2 * DAY) + reset, NOON) == ["unknown_timeline", "unknown_timeline"]


def test_a_checked_cuff_that_dates_a_new_reading_before_the_last_visit_is_contradicted(ward: Ward) -> None:
    checked(ward, NOON - 9 * DAY)
    late = kept(NOON - 10 * MINUTE, error=-3 * HOUR)
    assert cuff_judged(ward, late, NOON, previous=before(NOON - HOUR, None)) == ["unknown_timeline"]


def test_the_hour_that_comes_twice_is_told_by_the_order_or_held(ward: Ward) -> None:
    checked(ward, at("2026-10-20T08:00"))
    made = kept(at("2026-10-25T01:30"), at("2026-10-25T02:40"), at("2026-10-25T02:20*"), at("2026-10-25T03:10"))
    assert cuff_judged(ward, made, at("2026-10-25T08:00")) == ["right", "right", "unknown_timeline", "right"]


def test_the_hour_that_never_was_is_held(ward: Ward) -> None:
    checked(ward, at("2026-03-20T08:00"))
    made = [Made(at("2026-03-29T03:30"), datetime.fromisoformat("2026-03-29T02:30"))]
    assert cuff_judged(ward, made, at("2026-03-29T08:00")) == ["unknown_timeline"]


def test_a_checked_cuff_follows_its_patient_into_another_zone(ward: Ward) -> None:
    checked(ward, NOON - 9 * DAY)
    zones.move(ward.admin, ward.patient_id, "Asia/Tokyo", NOON - 2 * DAY)
    made = [*kept(NOON - 3 * DAY), *kept(NOON - HOUR, error=8 * HOUR)]
    assert cuff_judged(ward, made, NOON) == ["right", "right"]
