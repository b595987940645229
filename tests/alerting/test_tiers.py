"""Tiers: their terms as data, and late readings on, just under and just over the age."""

from datetime import timedelta

import pytest

from alerting.limits import Priority
from alerting.tiers import PRIORITY_OF, TERMS, TIER_OF, Tier, graver, in_time

SIX_HOURS = timedelta(hours=6)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (SIX_HOURS - timedelta(seconds=1), Tier.URGENT),
        (SIX_HOURS, Tier.URGENT),
        (SIX_HOURS + timedelta(seconds=1), Tier.RETROSPECTIVE),
    ],
)
def test_a_late_reading_is_retrospective(age: timedelta, expected: Tier) -> None:
    assert in_time(Tier.URGENT, age=age, late_after=SIX_HOURS) is expected


def test_what_is_retrospective_pages_nobody() -> None:
    assert [tier for tier in Tier if TERMS[tier].pages] == [Tier.EMERGENCY, Tier.URGENT]


def test_the_graver_of_two_is_the_same_either_way() -> None:
    assert graver(Tier.ROUTINE, Tier.EMERGENCY) is graver(Tier.EMERGENCY, Tier.ROUTINE) is Tier.EMERGENCY
    assert graver(Tier.URGENT, Tier.URGENT) is Tier.URGENT


def test_every_tier_has_terms_and_a_priority_and_no_deadline_is_longer_for_the_graver() -> None:
    assert set(TERMS) == set(PRIORITY_OF) == set(Tier)
    acknowledge = [TERMS[tier].acknowledge_within for tier in Tier]
    assert acknowledge == sorted(acknowledge)
    assert all("proposal" in terms.source for terms in TERMS.values())


def test_a_persons_priority_leads_to_the_tier_that_has_it() -> None:
    assert all(PRIORITY_OF[TIER_OF[priority]] is priority for priority in Priority)
