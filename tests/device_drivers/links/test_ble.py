import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bleak import BleakClient
from bleak.exc import (
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
)

from device_drivers.errors import BondLost, BondMade, LinkError, LinkLost, LinkTimeout, ProtocolError
from device_drivers.links import ble
from device_drivers.links.allow_list import sig_uuid
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from device_drivers.simulators.virtual_central import open_central
from firmware_profiles.schema import Pairing, Profile
from tests.fix_ble import CUFF, METER, PASSKEY, BleHome, visit

MANUFACTURER = sig_uuid(0x2A29)
MEASUREMENT = sig_uuid(0x2A18)
OTHER_ADDRESS = "C0:50:57:50:00:02"
SHORT = ble.Timeouts(discover_s=0.3, connect_s=0.3, pair_s=0.1, request_s=1.0)


def meter(passkey: int = PASSKEY) -> BleDeviceSpec:
    return BleDeviceSpec(
        profile="roche-accu-chek-guide",
        address=METER,
        serial_number="92513337",
        passkey=passkey,
        records=(BleRecordSpec(value="112"),),
    )


def cuff() -> BleDeviceSpec:
    return BleDeviceSpec(
        profile="and-ua-651ble", address=CUFF, serial_number="5170900125", local_name="A&D_UA-651BLE_25"
    )


def without_pairing(profile: Profile) -> Profile:
    """A gateway that believes that this model needs no bond."""
    radio = profile.firmware.ble
    assert radio is not None
    open_radio = msgspec.structs.replace(radio, pairing=Pairing(method="none"))
    firmware = msgspec.structs.replace(profile.firmware, ble=open_radio)
    return Profile(device=profile.device, firmware=firmware)


async def test_a_scanner_hears_who_is_there(ble_home: BleHome) -> None:
    await ble_home.meter(meter())
    await ble_home.cuff(cuff())
    heard: dict[str, ble.Advertisement] = {}
    async with asyncio.timeout(5), ble.Scanner(backend=ble_home.backend) as scanner:
        async for advertisement in scanner:
            heard[advertisement.address] = advertisement
            if len(heard) == 2:
                break
    assert heard[CUFF].name == "A&D_UA-651BLE_25"
    assert heard[CUFF].offers("1810")
    assert not heard[CUFF].offers("1808")
    assert heard[METER].services == {sig_uuid("1808")}


async def test_a_scanner_hears_only_the_services_that_it_listens_for(ble_home: BleHome) -> None:
    await ble_home.meter(meter())
    await ble_home.cuff(cuff())
    async with asyncio.timeout(5), ble.Scanner(["1808"], backend=ble_home.backend) as scanner:
        assert {(await anext(scanner)).address for _ in range(5)} == {METER}


async def test_a_slow_reader_finds_the_latest_advertisement_of_each_device(ble_home: BleHome) -> None:
    await ble_home.meter(meter())
    async with asyncio.timeout(5), ble.Scanner(backend=ble_home.backend) as scanner:
        first = await anext(scanner)
        later = await anext(scanner)
    assert (first.address, later.address) == (METER, METER)


async def test_a_device_that_stays_silent_is_a_timeout(ble_home: BleHome) -> None:
    with pytest.raises(LinkTimeout, match=METER):
        await ble.discover(METER, backend=ble_home.backend, timeout_s=0.2)


async def test_a_device_that_fell_silent_after_its_advertisement_is_a_timeout_and_can_be_reached_later(
    ble_home: BleHome,
) -> None:
    device = await ble_home.meter(meter())
    heard = await ble.discover(METER, backend=ble_home.backend)
    await device.device.stop_advertising()
    with pytest.raises(LinkTimeout):
        async with ble.connect(heard, device.profile, backend=ble_home.backend, timeouts=SHORT):
            pass
    await device.device.start_advertising()
    async with ble.connect(heard, device.profile, backend=ble_home.backend) as link:
        assert await link.read(MANUFACTURER) == b"Roche"


async def test_a_link_reads_what_the_device_offers_and_says_what_it_lacks(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    async with ble.connect(METER.lower(), device.profile, backend=ble_home.backend) as link:
        assert link.address == METER
        assert link.has_characteristic(MEASUREMENT)
        assert not link.has_characteristic(sig_uuid(0x2A35))
        with pytest.raises(ProtocolError, match="no characteristic"):
            await link.read(sig_uuid(0x2A35))


async def test_every_octet_passes_the_tap(ble_home: BleHome) -> None:
    passed: list[tuple[str, str, bytes]] = []
    await ble_home.visit(await ble_home.meter(meter()), tap=lambda *octets: passed.append(octets))
    channels = {(direction, channel[4:8]) for direction, channel, _ in passed}
    assert channels >= {("in", "2a29"), ("in", "2a08"), ("out", "2a52"), ("in", "2a52"), ("in", "2a18")}


async def test_a_wrong_passkey_is_a_lost_bond(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(passkey=PASSKEY + 1))
    with pytest.raises(BondLost):
        await ble_home.visit(device)


async def test_nobody_to_type_the_passkey_is_a_lost_bond(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    async with open_central(ble_home.room.radio, address=OTHER_ADDRESS) as backend:
        with pytest.raises(BondLost):
            await visit(backend, device.profile, METER)


async def test_a_bond_outlives_the_gateway(ble_home: BleHome, tmp_path: Path) -> None:
    device = await ble_home.meter(meter())
    bonds = str(tmp_path / "bonds.json")
    asked: list[int] = []

    def type_passkey() -> int:
        asked.append(PASSKEY)
        return PASSKEY

    for address in (OTHER_ADDRESS, OTHER_ADDRESS.replace("02", "03")):
        async with open_central(ble_home.room.radio, address=address, key_store=bonds, passkey=type_passkey) as backend:
            for _ in range(3):
                assert len((await visit(backend, device.profile, METER)).readings) == 1
    assert len(asked) == 2  # once per gateway, not once per visit
    assert Path(bonds).read_text().count('"ltk"') == 2


async def test_a_device_that_forgot_us_is_a_lost_bond(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    await ble_home.visit(device)
    assert device.device.keystore is not None
    await device.device.keystore.delete_all()
    with pytest.raises(BondLost):
        await ble_home.visit(device)


async def test_an_unencrypted_link_may_read_the_name_and_no_more(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    async with ble.connect(METER, without_pairing(device.profile), backend=ble_home.backend) as link:
        assert await link.read(MANUFACTURER) == b"Roche"
        with pytest.raises(BondLost):
            await link.subscribe(MEASUREMENT, lambda _: None)


async def test_leaving_the_link_hangs_up(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        assert device.connection is not None
    await asyncio.wait_for(link.wait_disconnected(), 1)
    assert device.connection is None


async def test_a_peer_that_hangs_up_is_noticed(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        assert device.connection is not None
        await device.connection.disconnect()
        await asyncio.wait_for(link.wait_disconnected(), 1)
        with pytest.raises(LinkLost):
            await link.read(MANUFACTURER)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), LinkTimeout),
        (BleakGATTProtocolError(0x05), BondLost),
        (BleakGATTProtocolError(0x0F), BondLost),
        (BleakGATTProtocolError(0xFE), ProtocolError),
        (BleakCharacteristicNotFoundError("2a52"), ProtocolError),
        (BleakDeviceNotFoundError(METER), LinkTimeout),
        (BleakDBusError("org.bluez.Error.AuthenticationFailed", []), BondLost),
        (BleakDBusError("org.bluez.Error.Failed", ["le-connection-abort-by-local"]), LinkError),
        (BleakError("Not connected"), LinkError),
        (EOFError(), LinkError),
        (BrokenPipeError(), LinkError),
    ],
)
def test_each_error_of_the_stack_has_one_of_ours(error: Exception, expected: type[LinkError]) -> None:
    assert type(ble.translated(error)) is expected


async def test_every_subscription_is_by_start_notify_and_comes_after_the_pairing(ble_home: BleHome) -> None:
    """AcquireNotify lost two thirds of a burst of 1,000 records on the real stack, silently."""
    device = await ble_home.meter(meter())
    calls: list[str] = []

    class Watched(ble_home.backend.client):  # type: ignore[name-defined,misc]  # a type made at run time
        async def pair(self, *args: Any, **platform: Any) -> None:
            calls.append("pair")
            await super().pair(*args, **platform)

        async def start_notify(self, *args: Any, bluez: dict[str, object], **platform: Any) -> None:
            calls.append(f"start_notify {bluez}")
            await super().start_notify(*args, bluez=bluez, **platform)

        async def stop_notify(self, *args: Any) -> None:
            calls.append("stop_notify")
            await super().stop_notify(*args)

    await visit(replace(ble_home.backend, client=Watched), device.profile, METER)
    assert calls == ["pair"] + ["start_notify {'use_start_notify': True}"] * 3


async def test_a_new_bond_with_a_model_that_wants_it_so_ends_the_first_visit(ble_home: BleHome) -> None:
    device = await ble_home.cuff(cuff())
    assert not await ble_home.backend.adapter.is_bonded(CUFF)
    with pytest.raises(BondMade):
        async with ble.connect(CUFF, device.profile, backend=ble_home.backend):
            pass
    assert device.connection is None
    assert await ble_home.backend.adapter.is_bonded(CUFF.lower())
    async with ble.connect(CUFF, device.profile, backend=ble_home.backend) as link:
        assert link.address == CUFF


async def test_a_cuff_that_takes_the_end_of_a_subscription_for_the_end_of_the_bond_keeps_its_bond(
    ble_home: BleHome,
) -> None:
    spec = msgspec.structs.replace(
        cuff(), profile="omron-x4-smart", records=(BleRecordSpec(systolic=120, diastolic=80),)
    )
    device = await ble_home.cuff(spec)
    for _ in range(2):
        assert len((await ble_home.visit(device)).readings) == 1
    assert device.device.keystore is not None
    assert await device.device.keystore.get_all() != []


async def test_a_rude_gateway_would_have_cost_that_cuff_its_bond(ble_home: BleHome) -> None:
    device = await ble_home.cuff(msgspec.structs.replace(cuff(), profile="omron-x4-smart"))
    device.hangs_up = False
    async with asyncio.timeout(10):
        found = (await ble.discover(CUFF, backend=ble_home.backend)).found
        async with BleakClient(found, pair=True, backend=ble_home.backend.client) as client:
            await client.start_notify("2a35", lambda *_: None)
            await client.stop_notify("2a35")
            assert device.device.keystore is not None
            while await device.device.keystore.get_all() != []:  # noqa: ASYNC110 -- the cuff's own business
                await asyncio.sleep(0.01)


async def test_a_cuff_that_needs_a_pause_before_the_subscription_gets_it(ble_home: BleHome) -> None:
    records = (BleRecordSpec(systolic=120, diastolic=80),)
    device = await ble_home.cuff(msgspec.structs.replace(cuff(), profile="beurer-bm85", records=records))
    assert device.ble.settle_ms > 0
    assert len((await ble_home.visit(device)).readings) == 1
    radio = msgspec.structs.replace(device.ble, settle_ms=0, idle_timeout_s=0.3)
    hasty = Profile(device=device.profile.device, firmware=msgspec.structs.replace(device.profile.firmware, ble=radio))
    assert (await visit(ble_home.backend, hasty, CUFF)).readings == []


async def test_an_adapter_ends_a_stale_connection_and_forgets_a_bond(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    adapter = ble_home.backend.adapter
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        await adapter.close(METER)
        await asyncio.wait_for(link.wait_disconnected(), 5)
    assert await adapter.is_bonded(METER)
    await adapter.forget(METER)
    assert not await adapter.is_bonded(METER)
    await adapter.forget(METER)
    await adapter.close(METER)


async def test_an_adapter_that_was_switched_off_and_on_works_as_before(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    assert len((await ble_home.visit(device)).readings) == 1
    await ble_home.backend.adapter.power_cycle()
    assert len((await ble_home.visit(device)).readings) == 1


async def test_a_scanner_that_hears_nobody_says_so_in_the_end(ble_home: BleHome) -> None:
    async with ble.Scanner(backend=ble_home.backend, quiet_s=0.1) as scanner:
        with pytest.raises(LinkTimeout, match="nobody was heard"):
            await anext(scanner)


async def test_a_scan_that_can_neither_begin_nor_end_does_not_hang(
    ble_home: BleHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ble, "_SCANNER_S", 0.1)

    class Hanging(ble_home.backend.scanner):  # type: ignore[name-defined,misc]  # a type made at run time
        async def start(self) -> None:
            await asyncio.Event().wait()

    with pytest.raises(LinkTimeout):
        async with ble.Scanner(backend=replace(ble_home.backend, scanner=Hanging)):
            pass


async def test_only_a_visit_that_pairs_waits_for_somebody_who_types(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter())
    limits: list[float] = []

    class Watched(ble_home.backend.client):  # type: ignore[name-defined,misc]  # a type made at run time
        def __init__(self, *args: Any, timeout: float, **platform: Any) -> None:
            limits.append(timeout)
            super().__init__(*args, timeout=timeout, **platform)

    for _ in range(2):
        await visit(replace(ble_home.backend, client=Watched), device.profile, METER)
    assert limits == [ble.Timeouts().connect_s + ble.Timeouts().pair_s, ble.Timeouts().connect_s]
