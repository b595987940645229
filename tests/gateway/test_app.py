"""The whole gateway: simulated meters on ptys, a real broker, processes that are killed."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from deploy.services.source import OwnBroker
from device_drivers.simulators.line import Line, line_to
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from firmware_profiles.catalogue import catalogue
from gateway import app, clock, config
from gateway.outbox import Outbox
from tests.device_drivers.hid_visits import a_door
from tests.fix_gateway import GATEWAY_ID, FakeCloud, eventually

ULTRAMINI = "lifescan-onetouch-ultramini"
# What stands in the meter, and must stand in no log.
SERIAL_NUMBER = "SECRET042"


def meter(records: int, faults: Faults | None = None, serial_number: str = SERIAL_NUMBER) -> Line:
    spec = DeviceSpec(
        profile=ULTRAMINI,
        name="meter",
        serial_number=serial_number,
        records=tuple(RecordSpec(age_s=60.0 * number, value=str(70 + number % 300)) for number in range(records)),
        faults=faults or Faults(),
    )
    return line_to(catalogue().get(ULTRAMINI), spec, clock.now)


def written(folder: Path, broker: OwnBroker, *urls: str) -> Path:
    """A configuration for meters at these URLs."""
    password = folder / "broker.password"
    password.write_text(broker.add_user(GATEWAY_ID))
    password.chmod(0o600)
    devices = "".join(
        f'[[device]]\nname = "meter-{number}"\nprofile = "{ULTRAMINI}"\nurl = "{url}"\n'
        for number, url in enumerate(urls)
    )
    path = folder / "gateway.toml"
    path.write_text(
        f'gateway_id = "{GATEWAY_ID}"\ndata_dir = "data"\n'
        f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\npassword_file = "broker.password"\n'
        f"[intervals]\nserial_visit_s = 0.2\nbackoff_max_s = 0.2\n{devices}"
    )
    return path


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[None]:
    """The gateway in this process."""
    stop, ready = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(app.run(config.load(path), stop=stop, on_ready=ready.set))
    await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when=asyncio.FIRST_COMPLETED)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


@asynccontextmanager
async def process(*arguments: str | Path) -> AsyncIterator[Process]:
    """``python -m gateway`` in a process of its own; killed at the end if it still runs."""
    command = [sys.executable, "-m", "gateway", *map(str, arguments)]
    child = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def ready(child: Process) -> None:
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 20) == f"ready {GATEWAY_ID}\n".encode()


async def said_until(child: Process, words: str) -> str:
    """The log up to the line with these words."""
    assert child.stderr is not None
    text = ""
    while words not in text:
        line = await child.stderr.readline()
        assert line, text
        text += line.decode()
    return text


def everything_freed(path: Path, readings: int) -> Callable[[], bool]:
    def check() -> bool:
        outbox = Outbox.read_only(app.outbox_path(config.load(path)))
        try:
            freed = sum(outbox.freed().values())
            return outbox.depth().rows == 0 and freed == readings and not outbox.in_flight()
        finally:
            outbox.close()

    return check


async def test_a_meter_is_read_published_and_freed(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    async with PtyDoor(meter(20)) as door:
        path = written(tmp_path, broker, door.url)
        async with running(path):
            await eventually(everything_freed(path, 20))
            door.line.device.measure(RecordSpec(value="400"))
            await eventually(everything_freed(path, 21))
    assert len(cloud.received()) == 21
    assert cloud.statuses[0].state == "online"
    await cloud.until(lambda: cloud.statuses[-1].state == "offline")


async def test_a_meter_is_read_when_it_is_plugged_in(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    link = tmp_path / "dev" / "meter"
    path = written(tmp_path, broker, str(link))
    async with running(path):
        async with PtyDoor(meter(3), link):
            await eventually(everything_freed(path, 3))
        await eventually(lambda: not link.exists())
        async with PtyDoor(meter(5), link):
            await eventually(lambda: len(cloud.received()) > 3)


async def test_a_hid_cuff_is_read_published_and_freed(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    profile = catalogue().get("omron-hem-790it")
    records = tuple(RecordSpec(age_s=60.0 * n, systolic=120 + n, diastolic=80, pulse=60) for n in range(3))
    spec = DeviceSpec(profile=profile.id, name="cuff", serial_number="1", records=records)
    async with a_door(line_to(profile, spec, clock.now), profile) as door:
        path = written(tmp_path, broker)
        with path.open("a") as file:
            file.write(f'[[device]]\nname = "cuff"\nprofile = "{profile.id}"\nhid = "{door.url}"\n')
        async with running(path):
            await eventually(everything_freed(path, 3))
    assert {message.session.device.address for message in cloud.messages} == {f"{GATEWAY_ID}/cuff/06000000000000"}


async def test_a_device_that_fails_does_not_hurt_the_others(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    mute = Faults(drop_frames=tuple(range(1, 1000)))
    async with AsyncExitStack() as stack:
        doors = [await stack.enter_async_context(PtyDoor(line)) for line in (meter(9, mute), meter(7))]
        path = written(tmp_path, broker, *(door.url for door in doors), "/dev/not-plugged-in")
        with path.open("a") as file:
            file.write('[[device]]\nname = "odd"\nprofile = "no-such"\nurl = "/dev/odd"\n')

        def outcomes() -> dict[str, str | None]:
            outbox = Outbox.read_only(app.outbox_path(config.load(path)))
            try:
                return {name: visit.outcome for name, visit in outbox.visits().items()}
            finally:
                outbox.close()

        async with running(path):
            await eventually(everything_freed(path, 7))
            # What became of a visit is written down after what it brought.
            await eventually(lambda: outcomes().get("meter-1") == "complete")
    assert outcomes()["odd"] == "no_profile"
    assert "meter-2" not in outcomes()


async def test_kill_minus_nine_in_the_middle_of_five_hundred_readings_loses_none(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(500)) as door:
        path = written(tmp_path, broker, door.url)
        for so_far in (60, 200, 400):
            async with process("run", path) as gateway:
                await ready(gateway)
                await cloud.until(lambda so_far=so_far: len(cloud.received()) >= so_far)  # type: ignore[misc]
                gateway.send_signal(signal.SIGKILL)
                await gateway.wait()
        async with process("run", path) as gateway:
            await ready(gateway)
            await cloud.until(lambda: len(cloud.received()) == 500)
            await eventually(everything_freed(path, 500))


async def test_the_disk_of_a_gateway_that_was_killed_tells_nothing_of_its_patient(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    """A canary's serial number and readings: some waiting, some published, some freed."""
    cloud.answering = False
    async with PtyDoor(meter(60)) as door:
        path = written(tmp_path, broker, door.url)
        async with process("run", path) as gateway:
            await ready(gateway)
            await cloud.until(lambda: len(cloud.messages) >= 4)
            cloud.answer(cloud.messages[0])
            await eventually(lambda: bool(freed_so_far(path)))
            gateway.send_signal(signal.SIGKILL)
            await gateway.wait()
    readings = [reading for message in cloud.messages for reading in message.readings]
    canaries = {SERIAL_NUMBER, "mg/dL", "serial_number", "reported_time", "raw"}
    canaries |= {text for r in readings for text in (r.reported_time, r.reading_id, r.reported_time[:13], r.raw)}
    files = {file: file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file()}
    assert {"outbox.sqlite", "outbox.sqlite-wal", "outbox.sqlite-shm"} <= {file.name for file in files}
    assert [(file.name, c) for file, octets in files.items() for c in canaries if c.encode() in octets] == []


def freed_so_far(path: Path) -> dict[str, int]:
    outbox = Outbox.read_only(app.outbox_path(config.load(path)))
    try:
        return outbox.freed()
    finally:
        outbox.close()


async def test_sigterm_ends_it_in_order_and_the_broker_says_offline(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(5)) as door:
        path = written(tmp_path, broker, door.url)
        async with process("run", path) as gateway:
            await ready(gateway)
            await cloud.until(lambda: len(cloud.received()) == 5)
            # What was received may still be in the middle of the visit.
            text = await asyncio.wait_for(said_until(gateway, "meter-0: complete, 5 readings, 5 new"), 10)
            gateway.send_signal(signal.SIGTERM)
            _, log = await asyncio.wait_for(gateway.communicate(), 10)
            text += log.decode()
            assert gateway.returncode == 0, text
    await cloud.until(lambda: cloud.statuses[-1].state == "offline")
    for secret in (SERIAL_NUMBER, "mg/dL", *(reading.raw for m in cloud.messages for reading in m.readings)):
        assert secret not in text


async def test_a_second_gateway_on_the_same_data_is_refused(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    path = written(tmp_path, broker)
    async with running(path), process("run", path) as second:
        _, said = await asyncio.wait_for(second.communicate(), 20)
        assert second.returncode == 4
        assert b"another gateway runs on" in said


async def test_status_is_said_beside_a_running_gateway(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    async with PtyDoor(meter(4)) as door:
        path = written(tmp_path, broker, door.url)
        async with running(path):
            await cloud.until(lambda: any(message.session.complete for message in cloud.messages))
            await eventually(everything_freed(path, 4))
            async with process("status", path) as command:
                said, _ = await asyncio.wait_for(command.communicate(), 20)
                assert command.returncode == 0
    status = json.loads(said)
    assert status["outbox"] == {"depth": 0, "oldest_unsent_s": None, "in_flight": 0, "freed": {"stored": 4}}
    (device,) = status["devices"]
    assert (device["name"], device["last"]["outcome"], device["last"]["holds"]) == ("meter-0", "complete", 4)
    assert device["last"]["identity"].startswith("maker LifeScan, model OneTouch UltraMini, firmware P02.00.00; ")


async def test_status_without_the_key_says_what_it_can_and_why_not_the_rest(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(4)) as door:
        path = written(tmp_path, broker, door.url)
        async with running(path):
            await eventually(everything_freed(path, 4))
    (tmp_path / "data" / "outbox.key").unlink()
    async with process("status", path) as command:
        said, _ = await asyncio.wait_for(command.communicate(), 20)
    status = json.loads(said)
    assert (command.returncode, status["outbox"]["freed"]) == (0, {"stored": 4})
    assert "outbox.key is missing" in status["sealed"]
    assert status["devices"][0]["last"] is None


async def test_a_gateway_without_its_key_does_not_start_and_says_what_helps(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    path = written(tmp_path, broker)
    async with running(path):
        pass
    (tmp_path / "data" / "outbox.key").unlink()
    async with process("run", path) as gateway:
        _, said = await asyncio.wait_for(gateway.communicate(), 20)
    assert (gateway.returncode, b"put the file back" in said) == (3, True)


async def test_what_calls_for_somebody_is_told_at_once_and_not_at_the_next_heartbeat(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    """The heartbeat is a minute away; ``until`` waits for 20 s."""
    link = tmp_path / "dev" / "meter"
    path = written(tmp_path, broker, str(link))
    with path.open("a") as file:
        file.write('[[device]]\nname = "odd"\nprofile = "no-such"\nurl = "/dev/odd"\n')

    def outcomes() -> dict[str, str | None]:
        return {device.name: device.outcome for device in cloud.statuses[-1].devices}

    async with running(path):
        await cloud.until(lambda: bool(cloud.statuses) and outcomes() == {"meter-0": None, "odd": "no_profile"})
        async with PtyDoor(meter(3), link):
            await cloud.until(lambda: outcomes()["meter-0"] == "complete")
        before = len(cloud.statuses)
        async with PtyDoor(meter(3, Faults(drop_frames=tuple(range(1, 10_000)))), link):
            await cloud.until(lambda: outcomes()["meter-0"] == "unreachable")
    # Once each, not with each visit: the meter is visited every 0.2 s.
    assert len(cloud.statuses) <= before + 4
    meter_now = cloud.statuses[before].devices[0]
    assert (meter_now.device_id, meter_now.holds) == (f"lifescan:sn:{SERIAL_NUMBER}", 3)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, b"COMMAND"),
        (["run", "nothing.toml"], 2, b"nothing.toml: cannot be read"),
        (["status", "nothing.toml"], 2, b"nothing.toml: cannot be read"),
        (["sing"], 2, b"invalid choice"),
    ],
)
async def test_the_command_says_what_is_wrong(arguments: list[str], code: int, said: bytes) -> None:
    async with process(*arguments) as command:
        output, errors = await asyncio.wait_for(command.communicate(), 20)
    assert command.returncode == code
    assert said in output + errors


async def test_status_before_the_first_run_says_that_there_is_no_outbox(broker: OwnBroker, tmp_path: Path) -> None:
    async with process("status", written(tmp_path, broker)) as command:
        _, errors = await asyncio.wait_for(command.communicate(), 20)
    assert (command.returncode, b"outbox" in errors) == (3, True)


async def test_four_serial_devices_cost_little_memory_and_no_thread_each(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        lines = [meter(100, serial_number=f"SIM00000{number}") for number in range(4)]
        doors = [await stack.enter_async_context(PtyDoor(line)) for line in lines]
        path = written(tmp_path, broker, *(door.url for door in doors))
        async with process("run", path) as gateway:
            await ready(gateway)
            await cloud.until(lambda: len(cloud.received()) == 400)
            facts = dict(line.split(":\t", 1) for line in status_of(gateway.pid) if ":\t" in line)
            loaded = Path(f"/proc/{gateway.pid}/maps").read_text()
    # Certificates are asked for by a process of its own: the library for that costs 8 MB.
    assert "libsodium" in loaded or "_sodium" in loaded
    assert "cryptography" not in loaded
    assert int(facts["VmRSS"].split()[0]) / 1024 < 45
    # The event loop, paho's, and asyncio's pool, which is used for opening ports and for good-byes.
    assert int(facts["Threads"]) <= 2 + 8


def status_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/status").read_text().splitlines()


async def test_a_task_that_is_cancelled_without_our_asking_is_not_taken_for_finished() -> None:
    async def abandoned() -> None:
        future = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    with pytest.raises(RuntimeError, match="ended by itself"):
        await app._lasting(abandoned())


async def test_a_task_that_we_end_just_ends() -> None:
    async def for_ever() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(app._lasting(for_ever()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
