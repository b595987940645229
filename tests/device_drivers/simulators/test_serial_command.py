import asyncio
import json
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from device_drivers.links.serial import open_serial
from tests.device_drivers.serial_visits import Visit, impatient, visit

SPEC = {
    "serial": [
        {"profile": "lifescan-onetouch-ultramini", "name": "meter", "serial_number": "SIM000001",
         "records": [{"age_s": 3600, "value": "112"}]},
        {"profile": "taidoc-td-3128", "name": "cuff", "serial_number": "3128000000000001",
         "records": [{"age_s": 60, "systolic": "120", "diastolic": "80", "pulse": "60"}]},
    ]
}  # fmt: skip


async def said(process: Process) -> dict[str, Any]:
    """The next JSON line."""
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(await process.stdout.readline())
    return line


@asynccontextmanager
async def simulators(folder: Path, spec: object) -> AsyncIterator[Process]:
    """``python -m device_drivers.simulators serial``, ended at the end."""
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers.simulators", "serial", "--spec", str(path),
        "--dir", str(folder / "ports"), stdin=PIPE, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.communicate()


async def visited(url: str, profile_id: str) -> Visit:
    """One visit over the port of another process."""
    profile = impatient(profile_id)
    async with open_serial(url, profile) as link:
        return await visit(link, profile)


async def test_a_home_of_serial_devices_is_read_told_to_measure_and_read_again(tmp_path: Path) -> None:
    async with simulators(tmp_path, SPEC) as process:
        meter, cuff, ready = [await said(process) for _ in range(3)]
        assert meter["url"] == str(tmp_path / "ports" / "meter")
        assert ready == {"ready": True}
        assert len((await visited(meter["url"], meter["profile"])).readings) == 1
        assert len((await visited(cuff["url"], cuff["profile"])).readings) == 1
        assert process.stdin is not None
        process.stdin.write(b'this is no measurement\n{"device": "meter", "record": {"value": "HI"}}\n')
        assert await said(process) == {"device": "meter", "measured": True}
        again = await visited(meter["url"], meter["profile"])
        assert str(again.readings[0].components[0].quantity) == "HI (> 600 mg/dL)"
    assert process.returncode == 0
    assert list((tmp_path / "ports").iterdir()) == []


async def test_a_spec_that_cannot_be_served_is_explained_in_one_sentence(tmp_path: Path) -> None:
    async with simulators(tmp_path, {"serial": [{"profile": "x", "name": "m", "serial_number": "1"}]}) as process:
        _, complaint = await process.communicate()
    assert process.returncode == 2
    assert complaint.decode().startswith("no profile has the id 'x'; known: ")


async def test_one_device_needs_no_file(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers.simulators", "serial", "--profile", "lifescan-onetouch-ultramini",
        "--storyline", "hi_and_lo", "--fault", "repeat_frame=5", "--dir", str(tmp_path), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    try:
        device = await said(process)
        assert device["url"] == str(tmp_path / "device")
        states = {
            str(r.components[0].quantity.state) for r in (await visited(device["url"], device["profile"])).readings
        }
        assert states == {"measured", "above_range", "below_range"}
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


async def test_a_hid_device_is_reached_over_a_socket(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers.simulators", "serial", "--profile", "microlife-bp-b3-comfort-pc",
        "--dir", str(tmp_path), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    try:
        device = await said(process)
        assert (device["transport"], Path(device["url"]).is_socket()) == ("hid", True)
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "device_drivers", "read", device["url"], "--profile", device["profile"], stdout=PIPE
        )
        output, _ = await reader.communicate()
        assert reader.returncode == 0
        assert json.loads(output.splitlines()[-1])["complete"] is True
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


@pytest.mark.parametrize("way", ["serial", "radio"])
def test_what_can_be_simulated_is_listed(way: str) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "device_drivers.simulators", way, "--list"], capture_output=True, check=True
    )
    lines = [json.loads(line) for line in listed.stdout.splitlines()]
    assert {"storyline", "fault", "profile"} == {next(iter(line)) for line in lines}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--profile", "taidoc-td-3128", "--storyline", "ketones"], "taidoc-td-3128 cannot tell 'ketones'"),
        (["--profile", "taidoc-td-3128", "--fault", "nonsense"], "no fault is called 'nonsense'"),
        (["--profile", "roche-accu-chek-guide"], "roche-accu-chek-guide is not reached by serial or hid"),
    ],
)
def test_what_cannot_be_simulated_is_explained(arguments: list[str], complaint: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "device_drivers.simulators", "serial", *arguments], capture_output=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.decode().startswith(complaint)
