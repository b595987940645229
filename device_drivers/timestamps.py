"""From the device's wall clock to the effective time, through the coincident time stamp of the session.

A device's clock is naive, drifts, and is often wrong by years. What is true is this: at the moment of the session
the gateway knew the time and the device showed its own. The difference maps the device's whole current timeline
(HL7 PHD IG, Coincident Time Stamp). The device's own statement is kept beside the result, always.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from device_drivers.readings import ReportedTime


class TimeQuality(StrEnum):
    """How far the effective time can be trusted."""

    SYNCHRONISED = "synchronised"  # device and gateway agreed to within SYNCHRONISED_WITHIN once the zone is taken out
    MAPPED = "mapped"  # shifted by the coincident time stamp
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


def effective_time(
    reported: ReportedTime, coincident: CoincidentTimeStamp | None, received_at: datetime
) -> EffectiveTime:
    """Map one reported time; never guesses: what cannot be mapped comes back without a time.

    ``received_at`` (aware) is when the reading reached us: nothing can have been measured after it.
    """
    if reported.local is None:
        return EffectiveTime(None, TimeQuality.UNKNOWN_TIMELINE, f"the device's clock was not set ({reported.text})")
    if coincident is None:
        return EffectiveTime(None, TimeQuality.UNKNOWN_TIMELINE, "the device's clock could not be read in this session")
    try:
        time = reported.local.replace(tzinfo=UTC) + coincident.offset
    except OverflowError:
        return EffectiveTime(None, TimeQuality.IMPLAUSIBLE, "the device's clock is thousands of years off")
    if time > received_at + FUTURE_TOLERANCE:
        return EffectiveTime(
            time, TimeQuality.IMPLAUSIBLE, f"measured at {time:%Y-%m-%d %H:%M} UTC, after it was received"
        )
    if time < OLDEST_PLAUSIBLE:
        return EffectiveTime(time, TimeQuality.IMPLAUSIBLE, f"measured at {time:%Y-%m-%d}: the clock was not set")
    zone = round(coincident.offset / ZONE_STEP) * ZONE_STEP
    drift = coincident.offset - zone
    if abs(zone) <= ZONE_LIMIT and abs(drift) <= SYNCHRONISED_WITHIN:
        return EffectiveTime(time, TimeQuality.SYNCHRONISED, "the device's clock was right")
    return EffectiveTime(time, TimeQuality.MAPPED, f"the device's clock was off by {_spell(drift, zone)}")


def _spell(drift: timedelta, zone: timedelta) -> str:
    off = drift if abs(zone) <= ZONE_LIMIT else drift + zone
    days, rest = divmod(abs(off), timedelta(days=1))
    minutes = rest // timedelta(minutes=1)
    return f"{days} d {minutes // 60} h {minutes % 60} min" if days else f"{minutes // 60} h {minutes % 60} min"
