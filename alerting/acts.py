"""What a person may do with a case, and why not: pure. The database's lock, and not this, decides between two.

An urgent case is silenced for an hour at most and an emergency never: the lengths are a proposal of this project.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from alerting.life import Life
from alerting.lifecycle import Event
from alerting.tiers import Tier

# None: not at all. Somebody who was told of the patient has until then to make up their mind, and not longer.
LONGEST_SILENCE: Mapping[Tier, timedelta | None] = {
    Tier.EMERGENCY: None,
    Tier.URGENT: timedelta(hours=1),
    Tier.SAME_SHIFT: timedelta(hours=12),
    Tier.ROUTINE: timedelta(days=14),
    Tier.RETROSPECTIVE: timedelta(days=14),
}
SILENCE_SOURCE = "proposal of this project; no standard fixes it"
# What is offered; a tier has those that are not too long for it.
SILENCES = (
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=14),
)

# Only its owner does these.
_OWNERS = frozenset({Event.START, Event.HAND_OVER, Event.WITHDRAW, Event.RESOLVE})
# Its owner does these, and anybody of the care team while it has none.
_OWNERS_OR_ANYBODYS = frozenset({Event.ESCALATE, Event.SILENCE, Event.END_SILENCE, Event.CONTACT})


class Refusal(StrEnum):
    """Why a person may not."""

    CLOSED = "closed"
    TAKEN = "taken"  # somebody else was faster
    NOT_YOURS = "not_yours"  # its owner, and nobody else
    NOT_TAKEN = "not_taken"  # take it first
    NOT_SILENT = "not_silent"
    NOT_OFFERED = "not_offered"
    EMERGENCY = "emergency"  # is not silenced
    TOO_LONG = "too_long"
    NO_END = "no_end"


def refusal(life: Life, event: Event, by: UUID, at: datetime) -> Refusal | None:
    """Why this person may not do this now; None: they may.

    A lease that has run out holds nobody off; but while nobody else has taken the case, its owner may go on with it.
    Whoever hears of symptoms may say so (ASK, WORSEN), whoever has the case.
    """
    if not life.is_open:
        return Refusal.CLOSED
    mine = life.owner == by
    if event is Event.ACKNOWLEDGE:
        free = life.is_waiting or mine or life.offered_to == by or life.is_lapsed(at)
        return None if free else Refusal.TAKEN
    if event in _OWNERS and life.is_waiting:
        return Refusal.NOT_TAKEN
    if event in _OWNERS | _OWNERS_OR_ANYBODYS and life.is_owned and not mine:
        return Refusal.NOT_YOURS
    if event is Event.WITHDRAW and life.offered_to is None:
        return Refusal.NOT_OFFERED
    if event is Event.END_SILENCE and life.silenced_until is None:
        return Refusal.NOT_SILENT
    return None


def silence_refusal(tier: Tier, until: datetime, at: datetime) -> Refusal | None:
    """Why a case of this tier cannot be silenced until then; exactly the longest silence is not too long."""
    longest = LONGEST_SILENCE[tier]
    if longest is None:
        return Refusal.EMERGENCY
    if until <= at:
        return Refusal.NO_END
    return Refusal.TOO_LONG if until - at > longest else None


def silences(tier: Tier) -> tuple[timedelta, ...]:
    """The lengths to offer for a case of this tier."""
    longest = LONGEST_SILENCE[tier]
    return () if longest is None else tuple(length for length in SILENCES if length <= longest)
