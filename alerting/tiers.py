"""The tiers of urgency as data: who must do what by when. All of them are proposals; no standard fixes such deadlines.

A programme may replace each deadline; outside staffed hours the two upper tiers need a named path, or the consent says
that nobody watches at night.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from alerting.limits import Priority


class Tier(StrEnum):
    """How soon a person must act, most urgent first."""

    EMERGENCY = "emergency"  # P1: a crisis with symptoms, or one that nobody answers
    URGENT = "urgent"  # P2
    SAME_SHIFT = "same_shift"  # P3
    ROUTINE = "routine"  # P4
    RETROSPECTIVE = "retrospective"  # a late reading: it pages nobody, and is looked at in the routine review


class Role(StrEnum):
    """Whom a case goes to when its owner does not act."""

    DOCTOR_ON_DUTY = "doctor_on_duty"
    LEAD_NURSE = "lead_nurse"
    WEEKLY_REVIEW = "weekly_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a tier promises, counted from the moment when the case opens.

    ``working_time`` says that a deadline counts hours of working days; whoever sets timers maps it on the calendar.
    ``lease`` counts from the owner's last act: after it the case is nobody's again.
    """

    acknowledge_within: timedelta
    contact_within: timedelta
    escalate_after: timedelta
    escalate_to: tuple[Role, ...]
    lease: timedelta
    pages: bool
    working_time: bool
    source: str


_SOURCE = "proposal of this project; no standard fixes it"

TERMS: Mapping[Tier, Terms] = {
    Tier.EMERGENCY: Terms(
        acknowledge_within=timedelta(minutes=5), contact_within=timedelta(minutes=15),
        escalate_after=timedelta(minutes=10), escalate_to=(Role.DOCTOR_ON_DUTY, Role.LEAD_NURSE),
        lease=timedelta(minutes=15), pages=True, working_time=False, source=_SOURCE),
    Tier.URGENT: Terms(
        acknowledge_within=timedelta(minutes=15), contact_within=timedelta(hours=1),
        escalate_after=timedelta(minutes=60), escalate_to=(Role.DOCTOR_ON_DUTY,),
        lease=timedelta(hours=1), pages=True, working_time=False, source=_SOURCE),
    Tier.SAME_SHIFT: Terms(
        acknowledge_within=timedelta(hours=2), contact_within=timedelta(hours=8),
        escalate_after=timedelta(hours=4), escalate_to=(Role.LEAD_NURSE,),
        lease=timedelta(hours=8), pages=False, working_time=False, source=_SOURCE),
    Tier.ROUTINE: Terms(
        acknowledge_within=timedelta(hours=24), contact_within=timedelta(hours=72),
        escalate_after=timedelta(days=7), escalate_to=(Role.WEEKLY_REVIEW,),
        lease=timedelta(hours=72), pages=False, working_time=True, source=_SOURCE),
    Tier.RETROSPECTIVE: Terms(
        acknowledge_within=timedelta(hours=24), contact_within=timedelta(hours=72),
        escalate_after=timedelta(days=7), escalate_to=(Role.WEEKLY_REVIEW,),
        lease=timedelta(hours=72), pages=False, working_time=True, source=_SOURCE),
}  # fmt: skip

# The worklist and the database speak IEC 60601-1-8's three priorities.
PRIORITY_OF: Mapping[Tier, Priority] = {
    Tier.EMERGENCY: Priority.HIGH,
    Tier.URGENT: Priority.HIGH,
    Tier.SAME_SHIFT: Priority.MEDIUM,
    Tier.ROUTINE: Priority.LOW,
    Tier.RETROSPECTIVE: Priority.LOW,
}
# Of a limit that a person set with a priority. What happens makes an emergency (symptoms, no answer), never a limit.
TIER_OF: Mapping[Priority, Tier] = {
    Priority.HIGH: Tier.URGENT,
    Priority.MEDIUM: Tier.SAME_SHIFT,
    Priority.LOW: Tier.ROUTINE,
}

_RANK = {tier: rank for rank, tier in enumerate(Tier)}


def graver(one: Tier, other: Tier) -> Tier:
    """The more urgent of two."""
    return one if _RANK[one] <= _RANK[other] else other


def in_time(tier: Tier, *, age: timedelta, late_after: timedelta) -> Tier:
    """The tier of a finding on a reading of this age when it reached us: a late one is retrospective, and never pages.

    A reading is late when it is older than ``late_after``; one of exactly that age is not.
    """
    return Tier.RETROSPECTIVE if age > late_after else tier
