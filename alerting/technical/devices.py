"""Devices: what the gateways tell of those in their rosters."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Name, latest
from alerting.technical.fleet import RosterEntry, Use
from alerting.technical.limits import TechnicalLimits
from alerting.technical.said import Said, said
from alerting.technical.silence import ANSWERED_IN_VAIN, Cause, Silence

NO_PROFILE = "no_profile"


def device_conditions(
    roster: Iterable[RosterEntry], silences: Iterable[tuple[Use, Silence]], limits: TechnicalLimits
) -> Iterator[Condition]:
    """What is wrong with devices. A device in two rosters is judged by the gateway that saw it last."""
    for entry in _newest_of_each(roster):
        yield from (c for c in (_unknown_model(entry), _battery(entry), _unread(entry, limits)) if c is not None)
    for use, silence in silences:
        if silence.cause not in (None, Cause.NOBODY_MEASURED):
            yield _overdue(use, silence)


def _newest_of_each(roster: Iterable[RosterEntry]) -> Iterator[RosterEntry]:
    found: Mapping[str, list[RosterEntry]] = defaultdict(list)
    for entry in roster:
        found[entry.subject].append(entry)
    for entries in found.values():
        yield max(entries, key=lambda entry: latest(entry.visited_at, entry.heard_at) or entry.told_at)


def _unknown_model(entry: RosterEntry) -> Condition | None:
    if entry.outcome != NO_PROFILE:
        return None
    identity = entry.identity or said("nothing of itself")
    return _condition(
        entry,
        Name.DEVICE_UNKNOWN_MODEL,
        Priority.MEDIUM,
        said(
            "{device} is read by no profile ({reason}). It says: {identity}.",
            device=entry.name,
            reason=entry.reason or said("none fits"),
            identity=identity,
        ),
        {"identity": entry.identity, "reason": entry.reason, "profile": entry.profile},
    )


def _battery(entry: RosterEntry) -> Condition | None:
    if not entry.battery_low:
        return None
    return _condition(
        entry,
        Name.DEVICE_BATTERY,
        Priority.LOW,
        said("The battery of {device} is low: have it changed.", device=entry.name),
        {},
    )


def _unread(entry: RosterEntry, limits: TechnicalLimits) -> Condition | None:
    """It gives signs of life, and cannot be read, for longer than all attempts of an hour."""
    if entry.outcome in (None, "complete", "paired", NO_PROFILE):
        return None
    signs = [entry.heard_at]
    if entry.outcome in ANSWERED_IN_VAIN:
        signs.append(entry.visited_at)
    alive_at = latest(*signs)
    if alive_at is None or (entry.complete_at is not None and alive_at - entry.complete_at <= limits.heard_unread):
        return None
    reason = entry.reason or entry.outcome
    if entry.complete_at:
        sentence = said(
            "{device} answers and has not been read to its end since {since}: {reason}.",
            device=entry.name,
            since=entry.complete_at,
            reason=reason,
        )
    else:
        sentence = said(
            "{device} answers and has not been read to its end yet: {reason}.", device=entry.name, reason=reason
        )
    if entry.repairs:
        repairs = ", ".join(sorted(entry.repairs))
        sentence = said("{sentence} Repairs of its bond: {repairs}.", sentence=sentence, repairs=repairs)
    return _condition(
        entry,
        Name.DEVICE_SILENT,
        Priority.MEDIUM if entry.complete_at else Priority.LOW,
        sentence,
        {
            "outcome": entry.outcome,
            "reason": entry.reason,
            "complete_at": entry.complete_at.isoformat() if entry.complete_at else None,
            "repairs": dict(entry.repairs),
        },
    )


def _overdue(use: Use, silence: Silence) -> Condition:
    """A measurement is overdue, and not because nobody measured."""
    entry = silence.entry
    return Condition(
        name=Name.DEVICE_SILENT,
        subject=f"device:{use.device_id}",
        priority=Priority.MEDIUM,
        sentence=said(
            "Nothing has come from {device} since {since}: {why}.",
            device=use.label,
            since=silence.since,
            why=silence.why,
        ),
        reason={"cause": str(silence.cause), "since": silence.since.isoformat(), "why": silence.why},
        gateway_id=entry.gateway_id if entry else None,
        device_name=entry.name if entry else None,
        device_id=use.device_id,
    )


def _condition(
    entry: RosterEntry, name: Name, priority: Priority, sentence: Said, reason: dict[str, object]
) -> Condition:
    return Condition(
        name=name,
        subject=entry.subject,
        priority=priority,
        sentence=sentence,
        reason=reason,
        gateway_id=entry.gateway_id,
        device_name=entry.name,
        device_id=entry.device_id,
    )


def by_device(roster: Iterable[RosterEntry]) -> Mapping[str, Sequence[RosterEntry]]:
    """The rosters' entries of each device that has answered once."""
    found: dict[str, list[RosterEntry]] = defaultdict(list)
    for entry in roster:
        if entry.device_id is not None:
            found[entry.device_id].append(entry)
    return found
