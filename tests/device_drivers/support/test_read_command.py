"""``read`` and ``probe`` as a support person sees them: another process, a real pty, JSON lines."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from typing import Any

from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from firmware_profiles.catalogue import catalogue
from tests.device_drivers.serial_visits import now

METER = "lifescan-onetouch-ultramini"


def meter(faults: Faults | None = None) -> Line:
    """A meter with three readings, two hours ahead."""
    records = (
        RecordSpec(age_s=60, value="112"),
        RecordSpec(age_s=3600, value="HI"),
        RecordSpec(age_s=7200, value="96"),
    )
    spec = DeviceSpec(
        profile=METER,
        name="meter",
        serial_number="SIM000001",
        clock_skew_s=7200,
        records=records,
        faults=faults or Faults(),
    )
    return line_to(catalogue().get(METER), spec, now)


async def said(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and JSON lines of the command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers", *arguments, stdout=PIPE, stderr=PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, [json.loads(line) for line in output.splitlines()]


async def test_a_meter_is_read_to_its_end() -> None:
    async with PtyDoor(meter()) as door:
        code, lines = await said("read", door.url, "--profile", METER)
    *readings, summary = lines
    assert code == 0
    assert [reading["components"][0]["value"] for reading in readings] == [112, None, 96]
    assert readings[1]["components"][0]["state"] == "above_range"
    assert readings[0]["reported_time"] == "2026-03-01T13:59:30"
    assert summary["complete"] is True
    assert (summary["holds"], summary["received"], summary["warnings"]) == (3, 3, [])
    assert summary["identity"]["serial_number"] == "SIM000001"
    assert summary["device_clock"] == "2026-03-01T14:00:30"
    assert summary["skew_s"] is not None


async def test_a_cable_that_is_pulled_ends_with_what_came_and_code_3() -> None:
    async with PtyDoor(meter(Faults(unplug_after_octets=150))) as door:
        code, lines = await said("read", door.url, "--profile", METER)
    assert code == 3
    assert lines[-1]["complete"] is False
    assert lines[-1]["error"].startswith("LinkLost")
    assert lines[-1]["received"] == len(lines) - 1


async def test_a_port_that_is_not_there_is_a_device_error() -> None:
    code, lines = await said("probe", "/dev/no-such-port")
    assert (code, len(lines)) == (3, 1)
    assert "LinkLost" in lines[0]["error"]


async def test_a_profile_of_another_way_is_bad_usage() -> None:
    code, lines = await said("read", "/dev/no-such-port", "--profile", "roche-accu-chek-guide")
    assert (code, lines) == (2, [{"error": "roche-accu-chek-guide is not reached by serial (/dev/no-such-port)"}])


async def test_a_probe_names_the_profile_and_who_answers() -> None:
    async with PtyDoor(meter()) as door:
        code, (line,) = await said("probe", door.url, "--profile", METER)
    assert code == 0
    assert (line["profile"], line["identity"]["device_id"]) == (METER, "lifescan:sn:SIM000001")


async def test_a_probe_of_a_stranger_says_what_it_heard() -> None:
    async with PtyDoor(meter()) as door:
        code, (line,) = await said("probe", door.url, "--profile", "taidoc-td-3128")
    assert code == 3
    assert line["error"] == "nothing answers"
    assert [attempt["profile"] for attempt in line["attempts"]] == ["taidoc-td-3128"]
