"""The life of a case: one transition table, and nothing else decides what may follow what."""

from enum import StrEnum


class State(StrEnum):
    """Alert states (the README's glossary)."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to a case."""

    JOIN = "join"  # a further reading of the same condition
    WORSEN = "worsen"  # a further reading of higher priority: raised again
    ACKNOWLEDGE = "acknowledge"
    START = "start"
    RESOLVE = "resolve"


CLOSED = frozenset({State.RESOLVED, State.EXPIRED})

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.RAISED, Event.JOIN): State.RAISED,
    (State.RAISED, Event.WORSEN): State.RAISED,
    (State.RAISED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.JOIN): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.WORSEN): State.RAISED,
    (State.ACKNOWLEDGED, Event.START): State.IN_PROGRESS,
    (State.ACKNOWLEDGED, Event.RESOLVE): State.RESOLVED,
    (State.IN_PROGRESS, Event.JOIN): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.WORSEN): State.RAISED,
    (State.IN_PROGRESS, Event.RESOLVE): State.RESOLVED,
    # An escalated case is already with the next tier: worsening changes its priority, not its state.
    (State.ESCALATED, Event.JOIN): State.ESCALATED,
    (State.ESCALATED, Event.WORSEN): State.ESCALATED,
    (State.ESCALATED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
}


class IllegalTransition(Exception):
    """This event means nothing in this state."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"a case that is {state} cannot {event}")
        self.state = state
        self.event = event


def after(state: State, event: Event) -> State:
    """The state that follows; IllegalTransition where the table has no row."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None
