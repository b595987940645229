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

    JOIN = "join"  # a further finding of the same condition
    WORSEN = "worsen"  # a further finding of a graver tier: raised again
    ACKNOWLEDGE = "acknowledge"  # a person takes it: theirs while the lease lasts
    START = "start"
    HAND_OVER = "hand_over"  # offered to another person; it stays with its owner until that one acknowledges it
    WITHDRAW = "withdraw"  # the offer, while nobody has accepted it
    CONTACT = "contact"  # somebody spoke with the patient
    ASK = "ask"  # about red flags, and there was none; one makes it WORSEN
    SILENCE = "silence"  # by a person, with a reason and an end
    END_SILENCE = "end_silence"
    LAPSE = "lapse"  # the lease ran out: nobody's again
    ESCALATE = "escalate"  # by a deadline that passed, or by its owner: the next of the path
    RESOLVE = "resolve"
    CLOSE_AUTOMATICALLY = "close_automatically"  # of a class that the programme allows, and never somebody's own


CLOSED = frozenset({State.RESOLVED, State.EXPIRED})
# Nobody works on it: its deadline counts, and people are paged.
WAITING = frozenset({State.RAISED, State.ESCALATED})
OWNED = frozenset({State.ACKNOWLEDGED, State.IN_PROGRESS})

# Whatever its state: something is written down, and the state stays.
_STAYS = (Event.JOIN, Event.CONTACT, Event.ASK, Event.SILENCE, Event.END_SILENCE)

TRANSITIONS: dict[tuple[State, Event], State] = {
    **{(state, event): state for state in State if state not in CLOSED for event in _STAYS},
    (State.RAISED, Event.WORSEN): State.RAISED,
    (State.RAISED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.RAISED, Event.ESCALATE): State.ESCALATED,
    (State.RAISED, Event.CLOSE_AUTOMATICALLY): State.RESOLVED,
    (State.ACKNOWLEDGED, Event.WORSEN): State.RAISED,
    (State.ACKNOWLEDGED, Event.START): State.IN_PROGRESS,
    (State.ACKNOWLEDGED, Event.HAND_OVER): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.WITHDRAW): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,  # by whom it was offered to
    (State.ACKNOWLEDGED, Event.LAPSE): State.RAISED,
    (State.ACKNOWLEDGED, Event.ESCALATE): State.ESCALATED,
    (State.ACKNOWLEDGED, Event.RESOLVE): State.RESOLVED,
    (State.IN_PROGRESS, Event.WORSEN): State.RAISED,
    (State.IN_PROGRESS, Event.HAND_OVER): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.WITHDRAW): State.IN_PROGRESS,
    (State.IN_PROGRESS, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.IN_PROGRESS, Event.LAPSE): State.RAISED,
    (State.IN_PROGRESS, Event.ESCALATE): State.ESCALATED,
    (State.IN_PROGRESS, Event.RESOLVE): State.RESOLVED,
    # An escalated case is already with the next of the path: worsening changes its tier, not its state.
    (State.ESCALATED, Event.WORSEN): State.ESCALATED,
    (State.ESCALATED, Event.ESCALATE): State.ESCALATED,
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
