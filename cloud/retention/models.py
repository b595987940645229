"""How long what is kept: each limit with its value, its unit and why it is that. All of them are our proposals.

Readings, cases, their events and the audit trail are not here: nothing ends them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


def _proposal(unit: str, why: str) -> Mapping[str, str]:
    return {"unit": unit, "why": why, "source": "proposal"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """``dataclasses.fields`` gives unit, why and source of each in its metadata."""

    idle_sessions: timedelta = field(
        default=timedelta(days=180),
        metadata=_proposal(
            "d", "a visit that brought nothing says something of the device for as long as clocks drift"
        ),
    )
    newest_sessions: int = field(
        default=50,
        metadata=_proposal("sessions", "of each device, however old: whether its clock can be read is asked of 20"),
    )
    resolved_alarms: timedelta = field(
        default=timedelta(days=400),
        metadata=_proposal("d", "this month beside the same month of last year"),
    )
    ended_commands: timedelta = field(
        default=timedelta(days=90),
        metadata=_proposal("d", "a gateway that does not do what it is told is looked into within a quarter"),
    )
    withdrawn_octets: timedelta = field(
        default=timedelta(days=30),
        metadata=_proposal(
            "d",
            "a month to collect the device, and to say that somebody else measured: then nothing allows us to keep it",
        ),
    )
    at_once: int = field(
        default=5_000, metadata=_proposal("rows", "of one transaction: a second or two, and others wait for none of it")
    )


KEEPING = Keeping()
"""What is in force."""
