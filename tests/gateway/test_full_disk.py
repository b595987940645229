"""A disk that is full to the last octet: devices are left unread and say why, what waits gets out, reading resumes."""

import asyncio
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.services.source import OwnBroker
from device_drivers.simulators.pty_door import PtyDoor
from device_drivers.simulators.spec import RecordSpec
from gateway.disk import FLOOR_OCTETS, MIB, Disk
from tests.fix_gateway import FakeCloud
from tests.gateway.on_a_small_disk import (
    a_disk_that_fills_while_a_cuff_is_read,
    a_disk_that_refuses_every_write,
    a_disk_that_somebody_else_filled,
    a_first_start_there,
    a_gateway_that_is_killed_there,
    an_outbox_that_filled_the_disk_itself,
    fill,
    in_a_namespace,
)
from tests.gateway.test_app import meter, ready, written

# Room for the floor (16 MiB), the reserve and an outbox.
MOUNT = 'mount -t tmpfs -o size=40m tmpfs "$0" && exec "$@"'


@pytest.mark.parametrize(
    "scenario",
    [
        an_outbox_that_filled_the_disk_itself,
        a_disk_that_somebody_else_filled,
        a_disk_that_fills_while_a_cuff_is_read,
        a_gateway_that_is_killed_there,
        a_first_start_there,
    ],
    ids=lambda scenario: scenario.__name__,
)
def test_what_waits_gets_out_of_a_disk_that_is_full(tmp_path: Path, scenario: Callable[[Path], None]) -> None:
    play(scenario, tmp_path)


def test_a_disk_that_refuses_to_be_written_gets_nothing_more_until_it_can_be(
    tmp_path: Path,
) -> None:
    play(a_disk_that_refuses_every_write, tmp_path)


def play(scenario: Callable[[Path], None], folder: Path) -> None:
    command = in_a_namespace(sys.executable, "-m", "tests.gateway.on_a_small_disk", scenario.__name__, folder)
    played = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert played.returncode == 0, played.stderr


@asynccontextmanager
async def gateway_on_a_small_disk(config: Path, data: Path) -> AsyncIterator[Process]:
    data.mkdir(mode=0o700)
    command = in_a_namespace("sh", "-c", MOUNT, data, sys.executable, "-m", "gateway", "run", config)
    child = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    try:
        await ready(child)
        yield child
    finally:
        child.kill()
        await child.communicate()


async def test_a_full_disk_leaves_devices_unread_is_told_and_reading_resumes_by_itself(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    async with PtyDoor(meter(5)) as door:
        config = written(tmp_path, broker, door.url)
        async with gateway_on_a_small_disk(config, tmp_path / "data") as gateway:
            await cloud.until(lambda: len(cloud.received()) == 5)
            disk = Path(f"/proc/{gateway.pid}/root{tmp_path}/data")  # its mounts are its own
            fill(disk)
            await cloud.until(lambda: cloud.statuses[-1].storage_error is not None)
            assert "the disk is full" in str(cloud.statuses[-1].storage_error)
            assert (cloud.statuses[-1].disk_free_octets or 0) < FLOOR_OCTETS
            door.line.device.measure(RecordSpec(value="400"))
            said = len(cloud.statuses)
            (disk / "other").unlink()
            await cloud.until(lambda: len(cloud.received()) == 6)
            await cloud.until(lambda: any(s.storage_error is None for s in cloud.statuses[said:]))


def test_the_reserve_is_whole_or_not_there(tmp_path: Path) -> None:
    free = Disk(tmp_path).free_octets()
    too_much = Disk(tmp_path, floor=0, reserve=free * 2)
    too_much.hold_reserve()
    assert not (tmp_path / "reserve").exists()
    disk = Disk(tmp_path, floor=0, reserve=MIB)
    disk.hold_reserve()
    assert (tmp_path / "reserve").stat().st_size == MIB
    assert disk.release_reserve()
    assert not disk.release_reserve()
