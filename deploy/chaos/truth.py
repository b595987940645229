"""What really happened, kept beside the product: what was measured, when, by whom; when the gateway's clock was wrong.

Pure, but for what it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deploy.chaos.plan import Figures

# Visits that were under way when a clock jumped, and the ones right after it, are touched by the jump, too.
AROUND_A_JUMP = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One measurement. ``id`` is ours; ``at`` the true time; ``shown`` what the device's clock showed (naive)."""

    id: str
    device: str
    user: int | None
    figures: Figures
    at: datetime
    shown: datetime
    patient: str
    condition: str | None
    round: int


@dataclass(frozen=True, slots=True)
class Jump:
    """The gateway's clock was off between two moments (of the right clock)."""

    begin: datetime
    end: datetime
    offset: timedelta

    def touches(self, gateway_time: datetime) -> bool:
        """Whether something that the gateway dates so may have been done under the wrong clock, or at its edges."""
        begin, end = self.begin - AROUND_A_JUMP, self.end + AROUND_A_JUMP
        return begin <= gateway_time <= end or begin <= gateway_time - self.offset <= end


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A row of a hypertable; or ``doubted``: it waits for an answer to "was it you?"."""

    reading_id: str
    device: str
    user: int | None
    figures: Figures
    reported: datetime  # naive: the device's own statement
    effective: datetime
    patient: str
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A reading in quarantine; without figures, a message of which no reading could be made out."""

    reading_id: str
    device: str
    user: int | None
    figures: Figures
    reported: datetime | None
    reason: str
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerted:
    """An alert of a reading, and its case."""

    reading_id: str
    condition: str
    case_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A timer of "measure again", and the reading that started it."""

    reading_id: str
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of a patient."""

    case_id: str
    patient: str
    condition: str


@dataclass(slots=True)
class Truth:
    """Everything that was made, and every wrong clock."""

    made: list[Made] = field(default_factory=list)
    jumps: list[Jump] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """Everything that the database holds in the end."""

    stored: Sequence[Stored] = ()
    held: Sequence[Held] = ()
    alerts: Sequence[Alerted] = ()
    cases: Sequence[Case] = ()
    timers: Sequence[Timed] = ()
