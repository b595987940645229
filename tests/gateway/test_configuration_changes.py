"""A configuration that changes takes nothing out of the outbox: what a device that is gone had said is still sent."""

from pathlib import Path

from deploy.services.source import OwnBroker
from device_drivers.simulators.pty_door import PtyDoor
from gateway import app, config
from gateway.outbox import Outbox
from tests.fix_gateway import FakeCloud, eventually
from tests.gateway.test_app import meter, running, written


async def test_readings_of_a_device_that_was_taken_out_of_the_configuration_are_sent(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path
) -> None:
    cloud.answering = False
    async with PtyDoor(meter(20)) as door:
        path = written(tmp_path, broker, door.url)
        async with running(path):
            await eventually(lambda: waiting(path) == 20)

    path = written(tmp_path, broker)
    cloud.answering = True
    async with running(path):
        await eventually(lambda: waiting(path) == 0)
    assert len(cloud.received()) == 20


def waiting(path: Path) -> int:
    outbox = Outbox.read_only(app.outbox_path(config.load(path)))
    try:
        return outbox.depth().rows
    finally:
        outbox.close()
