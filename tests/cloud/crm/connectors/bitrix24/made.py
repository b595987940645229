"""A connector to the imitated portal, pieces of work, and somebody who delivers them as the dispatcher does."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cloud.crm.connectors.bitrix24.connector import Bitrix24
from cloud.crm.connectors.bitrix24.pace import Pace
from cloud.crm.connectors.door import Door
from cloud.crm.port import (
    Ambiguous,
    Call,
    Completion,
    Contact,
    Direction,
    Note,
    Paced,
    Remote,
    Ticket,
    Todo,
    Try,
    TryLater,
    Urgency,
)
from deploy.bitrix24 import server
from tests.fix_bitrix24 import SimulatedClock

LINK = "https://console.example/open/"
TLS = ssl.create_default_context()
SHORTEST_WAIT = timedelta(seconds=5)
MOST_TRIES = 200  # of which a method that rests takes ten minutes, five seconds at a time


def connector_to(portal: server.Bitrix24, clock: SimulatedClock, *, within_s: float = 20.0) -> Bitrix24:
    """With a pace of its own."""
    return Bitrix24(
        door=Door(tls=TLS, now=clock, inside=True, within_s=within_s),
        url=portal.url,
        responsible=7,
        pace=Pace(),
        now=clock,
    )


def contact(reference: str = "P7F3K", remote_id: str | None = None, **more: str | None) -> Contact:
    """A patient, of whom nothing is told but a label."""
    return Contact(
        reference=reference,
        label=f"Patient {reference}",
        link=f"{LINK}p/{reference}",
        remote_id=remote_id,
        name=more.get("name"),
        phone=more.get("phone"),
    )


def todo(contact_remote_id: str | None, reference: str = "C1001", remote_id: str | None = None) -> Todo:
    """An urgent case, with a deadline."""
    return Todo(
        reference=reference,
        contact="P7F3K",
        contact_remote_id=contact_remote_id,
        title=f"Urgent: open the case [{reference}]",
        link=f"{LINK}c/{reference}",
        urgency=Urgency.URGENT,
        deadline=datetime.fromisoformat("2026-11-02T03:30:00+00:00"),
        remote_id=remote_id,
    )


def completion(contact_remote_id: str | None, remote_id: str | None, at: datetime, reference: str) -> Completion:
    """The case is closed."""
    return Completion(
        reference=reference,
        contact="P7F3K",
        contact_remote_id=contact_remote_id,
        remote_id=remote_id,
        at=at,
        text="Done: reached by telephone.",
    )


def note(contact_remote_id: str | None, at: datetime, reference: str = "N1") -> Note:
    """A line."""
    return Note(
        reference=reference,
        contact="P7F3K",
        contact_remote_id=contact_remote_id,
        text="Visit agreed.",
        link=f"{LINK}n/{reference}",
        at=at,
    )


def ticket(contact_remote_id: str | None, reference: str = "T1") -> Ticket:
    """A defect."""
    return Ticket(
        reference=reference,
        contact="P7F3K",
        contact_remote_id=contact_remote_id,
        title=f"Defect of a device [{reference}]",
        link=f"{LINK}t/{reference}",
        urgency=Urgency.ROUTINE,
        deadline=datetime.fromisoformat("2026-11-04T12:00:00+00:00"),
    )


def call(contact_remote_id: str | None, at: datetime, reference: str = "L1") -> Call:
    """Somebody was reached."""
    return Call(
        reference=reference,
        contact="P7F3K",
        contact_remote_id=contact_remote_id,
        direction=Direction.OUT,
        at=at,
        outcome="reached",
        link=f"{LINK}l/{reference}",
        duration=timedelta(minutes=4),
    )


@dataclass
class Courier:
    """Tries again as it is told, on the simulated clock; nothing else moves that clock.

    ``errors``: the names of what went wrong, in order. ``heeds``: what they ask it to wait; else it comes at once.
    """

    clock: SimulatedClock
    heeds: bool = True
    errors: list[str] = field(default_factory=list)

    def deliver(self, verb: Callable[[Try], Remote], key: str = "key") -> Remote:
        """Until it is done. Refused."""
        unclear: datetime | None = None
        for number in range(1, MOST_TRIES):
            try:
                return verb(Try(key=key, number=number, at=self.clock(), unclear_since=unclear))
            except (TryLater, Ambiguous) as error:
                self.errors.append(type(error).__name__)
                if isinstance(error, Ambiguous):
                    unclear = self.clock()
                asked = error.retry_after if self.heeds or isinstance(error, Paced) else None
                self.clock.ahead(max(asked or SHORTEST_WAIT, SHORTEST_WAIT))
        raise AssertionError(f"never done: {self.errors}")


def first(clock: SimulatedClock) -> Try:
    """A first try."""
    return Try(key="key", number=1, at=clock())
