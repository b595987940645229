"""What may be done with a device, and what it is then: one table. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a device is."""

    IN_STOCK = "in_stock"
    HANDED_OUT = "handed_out"
    RETURNED = "returned"  # back, with somebody's readings in its memory
    WIPED = "wiped"
    LOST = "lost"
    RETIRED = "retired"


class Act(StrEnum):
    """What people do with it."""

    HAND_OUT = "hand_out"
    TAKE_BACK = "take_back"
    WIPE = "wipe"
    LOSE = "lose"
    FIND = "find"
    RETIRE = "retire"


# Nothing that comes back, or is found, goes to anybody before it was wiped. What was retired is not ours any more.
TRANSITIONS: Final[Mapping[tuple[State, Act], State]] = MappingProxyType(
    {
        (State.IN_STOCK, Act.HAND_OUT): State.HANDED_OUT,
        (State.IN_STOCK, Act.LOSE): State.LOST,
        (State.IN_STOCK, Act.RETIRE): State.RETIRED,
        (State.HANDED_OUT, Act.TAKE_BACK): State.RETURNED,
        (State.HANDED_OUT, Act.LOSE): State.LOST,
        (State.RETURNED, Act.WIPE): State.WIPED,
        (State.RETURNED, Act.LOSE): State.LOST,
        (State.RETURNED, Act.RETIRE): State.RETIRED,
        (State.WIPED, Act.HAND_OUT): State.HANDED_OUT,
        (State.WIPED, Act.LOSE): State.LOST,
        (State.WIPED, Act.RETIRE): State.RETIRED,
        (State.LOST, Act.FIND): State.RETURNED,
        (State.LOST, Act.RETIRE): State.RETIRED,
    }
)
FREE: Final = frozenset(state for state, act in TRANSITIONS if act is Act.HAND_OUT)


class NotPossible(Exception):
    """That cannot be done with a device in this state."""

    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"a device that is {state} cannot be: {act}")
        self.state = state
        self.act = act


def after(state: State, act: Act) -> State:
    """What it is then. NotPossible."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise NotPossible(state, act) from None


def acts(state: State) -> tuple[Act, ...]:
    """What may be done now, in the order of ``Act``."""
    return tuple(act for act in Act if (state, act) in TRANSITIONS)
