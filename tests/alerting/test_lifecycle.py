"""One transition table decides what may follow what."""

import pytest

from alerting.lifecycle import CLOSED, TRANSITIONS, Event, IllegalTransition, State, after

OPEN = [state for state in State if state not in CLOSED]


@pytest.mark.parametrize("state", OPEN)
@pytest.mark.parametrize("event", [Event.JOIN, Event.WORSEN])
def test_a_further_reading_finds_its_way_into_every_open_case(state: State, event: Event) -> None:
    assert after(state, event) not in CLOSED


@pytest.mark.parametrize("state", OPEN)
def test_joining_changes_nothing(state: State) -> None:
    assert after(state, Event.JOIN) is state


@pytest.mark.parametrize("state", [State.ACKNOWLEDGED, State.IN_PROGRESS])
def test_worsening_raises_again_what_somebody_has_in_hand(state: State) -> None:
    assert after(state, Event.WORSEN) is State.RAISED


@pytest.mark.parametrize("state", sorted(CLOSED))
@pytest.mark.parametrize("event", list(Event))
def test_nothing_happens_to_a_closed_case(state: State, event: Event) -> None:
    with pytest.raises(IllegalTransition) as caught:
        after(state, event)
    assert (caught.value.state, caught.value.event) == (state, event)
    assert str(caught.value) == f"a case that is {state} cannot {event}"


def test_what_is_not_acknowledged_cannot_be_resolved() -> None:
    assert (State.RAISED, Event.RESOLVE) not in TRANSITIONS
