"""The whole gateway with a page and lamps: a simulated meter, a real broker, a real browser's questions."""

import asyncio
import http.client
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from deploy.services.source import OwnBroker
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import RecordSpec
from gateway import clock
from gateway.home import display
from gateway.home.plan import KIND, Due, Plan, encoded
from gateway.wire import v1
from tests.fix_gateway import FakeCloud, eventually
from tests.gateway.home.test_lights import NAMES, Wired
from tests.gateway.test_app import meter, running, written

VALUE = "287"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def at_home(config: Path, leds: Path, *, values: bool = False) -> int:
    """Add a page and lamps to a configuration; the page's port."""
    port = free_port()
    lamps = "".join(f'{fact} = "{name}"\n' for fact, name in NAMES.items())
    config.write_text(
        f'{config.read_text()}[home]\naddress = "127.0.0.1"\nport = {port}\nvalues = {str(values).lower()}\n'
        f'[home.leds]\nfolder = "{leds}"\n{lamps}'
    )
    return port


async def told(port: int, path: str = "/en") -> str:
    """What is to be read on the page; empty while nobody answers."""

    def asked() -> str:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except ConnectionError:
            return ""
        finally:
            connection.close()

    return "\n".join(text for text in re.split(r"<[^>]*>", await asyncio.to_thread(asked)) if text.strip())


async def until_told(port: int, sentence: str, path: str = "/en") -> str:
    async with asyncio.timeout(20):
        while sentence not in (text := await told(port, path)):
            pass  # asking takes its time, and the page tells nobody unasked
    return text


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lamps that follow at once."""
    monkeypatch.setattr(display, "LOOK_EVERY_S", 0.02)


@asynccontextmanager
async def a_home(folder: Path, broker: OwnBroker, *, values: bool = False) -> AsyncIterator[tuple[int, Wired, PtyDoor]]:
    """A gateway with an empty meter; its page's port, its lamps, and its meter."""
    wired = Wired(folder / "leds")
    async with PtyDoor(meter(0)) as door:
        config = written(folder, broker, door.url)
        port = at_home(config, wired.folder, values=values)
        async with running(config):
            yield port, wired, door


def plan_now() -> Plan:
    now = clock.now()
    window = now, now - timedelta(hours=1), now + timedelta(hours=1)
    return Plan(
        said_at=now,
        until=now + timedelta(days=7),
        due=(Due(devices=(("meter-0", None),), kind="glucose", zone="UTC", windows=(window,)),),
    )


def command(plan: Plan, number: int = 1) -> v1.CommandsMessage:
    return v1.CommandsMessage(
        v=1,
        command_id=f"{number:032x}",
        kind=KIND,
        expires_at=clock.now() + timedelta(days=1),
        body=msgspec.json.decode(encoded(plan)),
    )


async def test_due_measured_received_are_told_one_after_the_other(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path, quick: None
) -> None:
    cloud.answering = False
    async with a_home(tmp_path, broker) as (port, wired, door):
        text = await until_told(port, "Connected to the clinic")
        assert "What is due is not known here" in text
        assert "Not yet today." in text
        await eventually(lambda: wired.read("due", "trigger") == "none")

        cloud.command(command(plan_now()))
        await until_told(port, "please measure now")
        await eventually(lambda: wired.read("due", "trigger") == "timer")

        door.line.device.measure(RecordSpec(value=VALUE))
        text = await until_told(port, "Not yet: waiting to be sent (1)")
        assert "please measure now" not in text
        assert "Waiting to be sent: 1" in text
        await eventually(lambda: wired.read("received", "trigger") == "timer")
        assert (wired.read("due", "trigger"), wired.read("measured", "brightness")) == ("none", "255")

        await cloud.until(lambda: bool(cloud.received()))
        cloud.answer(next(message for message in cloud.messages if message.readings))
        text = await until_told(port, "By your care team")
        assert "Waiting" not in text
        await eventually(lambda: wired.read("received", "brightness") == "255")
        assert VALUE not in "".join([await told(port, path) for path in ("/en", "/ru", "/zh")])
    assert {wired.read(fact, "brightness") for fact in NAMES} == {"0"}


async def test_while_the_internet_is_away_measurements_wait_and_the_page_says_so(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with a_home(tmp_path, broker) as (port, _, door):
        await until_told(port, "Connected to the clinic")
        broker.kill()
        text = await until_told(port, "No connection to the clinic since")
        assert "Measurements are kept here safely" in text
        door.line.device.measure(RecordSpec(value=VALUE))
        await until_told(port, "Waiting to be sent: 1")
        broker.start()
        await until_told(port, "By your care team")


async def test_a_household_that_wants_its_figures_reads_them(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with a_home(tmp_path, broker, values=True) as (port, _, door):
        door.line.device.measure(RecordSpec(value=VALUE))
        await until_told(port, f"{VALUE} mg/dL")


async def test_an_older_plan_does_not_take_the_place_of_a_newer_one_and_nonsense_is_refused(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with a_home(tmp_path, broker) as (port, _, _):
        await until_told(port, "Connected to the clinic")
        newer = plan_now()
        cloud.command(command(newer, 1))
        cloud.command(command(Plan(said_at=newer.said_at - timedelta(hours=1), until=newer.until), 2))
        cloud.command(v1.CommandsMessage(v=1, command_id=f"{3:032x}", kind=KIND, expires_at=newer.until, body={}))
        await cloud.until(lambda: len({c.command_id for s in cloud.statuses for c in s.commands}) == 3)
        stages = {c.command_id[-1]: c.stage for s in cloud.statuses for c in s.commands}
        assert stages == {"1": "done", "2": "done", "3": "refused"}
        assert "please measure now" in await told(port)
