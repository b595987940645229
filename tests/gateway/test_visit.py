"""One visit: durable before the device is asked for more, the cursor only at the end, and every way it can go wrong."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_drivers.errors import BondLost, ChecksumError, CodecError, LinkLost, ProtocolError
from device_drivers.links.serial import open_serial
from device_drivers.readings import ReportedTime
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from gateway import clock
from gateway.config import DeviceEntry
from gateway.outbox import Lane, Outbox, Seen
from gateway.roster import RosteredDevice, resolve
from gateway.visit import OpenLink, Outcome, VisitReport, lane, spell, visit, without_serial_numbers
from gateway.waiting import Waiting
from gateway.wire import v1
from tests.gateway.made import NOW, reading, receipts

ULTRAMINI = "lifescan-onetouch-ultramini"
SHELF = tuple(RecordSpec(age_s=3600.0 * number, value=str(100 + number)) for number in range(12))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


def meter(serial_number: str = "SIM000001", *, records: tuple[RecordSpec, ...] = SHELF, **faults: Any) -> Line:
    spec = DeviceSpec(
        profile=ULTRAMINI,
        name="meter",
        serial_number=serial_number,
        clock_skew_s=7200.0,
        records=records,
        faults=Faults(**faults),
    )
    return line_to(catalogue().get(ULTRAMINI), spec, clock.now)


def rostered(profile: str = ULTRAMINI, **entry: Any) -> RosteredDevice:
    roster = resolve([DeviceEntry(name="meter", profile=profile, url="/dev/meter", **entry)], catalogue())
    assert not roster.problems
    return roster.serial[0]


def over(url: str) -> OpenLink:
    def open_link(profile: Profile) -> AbstractAsyncContextManager[Any]:
        # The simulator answers at once; a test need not wait as long as for a real meter.
        serial = msgspec.structs.replace(profile.firmware.serial, reply_timeout_s=0.2, retries=1)  # type: ignore[type-var]
        quick = msgspec.structs.replace(profile.firmware, serial=serial)
        return open_serial(url, msgspec.structs.replace(profile, firmware=quick))

    return open_link


async def visited(line: Line, outbox: Outbox, **options: Any) -> VisitReport:
    async with PtyDoor(line) as door:
        return await visit(rostered(), over(door.url), outbox, clock.now, **options)


def waiting(outbox: Outbox) -> list[v1.WireReading]:
    """Everything in the outbox, claimed."""
    found: list[v1.WireReading] = []
    for each in Lane:
        while (outgoing := outbox.claim(each)) is not None:
            found.extend(outgoing.readings)
    return found


async def test_a_meter_over_a_pty_is_read_to_the_end(outbox: Outbox) -> None:
    woken: list[int] = []
    report = await visited(meter(), outbox, on_put=lambda: woken.append(outbox.depth().rows))
    assert (report.outcome, report.received, report.new, report.holds) == (Outcome.COMPLETE, 12, 12, 12)
    assert woken == [*range(1, 13), 12]  # each reading, and the end of the session
    assert [str(r.components[0].value) for r in reversed(waiting(outbox))] == [str(100 + n) for n in range(11, -1, -1)]
    assert outbox.seen("meter") == Seen("lifescan:sn:SIM000001", "P02.00.00")
    assert outbox.cursor("lifescan:sn:SIM000001", "lifescan_ultramini") is not None


async def test_the_session_says_both_clocks_and_how_much_the_device_holds(outbox: Outbox) -> None:
    await visited(meter(), outbox)
    outgoing = outbox.claim(Lane.LIVE)
    assert outgoing is not None
    stamp = v1.coincident(outgoing.session)
    assert stamp is not None
    assert abs(stamp.offset + timedelta(hours=2)) < timedelta(seconds=5)
    assert (outgoing.session.holds, outgoing.session.profile) == (12, ULTRAMINI)


async def test_the_session_tells_of_the_whole_visit_before_it_and_of_the_gateways_own_clock(outbox: Outbox) -> None:
    line = meter()
    await visited(line, outbox, clock_synchronised=lambda: True)
    waiting_first = outbox.claim(Lane.BACKFILL)
    assert waiting_first is not None
    assert (waiting_first.session.previous, waiting_first.session.clock_synchronised) == (None, True)
    first = v1.coincident(waiting_first.session)
    assert first is not None
    waiting(outbox)

    line.device.measure(RecordSpec(value="212"))
    await visited(line, outbox, clock_synchronised=lambda: None)
    outgoing = outbox.claim(Lane.LIVE)
    assert outgoing is not None
    evidence = v1.evidence(outgoing.session)
    assert (evidence.previous, evidence.drained_at) == (first, first.gateway_time)
    assert evidence.synchronised is None


async def test_what_a_visit_has_read_is_known_to_have_waited_since(outbox: Outbox) -> None:
    known = Waiting(clock.now, clock.monotonic)
    began = clock.monotonic()
    await visited(meter(), outbox, waiting=known)
    outgoing = outbox.claim(Lane.BACKFILL)
    assert outgoing is not None
    waited_s = known.oldest_s(outgoing.session.session_id, outgoing.readings)
    assert waited_s is not None
    assert 0 <= waited_s <= clock.monotonic() - began + 0.01


@pytest.mark.parametrize("jump", [timedelta(minutes=30), timedelta(minutes=-30)], ids=str)
async def test_where_the_clock_was_set_within_a_visit_nobody_knows_how_long_its_readings_have_waited(
    outbox: Outbox, jump: timedelta
) -> None:
    """Also where it was set between the stamp, which is then wrong, and the first reading, which is right."""
    looks = 0

    def now() -> datetime:
        nonlocal looks
        looks += 1
        return clock.now() - (jump if looks <= 2 else timedelta(0))

    known = Waiting(now, clock.monotonic)
    async with PtyDoor(meter()) as door:
        await visit(rostered(), over(door.url), outbox, now, waiting=known)
    for outgoing in (outbox.claim(Lane.BACKFILL), outbox.claim(Lane.LIVE)):
        if outgoing is not None:
            assert known.oldest_s(outgoing.session.session_id, outgoing.readings) is None
    assert looks > 4


async def test_a_clock_that_is_set_between_the_stamp_and_the_question_whether_it_is_kept_was_not(
    outbox: Outbox,
) -> None:
    off = timedelta(minutes=-30)

    def asked() -> bool:
        nonlocal off
        off = timedelta(0)
        return True

    def now() -> datetime:
        return clock.now() + off

    async with PtyDoor(meter()) as door:
        known = Waiting(now, clock.monotonic)
        await visit(rostered(), over(door.url), outbox, now, clock_synchronised=asked, waiting=known)
    outgoing = outbox.claim(Lane.LIVE) or outbox.claim(Lane.BACKFILL)
    assert outgoing is not None
    assert outgoing.session.clock_synchronised is False


async def test_a_visit_whose_clock_is_known_to_be_wrong_proves_nothing_to_the_next(outbox: Outbox) -> None:
    line = meter()
    await visited(line, outbox, clock_synchronised=lambda: False)
    assert outbox.drained("lifescan:sn:SIM000001", "lifescan_ultramini") is None


async def test_a_visit_that_is_cut_proves_nothing_to_the_next(outbox: Outbox) -> None:
    await visited(meter(unplug_after_octets=200), outbox)
    assert outbox.drained("lifescan:sn:SIM000001", "lifescan_ultramini") is None


async def test_readings_older_than_a_battery_that_was_pulled_are_marked(outbox: Outbox) -> None:
    """The clock fell back ten days between the second and the third."""
    fell_back_s = 864_000.0
    records = tuple(
        RecordSpec(age_s=3600.0 * n, value=str(100 + n), clock_off_s=fell_back_s if n > 1 else 0.0) for n in range(4)
    )
    await visited(meter(records=records), outbox)
    marked = {str(r.components[0].value): r.clock_went_back_to is not None for r in waiting(outbox)}
    assert marked == {"100": False, "101": False, "102": True, "103": True}


async def test_recent_readings_go_live_and_the_others_to_the_backlog(outbox: Outbox) -> None:
    await visited(meter(records=(RecordSpec(age_s=60, value="300"), RecordSpec(age_s=7200, value="90"))), outbox)
    live, backlog = outbox.claim(Lane.LIVE), outbox.claim(Lane.BACKFILL)
    assert live is not None
    assert backlog is not None
    assert [str(r.components[0].value) for r in live.readings] == ["300"]
    assert [str(r.components[0].value) for r in backlog.readings] == ["90"]


async def test_a_second_visit_brings_only_what_is_new(outbox: Outbox) -> None:
    line = meter()
    await visited(line, outbox)
    line.device.measure(RecordSpec(value="212"))
    report = await visited(line, outbox)
    assert (report.outcome, report.received, report.new) == (Outcome.COMPLETE, 1, 1)


async def test_a_memory_that_is_read_again_from_the_beginning_stores_nothing_twice(outbox: Outbox) -> None:
    line = meter()
    await visited(line, outbox)
    for message in waiting(outbox):
        outbox.free([receipts("0" * 32, message.reading_id)])
    outbox._db.execute("DELETE FROM device_cursor")
    report = await visited(line, outbox)
    assert (report.outcome, report.received, report.new) == (Outcome.COMPLETE, 12, 0)
    assert outbox.depth().rows == 0


@pytest.mark.parametrize("octets", [10, 150, 300, 390])
async def test_a_cable_pulled_in_the_middle_leaves_the_cursor_and_half_of_nothing(outbox: Outbox, octets: int) -> None:
    line = meter(unplug_after_octets=octets)
    report = await visited(line, outbox)
    assert report.outcome in (Outcome.CUT, Outcome.UNREACHABLE)
    assert outbox.cursor("lifescan:sn:SIM000001", "lifescan_ultramini") is None
    assert report.new == report.received == outbox.depth().rows <= 12
    line.plug_in()
    again = await visited(line, outbox)
    assert (again.outcome, again.received, again.new) == (Outcome.COMPLETE, 12, 12 - report.new)


async def test_a_checksum_that_is_wrong_each_time_ends_the_visit_without_a_half_reading(outbox: Outbox) -> None:
    report = await visited(meter(corrupt_frames=tuple(range(12, 200))), outbox)
    assert report.outcome is Outcome.CUT
    assert outbox.cursor("lifescan:sn:SIM000001", "lifescan_ultramini") is None
    for each in waiting(outbox):
        assert each.components[0].value is not None
        assert 100 <= each.components[0].value < 112


async def test_another_meter_on_the_same_port_is_read_from_its_own_beginning(outbox: Outbox) -> None:
    await visited(meter("SIM000001"), outbox)
    report = await visited(meter("SIM000002"), outbox)
    assert (report.outcome, report.received, report.new) == (Outcome.COMPLETE, 12, 12)
    assert outbox.seen("meter") == Seen("lifescan:sn:SIM000002", "P02.00.00")


async def test_a_device_that_does_not_answer_is_unreachable(outbox: Outbox) -> None:
    report = await visited(meter(drop_frames=tuple(range(1, 100))), outbox)
    assert (report.outcome, report.received) == (Outcome.UNREACHABLE, 0)


async def test_a_port_that_is_not_there_is_unreachable(outbox: Outbox, tmp_path: Path) -> None:
    report = await visit(rostered(), over(str(tmp_path / "nothing")), outbox, clock.now)
    assert report.outcome is Outcome.UNREACHABLE


async def test_a_visit_that_takes_too_long_is_given_up(outbox: Outbox) -> None:
    report = await visited(meter(drop_frames=tuple(range(1, 100))), outbox, limit_s=0.05)
    assert (report.outcome, report.reason) == (Outcome.CUT, "the visit took longer than 0.05 s")


async def test_an_outbox_that_is_full_takes_nothing_from_the_device(outbox: Outbox) -> None:
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    report = await visited(meter(records=SHELF * 20), outbox)
    assert report.outcome is Outcome.OUTBOX_FAILED
    assert report.new == outbox.depth().rows < 240
    assert outbox.cursor("lifescan:sn:SIM000001", "lifescan_ultramini") is None


async def test_a_firmware_that_fits_no_range_is_reported_and_not_read(outbox: Outbox) -> None:
    device = rostered()
    old_only = tuple(msgspec.structs.replace(table, versions="<2") for table in device.file.firmware)
    device = RosteredDevice(device.entry, msgspec.structs.replace(device.file, firmware=old_only))
    async with PtyDoor(meter()) as door:
        report = await visit(device, over(door.url), outbox, clock.now)
    assert (report.outcome, report.received) == (Outcome.NO_PROFILE, 0)
    assert "P02.00.00" in report.reason
    # What support needs to write the missing range; the number of this one meter is for the status command alone.
    model = "maker LifeScan, model OneTouch UltraMini, firmware P02.00.00"
    assert report.identity == f"{model}; serial number SIM000001"
    assert without_serial_numbers(report.identity) == model


async def test_another_model_than_the_profiles_is_named_and_not_read(outbox: Outbox) -> None:
    cuff = catalogue().get("taidoc-td-3128")
    device = RosteredDevice(
        DeviceEntry(name="cuff", profile=cuff.id, url="/dev/cuff"), catalogue().file("taidoc-td-3128")
    )
    other = msgspec.structs.replace(cuff, device=msgspec.structs.replace(cuff.device, model="TD-4183"))
    spec = DeviceSpec(profile=cuff.id, name="cuff", serial_number="3128213440001333")
    async with PtyDoor(line_to(other, spec, clock.now)) as door:
        report = await visit(device, over(door.url), outbox, clock.now)
    assert (report.outcome, report.identity) == (Outcome.NO_PROFILE, "model TD-4183")
    assert report.reason == "the device says it is a TD-4183, the profile is taidoc-td-3128"


async def test_a_defect_in_a_driver_ends_its_visit_and_nothing_else(outbox: Outbox) -> None:
    @asynccontextmanager
    async def broken(_: Profile) -> AsyncIterator[object]:
        yield object()

    report = await visit(rostered(), broken, outbox, clock.now)
    assert report.outcome is Outcome.DEFECT
    assert report.reason.startswith("AttributeError at ")


async def test_a_library_that_cancels_its_own_waiting_ends_one_visit_and_not_the_task(outbox: Outbox) -> None:
    @asynccontextmanager
    async def gone(_: Profile) -> AsyncIterator[object]:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        yield await future

    report = await visit(rostered(), gone, outbox, clock.now)
    assert report.outcome is Outcome.UNREACHABLE


async def test_a_visit_that_is_told_to_end_ends(outbox: Outbox) -> None:
    waiting = asyncio.Event()

    @asynccontextmanager
    async def silent(_: Profile) -> AsyncIterator[object]:
        waiting.set()
        yield await asyncio.get_running_loop().create_future()

    task = asyncio.create_task(visit(rostered(), silent, outbox, clock.now))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    ("error", "spelled"),
    [
        (
            CodecError("lifescan_ultramini", "unknown unit", bytes.fromhex("0d02434646454531"), 2),
            "lifescan_ultramini: unknown unit at octet 2 of 8",
        ),
        (
            ChecksumError("taidoc_51", "checksum 1a, expected a3", b"12"),
            "taidoc_51: checksum 1a, expected a3 at octet 0 of 2",
        ),
        (LinkLost("the device hung up"), "LinkLost: the device hung up"),
        (BondLost("60:77:71:A1:B2:C3 refuses our key"), "BondLost: … refuses our key"),
        (ProtocolError("the meter C0FFEE123456 answered 0d02434646"), "ProtocolError: the meter … answered …"),
    ],
    ids=["codec", "checksum", "link lost", "address", "serial number"],
)
def test_a_reason_names_no_octets_addresses_or_serial_numbers(error: CodecError, spelled: str) -> None:
    assert spell(error) == spelled


@pytest.mark.parametrize(
    ("number", "stamp", "expected"),
    [
        (5, CoincidentTimeStamp(NOW, NOW.replace(tzinfo=None)), Lane.LIVE),
        (60, CoincidentTimeStamp(NOW, NOW.replace(tzinfo=None)), Lane.LIVE),
        (61, CoincidentTimeStamp(NOW, NOW.replace(tzinfo=None)), Lane.BACKFILL),
        (5, CoincidentTimeStamp(NOW, datetime(2020, 1, 1)), Lane.BACKFILL),  # noqa: DTZ001 -- a device's wall clock
        (5, None, Lane.BACKFILL),
    ],
    ids=["minutes ago", "an hour ago", "more than an hour ago", "from the future", "no clock"],
)
def test_only_what_is_known_to_be_recent_is_live(
    number: int, stamp: CoincidentTimeStamp | None, expected: Lane
) -> None:
    assert lane(reading(number), stamp, NOW) is expected


def test_a_reading_of_an_unset_clock_waits_its_turn() -> None:
    unset = replace(reading(1), reported_time=ReportedTime("0000-00-00T00:00:00", None))
    assert lane(unset, CoincidentTimeStamp(NOW, NOW.replace(tzinfo=None)), NOW) is Lane.BACKFILL
