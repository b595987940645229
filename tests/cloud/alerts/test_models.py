"""How findings change a case."""

from datetime import timedelta
from uuid import UUID

import pytest

from alerting import life
from alerting.lifecycle import State
from alerting.pipeline import Finding, on_reading, quantities
from alerting.regimes import of_programme
from alerting.tiers import TERMS, Tier
from cloud.alerts.models import Case, Episode, PatientFinding, closed_at_once, continued, opened
from tests.cloud.made import NOW, glucose

CASE_ID = UUID(int=1)
NURSE = UUID(int=3)
LIMITS = of_programme("ada").limits


def finding(tier: Tier = Tier.URGENT, minutes_ago: int = 0, closes_as: str | None = None) -> PatientFinding:
    """A finding of this tier on a reading of so long ago."""
    reading = glucose("48")
    [said] = on_reading(quantities(reading), LIMITS, NOW, NOW).findings
    at = NOW - timedelta(minutes=minutes_ago)
    return PatientFinding(
        patient_id=UUID(int=2),
        finding=Finding(condition=said.condition, tier=tier, reason=said.reason, at=at),
        terms=TERMS,
        reading_id=reading.reading_id,
        closes_as=closes_as,
    )


def case(state: State, tier: Tier = Tier.URGENT) -> Episode:
    """A case as the database has it, an hour old."""
    before = NOW - timedelta(hours=1)
    lived = life.raised(tier, before, TERMS[tier])
    if state in (State.ACKNOWLEDGED, State.IN_PROGRESS):
        lived = life.acknowledged(lived, NURSE, before, timedelta(hours=2))
    if state is State.IN_PROGRESS:
        lived = life.started(lived, before, timedelta(hours=2))
    if state is State.ESCALATED:
        lived = life.escalated(lived, "doctor", before, TERMS[tier])
    return Episode(case=Case(case_id=CASE_ID, life=lived, spoken_at=before), events=(), speaks=None)


def test_the_first_finding_raises_the_case_with_the_promises_of_its_tier() -> None:
    first = finding(Tier.URGENT)
    episode = opened(CASE_ID, first, NOW)

    lived = episode.case.life
    assert (lived.state, lived.tier, lived.round, lived.next_at) == (State.RAISED, Tier.URGENT, 1, NOW)
    assert (lived.deadline, lived.contact_by) == (NOW + timedelta(minutes=15), NOW + timedelta(hours=1))
    assert [(e.event, e.from_state, e.to_state) for e in episode.events] == [("raise", None, State.RAISED)]
    assert episode.speaks is first


@pytest.mark.parametrize("state", [State.RAISED, State.ACKNOWLEDGED, State.IN_PROGRESS, State.ESCALATED])
def test_an_equal_finding_joins_and_speaks_without_moving_the_deadline(state: State) -> None:
    before, later = case(state), finding()
    episode = continued(before, [later], NOW)

    after = episode.case.life
    assert (after.state, after.deadline, after.round) == (state, before.case.life.deadline, before.case.life.round)
    assert (after.next_at, [e.event for e in episode.events], episode.speaks) == (NOW, ["join"], later)


def test_an_older_finding_joins_and_does_not_speak() -> None:
    assert continued(case(State.RAISED), [finding(minutes_ago=90)], NOW).speaks is None


@pytest.mark.parametrize("tier", [Tier.SAME_SHIFT, Tier.ROUTINE, Tier.RETROSPECTIVE])
def test_a_lesser_finding_joins_and_does_not_speak(tier: Tier) -> None:
    episode = continued(case(State.ACKNOWLEDGED), [finding(tier)], NOW)

    lived = episode.case.life
    assert (lived.state, lived.tier, lived.owner, episode.speaks) == (State.ACKNOWLEDGED, Tier.URGENT, NURSE, None)


@pytest.mark.parametrize("state", [State.RAISED, State.ACKNOWLEDGED, State.IN_PROGRESS])
def test_a_graver_finding_raises_the_case_again_in_a_new_round(state: State) -> None:
    before, grave = case(state), finding(Tier.EMERGENCY)
    episode = continued(before, [grave], NOW)

    lived = episode.case.life
    assert (lived.state, lived.tier, lived.round, lived.step, lived.owner, lived.lease_until) == (
        State.RAISED, Tier.EMERGENCY, 2, 0, None, None,
    )  # fmt: skip
    assert (lived.raised_at, lived.deadline, lived.contact_by, lived.next_at) == (
        NOW, NOW + timedelta(minutes=5), NOW + timedelta(minutes=15), NOW,
    )  # fmt: skip
    assert [(e.event, e.from_state, e.to_state) for e in episode.events] == [("worsen", state, State.RAISED)]


def test_what_closes_by_itself_was_raised_and_closed_and_asks_nobody() -> None:
    episode = closed_at_once(CASE_ID, finding(Tier.ROUTINE, closes_as="not_confirmed"), NOW)

    lived = episode.case.life
    assert (lived.state, lived.next_at, episode.closed_as) == (State.RESOLVED, None, "not_confirmed")
    assert [e.event for e in episode.events] == ["raise", "close_automatically"]
    assert len(episode.findings) == 1
