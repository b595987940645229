"""Who may do what with a case, and for how long it may be silent: on, just under and just over each limit."""

from datetime import timedelta
from uuid import UUID

import pytest

from alerting import life
from alerting.acts import LONGEST_SILENCE, SILENCE_SOURCE, Refusal, refusal, silence_refusal, silences
from alerting.life import Life
from alerting.lifecycle import Event
from alerting.tiers import TERMS, Tier
from tests.alerting.made import START

NORA, BEN, ADA = UUID(int=1), UUID(int=2), UUID(int=3)
RAISED = life.raised(Tier.URGENT, START, TERMS[Tier.URGENT])
LEASE = TERMS[Tier.URGENT].lease
NORAS = life.acknowledged(RAISED, NORA, START, LEASE)
OFFERED = life.handed_over(NORAS, BEN, START, LEASE)
CLOSED = life.resolved(NORAS)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("case", "event", "by", "refused"),
    [
        (RAISED, Event.ACKNOWLEDGE, BEN, None),
        (NORAS, Event.ACKNOWLEDGE, NORA, None),
        (NORAS, Event.ACKNOWLEDGE, BEN, Refusal.TAKEN),
        (OFFERED, Event.ACKNOWLEDGE, BEN, None),
        (OFFERED, Event.ACKNOWLEDGE, ADA, Refusal.TAKEN),
        (OFFERED, Event.WITHDRAW, NORA, None),
        (OFFERED, Event.WITHDRAW, BEN, Refusal.NOT_YOURS),
        (NORAS, Event.WITHDRAW, NORA, Refusal.NOT_OFFERED),
        (RAISED, Event.RESOLVE, NORA, Refusal.NOT_TAKEN),
        (NORAS, Event.RESOLVE, NORA, None),
        (NORAS, Event.RESOLVE, BEN, Refusal.NOT_YOURS),
        (OFFERED, Event.RESOLVE, BEN, Refusal.NOT_YOURS),
        (RAISED, Event.ESCALATE, BEN, None),
        (NORAS, Event.ESCALATE, BEN, Refusal.NOT_YOURS),
        (RAISED, Event.END_SILENCE, BEN, Refusal.NOT_SILENT),
        (NORAS, Event.ASK, BEN, None),
        *[(CLOSED, event, NORA, Refusal.CLOSED) for event in Event],
    ],
)
def test_who_may_do_what(case: Life, event: Event, by: UUID, refused: Refusal | None) -> None:
    assert refusal(case, event, by, START) is refused


@pytest.mark.parametrize(("at", "refused"), [(LEASE - SECOND, Refusal.TAKEN), (LEASE, None), (LEASE + SECOND, None)])
def test_a_case_is_free_from_the_moment_its_lease_ends(at: timedelta, refused: Refusal | None) -> None:
    assert refusal(NORAS, Event.ACKNOWLEDGE, BEN, START + at) is refused
    assert refusal(NORAS, Event.RESOLVE, NORA, START + at) is None, "while nobody else has taken it"


@pytest.mark.parametrize("tier", [tier for tier in Tier if tier is not Tier.EMERGENCY])
def test_a_silence_is_as_long_as_its_tier_allows_and_not_longer(tier: Tier) -> None:
    longest = LONGEST_SILENCE[tier]
    assert longest is not None
    assert silence_refusal(tier, START + longest - SECOND, START) is None
    assert silence_refusal(tier, START + longest, START) is None
    assert silence_refusal(tier, START + longest + SECOND, START) is Refusal.TOO_LONG
    assert silence_refusal(tier, START, START) is Refusal.NO_END
    assert silences(tier)[-1] == longest


def test_an_emergency_is_never_silenced() -> None:
    assert silence_refusal(Tier.EMERGENCY, START + SECOND, START) is Refusal.EMERGENCY
    assert silences(Tier.EMERGENCY) == ()


def test_the_graver_the_shorter_the_silence_and_all_of_it_is_a_proposal() -> None:
    lengths = [longest or timedelta() for longest in (LONGEST_SILENCE[tier] for tier in Tier)]
    assert lengths == sorted(lengths)
    assert "proposal" in SILENCE_SOURCE
