"""The link to the broker, cut at any octet of the way up or down: what was being said is said again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from deploy.chaos.proxy import Direction, Proxy
from deploy.services.source import OwnBroker
from gateway import clock
from gateway.config import Mqtt
from gateway.outbox import Lane, Outbox
from gateway.publisher import Publisher
from gateway.wire import v1
from tests.fix_gateway import FakeCloud, eventually
from tests.gateway.made import session, wire

READINGS = range(3)
CUTS = 16  # in each direction


async def test_a_link_cut_at_any_octet_loses_nothing(broker: OwnBroker, cloud: FakeCloud, tmp_path: Path) -> None:
    passwords = broker.add_users(["home-0", *(f"home-{d}-{n}" for d in Direction for n in range(CUTS))])
    whole = await journey(broker, cloud, tmp_path, "home-0", passwords["home-0"])
    assert all(whole.values())

    async with asyncio.TaskGroup() as group:
        for direction in Direction:
            for number in range(CUTS):
                home = f"home-{direction}-{number}"
                cut = (direction, 1 + whole[direction] * number // CUTS)
                group.create_task(journey(broker, cloud, tmp_path, home, passwords[home], cut))


async def journey(
    broker: OwnBroker,
    cloud: FakeCloud,
    folder: Path,
    home: str,
    password: str,
    cut: tuple[Direction, int] | None = None,
) -> dict[Direction, int]:
    """A home with readings that wait, until all are freed; how many octets passed each way."""
    with closing(Outbox.open(folder / home / "outbox.sqlite")) as outbox:
        outbox.put(session(), [(wire(number), Lane.LIVE) for number in READINGS], clock.now())
        proxy = Proxy(broker.port)
        await proxy.open()
        try:
            cutting = asyncio.create_task(proxy.cut_after(cut[1], cut[0], within_s=30)) if cut else None
            async with publishing(outbox, home, Mqtt(host="127.0.0.1", port=proxy.port), password):
                if cutting is not None:
                    assert await cutting, f"{home}: {cut} was never reached"
                await eventually(lambda: outbox.depth().rows == 0)
        finally:
            await proxy.close()
    heard = {
        r.reading_id for topic, m in zip(cloud.topics, cloud.messages, strict=True) for r in m.readings if home in topic
    }
    assert heard == {wire(number).reading_id for number in READINGS}
    return dict(proxy.passed)


@asynccontextmanager
async def publishing(outbox: Outbox, home: str, mqtt: Mqtt, password: str) -> AsyncIterator[None]:
    publisher = Publisher(
        outbox,
        home,
        mqtt,
        password,
        status=lambda: v1.StatusMessage(v=1, state="online"),
        now=clock.now,
        monotonic=clock.monotonic,
        receipt_timeout_s=5.0,
        reconnect_max_s=1.0,
    )
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
