"""Why nothing comes from a patient's device: four causes, told apart by evidence. Only the first reaches a nurse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerting.technical.conditions import latest
from alerting.technical.fleet import RosterEntry, Use
from alerting.technical.limits import TechnicalLimits
from alerting.technical.said import Said, said

# Words of the gateway's ``visit.Outcome`` that say that the device answered, and could not be read.
ANSWERED_IN_VAIN = frozenset({"cut", "no_profile", "defect"})


class Cause(StrEnum):
    """Why a measurement that was expected has not come."""

    NOBODY_MEASURED = "nobody_measured"
    DEVICE_SILENT = "device_silent"
    GATEWAY_AWAY = "gateway_away"
    OUR_SIDE_DOWN = "our_side_down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """A gateway that has the device in its roster, and what it told of the device."""

    entry: RosterEntry
    is_away: bool
    back_at: datetime | None = None
    outbox_depth: int | None = None
    storage_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Since when nothing has come, why (None: it is not judged, or ``in_time``), and what speaks for it (``Said``)."""

    cause: Cause | None
    since: datetime
    why: str
    entry: RosterEntry | None = None
    in_time: bool = False


def cause_of_silence(
    use: Use, watchers: Sequence[Watcher], *, our_side_is_down: bool, now: datetime, limits: TechnicalLimits
) -> Silence:
    """Why nothing has come from this device for this patient. No cause: it is not late, or not judged."""
    since = latest(use.measured_at, use.since) or use.since
    if use.missed_since is None:
        return Silence(cause=None, since=since, why=said("it is not late"), in_time=True)
    if use.held_at is not None and now - use.held_at <= use.reached:
        why = said("a reading was put into quarantine on {at}", at=use.held_at)
        return Silence(cause=None, since=since, why=why)
    if our_side_is_down:
        return Silence(cause=Cause.OUR_SIDE_DOWN, since=since, why=said("nothing reaches us from any gateway"))
    if not watchers:
        return Silence(cause=Cause.DEVICE_SILENT, since=since, why=said("no gateway has it in its roster"))
    there = [watcher for watcher in watchers if not watcher.is_away]
    if not there:
        return _because(Cause.GATEWAY_AWAY, since, said("its gateway is away"), watchers)
    return _while_watched(use, since, use.missed_since, there, now, limits)


def _while_watched(
    use: Use, since: datetime, missed_since: datetime, there: Sequence[Watcher], now: datetime, limits: TechnicalLimits
) -> Silence:
    """At least one gateway is there that looks for the device."""
    if any(watcher.outbox_depth for watcher in there):
        return Silence(cause=None, since=since, why=said("its gateway still has readings to send"))
    if all(watcher.storage_error for watcher in there):
        return _because(Cause.GATEWAY_AWAY, since, said("its gateway can keep nothing and leaves it unread"), there)
    entries = [watcher.entry for watcher in there]
    entry = _newest(entries)
    if trouble := trouble_of(entry, since):
        return Silence(cause=Cause.DEVICE_SILENT, since=since, why=trouble, entry=entry)
    # Read to its end after a measurement was due, and nothing new in it: that is certain.
    read_at = latest(*(entry.complete_at for entry in entries))
    if read_at is not None and read_at >= missed_since:
        why = said("the device was read to its end on {at}, and nobody had measured", at=read_at)
        return Silence(cause=Cause.NOBODY_MEASURED, since=since, why=why, entry=entry)
    if entry.battery_low:
        why = said("its battery was low when it was last read")
        return Silence(cause=Cause.DEVICE_SILENT, since=since, why=why, entry=entry)
    # A device with a radio speaks only when it is used. That counts where somebody was there to hear it.
    watched_since = min(latest(since, watcher.back_at) or since for watcher in there)
    if now - watched_since <= min(use.reached, limits.watched_enough):
        why = said("its gateway was away until {at}, and has not watched for long enough", at=watched_since)
        return Silence(cause=None, since=since, why=why)
    why = said("its gateway is there, and the device gave no sign of use and none of trouble")
    return Silence(cause=Cause.NOBODY_MEASURED, since=since, why=why, entry=entry)


def trouble_of(entry: RosterEntry, since: datetime) -> Said | None:
    """What speaks for a device that cannot be read rather than for one that nobody used; None: nothing."""
    read_at = latest(entry.complete_at, since) or since
    # Repairs are counted for good: what they say of now, the last visit has to confirm.
    if entry.repairs and entry.outcome not in (None, "complete", "paired"):
        return said(
            "its bond had to be repaired ({repairs}), and its last visit did not read it",
            repairs=", ".join(sorted(entry.repairs)),
        )
    if entry.outcome in ANSWERED_IN_VAIN and entry.visited_at is not None and entry.visited_at > read_at:
        return said("it answered and could not be read: {reason}", reason=entry.reason or entry.outcome or "")
    if entry.heard_at is not None and entry.heard_at > read_at and entry.outcome not in (None, "complete"):
        return said("it was heard after its last reading, and could not be read")
    return None


def _newest(entries: Sequence[RosterEntry]) -> RosterEntry:
    """Of the gateway that saw the device last."""
    return max(entries, key=lambda entry: latest(entry.visited_at, entry.heard_at) or entry.told_at)


def _because(cause: Cause, since: datetime, why: Said, watchers: Sequence[Watcher]) -> Silence:
    return Silence(cause=cause, since=since, why=why, entry=_newest([watcher.entry for watcher in watchers]))
