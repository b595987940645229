import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from device_drivers.errors import ForbiddenCommand, LinkLost, LinkTimeout
from device_drivers.links.hid import find_hidraw, open_hid, set_feature_request
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.microlife_b3 import SimulatedMicrolife
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile
from tests.device_drivers.hid_visits import a_door, on_a_socket
from tests.device_drivers.serial_visits import impatient, now

BEURER = impatient("beurer-bm55")
OMRON = impatient("omron-hem-790it")
MICROLIFE = impatient("microlife-bp-b3-comfort-pc")
COUNT = bytes.fromhex("a2f4f4f4f4f4f4f4")
ONE_RECORD = bytes.fromhex("0100000000000000")
READ_MEMORY = bytes.fromhex("0d4dff000900000000000000fd52")
SET_CLOCK = bytes.fromhex("0c4dff00080d1607120b120cb9")


def a_spec(profile: Profile) -> DeviceSpec:
    """A cuff with one record."""
    record = RecordSpec(systolic=120, diastolic=80, pulse=60)
    return DeviceSpec(profile=profile.id, name="x", serial_number="1", records=(record,))


def a_line(profile: Profile) -> Line:
    """The cuff itself."""
    return line_to(profile, a_spec(profile), now)


async def test_reports_cross_both_ways_and_the_tap_sees_them() -> None:
    seen: list[tuple[str, str, bytes]] = []
    async with on_a_socket(a_spec(OMRON), OMRON, lambda *chunk: seen.append(chunk)) as (_, link):
        await link.set_feature(bytes.fromhex("0101"))
        await link.write(bytes.fromhex("0200000000000000"))
        assert await link.read(timeout_s=1) == bytes.fromhex("024f4b0000000000")
    assert seen == [
        ("out", "feature", bytes.fromhex("0101")),
        ("out", "", bytes.fromhex("0200000000000000")),
        ("in", "", bytes.fromhex("024f4b0000000000")),
    ]


async def test_each_read_gives_one_whole_report() -> None:
    async with on_a_socket(a_spec(BEURER), BEURER) as (_, link):
        await link.write(COUNT)
        await link.write(COUNT)
        assert [await link.read(timeout_s=1) for _ in range(2)] == [ONE_RECORD, ONE_RECORD]


async def test_silence_is_a_timeout_and_stale_reports_can_be_forgotten() -> None:
    async with on_a_socket(a_spec(BEURER), BEURER) as (_, link):
        await link.drain_input()
        await link.write(COUNT)
        await link.write(COUNT)
        await link.read(timeout_s=1)
        await link.drain_input()
        with pytest.raises(LinkTimeout):
            await link.read(timeout_s=0.01)


@pytest.mark.parametrize("already_waiting", [True, False])
async def test_a_pulled_cable_is_a_lost_link_and_not_a_silence(already_waiting: bool) -> None:
    async with a_door(a_line(BEURER), BEURER) as door, open_hid(door.url, BEURER) as link:
        await link.write(COUNT)
        await link.read(timeout_s=1)
        if already_waiting:
            reading = asyncio.create_task(link.read(timeout_s=5))
            await asyncio.sleep(0)
            door.unplug()
            with pytest.raises(LinkLost):
                await reading
        else:
            door.unplug()
            with pytest.raises(LinkLost):
                await link.read(timeout_s=5)
        with pytest.raises(LinkLost):
            await link.write(COUNT)


async def test_a_device_that_was_put_back_can_be_opened_again() -> None:
    async with a_door(a_line(BEURER), BEURER) as door:
        for _ in range(2):
            async with open_hid(door.url, BEURER) as link:
                await link.write(COUNT)
                assert await link.read(timeout_s=1) == ONE_RECORD
        door.unplug()
        with pytest.raises(LinkLost):
            async with open_hid(door.url, BEURER):
                pass
        door.plug_in()
        async with open_hid(door.url, BEURER) as link:
            await link.write(COUNT)
            assert await link.read(timeout_s=1) == ONE_RECORD


async def test_a_device_that_is_not_there_is_a_lost_link(tmp_path: Path) -> None:
    with pytest.raises(LinkLost):
        async with open_hid(str(tmp_path / "hidraw0"), BEURER):
            pass


async def test_the_profile_of_a_serial_device_is_refused() -> None:
    with pytest.raises(ValueError, match="beurer-bm65 is not one for a HID device"):
        async with open_hid("/dev/hidraw0", impatient("beurer-bm65")):
            pass


@pytest.mark.parametrize(
    ("profile", "report"),
    [
        (BEURER, bytes.fromhex("a5f4f4f4f4f4f4f4")),
        (BEURER, bytes.fromhex("a2")),
        (BEURER, COUNT + COUNT),
        (OMRON, bytes.fromhex("0101000000000001")),
        (OMRON, bytes.fromhex("0101")),
        (MICROLIFE, SET_CLOCK),
        (MICROLIFE, READ_MEMORY + SET_CLOCK),
    ],
    ids=["unknown", "cut", "two at once", "other padding", "a feature as output", "set clock", "set clock behind"],
)
async def test_a_forbidden_report_never_leaves(profile: Profile, report: bytes) -> None:
    seen: list[tuple[str, str, bytes]] = []
    async with on_a_socket(a_spec(profile), profile, lambda *chunk: seen.append(chunk)) as (line, link):
        with pytest.raises(ForbiddenCommand) as refusal:
            await link.write(report)
        with pytest.raises(LinkTimeout):
            await link.read(timeout_s=0.02)
    assert refusal.value.command == report
    assert seen == []
    assert not isinstance(line.device, SimulatedMicrolife) or line.device.clock_was_set_by == 0


@pytest.mark.parametrize("report", ["1074", "0200000000000000", ""])
async def test_a_forbidden_feature_report_never_leaves(report: str) -> None:
    async with on_a_socket(a_spec(OMRON), OMRON) as (_, link):
        with pytest.raises(ForbiddenCommand):
            await link.set_feature(bytes.fromhex(report))


def test_the_guard_is_worth_having() -> None:
    line = a_line(MICROLIFE)
    line.exchange(SET_CLOCK)
    assert isinstance(line.device, SimulatedMicrolife)
    assert line.device.clock_was_set_by == 1


async def test_a_device_file_takes_the_report_behind_the_number_0(tmp_path: Path) -> None:
    """A named pipe in the place of the device file: what is written to it can be read back."""
    path = tmp_path / "hidraw0"
    os.mkfifo(path)
    async with open_hid(str(path), BEURER) as link:
        assert link.address == "hidraw0"
        await link.write(COUNT)
        assert await link.read(timeout_s=1) == b"\x00" + COUNT
        await link.drain_input()
        with pytest.raises(LinkTimeout):
            await link.read(timeout_s=0.01)
    async with open_hid(str(path), OMRON) as link:
        with pytest.raises(LinkLost):  # a pipe has no feature reports
            await link.set_feature(bytes.fromhex("0101"))


async def test_a_numbered_report_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "hidraw0"
    os.mkfifo(path)
    async with open_hid(str(path), MICROLIFE, address="home/cuff") as link:
        assert link.address == "home/cuff"
        await link.write(READ_MEMORY)
        assert await link.read(timeout_s=1) == READ_MEMORY


async def test_a_report_of_another_length_than_the_devices_is_a_mistake_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "hidraw0"
    os.mkfifo(path)
    lax = msgspec.structs.replace(BEURER, firmware=msgspec.structs.replace(BEURER.firmware, commands=("a2 *",)))
    async with open_hid(str(path), lax) as link:
        with pytest.raises(ValueError, match="a report of 7 octets"):
            await link.write(COUNT[:7])


def test_the_request_number_is_the_kernels() -> None:
    # _IOC(_IOC_WRITE|_IOC_READ, 'H', 0x06, 3), as the C preprocessor computes it on x86 and ARM
    assert set_feature_request(3) == 0xC0034806


def plugged_in(root: Path, name: str, usb: str, plug: str) -> None:
    """A hidraw node as sysfs shows it."""
    vendor, product = usb.upper().split(":")
    device = root / name / "device"
    device.mkdir(parents=True)
    lines = [
        "DRIVER=hid-generic",
        f"HID_ID=0003:0000{vendor}:0000{product}",
        "HID_NAME=Some Maker Some = Thing",
        f"HID_PHYS={plug}",
        "HID_UNIQ=",
    ]
    (device / "uevent").write_text("\n".join(lines) + "\n")


def test_a_device_is_found_by_its_usb_id(tmp_path: Path) -> None:
    plugged_in(tmp_path, "hidraw0", "046d:c31c", "usb-0000:00:14.0-1/input0")
    plugged_in(tmp_path, "hidraw3", "0590:0028", "usb-0000:00:14.0-2/input0")
    plugged_in(tmp_path, "hidraw4", "04d9:b554", "usb-0000:00:14.0-3/input0")
    assert find_hidraw("0590:0028", tmp_path, Path("/dev")) == (Path("/dev/hidraw3"),)
    assert find_hidraw("04D9:B554", tmp_path, Path("/dev")) == (Path("/dev/hidraw4"),)
    assert find_hidraw("1111:2222", tmp_path, Path("/dev")) == ()


def test_two_of_a_kind_are_two_and_two_interfaces_of_one_are_one(tmp_path: Path) -> None:
    plugged_in(tmp_path, "hidraw1", "0c45:7406", "usb-0000:00:14.0-1/input1")
    plugged_in(tmp_path, "hidraw2", "0c45:7406", "usb-0000:00:14.0-1/input0")
    plugged_in(tmp_path, "hidraw5", "0c45:7406", "usb-0000:00:14.0-4/input0")
    assert find_hidraw("0c45:7406", tmp_path) == (Path("/dev/hidraw2"), Path("/dev/hidraw5"))


def test_a_device_that_goes_while_it_is_looked_for_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "hidraw0" / "device").mkdir(parents=True)
    assert find_hidraw("0590:0028", tmp_path) == ()
    assert find_hidraw("0590:0028", tmp_path / "no sysfs at all") == ()
