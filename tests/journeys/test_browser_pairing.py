"""A meter in a home is paired from the console: browser, console, database, ingest, broker, gateway and radio are real.

The meter is a simulated one on a virtual radio: real HCI, SMP and ATT octets. It shows six digits, and whoever is at
the browser types them.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from cloud import clock
from deploy.services.source import OwnBroker
from device_drivers.simulators.ble_peripheral import Peripheral
from device_drivers.simulators.radio import SimulatedRoom, simulated
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from device_drivers.simulators.virtual_central import open_central
from device_drivers.simulators.virtual_radio import VirtualRadio
from firmware_profiles.catalogue import catalogue
from gateway import app as gateway_app
from gateway import pairing as pairing_module
from gateway.config import Config, Intervals, Mqtt
from tests.cloud.ingest.running import Ingest, ingest
from tests.cloud.made import GATEWAY
from tests.fix_browser import DESKTOP, PHONE
from tests.fix_console import Console
from tests.journeys.objecting import misfits, objections, resize
from tests.journeys.steps import sign_in

GUIDE: Final = "roche-accu-chek-guide"
METER: Final = "F0:00:00:00:00:01"
PASSKEY: Final = 271828
PATIENCE_S: Final = 60.0
# Playwright's default is meant for pages alone; here a radio is behind them.
PATIENCE_MS: Final = PATIENCE_S * 1000


@dataclass
class Home:
    """A gateway on a loop of its own, with a room in which meters are switched on."""

    loop: asyncio.AbstractEventLoop
    room: SimulatedRoom

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """On the home's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def switch_on(self, serial_number: str = "92312001", address: str = METER) -> Peripheral:
        """A meter with three readings of yesterday and before."""
        spec = BleDeviceSpec(
            profile=GUIDE,
            address=address,
            serial_number=serial_number,
            passkey=PASSKEY,
            local_name=f"meter+{serial_number}",
            records=tuple(BleRecordSpec(age_s=86400.0 * days, value="95") for days in (1, 2, 3)),
        )
        meter = simulated(spec, catalogue(), clock.now)
        self.do(self.room.add(meter))
        return meter

    def measure(self, meter: Peripheral, value: str) -> None:
        """The patient measures now."""

        async def measured() -> None:
            meter.measure(BleRecordSpec(age_s=0, value=value))

        self.do(measured())


@contextmanager
def home(broker: OwnBroker, password: str, folder: Path) -> Iterator[Home]:
    """A gateway that knows no device."""
    config = Config(
        gateway_id=GATEWAY,
        data_dir=folder / "home",
        mqtt=Mqtt(host=broker.host, port=broker.port),
        password=password,
        adapter="hci0",
        intervals=Intervals(ble_cooldown_s=0.2, heartbeat_s=2, reconnect_max_s=1.0),
        devices=(),
        clock="trusted",
    )
    started = threading.Event()
    made: list[Home] = []
    ended: list[Callable[[], object]] = []

    async def live() -> None:
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            room = SimulatedRoom(VirtualRadio())
            stack.push_async_callback(room.close)
            backend = await stack.enter_async_context(open_central(room.radio))
            loop = asyncio.get_running_loop()
            made.append(Home(loop, room))
            ended.append(lambda: loop.call_soon_threadsafe(stop.set))
            await gateway_app.run(config, ble_backend=backend, on_ready=started.set, stop=stop)

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="home")
    thread.start()
    try:
        assert started.wait(PATIENCE_S)
        yield made[0]
    finally:
        for end in ended:
            end()
        thread.join(PATIENCE_S)


@dataclass
class Road:
    """Everything between the browser and the meter."""

    console: Console
    home: Home
    ingest: Ingest


@pytest.fixture
def road(console: Console, broker: OwnBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    """All processes run, at the time that it is; the gateway is there."""
    monkeypatch.setattr(pairing_module, "SETTLE_S", 0.5)
    console.clock.time = clock.now()
    password, gateway_password = broker.add_user("ingest"), broker.add_user(GATEWAY)
    mqtt_url = f"mqtt://ingest:{password}@{broker.host}:{broker.port}"
    with (
        ingest(console.ward.database.ingest_url, mqtt_url) as worker,
        home(broker, gateway_password, tmp_path) as in_home,
    ):
        until(lambda: console.ward.rows("SELECT state FROM gateway") == [("online",)])
        yield Road(console, in_home, worker)


def until(holds: Callable[[], bool]) -> None:
    """Until the database says so."""
    patience = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        if holds():
            return
        patience.wait(0.05)
    raise AssertionError("it did not come true in time")


def wrong_with(page: Page) -> list[str]:
    """What sticks out, on a phone and on a desk, and what axe finds."""
    page.wait_for_load_state("load")
    found: list[str] = []
    for screen in (PHONE, DESKTOP):
        resize(page, screen)
        found += [*misfits(page), *objections(page)]
    return found


def begin(page: Page, road: Road) -> None:
    """From the page of the patient's devices until the gateway listens."""
    page.goto(f"{road.console.url}/patients/{road.console.ward.patient_id}/devices/pair")
    page.get_by_label("Gateway").fill(GATEWAY)
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#pairing[data-state=searching]")).to_be_visible(timeout=PATIENCE_MS)


def test_a_meter_is_scanned_handed_out_paired_and_read(road: Road, page: Page) -> None:
    ward, url = road.console.ward, road.console.url
    devices = f"{url}/patients/{ward.patient_id}/devices"
    sign_in(page, road.console, "nora")
    page.goto(f"{url}/stock")
    page.get_by_label("Scan or type").fill("]d20109506000134352" + "2192312001")
    page.keyboard.press("Enter")
    page.get_by_label("Model", exact=True).select_option(GUIDE)
    assert wrong_with(page) == []
    page.get_by_role("button", name="Add a device").click()
    expect(page.get_by_text("It can be handed out.")).to_be_visible()
    assert wrong_with(page) == []

    page.goto(devices)
    page.get_by_label("Scan or type").fill("92312001")
    page.keyboard.press("Enter")
    expect(page.locator("table")).to_contain_text("92312001")
    assert wrong_with(page) == []
    page.get_by_role("link", name="Pair over Bluetooth").click()
    expect(page.get_by_label("Gateway")).to_be_visible()
    assert wrong_with(page) == []
    begin(page, road)
    expect(page.locator(".press")).to_contain_text("On the meter choose Settings, Wireless, Pairing.")
    assert wrong_with(page) == []

    meter = road.home.switch_on()
    digits = page.get_by_label("The six digits on the device’s display")
    expect(digits).to_be_visible(timeout=PATIENCE_MS)
    assert wrong_with(page) == []
    digits.fill(f"{PASSKEY}")
    page.get_by_role("button", name="These digits").click()
    expect(page.locator("#settled")).to_contain_text("This is the patient’s device.", timeout=PATIENCE_MS)
    expect(page.locator("#pairing")).to_contain_text("92312001")
    assert wrong_with(page) == []

    # What was in its memory before the hand-over is nobody's; what is measured now is the patient's.
    until(lambda: ward.rows("SELECT count(*) FROM quarantine WHERE reason_code = 'unassigned_device'") == [(3,)])
    road.home.measure(meter, "123")
    until(lambda: ward.rows("SELECT value::int FROM glucose_observation") == [(123,)])
    assert ward.rows("SELECT device_id, state FROM stock_item") == [("roche:sn:92312001", "handed_out")]
    assert ward.rows("SELECT patient_id FROM glucose_observation") == [(ward.patient_id,)]

    said = "".join(road.ingest.log)
    kept = "".join(map(str, ward.rows("SELECT c::text FROM gateway_command c UNION ALL SELECT a::text FROM audit a")))
    assert str(PASSKEY) not in said + kept
    assert ward.rows("SELECT count(*) FROM gateway_command_secret") == [(0,)]


def test_wrong_digits_and_another_meter_are_said_with_what_to_do(road: Road, page: Page) -> None:
    ward, url = road.console.ward, road.console.url
    sign_in(page, road.console, "nora")
    road.console.sign_in("nora").post("/stock", {"profile": GUIDE, "serial_number": "92312001", "owner": "clinic"})
    road.console.sign_in("nora").post(f"/patients/{ward.patient_id}/devices", {"scan": "92312001"})
    begin(page, road)
    road.home.switch_on("92312002")
    digits = page.get_by_label("The six digits on the device’s display")
    expect(digits).to_be_visible(timeout=PATIENCE_MS)
    digits.fill("12345")
    page.get_by_role("button", name="These digits").click()
    expect(page.locator(".refusal")).to_contain_text("It shows six digits.")
    page.get_by_label("The six digits on the device’s display").fill("123456")
    page.get_by_role("button", name="These digits").click()
    expect(page.locator("#pairing[data-state=failed]")).to_contain_text(
        "The digits were not those that it showed.", timeout=PATIENCE_MS
    )
    assert wrong_with(page) == []

    page.get_by_role("link", name="Try again").click()
    page.get_by_label("Gateway").fill(GATEWAY)
    page.get_by_role("button", name="Begin").click()
    expect(digits).to_be_visible(timeout=PATIENCE_MS)
    digits.fill(f"{PASSKEY}")
    page.get_by_role("button", name="These digits").click()
    expect(page.locator("#settled")).to_contain_text("its serial number is another", timeout=PATIENCE_MS)
    assert wrong_with(page) == []
    page.get_by_role("button", name="Forget it, and pair another one").click()
    until(lambda: ward.rows("SELECT count(*) FROM gateway_device") == [(0,)])
    until(lambda: ward.rows("SELECT stage FROM gateway_command WHERE kind = 'unpair'") == [("done",)])
    assert url in page.url
