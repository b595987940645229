"""What may be done with a device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.stock.states import FREE, Act, NotPossible, State, acts, after


def test_a_device_goes_out_comes_back_is_wiped_and_goes_out_again() -> None:
    state = State.IN_STOCK
    for act in (Act.HAND_OUT, Act.TAKE_BACK, Act.WIPE, Act.HAND_OUT):
        state = after(state, act)
    assert state is State.HANDED_OUT


@given(st.lists(st.sampled_from(Act), max_size=12))
def test_nothing_that_was_with_somebody_goes_to_somebody_else_before_it_was_wiped(done: list[Act]) -> None:
    state, dirty = State.IN_STOCK, False
    for act in done:
        if act not in acts(state):
            with pytest.raises(NotPossible):
                after(state, act)
            continue
        assert not (act is Act.HAND_OUT and dirty)
        state = after(state, act)
        dirty = {Act.HAND_OUT: True, Act.WIPE: False}.get(act, dirty)


def test_what_was_retired_stays_so() -> None:
    assert acts(State.RETIRED) == ()
    assert frozenset({State.IN_STOCK, State.WIPED}) == FREE
