"""What rests, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.closing import REST, rested
from alerting.tiers import Tier

CLOSED = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("closed", "tier", "days", "expected"),
    [
        (Tier.ROUTINE, Tier.ROUTINE, 27, False),
        (Tier.ROUTINE, Tier.ROUTINE, 28, True),
        (Tier.ROUTINE, Tier.SAME_SHIFT, 0, True),  # graver
        (Tier.URGENT, Tier.ROUTINE, 1, False),  # lesser
        (Tier.URGENT, Tier.URGENT, 0, True),
        (Tier.RETROSPECTIVE, Tier.ROUTINE, 0, True),
        (Tier.ROUTINE, Tier.RETROSPECTIVE, 0, True),
    ],
)
def test_a_routine_condition_rests_four_weeks_unless_it_is_graver(
    closed: Tier, tier: Tier, days: int, expected: bool
) -> None:
    assert rested(CLOSED, closed, tier, CLOSED + timedelta(days=days)) is expected


def test_nothing_but_routine_rests() -> None:
    assert {tier for tier, rest in REST.items() if rest} == {Tier.ROUTINE}
