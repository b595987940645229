import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from device_drivers.codecs import suntech_nibp as wire
from device_drivers.drivers import suntech_nibp
from device_drivers.drivers.conversation import Complete, Opened, Progress, Received
from device_drivers.errors import DeviceError, ForbiddenCommand, LinkLost, LinkTimeout, ProtocolError
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc
from device_drivers.readings import QuantityState, Reading
from device_drivers.simulators.line import Line
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from device_drivers.simulators.suntech import CURVE, SimulatedSunTech
from device_drivers.timestamps import TimeQuality, effective_time
from firmware_profiles.schema import Profile
from tests.device_drivers.serial_visits import NOW, Visit, impatient, in_memory, now, on_a_pty, visit

MODULE = "suntech-advantage-worn"
GOOD = RecordSpec(systolic=128, diastolic=79, mean=95, pulse=74)


def worn(**live: object) -> Profile:
    """The shipped profile with short times."""
    profile = impatient(MODULE)
    assert profile.firmware.live is not None
    changed = msgspec.structs.replace(profile.firmware.live, **{"poll_s": 0.01, "limit_s": 1.0, **live})
    return msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, live=changed))


def a_module(faults: Faults | None = None, records: tuple[RecordSpec, ...] = (GOOD,)) -> DeviceSpec:
    """A module and what its measurements will give."""
    return DeviceSpec(profile=MODULE, name="module", serial_number="-", records=records, faults=faults or Faults())


def of(line: Line) -> SimulatedSunTech:
    """The module at the end of a line."""
    assert isinstance(line.device, SimulatedSunTech)
    return line.device


async def visit_on_a_pty(faults: Faults | None = None, records: tuple[RecordSpec, ...] = (GOOD,)) -> tuple[Visit, Line]:
    """One visit to a fresh module, with the line's faults."""
    async with on_a_pty(a_module(faults, records), worn()) as (line, link):
        return await visit(link, worn()), line


def figures(reading: Reading) -> list[str]:
    """Systolic, diastolic, mean, pulse."""
    codes = (Mdc.PRESS_BLD_NONINV_SYS, Mdc.PRESS_BLD_NONINV_DIA, Mdc.PRESS_BLD_NONINV_MEAN, Mdc.PULS_RATE_NON_INV)
    return [str(reading.quantity(code)) for code in codes]


async def test_a_visit_is_one_measurement() -> None:
    found, line = await visit_on_a_pty()
    assert found.error is None
    (reading,) = found.readings
    assert figures(reading) == ["128 mm[Hg]", "79 mm[Hg]", "95 mm[Hg]", "74 /min"]
    assert found.complete == Complete(cursor={"measured_at": NOW.isoformat()})
    assert (of(line).inflations, of(line).aborts, of(line).pressure) == (1, 0, 0)


async def test_its_time_is_the_gateways_and_needs_no_mapping() -> None:
    found, _ = await visit_on_a_pty()
    assert found.opened is not None
    (reading,) = found.readings
    assert reading.reported_time.text == "2026-03-01T12:00:30Z"
    mapped = effective_time(reading.reported_time, found.opened.coincident, NOW)
    assert (mapped.time, mapped.quality) == (NOW, TimeQuality.SYNCHRONISED)


async def test_the_pressure_in_the_cuff_is_told_while_it_measures() -> None:
    _, link = in_memory(a_module(), worn())
    told = [event async for event in suntech_nibp.read(link, worn(), None, now)]
    assert [type(event) for event in told] == [Opened, *[Progress] * len(CURVE), Received, Complete]
    assert [str(e.cuff_pressure) for e in told if isinstance(e, Progress)] == [f"{mmhg} mm[Hg]" for mmhg in CURVE]


async def test_a_module_without_a_name_is_known_by_its_port() -> None:
    found, _ = await visit_on_a_pty()
    assert found.opened is not None
    assert found.opened.identity.device_id.startswith("suntech-medical:addr:")


@pytest.mark.parametrize("flag", sorted(wire.ERRORS.values()))
async def test_a_failed_measurement_is_kept_with_its_reason_and_none_of_its_figures_is_a_number(flag: str) -> None:
    _, link = in_memory(a_module(records=(RecordSpec(flags=("failed_measurement", flag)),)), worn())
    found = await visit(link, worn())
    (reading,) = found.readings
    assert {component.quantity.state for component in reading.components} == {QuantityState.NOT_A_NUMBER}
    assert reading.annotations == ("failed_measurement", flag)
    assert found.complete is not None


@pytest.mark.parametrize("allowed", [None, False])
async def test_nothing_is_started_where_the_profile_does_not_say_that_the_cuff_is_on_its_patient(
    allowed: bool | None,
) -> None:
    profile = worn(cuff_is_on_its_patient=False)
    if allowed is None:
        profile = msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, live=None))
    line, link = in_memory(a_module(), profile)
    found = await visit(link, profile)
    assert isinstance(found.error, ProtocolError)
    assert (found.opened, found.complete, of(line).inflations) == (None, None, 0)


async def test_the_link_refuses_a_start_that_the_profile_does_not_list() -> None:
    profile = worn()
    without = tuple(command for command in profile.firmware.commands if command != "3a 20 a6")
    profile = msgspec.structs.replace(profile, firmware=msgspec.structs.replace(profile.firmware, commands=without))
    line, link = in_memory(a_module(), profile)
    found = await visit(link, profile)
    assert isinstance(found.error, ForbiddenCommand)
    assert of(line).inflations == 0


async def test_a_cuff_under_pressure_is_left_alone() -> None:
    line, link = in_memory(a_module(), worn())
    of(line).pressure = 40
    found = await visit(link, worn())
    assert isinstance(found.error, ProtocolError)
    assert of(line).inflations == 0


@pytest.mark.parametrize(
    ("age", "inflations"), [(timedelta(minutes=29), 0), (timedelta(minutes=30), 1), (timedelta(minutes=-5), 1)]
)
async def test_between_two_measurements_lies_the_time_that_the_profile_says(age: timedelta, inflations: int) -> None:
    line, link = in_memory(a_module(), worn())
    cursor = {"measured_at": (NOW - age).isoformat()}
    found = await visit(link, worn(), cursor)
    assert of(line).inflations == inflations
    assert found.complete is not None
    assert inflations or found.complete.cursor == cursor


async def test_a_cancelled_visit_aborts_the_measurement() -> None:
    async with on_a_pty(a_module(), worn(limit_s=60.0)) as (line, link):
        inflated = asyncio.Event()

        async def follow() -> None:
            async for event in suntech_nibp.read(link, worn(limit_s=60.0), None, now):
                if isinstance(event, Progress) and (event.cuff_pressure.value or 0) > 100:
                    inflated.set()

        task = asyncio.create_task(follow())
        await inflated.wait()
        assert of(line).is_measuring
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (of(line).aborts, of(line).is_measuring, of(line).pressure) == (1, False, 0)


async def test_a_generator_that_is_closed_in_the_middle_aborts_the_measurement() -> None:
    line, link = in_memory(a_module(), worn())
    read: Any = suntech_nibp.read(link, worn(), None, now)
    async with aclosing(read) as events:
        async for event in events:
            if isinstance(event, Progress):
                break
    assert (of(line).aborts, of(line).is_measuring) == (1, False)


async def test_a_measurement_that_never_ends_is_aborted() -> None:
    line, link = in_memory(a_module(), worn())
    found = await visit(NeverDone(link), worn())
    assert isinstance(found.error, ProtocolError)
    assert "longer than" in str(found.error)
    assert (of(line).aborts, found.complete, found.readings) == (1, None, [])


class NeverDone:
    """A module that is always at 100 mm[Hg] until it is told to stop."""

    def __init__(self, link: SerialLink) -> None:
        self._link = link
        self._started = False

    @property
    def address(self) -> str:
        """The link's."""
        return self._link.address

    async def write(self, data: bytes) -> None:
        """Sends on, but a question for the pressure of a started measurement it answers itself."""
        self._started = self._started or data == wire.START
        self._asked = self._started and data == wire.READ_CUFF_PRESSURE
        if not self._asked:
            await self._link.write(data)

    async def read(self, size: int, timeout_s: float) -> bytes:
        """100 mm[Hg]."""
        if self._asked:
            self._asked = False
            return wire.encode(wire.CuffPressure(100))
        return await self._link.read(size, timeout_s)

    async def drain_input(self) -> None:
        """The link's."""
        await self._link.drain_input()


async def test_a_measurement_that_a_person_stopped_is_kept_as_that_and_not_as_the_figures_before() -> None:
    line, link = in_memory(a_module(), worn())
    async for event in suntech_nibp.read(link, worn(), None, now):
        if isinstance(event, Progress):
            line.device.receive(wire.ABORT)  # the button on the module
        if isinstance(event, Received):
            assert event.readings[0].annotations == ("failed_measurement", "stopped_by_a_person")


# Frames of a visit: 1 the resting pressure, 2 the start, 3 to 13 the curve, 14 done, 15 the result.
SURVIVED = {
    "octets come one at a time": Faults(one_octet_at_a_time=True),
    "noise stands in the line": Faults(noise="3e3e043e"),
    "the resting pressure is lost": Faults(drop_frames=(1,)),
    "a pressure is damaged": Faults(corrupt_frames=(5,)),
    "a pressure is lost": Faults(drop_frames=(5,)),
    "everything comes twice": Faults(repeat_frames=tuple(range(1, 16))),
    "the result is damaged": Faults(corrupt_frames=(15,)),
    "the result is lost": Faults(drop_frames=(15,)),
    "the first question is not heard": Faults(swallow_commands=(1,)),
}


@pytest.mark.parametrize("fault", SURVIVED)
async def test_a_line_that_misbehaves_costs_time_and_no_reading(fault: str) -> None:
    found, line = await visit_on_a_pty(SURVIVED[fault])
    assert found.error is None
    assert [figures(reading)[0] for reading in found.readings] == ["128 mm[Hg]"]
    assert of(line).inflations == 1


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(drop_frames=(2,)), LinkTimeout),
        (Faults(corrupt_frames=(2,)), DeviceError),
        (Faults(corrupt_frames=(14,)), ProtocolError),
        (Faults(drop_frames=(14,)), ProtocolError),
        (Faults(swallow_commands=(2,)), LinkTimeout),
        (Faults(corrupt_frames=tuple(range(15, 99))), DeviceError),
        (Faults(drop_frames=tuple(range(1, 99))), LinkTimeout),
    ],
    ids=["start unanswered", "start damaged", "done damaged", "done lost", "start unheard", "result bad", "silence"],
)
async def test_a_line_that_stays_bad_ends_without_complete_and_with_an_empty_cuff(
    faults: Faults, error: type[DeviceError]
) -> None:
    found, line = await visit_on_a_pty(faults)
    assert isinstance(found.error, error)
    assert (found.readings, found.complete) == ([], None)
    assert (of(line).is_measuring, of(line).pressure) == (False, 0)
    assert of(line).inflations <= 1


@pytest.mark.parametrize("octets", [1, 5, 9, 30, 62, 80])
async def test_a_cable_pulled_at_any_octet_leaves_no_complete(octets: int) -> None:
    found, _ = await visit_on_a_pty(Faults(unplug_after_octets=octets))
    assert isinstance(found.error, LinkLost | LinkTimeout)
    assert (found.readings, found.complete) == ([], None)


async def test_a_refusal_to_start_is_an_error() -> None:
    line, link = in_memory(a_module(), worn())
    line.device.receive(wire.START)
    found = await visit(link, worn())
    assert isinstance(found.error, ProtocolError)
    assert found.complete is None


@pytest.mark.parametrize("command", ["0c000101", "28", "87", "170078", "04", "8a", "81"])
async def test_nothing_else_that_moves_the_cuff_ever_leaves(command: str) -> None:
    _, link = in_memory(a_module(), worn())
    with pytest.raises(ForbiddenCommand):
        await link.write(wire.encode_command(bytes.fromhex(command)))
