"""The repairs of a lost way, as a table and as a machine that nothing can bring out of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.bond_ladder import PATIENCE, REFUSALS, Ladder, Sign, Step, advice, climb

SIGNS = st.lists(st.tuples(st.sampled_from(Sign), st.booleans()), max_size=60)


def climbed(*signs: Sign, bonded: bool = True, ladder: Ladder = Ladder()) -> tuple[Ladder, list[Step]]:  # noqa: B008
    """Where these signs lead, and the steps on the way."""
    steps = []
    for sign in signs:
        ladder, step = climb(ladder, sign, bonded=bonded)
        steps += [step] if step else []
    return ladder, steps


T, F, R, N, OK = Sign.TIMED_OUT, Sign.FAILED, Sign.REFUSED, Sign.NOTHING, Sign.REACHED


@pytest.mark.parametrize(
    ("signs", "bonded", "steps"),
    [
        ([T] * (PATIENCE - 1), True, []),
        ([T] * PATIENCE, True, [Step.CLOSE]),
        ([T] * PATIENCE * 2, True, [Step.CLOSE, Step.FORGET]),
        ([T] * PATIENCE * 3, False, [Step.CLOSE, Step.FORGET, Step.POWER_CYCLE]),
        ([T] * PATIENCE * 4, True, list(Step)),
        ([T] * PATIENCE * 9, True, list(Step)),
        ([T, T, OK, T, T, OK], True, []),
        ([T, N, T, N, N, T], True, [Step.CLOSE]),
        ([F] * PATIENCE * 4, True, [Step.CLOSE, Step.POWER_CYCLE, Step.GIVE_UP]),
        ([F] * PATIENCE + [T] * PATIENCE, True, [Step.CLOSE, Step.FORGET]),
        ([R] * (REFUSALS - 1), True, []),
        ([R] * REFUSALS, True, [Step.FORGET]),
        ([R] * REFUSALS * 2, True, [Step.FORGET, Step.POWER_CYCLE]),
        ([R] * 50, False, []),
        ([N] * 50, True, []),
        ([T] * PATIENCE * 4 + [OK] + [T] * PATIENCE, True, [*Step, Step.CLOSE]),
    ],
)
def test_which_signs_lead_to_which_repairs(signs: list[Sign], bonded: bool, steps: list[Step]) -> None:
    assert climbed(*signs, bonded=bonded)[1] == steps


def test_every_step_is_counted_for_good() -> None:
    ladder, _ = climbed(*[T] * PATIENCE * 4, OK, *[T] * PATIENCE, OK)
    assert ladder == Ladder(closed=2, forgotten=1, power_cycled=1, given_up=1)


@given(SIGNS)
def test_a_conversation_that_begins_ends_the_climb_wherever_it_stood(signs: list[tuple[Sign, bool]]) -> None:
    ladder = Ladder()
    for sign, bonded in signs:
        ladder, _ = climb(ladder, sign, bonded=bonded)
    after, step = climb(ladder, OK, bonded=True)
    assert (after.rung, after.failures, after.refusals, step) == (0, 0, 0, None)


@given(SIGNS)
def test_no_rung_is_climbed_twice_in_one_climb_and_none_backwards(signs: list[tuple[Sign, bool]]) -> None:
    ladder, order, taken = Ladder(), list(Step), list[Step]()
    for sign, bonded in signs:
        ladder, step = climb(ladder, sign, bonded=bonded)
        if sign is OK:
            taken = []
        if step is not None:
            assert all(order.index(step) > order.index(before) for before in taken)
            taken.append(step)
            assert ladder.last_step is step


@given(SIGNS)
def test_no_bond_is_removed_for_less_than_its_patience(signs: list[tuple[Sign, bool]]) -> None:
    ladder, timeouts, refusals = Ladder(), 0, 0
    for sign, bonded in signs:
        ladder, step = climb(ladder, sign, bonded=bonded)
        timeouts = 0 if sign is OK else timeouts + (sign in (T, F))
        refusals = 0 if sign is OK else refusals + (sign is R and bonded)
        if step is Step.FORGET:
            assert (sign is T and timeouts >= PATIENCE) or (sign is R and bonded and refusals >= REFUSALS)


@given(SIGNS)
def test_whatever_fails_for_ever_is_given_up_in_the_end(signs: list[tuple[Sign, bool]]) -> None:
    ladder = Ladder()
    for sign, bonded in signs:
        ladder, _ = climb(ladder, sign, bonded=bonded)
    ladder, _ = climbed(*[T] * PATIENCE * 4, ladder=ladder)
    assert ladder.last_step is Step.GIVE_UP
    assert ladder.given_up >= 1


@pytest.mark.parametrize(
    ("ladder", "sign", "bonded", "words"),
    [
        (Ladder(), T, False, None),
        (Ladder(rung=1), T, False, None),
        (Ladder(rung=2, forgotten=1), T, False, "its bond was removed; put it into pairing mode: hold M"),
        (Ladder(rung=3, power_cycled=1), F, False, None),
        (Ladder(rung=4), T, False, "technical"),
        (Ladder(), R, False, "it is not paired; put it into pairing mode: hold M"),
        (Ladder(), R, True, None),
    ],
)
def test_what_a_person_is_told(ladder: Ladder, sign: Sign, bonded: bool, words: str | None) -> None:
    said = advice(ladder, sign, "hold M", bonded=bonded)
    assert said is None if words is None else said is not None and said.startswith(words)


def test_a_model_without_a_hint_is_still_to_be_put_into_pairing_mode() -> None:
    assert advice(replace(Ladder(), rung=2, forgotten=1), T, "", bonded=False) == (
        "its bond was removed; put it into pairing mode"
    )
