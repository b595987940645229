"""Readings made up for the benchmark, and the messages that carry them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from deploy.bench.homes import PROFILE, Home
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from gateway.wire import v1

# The newest reading of a backlog is so old, and each other one a minute older than the one after it.
YOUNGEST = timedelta(hours=7)
# One reading in so many is beyond a limit and raises an alert.
BEYOND_EVERY = 50
CRITICAL = "41"  # mg/dL


def reading(home: Home, local: datetime, value: str) -> Reading:
    """One reading of the home's meter, whose clock shows UTC."""
    return Reading(
        device=home.device,
        kind=Kind.GLUCOSE,
        components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, Quantity(Decimal(value), Unit.MG_DL)),),
        reported_time=ReportedTime(local.isoformat(), local),
        profile=PROFILE,
        raw=local.isoformat().encode()[:12],
    )


def backlog(home: Home, numbers: range, at: datetime) -> Sequence[Reading]:
    """Old readings by number: the same number is the same reading, another number another one."""
    newest = (at - YOUNGEST).replace(tzinfo=None, second=0, microsecond=0)
    return [
        reading(
            home,
            newest - timedelta(minutes=number),
            str(305 + number % 40 if number % BEYOND_EVERY == 0 else 90 + number % 90),
        )
        for number in numbers
    ]


def message(home: Home, readings: Sequence[Reading], at: datetime) -> v1.ReadingsMessage:
    """One visit's readings, as the gateway's outbox would have them."""
    stamp = CoincidentTimeStamp(at, at.replace(tzinfo=None))
    return v1.ReadingsMessage(
        v=v1.VERSION,
        message_id=uuid4().hex,
        session=v1.wire_session(uuid4().hex, home.device, PROFILE, at, stamp, 500),
        readings=tuple(v1.wire_reading(one, at) for one in readings),
    )


def messages(
    homes: Sequence[Home], numbers: range, each: int, at: datetime
) -> Iterator[tuple[Home, v1.ReadingsMessage]]:
    """The readings of these numbers of every home, ``each`` a message, the homes in turn."""
    for first in range(numbers.start, numbers.stop, each):
        for home in homes:
            part = range(first, min(first + each, numbers.stop))
            yield home, message(home, backlog(home, part, at), at)
