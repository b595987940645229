"""Reconciliation: what a device holds against what the ledger knows of it. A gap names its range."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Key, Name, spell
from alerting.technical.fleet import Gateway, Holdings
from alerting.technical.limits import TechnicalLimits

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
    where = _numbers(holdings, missing) if is_numbered else _times(holdings, missing, earlier)
    return Condition(
        name=Name.RECONCILIATION_GAP,
        subject=f"device:{holdings.device_id}",
        priority=Priority.MEDIUM,
        sentence=(
            f"{holdings.label} holds {holdings.holds} readings, and {holdings.holds - missing} of them have arrived:"
            f" missing {_count(missing)}, {where['where']}."
        ),
        reason={"holds": holdings.holds, "missing": missing, **where},
        gateway_id=holdings.gateway_id,
        device_id=holdings.device_id,
    )


def _numbers(holdings: Holdings, missing: int) -> dict[str, object]:
    """The range in the device's own sequence numbers."""
    in_holes = sum(last - first + 1 for first, last in holdings.holes)
    parts = [_runs(holdings.holes)] if holdings.holes else []
    if missing > in_holes:
        rest = f"{missing - in_holes} " if parts else ""
        before = f"before number {holdings.first_known} or " if (holdings.first_known or 0) > 1 else ""
        parts.append(f"{rest}{before}after number {holdings.last_known}")
    return {
        "numbers": [list(hole) for hole in holdings.holes],
        "first_known": holdings.first_known,
        "last_known": holdings.last_known,
        "where": " and ".join(parts),
    }


def _runs(holes: Sequence[tuple[int, int]]) -> str:
    spelt = [str(first) if first == last else f"{first} to {last}" for first, last in holes[:MOST_RANGES]]
    more = " and others" if len(holes) > MOST_RANGES else ""
    return f"numbers {', '.join(spelt)}{more}"


def _times(holdings: Holdings, missing: int, earlier: Mapping[str, object]) -> dict[str, object]:
    """Between two visits: when the gap was found, and the last one before that without a gap."""
    after, until = holdings.whole_at, holdings.complete_at
    if earlier.get("missing") == missing and "until" in earlier:
        after, until = _time(earlier.get("after")), _time(earlier.get("until")) or until
    where = f"read between {spell(after)} and {spell(until)}" if after else f"read on {spell(until)} or before"
    return {"after": after.isoformat() if after else None, "until": until.isoformat(), "where": where}


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _count(missing: int) -> str:
    return "is 1" if missing == 1 else f"are {missing}"
