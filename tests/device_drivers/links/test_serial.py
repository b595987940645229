import asyncio
from pathlib import Path

import pytest

from device_drivers.errors import ForbiddenCommand, LinkLost, LinkTimeout
from device_drivers.links.serial import open_serial
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from device_drivers.simulators.taidoc import SimulatedTaiDoc
from device_drivers.simulators.ultramini import SimulatedUltraMini
from firmware_profiles.schema import Profile
from tests.device_drivers.serial_visits import impatient, in_memory, now

METER = impatient("lifescan-onetouch-ultramini")
CUFF = impatient("taidoc-td-3128")
DISCONNECT = bytes.fromhex("02060803c262")
DISCONNECTED = bytes.fromhex("02060c0306ae")
CONNECT = bytes.fromhex("512200000000a316")
CLEAR = bytes.fromhex("515200000000a346")
INFLATE = bytes.fromhex("514300000101a339")
# Erase, in a frame with a right checksum.
ERASE = bytes.fromhex("020800051a0356b0")


def a_line(profile: Profile) -> Line:
    """A device with one record that an erase command would cost."""
    record = RecordSpec(value="112", systolic=120, diastolic=80, pulse=60)
    return line_to(profile, DeviceSpec(profile=profile.id, name="x", serial_number="1", records=(record,)), now)


def records_in(line: Line) -> int:
    """What the device still holds."""
    assert isinstance(line.device, SimulatedUltraMini | SimulatedTaiDoc)
    return len(line.device.body.memory.newest_first())


async def test_octets_cross_a_pty_both_ways_and_the_tap_sees_them() -> None:
    seen: list[tuple[str, str, bytes]] = []
    line = a_line(METER)
    async with PtyDoor(line) as door, open_serial(door.url, METER, lambda *chunk: seen.append(chunk)) as link:
        await link.write(DISCONNECT)
        answer = b""
        while len(answer) < len(DISCONNECTED):
            answer += await link.read(64, timeout_s=1)
    assert answer == DISCONNECTED
    assert seen[0] == ("out", "", DISCONNECT)
    assert b"".join(octets for way, _, octets in seen if way == "in") == DISCONNECTED


async def test_a_read_gives_no_more_than_was_asked_for_and_keeps_the_rest() -> None:
    async with PtyDoor(a_line(METER)) as door, open_serial(door.url, METER) as link:
        await link.write(DISCONNECT)
        assert [await link.read(1, timeout_s=1) for _ in DISCONNECTED] == [bytes([octet]) for octet in DISCONNECTED]


async def test_silence_is_a_timeout() -> None:
    async with PtyDoor(a_line(METER)) as door, open_serial(door.url, METER) as link:
        with pytest.raises(LinkTimeout):
            await link.read(1, timeout_s=0.01)


@pytest.mark.parametrize("already_waiting", [True, False])
async def test_a_pulled_cable_is_a_lost_link_and_not_a_silence(already_waiting: bool) -> None:
    async with PtyDoor(a_line(METER)) as door, open_serial(door.url, METER) as link:
        if already_waiting:
            reading = asyncio.create_task(link.read(1, timeout_s=5))
            await asyncio.sleep(0)
            door.unplug()
            with pytest.raises(LinkLost):
                await reading
        else:
            door.unplug()
            with pytest.raises(LinkLost):
                await link.read(1, timeout_s=5)
        with pytest.raises(LinkLost):
            await link.write(DISCONNECT)


async def test_a_port_that_is_not_there_is_a_lost_link(tmp_path: Path) -> None:
    with pytest.raises(LinkLost):
        async with open_serial(str(tmp_path / "nothing"), METER):
            pass


async def test_stale_octets_can_be_forgotten() -> None:
    async with PtyDoor(a_line(METER)) as door, open_serial(door.url, METER) as link:
        await link.write(DISCONNECT)
        await link.read(1, timeout_s=1)
        await link.drain_input()
        with pytest.raises(LinkTimeout):
            await link.read(1, timeout_s=0.01)


async def test_a_second_program_does_not_get_the_same_port() -> None:
    async with PtyDoor(a_line(METER)) as door, open_serial(door.url, METER):
        with pytest.raises(LinkLost):
            async with open_serial(door.url, METER):
                pass


async def test_a_port_without_a_file_descriptor_works_through_threads() -> None:
    async with open_serial("loop://", CUFF) as link:
        await link.write(CONNECT)
        assert await link.read(64, timeout_s=1) == CONNECT
        with pytest.raises(LinkTimeout):
            await link.read(1, timeout_s=0.01)
        await link.drain_input()


async def test_the_name_of_a_port_outlives_its_cable(tmp_path: Path) -> None:
    link_path = tmp_path / "ports" / "meter"
    async with PtyDoor(a_line(METER), link_path) as door:
        assert door.url == str(link_path)
        door.unplug()
        assert not link_path.is_symlink()
        door.plug_in()
        async with open_serial(door.url, METER) as link:
            await link.write(DISCONNECT)
            assert await link.read(1, timeout_s=1) == b"\x02"
    assert not link_path.is_symlink()


@pytest.mark.parametrize(
    ("profile", "command"),
    [
        (METER, ERASE),
        (METER, bytes.fromhex("051a")),
        (METER, DISCONNECT + ERASE),
        (METER, bytes.fromhex("020d0005200100000000031111")),
        (CUFF, CLEAR),
        (CUFF, INFLATE),
        (CUFF, bytes.fromhex("515000000000a344")),
        (CUFF, CONNECT + CLEAR),
        (CUFF, b""),
    ],
    ids=["erase", "erase unframed", "erase behind a frame", "set clock", "clear", "inflate", "power off",
         "clear behind a frame", "nothing"],
)  # fmt: skip
async def test_a_forbidden_command_never_leaves(profile: Profile, command: bytes) -> None:
    seen: list[tuple[str, str, bytes]] = []
    line = a_line(profile)
    async with PtyDoor(line) as door, open_serial(door.url, profile, lambda *chunk: seen.append(chunk)) as link:
        with pytest.raises(ForbiddenCommand) as refusal:
            await link.write(command)
        with pytest.raises(LinkTimeout):
            await link.read(1, timeout_s=0.02)
    assert refusal.value.command == command
    assert seen == []
    assert records_in(line) == 1


async def test_the_door_in_memory_has_the_same_guard() -> None:
    spec = DeviceSpec(profile=METER.id, name="x", serial_number="1", records=(RecordSpec(value="112"),))
    line, link = in_memory(spec, METER)
    with pytest.raises(ForbiddenCommand):
        await link.write(ERASE)
    assert records_in(line) == 1


def test_the_guard_is_worth_having() -> None:
    meter, cuff = a_line(METER), a_line(CUFF)
    assert meter.exchange(ERASE)
    assert cuff.exchange(CLEAR)
    assert cuff.exchange(INFLATE)
    assert (records_in(meter), records_in(cuff)) == (0, 0)
    assert isinstance(cuff.device, SimulatedTaiDoc)
    assert cuff.device.inflations == 1
