import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from device_drivers.errors import LinkLost
from device_drivers.links.serial import open_serial
from device_drivers.simulators.clock import utc_now
from device_drivers.simulators.virtual_central import open_central
from firmware_profiles.catalogue import catalogue
from tests.device_drivers.serial_visits import Visit, impatient
from tests.device_drivers.serial_visits import visit as visit_by_cable
from tests.device_drivers.simulators.test_serial_command import said
from tests.fix_ble import CUFF, Visited
from tests.fix_ble import visit as visit_by_radio

METER = "lifescan-onetouch-ultramini"
PRESSURE = {"systolic": 128, "diastolic": 82, "mean": 97, "pulse": 70}
SPEC = {
    "serial": [
        {"profile": METER, "name": "meter", "serial_number": "SIM000001", "records": [{"age_s": 60, "value": "112"}]}
    ],
    "radio": {
        "devices": [
            {"profile": "and-ua-651ble", "name": "cuff", "address": CUFF, "serial_number": "1",
             "records": [{"age_s": 90, **PRESSURE}, {"age_s": 60, **PRESSURE}]}
        ]
    },
}  # fmt: skip


class RunningHome:
    """``python -m device_drivers.simulators home``."""

    def __init__(self, process: Process, url: str, radio: str) -> None:
        self._process = process
        self._url = url
        self._radio = radio

    async def tell(self, order: dict[str, Any]) -> dict[str, Any]:
        """Give an order; what it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await said(self._process)

    async def read_meter(self) -> Visit:
        profile = impatient(METER)
        async with open_serial(self._url, profile) as link:
            return await visit_by_cable(link, profile)

    async def read_meter_once_it_is_back(self) -> Visit:
        async with asyncio.timeout(5):
            while not Path(self._url).exists():  # noqa: ASYNC110 -- another process makes it
                await asyncio.sleep(0.01)
        return await self.read_meter()

    async def read_cuff(self) -> Visited:
        async with open_central(self._radio) as backend:
            return await visit_by_radio(backend, catalogue().get("and-ua-651ble", "1.0.0"), CUFF, None)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[RunningHome]:
    async with running(tmp_path) as home:
        yield home


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[RunningHome]:
    spec = folder / "home.json"
    spec.write_text(json.dumps(SPEC))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_drivers.simulators", "home", "--spec", str(spec), "--dir", str(folder / "ports"),
        stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    try:
        meter, radio, ready = [await said(process) for _ in range(3)]
        assert ready == {"ready": True}
        yield RunningHome(process, meter["url"], radio["radio"])
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()


async def test_a_measurement_that_was_ordered_under_an_id_is_answered_with_the_id_and_its_time(
    home: RunningHome,
) -> None:
    before = utc_now()
    answer = await home.tell({"device": "meter", "id": "r1", "record": {"value": "300"}})
    assert before <= datetime.fromisoformat(answer.pop("at")) <= utc_now()
    assert answer == {"device": "meter", "measured": True, "id": "r1"}
    assert await home.tell({"device": "meter", "record": {"value": "301"}}) == {"device": "meter", "measured": True}
    newest, older, _ = (await home.read_meter()).readings
    assert [str(reading.components[0].quantity) for reading in (newest, older)] == ["301 mg/dL", "300 mg/dL"]


async def test_a_cable_is_pulled_in_the_middle_and_put_back(home: RunningHome) -> None:
    await home.tell({"device": "meter", "unplug": {"after": 40, "for_s": 0}})
    assert isinstance((await home.read_meter()).error, LinkLost)
    assert len((await home.read_meter_once_it_is_back()).readings) == 1


async def test_a_radio_link_drops_in_the_middle_and_can_be_made_again(home: RunningHome) -> None:
    await home.tell({"device": "cuff", "unplug": {"after": 1}})
    # For this cuff a hang-up is how every visit ends.
    assert len((await home.read_cuff()).readings) == 1
    assert len((await home.read_cuff()).readings) == 2
