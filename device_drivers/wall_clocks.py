"""Wall clocks and where they hang: a patient's zones, and what a device's clock can mean that somebody keeps by hand.

Zones have edges. A local time may come twice (clocks went back) or never (clocks went forward), and a patient may move
or travel. Nothing here guesses: where a wall clock leaves two answers, both come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from device_drivers.readings import ReportedTime
from device_drivers.timestamps import (
    CLOCK_LOST,
    FUTURE_TOLERANCE,
    NO_EVIDENCE,
    RIGHT_WITHIN,
    CoincidentTimeStamp,
    EffectiveTime,
    Evidence,
    TimeQuality,
    impossible,
    unknown_timeline,
    was_set_between,
)

# A device that shows a patient's time to within this may have been kept at it; hours off, it was not.
KEPT_WITHIN = timedelta(minutes=30)
# A dial with twelve hours looks right when morning and evening are swapped.
DIAL = timedelta(hours=12)
# No zone changes its offset and back again within this.
BETWEEN_EDGES = timedelta(days=14)
# Further than any two zones are apart: edges so long before a reading can still matter to it.
ZONES_APART = timedelta(days=1, hours=3)


@dataclass(frozen=True, slots=True)
class Stay:
    """A patient's walls were in a zone from ``since`` (inclusive) to ``until`` (exclusive); None: always."""

    since: datetime | None
    until: datetime | None
    zone: tzinfo | None

    def covers(self, time: datetime) -> bool:
        """Whether the patient was there then."""
        return (self.since is None or self.since <= time) and (self.until is None or time < self.until)


@dataclass(frozen=True, slots=True)
class Zones:
    """Where a patient's walls were; ``otherwise`` holds wherever no stay does. None is a zone that nobody knows."""

    otherwise: tzinfo | None
    stays: Sequence[Stay] = ()

    def at(self, time: datetime) -> tzinfo | None:
        """The zone valid at an instant."""
        return next((stay.zone for stay in self.stays if stay.covers(time)), self.otherwise)

    def offset(self, time: datetime) -> timedelta:
        """What the patient's wall clock showed beyond UTC at an instant; nothing, where nobody knows the zone."""
        return time.astimezone(self.at(time) or UTC).utcoffset() or timedelta(0)

    def offsets(self, since: datetime, until: datetime) -> frozenset[timedelta]:
        """All offsets in force in a span of time, its ends included."""
        found = {self.offset(since), self.offset(until)}
        edges = [each for stay in self.stays for each in (stay.since, stay.until) if each is not None]
        found |= {self.offset(edge) for edge in edges if since < edge < until}
        time = since + BETWEEN_EDGES
        while time < until:
            found.add(self.offset(time))
            time += BETWEEN_EDGES
        return frozenset(found)

    def instants(self, local: datetime) -> tuple[datetime, ...]:
        """When the patient's wall clock showed this, the earliest first: usually once, never or twice at an edge."""
        found: set[datetime] = set()
        for zone in {self.otherwise, *(stay.zone for stay in self.stays)} - {None}:
            for fold in (0, 1):
                try:
                    time = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
                    valid = self.at(time)
                    shown = time.astimezone(valid).replace(tzinfo=None)
                except OverflowError:
                    continue  # at the ends of the calendar
                if valid is not None and shown == local.replace(fold=0):
                    found.add(time)
        return tuple(sorted(found))


def time_by_eye(
    reported: ReportedTime,
    checked_at: datetime,
    zones: Zones,
    received_at: datetime,
    evidence: Evidence = NO_EVIDENCE,
) -> EffectiveTime:
    """The time of a device whose clock cannot be read, and that somebody compared with a watch at ``checked_at``.

    HL7 knows the method as EBWW, eyeball and wrist watch (MDC 532234). The wall clock is taken at its word in the zone
    that was the patient's then; where that gives no answer or two, the order in the memory may prove which.
    """
    if reported.local is None:
        return unknown_timeline(f"the device's clock was not set ({reported.text})")
    instants = zones.instants(reported.local)
    if not instants:
        return unknown_timeline(f"{reported.local:%Y-%m-%d %H:%M} never was where the patient lives")
    if (later := evidence.went_back_to) is not None:
        newest = zones.instants(later)[-1:] if later != CLOCK_LOST else ()
        instants = tuple(time for time in instants if newest and time < newest[0])
        if not instants:
            return unknown_timeline(
                "the device's clock went back after this reading, and not because clocks went back there"
            )
    if len(instants) > 1:
        return unknown_timeline(f"{reported.local:%Y-%m-%d %H:%M} came twice where the patient lives")
    [time] = instants
    if time < checked_at:
        return unknown_timeline(f"reported before the clock was checked by eye on {checked_at:%Y-%m-%d}")
    if evidence.drained_at is not None and time < evidence.drained_at - RIGHT_WITHIN:
        return unknown_timeline("dated before a visit that took everything: the clock is not what it was when checked")
    if implausible := impossible(time, received_at):
        return implausible
    if evidence.read_at is not None and time > evidence.read_at + FUTURE_TOLERANCE:
        return EffectiveTime(
            time, TimeQuality.IMPLAUSIBLE, f"measured at {time:%Y-%m-%d %H:%M} UTC, after it was read from the device"
        )
    return EffectiveTime(time, TimeQuality.MAPPED, f"clock checked by eye on {checked_at:%Y-%m-%d}")


def other_instants(
    time: datetime, stamp: CoincidentTimeStamp, zones: Zones, evidence: Evidence = NO_EVIDENCE
) -> tuple[datetime, ...]:
    """When a mapped reading may have been measured instead, if somebody kept the device at the patient's wall time.

    The stamp's offset is today's. Between reading and visit clocks may have gone forward or back, or the patient may
    have moved; a device that shows the patient's time today was perhaps set then, and the stamp does not say so. It is
    proven that nobody did where the device's offset was the same on both sides of the edge.
    """
    not_before: datetime | None = None
    if evidence.previous is not None and evidence.drained_at is not None:
        if _is_proven(stamp, evidence.previous, zones):
            return ()
        not_before = evidence.drained_at - RIGHT_WITHIN
    offsets = zones.offsets(time - ZONES_APART, max(time, stamp.gateway_time))
    if len(offsets) == 1:
        return ()
    shown = min(offsets, key=lambda offset: _on_the_dial(-stamp.offset - offset))
    if _on_the_dial(-stamp.offset - shown) > KEPT_WITHIN:
        return ()
    return tuple(
        other
        for other in zones.instants((time + shown).replace(tzinfo=None))
        if abs(other - time) > RIGHT_WITHIN
        and other <= stamp.gateway_time + RIGHT_WITHIN
        and (not_before is None or other >= not_before)
        and shown in zones.offsets(other, stamp.gateway_time)
    )


def is_certain(
    oldest: datetime, newest: datetime, stamp: CoincidentTimeStamp, zones: Zones, evidence: Evidence = NO_EVIDENCE
) -> bool:
    """Whether ``other_instants`` is empty for every time from one to another, for the plainest reasons.

    They are that it is proven, or that no zone has an edge there. False says nothing: ask of each time.
    """
    previous = evidence.previous
    if previous is not None and evidence.drained_at is not None and _is_proven(stamp, previous, zones):
        return True
    return len(zones.offsets(oldest - ZONES_APART, max(newest, stamp.gateway_time))) == 1


def _is_proven(stamp: CoincidentTimeStamp, previous: CoincidentTimeStamp, zones: Zones) -> bool:
    """Set once, and ``effective_time`` has told before from after; or left alone at the edge between two visits."""
    return was_set_between(previous, stamp) or zones.offset(previous.gateway_time) != zones.offset(stamp.gateway_time)


def _on_the_dial(difference: timedelta) -> timedelta:
    """How far two clocks are apart on a dial with twelve hours."""
    rest = difference % DIAL
    return min(rest, DIAL - rest)
