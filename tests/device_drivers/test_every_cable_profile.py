"""Simulate, drive, compare for every shipped profile of a cable: a new TOML file is tested by being there."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from device_drivers.links.ports import ReportLink, SerialLink
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Reading
from device_drivers.simulators.memories import ordinary
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.device_drivers.hid_visits import on_a_socket
from tests.device_drivers.serial_visits import Visit, impatient, on_a_pty, visit

ON_A_CABLE = sorted({profile.id for profile in catalogue() if profile.firmware.transport in ("serial", "hid")})
# As these devices can say them.
SERIAL_NUMBERS = {"lifescan_ultra": "SIM0004CY", "lifescan_ultramini": "SIM000001", "taidoc_51": "1234567812345678"}
PRESSURES = (Mdc.PRESS_BLD_NONINV_SYS, Mdc.PRESS_BLD_NONINV_DIA, Mdc.PULS_RATE_NON_INV)


def memory(profile: Profile) -> tuple[RecordSpec, ...]:
    """A few measurements, two of them equal in one minute; one where it tells only what it measures now."""
    usual = ordinary(profile)
    other = (
        RecordSpec(age_s=7200, value=str(Decimal(usual.value) + 9))
        if usual.value is not None
        else RecordSpec(age_s=7200, systolic=181, diastolic=111, mean=134, pulse=92)
    )
    records = (ordinary(profile, 60.0), ordinary(profile, 3600.0), ordinary(profile, 3600.0), other)
    serial = profile.firmware.serial
    only_now = profile.firmware.live is not None or (serial is not None and serial.listen_s > 0)
    return records[:1] if only_now else records


def put_in(record: RecordSpec) -> tuple[Decimal, ...]:
    """The figures of a record."""
    figures = (record.value,) if record.value is not None else (record.systolic, record.diastolic, record.pulse)
    return tuple(Decimal(str(figure)) for figure in figures)


def came_out(reading: Reading) -> tuple[Decimal | None, ...]:
    """The figures of a reading; the mean that some cuffs add is left out."""
    pressures = [reading.quantity(code) for code in PRESSURES]
    quantities = [q for q in pressures if q is not None] or [c.quantity for c in reading.components]
    return tuple(quantity.value for quantity in quantities)


@asynccontextmanager
async def connected(profile: Profile, faults: Faults) -> AsyncIterator[SerialLink | ReportLink]:
    """A device of this profile behind the door of its cable."""
    serial_number = SERIAL_NUMBERS.get(profile.device.driver, "SIMU001-A0001")
    spec = DeviceSpec(
        profile=profile.id, name="it", serial_number=serial_number, records=memory(profile), faults=faults
    )
    if profile.firmware.transport == "hid":
        async with on_a_socket(spec, profile) as (_, report_link):
            yield report_link
    else:
        async with on_a_pty(spec, profile) as (_, serial_link):
            yield serial_link


async def visited(profile_id: str, faults: Faults | None = None) -> Visit:
    """One visit to a fresh device."""
    profile = impatient(profile_id)
    async with connected(profile, faults or Faults()) as link:
        return await visit(link, profile)


@pytest.mark.parametrize("profile_id", ON_A_CABLE)
async def test_the_memory_comes_back_whole(profile_id: str) -> None:
    found = await visited(profile_id)
    assert found.error is None
    assert found.opened is not None
    assert found.opened.identity.device_id
    assert found.complete is not None
    assert Counter(map(came_out, found.readings)) == Counter(map(put_in, memory(catalogue().get(profile_id))))
    assert len({reading.reading_id for reading in found.readings}) == len(found.readings)


@pytest.mark.parametrize("octets", [9, 70])
@pytest.mark.parametrize("profile_id", ON_A_CABLE)
async def test_a_pulled_cable_gives_an_error_and_never_complete(profile_id: str, octets: int) -> None:
    found = await visited(profile_id, Faults(unplug_after_octets=octets))
    assert found.error is not None
    assert found.complete is None
    whole = Counter(map(put_in, memory(catalogue().get(profile_id))))
    assert Counter(map(came_out, found.readings)) <= whole
