"""A Bluetooth device that is heard but cannot be read: which repair comes next. Pure; nothing happens here.

A meter that was reset, or paired to a phone, no longer has our key. BlueZ says nothing of it: it connects, the kernel
hangs up, and every visit ends there (or times out while BlueZ tries again). A stale connection or a wedged controller
looks the same from here. So the repairs are climbed one by one, the gentle ones first:

    close       end whatever connection the system still holds or tries to make
    forget      remove the device and its bond; somebody has to put it into pairing mode
    power_cycle switch the adapter off and on
    give_up     say that a person has to look: a technical matter; visits go on, ever more rarely

Each rung gets ``PATIENCE`` failures to show that it did not help. ``forget`` costs somebody a walk to the meter, so
only time-outs and connections lost at once lead there (the signs of a lost bond), not the other failures of a bad
radio. Two plain refusals of the key lead to ``forget`` at once, provided that we hold a bond: without one a refusal
only means that the device is not in pairing mode, or that nobody typed its passkey, and no repair of ours can change
that. A conversation that begins ends the climb.
"""

from enum import StrEnum

import msgspec

PATIENCE = 3
REFUSALS = 2


class Sign(StrEnum):
    """What a visit said about the way to the device."""

    REACHED = "reached"  # a conversation began, or a bond was made
    TIMED_OUT = "timed_out"  # it advertised and did not answer, or the connection was lost at once
    FAILED = "failed"  # it advertised and could not be connected, for whatever reason the system gives
    REFUSED = "refused"  # it refuses our key, or to be paired
    NOTHING = "nothing"  # none of our business: a conversation was cut, the outbox was full


class Step(StrEnum):
    """The rungs, lowest first."""

    CLOSE = "close"
    FORGET = "forget"
    POWER_CYCLE = "power_cycle"
    GIVE_UP = "give_up"


_RUNGS = tuple(Step)


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where one device stands. The last four count since the outbox was made; for the status command."""

    rung: int = 0  # how many steps of this climb were taken
    failures: int = 0  # since the last step
    refusals: int = 0
    closed: int = 0
    forgotten: int = 0
    power_cycled: int = 0
    given_up: int = 0

    @property
    def last_step(self) -> Step | None:
        """The highest step of this climb; None where nothing is wrong, or not for long enough."""
        return _RUNGS[self.rung - 1] if self.rung else None


def climb(ladder: Ladder, sign: Sign, *, bonded: bool) -> tuple[Ladder, Step | None]:
    """The ladder after a visit that gave this sign, and the step to take now. Total."""
    match sign:
        case Sign.REACHED:
            return msgspec.structs.replace(ladder, rung=0, failures=0, refusals=0), None
        case Sign.TIMED_OUT | Sign.FAILED:
            failures = ladder.failures + 1
            if failures < PATIENCE or ladder.rung == len(_RUNGS):
                return msgspec.structs.replace(ladder, failures=failures), None
            passed_over = sign is Sign.FAILED and _RUNGS[ladder.rung] is Step.FORGET
            return _step(ladder, ladder.rung + passed_over)
        case Sign.REFUSED if bonded:
            refusals = ladder.refusals + 1
            if refusals < REFUSALS or ladder.rung == len(_RUNGS):
                return msgspec.structs.replace(ladder, refusals=refusals), None
            return _step(ladder, max(ladder.rung, _RUNGS.index(Step.FORGET)))
        case _:
            return ladder, None


def _step(ladder: Ladder, rung: int) -> tuple[Ladder, Step]:
    step = _RUNGS[rung]
    counter = {
        Step.CLOSE: "closed",
        Step.FORGET: "forgotten",
        Step.POWER_CYCLE: "power_cycled",
        Step.GIVE_UP: "given_up",
    }[step]
    counted = {counter: getattr(ladder, counter) + 1}
    return msgspec.structs.replace(ladder, rung=rung + 1, failures=0, refusals=0, **counted), step


def advice(ladder: Ladder, sign: Sign, hint: str, *, bonded: bool) -> str | None:
    """What a person should do now, in a sentence; None: nothing. ``hint`` is the model's way into pairing mode."""
    pairing_mode = f"put it into pairing mode{': ' + hint if hint else ''}"
    if ladder.last_step is Step.GIVE_UP:
        return f"technical: it is heard, cannot be read, and no repair helped; have it looked at, or {pairing_mode}"
    if sign is Sign.REFUSED and not bonded:
        return f"it is not paired; {pairing_mode}"
    if ladder.last_step in (Step.FORGET, Step.POWER_CYCLE) and ladder.forgotten:
        return f"its bond was removed; {pairing_mode}"
    return None
