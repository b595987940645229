"""USB HID devices on the guest kernel's own hidraw, made by /dev/uhid; the rest of the way is the production one."""

from pathlib import Path

import pytest

from device_drivers.links.hid import find_hidraw
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from device_drivers.simulators.uhid_door import UhidDoor
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from gateway import clock
from tests.bluez.gateway_process import GatewayProcess, running
from tests.bluez.stack import until

pytestmark = pytest.mark.bluez

PRESSURES = tuple(
    RecordSpec(age_s=3600.0 * number, systolic=120 + number, diastolic=80, pulse=60) for number in range(8)
)
GLUCOSE = tuple(RecordSpec(age_s=3600.0 * number, value=str(100 + number)) for number in range(8))


def plugged_in(profile: Profile, records: tuple[RecordSpec, ...]) -> tuple[Line, UhidDoor]:
    """A device of this model, not yet plugged in."""
    spec = DeviceSpec(profile=profile.id, name="it", serial_number="7396-1234567", records=records)
    line = line_to(profile, spec, clock.now)
    assert profile.firmware.hid is not None
    return line, UhidDoor(line, profile.firmware.hid.report_length, usb_of(profile))


def usb_of(profile: Profile) -> str:
    return profile.device.match.usb[0]


def gateway_for(profile: Profile, tmp_path: Path, artefacts: Path) -> GatewayProcess:
    device = f'[[device]]\nname = "it"\nprofile = "{profile.id}"\nusb = "{usb_of(profile)}"\n'
    return GatewayProcess(tmp_path, artefacts, (), (), cables=device)


@pytest.mark.parametrize(
    ("profile_id", "records"),
    [
        ("omron-hem-790it", PRESSURES),  # feature reports
        ("microlife-bp-b3-comfort-pc", PRESSURES),  # output reports that begin with a number
        ("beurer-bm55", PRESSURES),
        ("ascensia-contour-next-usb", GLUCOSE),  # reports of 64 octets
    ],
)
async def test_a_device_on_hidraw_is_read_whole(
    tmp_path: Path, artefacts: Path, profile_id: str, records: tuple[RecordSpec, ...]
) -> None:
    profile = catalogue().get(profile_id)
    _, door = plugged_in(profile, records)
    async with door, running(gateway_for(profile, tmp_path, artefacts)) as gateway:
        await until(lambda: gateway.outcome("it") == "complete", 60)
        expected = {record.value if record.value else str(record.systolic) for record in records}
        assert {str(reading.components[0].value) for reading in gateway.waiting()} == expected
        assert len(gateway.waiting()) == len(records)


async def test_a_cuff_is_noticed_when_it_is_plugged_in_and_read_on_after_it_was_pulled(
    tmp_path: Path, artefacts: Path
) -> None:
    profile = catalogue().get("omron-hem-790it")
    line, door = plugged_in(profile, PRESSURES)
    line.unplug_after(8 * 40)
    async with running(gateway_for(profile, tmp_path, artefacts)) as gateway:
        assert find_hidraw(usb_of(profile)) == ()
        door.plug_in()
        await until(lambda: gateway.outcome("it") in {"cut", "unreachable"}, 30)
        assert find_hidraw(usb_of(profile)) == ()
        line.plug_in()
        async with door:
            await until(lambda: gateway.outcome("it") == "complete", 30)
        assert len(gateway.waiting()) == len(PRESSURES)
