"""What goes into the outbox and comes out of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from gateway.wire.v1 import Fate, WirePrevious, WireReading, WireSession


class Lane(StrEnum):
    """LIVE may still matter to a nurse now; BACKFILL is the past."""

    LIVE = "live"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """Rows that are published as one message; without readings: a session that has ended."""

    message_id: str
    lane: Lane
    session: WireSession
    readings: tuple[WireReading, ...]


@dataclass(frozen=True, slots=True)
class Depth:
    """How many readings have no receipt yet, and since when the oldest of them waits."""

    rows: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a device said about itself when it was last visited under a name of the roster."""

    device_id: str
    firmware: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """The last visit to a device of the roster, and what is still known of it from those before.

    ``complete_at`` is when a visit last went to its end, ``battery_low`` is of that visit. ``holds`` and ``identity``
    are the last that were told.
    """

    name: str
    at: datetime
    outcome: str
    reason: str
    received: int
    new: int
    holds: int | None
    identity: str | None = None
    complete_at: datetime | None = None
    battery_low: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measurement of the last days, as the home is told of it.

    ``at`` is when it was made; where nobody can tell (``exact`` is false), when it was read. ``figures`` is what the
    device showed, where the household wants that. ``fate`` and ``received_at`` are the receipt's: None before it, and
    the latter also where the receipt came before anybody asked.
    """

    kind: str
    user: int | None
    at: datetime
    exact: bool
    figures: str | None = None
    fate: Fate | None = None
    received_at: datetime | None = None


def as_json(wire: WireSession | WireReading | WirePrevious) -> bytes:
    """The wire's own words, sealed as they are."""
    return _ENCODER.encode(wire)


# The wire's own encoder: decimals stay strings.
_ENCODER = msgspec.json.Encoder(decimal_format="string")
