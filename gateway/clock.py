"""The only place in the gateway where a clock is read; everywhere else the time is a parameter."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

# ``struct timex`` takes 208 octets; all zero, it asks and changes nothing.
_TIMEX_OCTETS = 256
_TIME_ERROR = 5  # the answer "not synchronised"


def now() -> datetime:
    """The wall clock: aware, UTC. It may jump when NTP sets it."""
    return datetime.now(UTC)


def kernel_synchronised() -> bool | None:
    """Whether NTP keeps the wall clock, whichever daemon does it (``adjtimex(2)``); None where the kernel won't say.

    By ctypes, because Python has no such call, and each daemon's own file or command is that daemon's only.
    """
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_OCTETS))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def monotonic() -> float:
    """Seconds of a clock that never jumps, and that goes on while the computer sleeps; its zero means nothing."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Clocks:
    """What the composition takes for this computer's clocks: these ones, unless a rehearsal passes in others."""

    now: Callable[[], datetime] = now
    kernel_synchronised: Callable[[], bool | None] = kernel_synchronised


THIS_COMPUTER = Clocks()
