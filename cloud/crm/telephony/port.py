"""The port of a telephone system: a number in, and whether it rings; the errors are those of ``cloud.crm.port``.

A connector is synchronous and done within ASK_WITHIN_S, all in all: whoever asked is at a page and can dial by hand. It
is asked once and never again by itself. It never logs a number, an address or a secret.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

ASK_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """Ring this extension, and then the number (E.164). ``key``: what the system's events are to say of the call."""

    key: str
    extension: str
    number: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialled:
    """``remote_id``: what the system calls it, where it says. ``rings``: False where it only shows the number."""

    remote_id: str | None
    rings: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """A call that somebody of ours said is over. ``outcome``: of the call log."""

    remote_id: str
    extension: str
    duration: timedelta
    outcome: str


class Telephony(Protocol):
    """One telephone system."""

    def dial(self, dial: Dial) -> Dialled:
        """Unreachable, TryLater, Shut, Refused: it does not ring. Ambiguous: nobody knows."""
        ...


@runtime_checkable
class Minded(Protocol):
    """A system that wants to be told what became of a call that it only shows."""

    @property
    def takes_recordings(self) -> bool:
        """Whether recordings may be copied to it."""
        ...

    def over(self, over: Over) -> None:
        """It is over; the same again is no error. CrmError."""
        ...

    def attach(self, remote_id: str, url: str) -> None:
        """Where the recording of a call is that is over. CrmError."""
        ...
