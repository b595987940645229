"""From a device's octets, captured from real devices, to the rows in the hypertable: the same value, unit and time.

The captures are facts published by their owners; tests/captures/ names each source.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from cloud.db.connect import Connection
from deploy.demo.road import Road
from device_drivers.errors import ProtocolError
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.serial import open_serial
from device_drivers.simulators.line import line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from gateway import clock
from gateway.config import DeviceEntry, Mqtt
from gateway.heartbeat import status
from gateway.outbox import Outbox
from gateway.publisher import Publisher
from gateway.roster import resolve
from gateway.visit import OpenLink, Outcome, visit
from gateway.wire.v1 import Fate

# A real Accu-Chek Guide's record: 119 mg/dL, base time and 602 minutes of time offset.
ACCU_CHEK_GUIDE = bytes.fromhex("1b0400e407070e0b06055a0277b0f80000")
# A real Beurer BM85's indication: 106/71 mmHg, pulse 63, 18:31 on 2026-08-11; no clock of it can be read.
BM85 = bytes.fromhex("566a0047000000ea07080b121f00003f000000")
# A real UltraMini's record message: 196 mg/dL at 13:41:41 on 2011-09-05, read when its clock showed 20:46:14.
ULTRAMINI = bytes.fromhex("0506 95d1644e c4000000")
ULTRAMINI_NOW = datetime(2011, 9, 5, 20, 46, 14, tzinfo=UTC)
ULTRAMINI_AGE = timedelta(hours=7, minutes=4, seconds=33)


class Played:
    """A BleLink that plays a device back: what each characteristic says, and what it pushes once somebody listens."""

    address = "F0:00:00:00:00:09"

    def __init__(self, values: dict[int, bytes], pushes: dict[int, bytes], answers: dict[bytes, list[bytes]]) -> None:
        self._values = {sig_uuid(short): value for short, value in values.items()}
        self._pushes = {sig_uuid(short): value for short, value in pushes.items()}
        self._answers = answers
        self._listeners: dict[UUID, Callable[[bytes], None]] = {}

    def has_characteristic(self, uuid: UUID) -> bool:
        return uuid in self._values or uuid in self._pushes

    async def read(self, uuid: UUID) -> bytes:
        if uuid not in self._values:
            raise ProtocolError(f"nothing at {uuid}")
        return self._values[uuid]

    async def subscribe(self, uuid: UUID, on_value: Callable[[bytes], None]) -> None:
        self._listeners[uuid] = on_value
        if uuid in self._pushes and not self._answers:
            on_value(self._pushes[uuid])

    async def write(self, uuid: UUID, data: bytes) -> None:
        if data[0] == 1:  # report stored records
            for measured, octets in self._pushes.items():
                self._listeners[measured](octets)
        for answer in self._answers[data[:1]]:
            self._listeners[uuid](answer)

    async def wait_disconnected(self) -> None:
        await asyncio.Event().wait()


async def test_an_accu_chek_guide_s_octets_are_the_row(road: Road, passwords: dict[str, str], sql: Connection) -> None:
    shown = datetime(2020, 7, 14, 21, 10, 5)  # noqa: DTZ001 -- the meter's wall clock: two minutes after the reading
    link = Played(
        {
            0x2A29: b"Roche",
            0x2A24: b"Accu-Chek Guide",
            0x2A25: b"92513337",
            0x2A08: shown.year.to_bytes(2, "little") + bytes([7, 14, 21, 10, 5]),
        },
        {0x2A18: ACCU_CHEK_GUIDE},
        {b"\x04": [bytes.fromhex("05000100")], b"\x01": [bytes.fromhex("06000101")]},
    )
    before = clock.now()
    fate = await travel(road, "roche-accu-chek-guide", played(link), address=link.address)

    assert fate is Fate.STORED, sql.execute("SELECT reason FROM quarantine").fetchall()
    value, unit, state, reported, quality, at, raw, patient = row(
        sql,
        "SELECT value, unit, state, g.reported_time, time_quality, effective_time, raw, display_name FROM glucose g"
        " JOIN ledger USING (reading_id) JOIN patient USING (patient_id)",
    )
    assert (value, unit, state) == (Decimal(119), "mg/dL", "measured")
    assert reported == "2020-07-14T11:06:05+602min"
    assert (quality, patient) == ("mapped", "Anna Lindqvist")
    assert abs(at - (before - timedelta(minutes=2))) < timedelta(seconds=10)
    assert bytes(raw) == ACCU_CHEK_GUIDE


async def test_an_ultramini_s_octets_are_the_row(road: Road, passwords: dict[str, str], sql: Connection) -> None:
    profile = "lifescan-onetouch-ultramini"
    meter = line_to(
        catalogue().get(profile),
        DeviceSpec(
            profile=profile,
            name="meter",
            serial_number="DEMO00001",
            records=(RecordSpec(age_s=ULTRAMINI_AGE.total_seconds(), value="196"),),
        ),
        lambda: ULTRAMINI_NOW,
    )
    before = clock.now()
    async with PtyDoor(meter) as door:
        fate = await travel(road, profile, lambda p: open_serial(door.url, p), url=door.url)

    assert fate is Fate.STORED
    value, unit, reported, at, raw = row(
        sql,
        "SELECT value, unit, g.reported_time, effective_time, raw FROM glucose g JOIN ledger USING (reading_id)",
    )
    assert (value, unit, reported) == (Decimal(196), "mg/dL", "2011-09-05T13:41:41")
    assert abs(at - (before - ULTRAMINI_AGE)) < timedelta(seconds=10)
    assert bytes(raw) == ULTRAMINI


async def test_a_cuff_without_a_clock_is_kept_whole_and_shown_and_freed(
    road: Road, passwords: dict[str, str], sql: Connection
) -> None:
    link = Played({0x2A29: b"Beurer", 0x2A24: b"BM85", 0x2A25: b"S1"}, {0x2A35: BM85}, {})
    fate = await travel(road, "beurer-bm85", played(link), address=link.address)

    assert fate is Fate.QUARANTINED
    reason, payload = row(sql, "SELECT reason_code, payload FROM quarantine")
    assert reason == "unknown_timeline"
    held = json.loads(bytes(payload))
    assert BM85.hex() in json.dumps(held)
    assert row(sql, "SELECT count(*) FROM blood_pressure") == (0,)


async def travel(road: Road, profile: str, open_link: OpenLink, **entry: str) -> Fate:
    """One visit by the real outbox, publisher, broker and ingest; the fate of its one reading."""
    await road.ingest()
    roster = resolve([DeviceEntry(name="device", profile=profile, **entry)], catalogue())
    (device,) = roster.serial + roster.ble
    outbox = Outbox.open(road.outbox)
    try:
        report = await visit(device, open_link, outbox, clock.now)
        assert (report.outcome, report.new) == (Outcome.COMPLETE, 1), report
        async with publishing(road, outbox), asyncio.timeout(20):
            while outbox.depth().rows:  # noqa: ASYNC110 -- the outbox tells nobody
                await asyncio.sleep(0.01)
        (fate,) = outbox.freed()
        return Fate(fate)
    finally:
        outbox.close()


@asynccontextmanager
async def publishing(road: Road, outbox: Outbox) -> AsyncIterator[None]:
    publisher = Publisher(
        outbox,
        road.gateway_id,
        Mqtt(host=road.services.broker_host, port=road.services.broker_port),
        road.services.gateway_password,
        status=lambda: status(outbox, clock.now()),
        now=clock.now,
        monotonic=clock.monotonic,
    )
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def played(link: Played) -> OpenLink:
    @asynccontextmanager
    async def open_link(profile: Profile) -> AsyncIterator[Played]:
        yield link

    return open_link


def row(sql: Connection, query: str) -> tuple[Any, ...]:
    found = sql.execute(query.encode()).fetchall()
    assert len(found) == 1, found
    return tuple(found[0])
