"""From the device's wall clock to the effective time, through the coincident time stamp of the session.

A device's clock is naive, drifts, and is often wrong by years. What is true is this: at the moment of the session
the gateway knew the time and the device showed its own. The difference maps the device's whole current timeline
(HL7 PHD IG, Coincident Time Stamp). The device's own statement is kept beside the result, always.

The stamp maps the *current* timeline, and holds if the gateway's own clock was right. What speaks against either
(``Evidence``) leaves a reading without a time. ``wall_clocks`` has what depends on where the patient is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from device_drivers.readings import ReportedTime


class TimeQuality(StrEnum):
    """How far the effective time can be trusted."""

    SYNCHRONISED = "synchronised"  # device and gateway agreed to within SYNCHRONISED_WITHIN once the zone is taken out
    MAPPED = "mapped"  # shifted by the coincident time stamp
    STATED = "stated"  # a person said when, where nothing of the device does; never computed
    UNKNOWN_TIMELINE = "unknown_timeline"  # no way from the device's statement to a time
    IMPLAUSIBLE = "implausible"  # a time came out that cannot be (in the future, before the product existed)


# A meter that shows the right minute is as good as a meter's clock gets.
SYNCHRONISED_WITHIN = timedelta(minutes=1)
# Wall clocks differ from UTC by whole quarter hours, at most 14 h (IANA zones).
ZONE_STEP = timedelta(minutes=15)
ZONE_LIMIT = timedelta(hours=14)
# A reading may not come from the future; five minutes allow for the gateway's own clock.
FUTURE_TOLERANCE = timedelta(minutes=5)
# No meter that we read keeps memory older than this; before it, the clock was not set.
OLDEST_PLAUSIBLE = datetime(2005, 1, 1, tzinfo=UTC)
# What we promise: a time is right to within this, or there is none.
RIGHT_WITHIN = timedelta(minutes=1)
# So closely must the clock of a gateway agree that cannot vouch for it itself. The rest of what we promise is left for
# what nobody counts: a message may be stuck on a connection until its keepalive misses the answer.
AGREES_WITHIN = RIGHT_WITHIN / 2
# A crystal that loses more than nine seconds a day has been set, and has not drifted.
DRIFT_PER_DAY = timedelta(seconds=9)
# The longest visit: what takes longer by the gateway's clock is a clock that jumped.
LONGEST_VISIT = timedelta(hours=1)
# Instead of a time: a newer record says that the clock was not set, so it was lost in between.
CLOCK_LOST = datetime.min  # noqa: DTZ901 -- a device's wall clock


@dataclass(frozen=True, slots=True)
class CoincidentTimeStamp:
    """What the gateway's and the device's clocks showed at the same moment of one session."""

    gateway_time: datetime  # aware, UTC
    device_time: datetime  # naive, the device's wall clock

    @property
    def offset(self) -> timedelta:
        """What has to be added to the device's wall clock, read as if it were UTC, to get UTC."""
        return self.gateway_time - self.device_time.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EffectiveTime:
    """The derived time (aware, UTC; None where none can be derived), its quality and why."""

    time: datetime | None
    quality: TimeQuality
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What else is known around one reading; None is unknown. All of it can only speak against a time.

    ``went_back_to``: Reading.clock_went_back_to. ``previous``: both clocks at the gateway's previous whole visit.
    ``drained_at``: when that visit took everything, by count, so that this reading was measured later.
    ``synchronised``: whether the gateway could vouch for its own clock. ``started_at`` and ``read_at``: by the
    gateway's clock, when the visit began and when this reading came. ``oldest_read_at``: the same of the oldest reading
    that came with it, and ``waited``: how long that one was on its way to us, by clocks that only count.
    """

    went_back_to: datetime | None = None
    previous: CoincidentTimeStamp | None = None
    drained_at: datetime | None = None
    synchronised: bool | None = None
    started_at: datetime | None = None
    read_at: datetime | None = None
    oldest_read_at: datetime | None = None
    waited: timedelta | None = None

    def vouches_for_the_gateway(self, received_at: datetime) -> bool:
        """Whether the gateway's clock is known to be right: it says so, or the reading came at once and agrees.

        Only a known waiting time tells "at once" from a clock that is ahead by as much as the reading came late.
        """
        if self.synchronised is True:
            return True
        if self.waited is None or self.waited > RIGHT_WITHIN:
            return False
        ahead = self.gateway_ahead(received_at)
        return ahead is not None and abs(ahead) <= AGREES_WITHIN

    def gateway_ahead(self, received_at: datetime) -> timedelta | None:
        """How far the gateway's clock was ahead of ours when it read the oldest reading; None where nobody knows."""
        if self.oldest_read_at is None or self.waited is None:
            return None
        return self.waited - (received_at - self.oldest_read_at)


NO_EVIDENCE = Evidence()


class MemoryOrder:
    """What the order of a device's memory says about its clock; fed from the newest record to the oldest."""

    def __init__(self) -> None:
        self._earliest: datetime | None = None

    def older(self, local: datetime | None) -> datetime | None:
        """Take the next older record's time; the earliest of all newer ones where that shows a clock that went back.

        Records of one clock that nobody touched never get later as they get older. ``CLOCK_LOST`` where a newer record
        has no time at all.
        """
        earliest = self._earliest
        if local is None:
            self._earliest = CLOCK_LOST
            return None
        if earliest is None or local < earliest:
            self._earliest = local
        return earliest if earliest is not None and local - earliest > RIGHT_WITHIN else None


def effective_time(
    reported: ReportedTime,
    coincident: CoincidentTimeStamp | None,
    received_at: datetime,
    evidence: Evidence = NO_EVIDENCE,
) -> EffectiveTime:
    """Map one reported time; never guesses: what cannot be mapped comes back without a time.

    ``received_at`` (aware) is when the reading reached us: nothing can have been measured after it.
    """
    if reported.local is None:
        return unknown_timeline(f"the device's clock was not set ({reported.text})")
    if coincident is None:
        return unknown_timeline("the device's clock could not be read in this session")
    if reason := _went_back(evidence) or _gateway_was_wrong(coincident, received_at, evidence, evidence.read_at):
        return unknown_timeline(reason)
    try:
        time = reported.local.replace(tzinfo=UTC) + _offset(reported.local, coincident, evidence.previous)
    except OverflowError:
        return EffectiveTime(None, TimeQuality.IMPLAUSIBLE, "the device's clock is thousands of years off")
    if implausible := impossible(time, received_at):
        return implausible
    if reason := _set_since(reported.local, time, coincident, received_at, evidence):
        return unknown_timeline(reason)
    zone, drift = _zone_and_drift(coincident)
    if _quality(zone, drift) is TimeQuality.SYNCHRONISED:
        return EffectiveTime(time, TimeQuality.SYNCHRONISED, "the device's clock was right")
    return EffectiveTime(time, TimeQuality.MAPPED, f"the device's clock was off by {_spell(drift, zone)}")


def effective_times(
    locals_: Sequence[datetime],
    read_at: tuple[datetime, datetime],
    coincident: CoincidentTimeStamp,
    received_at: datetime,
    evidence: Evidence,
) -> tuple[Sequence[datetime], TimeQuality] | None:
    """What ``effective_time`` gives for each of the readings of a session, where nothing tells them apart.

    ``read_at``: when the first and the last of them came. None: look at each by itself. Everything that decides for a
    reading without ``went_back_to`` is a bound on its time or on its ``read_at``, so that the ends speak for all; what
    is not so (a gateway that does not vouch for its clock, a clock that was set) is not answered here.
    """
    previous, drained_at = evidence.previous, evidence.drained_at
    if evidence.synchronised is False or (previous is not None and was_set_between(previous, coincident)):
        return None
    visited_at = previous.gateway_time if previous else drained_at
    if visited_at is not None and coincident.gateway_time < visited_at - RIGHT_WITHIN:
        return None
    for end in read_at:
        if _gateway_was_wrong(coincident, received_at, evidence, end):
            return None
    try:
        if previous is not None and _drifted(previous, coincident):
            times = [local.replace(tzinfo=UTC) + _offset_between(local, coincident, previous) for local in locals_]
        else:
            offset = coincident.offset
            times = [local.replace(tzinfo=UTC) + offset for local in locals_]
    except OverflowError:
        return None
    oldest, newest = min(times), max(times)
    if impossible(oldest, received_at) or impossible(newest, received_at):
        return None
    if drained_at is not None and oldest < drained_at - RIGHT_WITHIN:
        return None
    return times, _quality(*_zone_and_drift(coincident))


def _zone_and_drift(stamp: CoincidentTimeStamp) -> tuple[timedelta, timedelta]:
    """How far the device is from UTC: in whole zone steps, and the rest."""
    offset = stamp.offset
    zone = round(offset / ZONE_STEP) * ZONE_STEP
    return zone, offset - zone


def _quality(zone: timedelta, drift: timedelta) -> TimeQuality:
    right = abs(zone) <= ZONE_LIMIT and abs(drift) <= SYNCHRONISED_WITHIN
    return TimeQuality.SYNCHRONISED if right else TimeQuality.MAPPED


def unknown_timeline(reason: str) -> EffectiveTime:
    """No way from the device's statement to a time, and why."""
    return EffectiveTime(None, TimeQuality.UNKNOWN_TIMELINE, reason)


def impossible(time: datetime, received_at: datetime) -> EffectiveTime | None:
    """IMPLAUSIBLE for a time that cannot be; None for one that can."""
    if time > received_at + FUTURE_TOLERANCE:
        return EffectiveTime(
            time, TimeQuality.IMPLAUSIBLE, f"measured at {time:%Y-%m-%d %H:%M} UTC, after it was received"
        )
    if time < OLDEST_PLAUSIBLE:
        return EffectiveTime(time, TimeQuality.IMPLAUSIBLE, f"measured at {time:%Y-%m-%d}: the clock was not set")
    return None


def was_set_between(earlier: CoincidentTimeStamp, later: CoincidentTimeStamp) -> bool:
    """Whether somebody set the device's clock between two visits: it moved by more than drift and resolution allow."""
    # A clock without seconds is read up to a minute late, at either visit.
    resolution = RIGHT_WITHIN if earlier.device_time.second == later.device_time.second == 0 else timedelta(0)
    days = abs(later.gateway_time - earlier.gateway_time) / timedelta(days=1)
    allowed = max(RIGHT_WITHIN + resolution, DRIFT_PER_DAY * days)
    return abs(later.offset - earlier.offset) > allowed


def _offset(local: datetime, stamp: CoincidentTimeStamp, previous: CoincidentTimeStamp | None) -> timedelta:
    """The stamp's offset; between two visits to a clock that drifts, what it was then."""
    if previous is None or not _drifted(previous, stamp):
        return stamp.offset
    return _offset_between(local, stamp, previous)


def _drifted(previous: CoincidentTimeStamp, stamp: CoincidentTimeStamp) -> bool:
    """Whether the device's clock ran on between two visits, and nobody set it."""
    return (
        previous.gateway_time < stamp.gateway_time
        and previous.device_time < stamp.device_time
        and not was_set_between(previous, stamp)
    )


def _offset_between(local: datetime, stamp: CoincidentTimeStamp, previous: CoincidentTimeStamp) -> timedelta:
    span, since = stamp.device_time - previous.device_time, local - previous.device_time
    share = min(1.0, max(0.0, since / span))
    return previous.offset + (stamp.offset - previous.offset) * share


def _went_back(evidence: Evidence) -> str | None:
    if evidence.went_back_to is None:
        return None
    if evidence.went_back_to == CLOCK_LOST:
        return "the device lost its clock after this reading: a newer one of its memory has no time"
    return f"the device's clock went back after this reading: a newer one says {evidence.went_back_to:%Y-%m-%d %H:%M}"


def _gateway_was_wrong(
    stamp: CoincidentTimeStamp, received_at: datetime, evidence: Evidence, read_at: datetime | None
) -> str | None:
    """Why the gateway's own clock at the session is not to be believed."""
    if (ahead := stamp.gateway_time - received_at) > RIGHT_WITHIN:
        return f"the gateway's clock ran ahead by {ahead.total_seconds():.0f} s or more"
    marks = [mark for mark in (evidence.started_at, stamp.gateway_time, read_at) if mark is not None]
    for earlier, later in pairwise(marks):
        if not -RIGHT_WITHIN <= later - earlier <= LONGEST_VISIT:
            return "the gateway's clock jumped during the visit"
    return None if evidence.synchronised is True else _gateway_is_contradicted(received_at, evidence)


def _gateway_is_contradicted(received_at: datetime, evidence: Evidence) -> str | None:
    """Why the clock of a gateway that does not vouch for it is not to be believed."""
    ahead = evidence.gateway_ahead(received_at)
    if ahead is not None and abs(ahead) > RIGHT_WITHIN:
        off, way = abs(ahead).total_seconds(), "ahead" if ahead > timedelta(0) else "behind"
        return f"the gateway's clock was {off:.0f} s {way} when the reading was made"
    if evidence.synchronised is None or evidence.vouches_for_the_gateway(received_at):
        return None
    if evidence.waited is None:
        return "the gateway's clock was not synchronised, and nobody knows how long the reading was on its way"
    if evidence.waited > RIGHT_WITHIN:
        return "the gateway's clock was not synchronised, and the reading came late"
    return "the gateway's clock was not synchronised, and does not agree"


def _set_since(
    local: datetime, time: datetime, stamp: CoincidentTimeStamp, received_at: datetime, evidence: Evidence
) -> str | None:
    """Why the previous visit's stamp leaves two answers, or none: the device's clock was set, or lost, in between."""
    previous, drained_at = evidence.previous, evidence.drained_at
    if (visited_at := previous.gateway_time if previous else drained_at) is None:
        return None
    if stamp.gateway_time < visited_at - RIGHT_WITHIN:
        if evidence.vouches_for_the_gateway(received_at):
            return None  # then it was the previous visit's clock that was wrong
        return "the gateway's clock went back since its previous visit"
    not_before = drained_at - RIGHT_WITHIN if drained_at else OLDEST_PLAUSIBLE
    possible = time >= not_before
    if previous is None or not was_set_between(previous, stamp):
        return None if possible else "dated before a visit that took everything: the clock was lost in between"
    try:
        by_previous = local.replace(tzinfo=UTC) + previous.offset
    except OverflowError:
        by_previous = datetime.max.replace(tzinfo=UTC)
    if possible and not not_before <= by_previous <= received_at + RIGHT_WITHIN:
        return None
    return f"the device's clock was set since {previous.gateway_time:%Y-%m-%d %H:%M} UTC: before this reading or after?"


def _spell(drift: timedelta, zone: timedelta) -> str:
    off = drift if abs(zone) <= ZONE_LIMIT else drift + zone
    days, rest = divmod(abs(off), timedelta(days=1))
    minutes = rest // timedelta(minutes=1)
    return f"{days} d {minutes // 60} h {minutes % 60} min" if days else f"{minutes // 60} h {minutes % 60} min"
