"""Where a device on a cable is found, and what tells it from its twin in another home."""

import asyncio
from pathlib import Path

import pytest

from device_drivers.errors import LinkLost
from device_drivers.simulators.line import line_to
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.catalogue import catalogue
from gateway import clock
from gateway.cables import Cable
from gateway.config import DeviceEntry
from gateway.roster import Unresolved
from tests.device_drivers.hid_visits import a_door

OMRON = catalogue().get("omron-hem-790it")
BY_USB = DeviceEntry(name="cuff", profile="omron-hem-790it", usb="0590:0028")


def plugged_in(sysfs: Path, node: str, plug: str) -> Path:
    """An Omron cuff as sysfs shows it; gives what is to be deleted when it is pulled."""
    device = sysfs / node / "device"
    device.mkdir(parents=True)
    facts = device / "uevent"
    facts.write_text(f"HID_ID=0003:00000590:00000028\nHID_PHYS={plug}/input0\n")
    return facts


async def test_a_cuff_is_opened_by_its_usb_id_wherever_it_is_plugged_in(tmp_path: Path) -> None:
    spec = DeviceSpec(profile=OMRON.id, name="x", serial_number="1", records=(RecordSpec(),))
    async with a_door(line_to(OMRON, spec, clock.now), OMRON) as door:
        cable = Cable(BY_USB, "home-17", tmp_path, Path(door.url).parent)
        assert cable.places() == ()
        plugged_in(tmp_path, Path(door.url).name, "usb-1")
        assert cable.places() == (door.url,)
        async with cable.open(OMRON) as link:
            assert link.address == "home-17/cuff"
            await link.write(bytes.fromhex("0200000000000000"))
            assert await link.read(timeout_s=1) == bytes.fromhex("024f4b0000000000")


async def test_of_two_cuffs_of_a_kind_none_is_guessed(tmp_path: Path) -> None:
    cable = Cable(BY_USB, "home-17", tmp_path)
    plugged_in(tmp_path, "hidraw1", "usb-1")
    plugged_in(tmp_path, "hidraw2", "usb-2")
    with pytest.raises(Unresolved, match="2 devices have the USB id 0590:0028; say which by `hid`"):
        cable.open(OMRON)


async def test_a_cable_that_is_pulled_ends_the_pause_at_once(tmp_path: Path) -> None:
    facts = plugged_in(tmp_path, "hidraw1", "usb-1")
    cable = Cable(BY_USB, "home-17", tmp_path)
    assert not await cable.disappears(0.01)
    facts.unlink()
    assert await asyncio.wait_for(cable.disappears(3600), 5)
    with pytest.raises(LinkLost):
        cable.open(OMRON)


async def test_a_url_that_is_no_path_is_always_there() -> None:
    cable = Cable(DeviceEntry(name="m", profile="x", url="socket://127.0.0.1:1"), "home-17")
    await cable.appearance()
    assert not await cable.disappears(0.01)
