import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from device_drivers.errors import LinkLost
from device_drivers.links import ble
from device_drivers.simulators.virtual_central import open_central
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile
from tests.fix_ble import CUFF, METER, PASSKEY, Visited, visit

RECORDS = [{"age_s": 60 * (499 - i), "value": str(50 + i)} for i in range(500)]


class Simulator:
    """A simulator in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.radio = ""

    async def line(self) -> dict[str, Any]:
        """The next JSON line that it prints."""
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(await asyncio.wait_for(self._process.stdout.readline(), 20))
        return said

    async def measure(self, device: str, record: dict[str, Any]) -> None:
        """Let a device measure now."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"device": device, "record": record}).encode() + b"\n")
        assert await self.line() == {"device": device, "measured": True}

    def kill(self) -> None:
        """It dies without a word."""
        self._process.kill()

    async def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), 10)


@asynccontextmanager
async def simulator(
    tmp_path: Path, devices: list[dict[str, Any]], listen: str = "tcp:127.0.0.1:0"
) -> AsyncIterator[Simulator]:
    spec = tmp_path / "home.json"
    spec.write_text(json.dumps({"radio": {"devices": devices, "key_store": str(tmp_path / "devices.json")}}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers.simulators", "radio", "--spec", str(spec), "--listen", listen,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    started = Simulator(process)
    try:
        first = await started.line()
        assert first["devices"] == [device["address"] for device in devices]
        started.radio = first["radio"]
        assert await started.line() == {"ready": True}
        yield started
    finally:
        await started.stop()


def meter(**more: Any) -> dict[str, Any]:
    return {
        "profile": "roche-accu-chek-guide",
        "name": "meter",
        "address": METER,
        "serial_number": "92513337",
        "passkey": PASSKEY,
        "records": RECORDS,
    } | more


def cuff(**more: Any) -> dict[str, Any]:
    record = {"systolic": 124, "diastolic": 86, "mean": 97, "pulse": 51}
    return {"profile": "and-ua-651ble", "address": CUFF, "serial_number": "51", "records": [record]} | more


def guide() -> Profile:
    return catalogue().get("roche-accu-chek-guide")


async def test_a_gateway_reads_the_devices_of_another_process(tmp_path: Path) -> None:
    async with (
        simulator(tmp_path, [meter(), cuff()]) as process,
        open_central(process.radio, passkey=lambda: PASSKEY) as backend,
    ):
        visited = await visit(backend, guide(), METER)
        assert visited.values == [f"{50 + i} mg/dL" for i in range(500)]
        pressure = await visit(backend, catalogue().get("and-ua-651ble"), CUFF)
        assert pressure.values == ["124 mm[Hg]"]
        assert await process.stop() == 0


async def test_a_measurement_made_while_it_runs_arrives(tmp_path: Path) -> None:
    async with (
        simulator(tmp_path, [meter(records=[])], f"unix:{tmp_path}/radio") as process,
        open_central(process.radio, passkey=lambda: PASSKEY) as backend,
    ):
        empty = await visit(backend, guide(), METER)
        assert empty.complete is not None
        await process.measure("meter", {"value": "291", "meal": 2})
        after = await visit(backend, guide(), METER, empty.complete.cursor)
        assert after.values == ["291 mg/dL"]
        assert after.readings[0].context["meal"] == "postprandial"


async def test_a_device_with_nothing_new_is_silent_until_it_measures(tmp_path: Path) -> None:
    quiet = meter(records=RECORDS[:1], advertise_every_s=3600, advertise_for_s=0.1)
    async with (
        simulator(tmp_path, [quiet]) as process,
        open_central(process.radio, passkey=lambda: PASSKEY) as backend,
    ):
        assert len((await visit(backend, guide(), METER)).readings) == 1
        async with ble.Scanner(backend=backend) as scanner:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(scanner), 0.5)
            await process.measure("meter", {"value": "99"})
            assert (await asyncio.wait_for(anext(scanner), 5)).address == METER


async def test_bonds_outlive_both_processes(tmp_path: Path) -> None:
    asked: list[int] = []

    def type_passkey() -> int:
        asked.append(PASSKEY)
        return PASSKEY

    for _ in range(2):
        async with (
            simulator(tmp_path, [meter(records=RECORDS[:3])]) as process,
            open_central(process.radio, key_store=str(tmp_path / "gateway.json"), passkey=type_passkey) as backend,
        ):
            assert len((await visit(backend, guide(), METER)).readings) == 3
    assert len(asked) == 1


async def test_a_gateway_that_dies_frees_the_device_for_the_next(tmp_path: Path) -> None:
    async with simulator(tmp_path, [meter(records=RECORDS[:3])]) as process:
        for address in ("C0:50:57:50:00:05", "C0:50:57:50:00:06"):
            async with open_central(process.radio, address=address, passkey=lambda: PASSKEY) as backend:
                heard = await ble.discover(METER, backend=backend)
                link = ble.connect(heard, guide(), backend=backend, timeouts=ble.Timeouts(request_s=0.2))
                await link.__aenter__()
            await link.__aexit__(None, None, None)  # too late: the radio was gone before it could hang up


async def test_a_radio_that_dies_in_the_middle_is_a_lost_link(tmp_path: Path) -> None:
    visited = Visited()
    async with (
        simulator(tmp_path, [meter()]) as process,
        open_central(process.radio, passkey=lambda: PASSKEY) as backend,
    ):
        tapped = lambda direction, *_: process.kill() if direction == "out" else None  # noqa: E731
        with pytest.raises(LinkLost):
            await visit(backend, guide(), METER, into=visited, tap=tapped)
    assert visited.complete is None


async def test_a_spec_that_cannot_be_served_says_why(tmp_path: Path) -> None:
    spec = tmp_path / "home.json"
    spec.write_text(json.dumps({"radio": {"devices": [meter(profile="nobody-nothing", records=[])]}}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers.simulators", "radio", "--spec", str(spec),
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, complaint = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    assert b"no profile has the id 'nobody-nothing'" in complaint
