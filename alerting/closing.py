"""How a case ends without a person, how long its condition rests after one has dealt with it,
and how often an open case says again what is so.

A programme names the classes of cases that may close by themselves; nothing does unless it says so. A routine condition
that was dealt with rests: a changed treatment takes weeks to show, and until then its averages stay what they are.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from alerting.tiers import Tier, graver

# Measuring again found nothing, and nobody had been called yet.
NOT_CONFIRMED = "not_confirmed"
# All classes that there are.
CLASSES = frozenset({NOT_CONFIRMED})

# A condition of this tier that was dealt with rests so long (proposal).
REST: Mapping[Tier, timedelta] = {
    Tier.EMERGENCY: timedelta(),
    Tier.URGENT: timedelta(),
    Tier.SAME_SHIFT: timedelta(),
    Tier.ROUTINE: timedelta(days=28),
    Tier.RETROSPECTIVE: timedelta(),
}

# An average or a trend that stays true is written into its open case again after so long: nothing of the week that it
# was found in is in it any more. A graver one is written at once (proposal).
SAID_AGAIN_AFTER = timedelta(days=7)


def rested(closed_at: datetime, closed_tier: Tier, tier: Tier, at: datetime) -> bool:
    """Whether a finding of this tier may open a case again: after its condition's rest, or at once if it is graver."""
    return at >= closed_at + REST[tier] or (tier is not closed_tier and graver(closed_tier, tier) is tier)
