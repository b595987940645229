"""A meter's whole memory, read a hundred times by gateways that know nothing of each other, under a drifting clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec

from cloud.db.connect import Connection
from deploy.demo.road import Road
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from gateway import clock
from gateway.outbox import Lane, Outbox
from gateway.wire import v1
from tests.journeys.test_bytes_to_sql import publishing

PROFILE = "lifescan-onetouch-ultramini"
MEMORY, TIMES = 500, 100
# Assigned to a patient of the cast.
METER = DeviceIdentity(manufacturer="LifeScan", model="OneTouch UltraMini", serial_number="DEMO00001")


def memory(at: datetime) -> list[Reading]:
    """What the meter holds, whatever its clock shows today: one reading every ten minutes up to ``at``."""
    return [
        Reading(
            device=METER,
            kind=Kind.GLUCOSE,
            components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, Quantity(Decimal(100 + n % 60), Unit.MG_DL)),),
            reported_time=ReportedTime(local.isoformat(), local),
            profile=PROFILE,
            raw=n.to_bytes(8, "little"),
            sequence_number=n,
        )
        for n in range(MEMORY)
        for local in ((at - timedelta(minutes=10 * (n + 1))).replace(tzinfo=None, microsecond=0),)
    ]


def told(number: int, at: datetime, offset: timedelta) -> v1.WireSession:
    """The session of one reading of it: the meter's clock is off by so much then."""
    stamp = CoincidentTimeStamp(at, (at + offset).replace(tzinfo=None))
    return v1.wire_session(f"{number:032x}", METER, PROFILE, at, stamp, MEMORY, clock_synchronised=True)


async def test_a_memory_that_is_read_a_hundred_times_with_drifting_corrections_adds_no_row(
    road: Road, passwords: dict[str, str], sql: Connection, tmp_path: Path
) -> None:
    await road.ingest()
    begun = clock.now()
    wires = [v1.wire_reading(reading, begun) for reading in memory(begun)]
    first: list[tuple[object, ...]] = []
    for number in range(TIMES):
        drift = timedelta(minutes=number * 37 % 181 - 90 if number else 0, seconds=number)
        session = told(number, clock.now(), drift)
        async with fresh_outbox(tmp_path / f"gateway-{number}") as outbox:
            outbox.put(session, [(wire, Lane.BACKFILL) for wire in wires], begun)
            ended = msgspec.structs.replace(session, ended_at=clock.now(), complete=True, received=MEMORY)
            outbox.put_ended(ended)
            async with publishing(road, outbox), asyncio.timeout(30):
                while outbox.depth().rows or outbox.in_flight():  # noqa: ASYNC110 -- the outbox tells nobody
                    await asyncio.sleep(0.01)
            assert outbox.freed() == {"already_known" if number else "stored": MEMORY}
        first = first or stored(sql)
    assert stored(sql) == first
    assert len(first) == MEMORY
    counts = "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM alert)"
    assert sql.execute(counts).fetchone() == (MEMORY, 0, 0)


def stored(sql: Connection) -> list[tuple[object, ...]]:
    """Every row of the hypertable, with the time that it was given first."""
    return sql.execute("SELECT reading_id, effective_time, value FROM glucose ORDER BY reading_id").fetchall()


@asynccontextmanager
async def fresh_outbox(folder: Path) -> AsyncIterator[Outbox]:
    """A gateway that has never heard of this meter."""
    outbox = Outbox.open(folder / "outbox.sqlite")
    try:
        yield outbox
    finally:
        outbox.close()
