"""What is at the end of a line: found by its own handshake, or named as far as it says."""

import msgspec

from device_drivers.links.allow_list import SerialAllowList
from device_drivers.simulators.line import line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from device_drivers.support.probe import Probed, probe
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.device_drivers.serial_visits import impatient, now

METER, CUFF = "lifescan-onetouch-ultramini", "taidoc-td-3128"


def everything() -> list[Profile]:
    """Every serial profile, with short waits."""
    return [impatient(profile.id) for profile in catalogue() if profile.firmware.transport == "serial"]


async def probed(simulated: Profile, profiles: list[Profile], serial_number: str = "3128000000000001") -> Probed:
    """A simulated device of one profile, probed with these."""
    spec = DeviceSpec(profile=simulated.id, name="it", serial_number=serial_number)
    async with PtyDoor(line_to(simulated, spec, now)) as door:
        return await probe(door.url, profiles, now)


async def test_a_device_is_found_among_all_profiles() -> None:
    found = await probed(impatient(CUFF), everything())
    (match,) = found.matches
    assert match.profile.id == CUFF
    assert match.identity is not None
    assert match.identity.device_id == "taidoc:sn:3128000000000001"


async def test_a_model_without_a_profile_is_named_with_what_it_said() -> None:
    cuff = impatient(CUFF)
    stranger = msgspec.structs.replace(cuff, device=msgspec.structs.replace(cuff.device, model="TD-9999"))
    found = await probed(stranger, everything())
    assert found.matches == ()
    assert {identity.model for identity in found.identities} == {"TD-9999"}
    assert found.heard.startswith(bytes.fromhex("51"))


async def test_two_profiles_that_fit_are_both_named_and_none_is_chosen() -> None:
    meter = impatient(METER)
    twin = msgspec.structs.replace(meter, device=msgspec.structs.replace(meter.device, id="twin"))
    found = await probed(meter, [meter, twin], "SIM000001")
    assert [match.profile.id for match in found.matches] == [METER, "twin"]


async def test_a_firmware_of_no_range_is_named() -> None:
    meter = impatient(METER)
    old_only = msgspec.structs.replace(meter, firmware=msgspec.structs.replace(meter.firmware, versions="<2"))
    found = await probed(meter, [old_only], "SIM000001")
    assert found.matches == ()
    assert found.attempts[0].reason == "its firmware P02.00.00 is not <2"


async def test_silence_is_no_match_even_for_a_driver_that_waits_for_a_person() -> None:
    waiting = [profile for profile in everything() if profile.device.driver == "maibobo_rbp"]
    found = await probed(impatient(METER), waiting, "SIM000001")
    assert found.matches == ()
    assert all(attempt.reason and not attempt.heard for attempt in found.attempts)


async def test_nothing_leaves_that_the_profile_tried_does_not_list_and_nothing_is_started() -> None:
    cuff = impatient(CUFF)
    line = line_to(cuff, DeviceSpec(profile=CUFF, name="cuff", serial_number="1", records=(RecordSpec(),)), now)
    heard: list[bytes] = []
    receive = line.device.receive

    def overheard(data: bytes) -> list[bytes]:
        heard.append(data)
        return receive(data)

    line.device.receive = overheard  # type: ignore[method-assign]
    async with PtyDoor(line) as door:
        await probe(door.url, [cuff], now)
    guard = SerialAllowList(cuff.firmware.commands, cuff.id)
    for frame in (b"".join(heard)[start : start + 8] for start in range(0, len(b"".join(heard)), 8)):
        guard.check(frame)
    assert getattr(line.device, "inflations") == 0  # noqa: B009 - of this simulator alone


async def test_a_hid_device_with_another_usb_id_is_not_spoken_to() -> None:
    cuffs = [profile for profile in catalogue() if profile.firmware.transport == "hid"]
    assert (await probe("/dev/null", cuffs, now, usb="dead:beef")).attempts == ()
