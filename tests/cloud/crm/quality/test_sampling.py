"""The draw by itself: the same for everybody, at least the percentage of each person, and no part missed."""

import subprocess
from collections import Counter
from math import ceil
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.tiers import Tier
from cloud.crm.quality.models import Closed, Stratum
from cloud.crm.quality.sampling import draw, frame_of, stratum_of

NORA, BEN = UUID(int=1), UUID(int=2)
SEED = "0123456789abcdef0123456789abcdef"


def closed(n: int, by: UUID | None = NORA, tier: Tier = Tier.URGENT) -> Closed:
    return Closed(UUID(int=1000 + n), UUID(int=n), by, tier.value)


CASES = st.lists(
    st.builds(closed, st.integers(0, 10_000), st.sampled_from([NORA, BEN, None]), st.sampled_from(list(Tier))),
    unique_by=lambda one: one.case_id,
    max_size=120,
)


@given(CASES, st.integers(10, 100), st.randoms())
def test_anybody_draws_the_same_sample_again_however_the_cases_come(
    cases: list[Closed], percent: int, random: Random
) -> None:
    first = draw(cases, SEED, percent)
    shuffled = list(cases)
    random.shuffle(shuffled)
    assert draw(shuffled, SEED, percent) == first
    assert frame_of(shuffled) == frame_of(cases)


@given(CASES, st.integers(10, 100))
def test_at_least_the_percentage_of_what_each_person_closed_and_of_each_part_at_least_one(
    cases: list[Closed], percent: int
) -> None:
    found = draw(cases, SEED, percent)
    assert len({one.case_id for one in found}) == len(found)
    of, taken = Counter(one.closed_by for one in cases), Counter(one.closed_by for one in found)
    parts = Counter((one.closed_by, stratum_of(one)) for one in cases)
    drawn = Counter((one.closed_by, one.stratum) for one in found)
    for person, many in of.items():
        assert taken[person] >= ceil(many * percent / 100) >= 1
    for part, many in parts.items():
        assert drawn[part] == ceil(many * percent / 100) or abs(drawn[part] - many * percent / 100) < 1
        assert drawn[part] >= 1
    assert set(drawn) == set(parts)


def test_it_is_rounded_up_and_never_down() -> None:
    for many, taken in ((1, 1), (9, 1), (10, 1), (11, 2), (30, 3), (31, 4)):
        assert len(draw([closed(n) for n in range(many)], SEED, 10)) == taken


def test_an_emergency_among_many_others_is_not_missed() -> None:
    cases = [closed(n, tier=Tier.ROUTINE) for n in range(99)] + [closed(99, tier=Tier.EMERGENCY)]
    assert Stratum.EMERGENCY in {one.stratum for one in draw(cases, SEED, 10)}
    assert {stratum_of(closed(0, None, tier)) for tier in Tier} == {Stratum.AUTOMATIC}


def test_another_seed_draws_others() -> None:
    cases = [closed(n) for n in range(200)]
    first, second = ({one.case_id for one in draw(cases, seed, 10)} for seed in (SEED, SEED[::-1]))
    assert first != second


def test_a_case_that_is_closed_later_is_another_frame() -> None:
    cases = [closed(n) for n in range(20)]
    assert frame_of([*cases, closed(20)]) != frame_of(cases)
    assert frame_of([*cases[1:], closed(0, BEN)]) != frame_of(cases)


def test_who_has_nothing_but_a_shell_draws_the_same_as_the_manual_says() -> None:
    """The rule needs none of our software: sha256sum and sort."""
    cases = [closed(n) for n in range(40)]
    lines = "\n".join(str(one.case_id) for one in cases)
    script = (
        'while read id; do echo "$(printf %s "$1:$id" | sha256sum | cut -c1-64) $id"; done | sort | head -n 4'
        " | cut -d' ' -f2"
    )
    said = subprocess.run(
        ["/bin/sh", "-c", script, "sh", SEED], input=f"{lines}\n", capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == [str(one.case_id) for one in draw(cases, SEED, 10)]


@pytest.mark.parametrize("tier", [Tier.SAME_SHIFT, Tier.ROUTINE, Tier.RETROSPECTIVE])
def test_all_other_tiers_are_one_part(tier: Tier) -> None:
    assert stratum_of(closed(0, tier=tier)) is Stratum.OTHER
