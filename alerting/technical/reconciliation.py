"""Reconciliation: what a device holds against what the ledger knows of it. A gap names its range."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Key, Name
from alerting.technical.fleet import Gateway, Holdings
from alerting.technical.limits import TechnicalLimits
from alerting.technical.said import Said, said, said_of

# A memory that was lost to us in pieces has many holes; the first of them say where to look.
MOST_RANGES = 5


def key(holdings: Holdings) -> Key:
    """The key of a device's gap."""
    return Name.RECONCILIATION_GAP, f"device:{holdings.device_id}"


def is_settled(holdings: Holdings, gateway: Gateway | None, now: datetime, limits: TechnicalLimits) -> bool:
    """Whether everything that the gateway read in that session has reached us: before that nothing is missing.

    It has where the gateway's outbox was empty in a status that is later than the session's end, by our clock and by
    the gateway's. A gateway whose clock jumps is given some time instead; one that was revoked sends nothing more.
    """
    if gateway is None:
        return now - holdings.told_at > limits.backlog_travels
    if gateway.outbox_depth != 0 or gateway.last_seen_at is None or gateway.last_seen_at <= holdings.told_at:
        return False
    said_at = gateway.last_seen_at + timedelta(seconds=gateway.clock_offset_s or 0.0)
    return said_at >= holdings.complete_at or now - holdings.told_at > limits.backlog_travels


def gap(holdings: Holdings, earlier: Mapping[str, object]) -> Condition | None:
    """The condition, where readings are missing. ``earlier``: the reason of the gap that is known already, if any."""
    missing = holdings.missing - holdings.unread
    if missing <= 0:
        return None
    is_numbered = holdings.first_known is not None
    where, facts = _numbers(holdings, missing) if is_numbered else _times(holdings, missing, earlier)
    return Condition(
        name=Name.RECONCILIATION_GAP,
        subject=f"device:{holdings.device_id}",
        priority=Priority.MEDIUM,
        sentence=said_of(
            "{device} holds {holds} readings, and {arrived} of them have arrived: missing is {count}, {where}.",
            "{device} holds {holds} readings, and {arrived} of them have arrived: missing are {count}, {where}.",
            missing,
            device=holdings.label,
            holds=holdings.holds,
            arrived=holdings.holds - missing,
            where=where,
        ),
        reason={"holds": holdings.holds, "missing": missing, **facts, "where": str(where)},
        gateway_id=holdings.gateway_id,
        device_id=holdings.device_id,
    )


def _numbers(holdings: Holdings, missing: int) -> tuple[Said, dict[str, object]]:
    """The range in the device's own sequence numbers."""
    beyond = missing - sum(last - first + 1 for first, last in holdings.holes)
    if not holdings.holes:
        where = _beyond(holdings)
    elif beyond > 0:
        where = said("{runs} and {count} {beyond}", runs=_runs(holdings.holes), count=beyond, beyond=_beyond(holdings))
    else:
        where = _runs(holdings.holes)
    return where, {
        "numbers": [list(hole) for hole in holdings.holes],
        "first_known": holdings.first_known,
        "last_known": holdings.last_known,
    }


def _beyond(holdings: Holdings) -> Said:
    """Outside of what is known."""
    first, last = holdings.first_known or 0, holdings.last_known or 0
    if first > 1:
        return said("before number {first} or after number {last}", first=first, last=last)
    return said("after number {last}", last=last)


def _runs(holes: Sequence[tuple[int, int]]) -> Said:
    spelt = ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in holes[:MOST_RANGES])
    if len(holes) > MOST_RANGES:
        return said("numbers {numbers} and others", numbers=spelt)
    return said("numbers {numbers}", numbers=spelt)


def _times(holdings: Holdings, missing: int, earlier: Mapping[str, object]) -> tuple[Said, dict[str, object]]:
    """Between two visits: when the gap was found, and the last one before that without a gap."""
    after, until = holdings.whole_at, holdings.complete_at
    if earlier.get("missing") == missing and "until" in earlier:
        after, until = _time(earlier.get("after")), _time(earlier.get("until")) or until
    if after:
        where = said("read between {after} and {until}", after=after, until=until)
    else:
        where = said("read on {until} or before", until=until)
    return where, {"after": after.isoformat() if after else None, "until": until.isoformat()}


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
