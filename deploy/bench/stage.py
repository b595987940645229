"""What a figure is measured on: services, a fresh database, a broker of its own, homes, and their connections."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.bench import clock
from deploy.bench.homes import Database, Home, fresh_database, furnish
from deploy.bench.mqtt import MqttClient, Taker
from deploy.demo.road import Road, Services
from deploy.services.running import Running
from deploy.services.source import OwnBroker
from deploy.services.start import own_broker
from gateway.wire import v1

HOMES = 20
GATEWAY = "bench"


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly: rounds of each figure, and the share of its readings and seconds."""

    rounds: int
    share: float
    quick: bool

    def of(self, amount: int) -> int:
        """So much of an amount."""
        return max(1, round(amount * self.share))


@dataclass(frozen=True, slots=True)
class Scene:
    """What all figures share."""

    running: Running
    folder: Path
    effort: Effort
    say: Callable[[str], None]


@dataclass(slots=True)
class Receipted:
    """Counts receipts as they come in."""

    expected: int = 0
    count: int = 0
    warm_count: int = 0
    warm_at: float = 0.0
    last_at: float = 0.0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, count: int) -> None:
        """Start counting anew."""
        self.expected, self.count, self.warm_count = count, 0, 0
        self.done.clear()

    def take(self, payload: bytes) -> None:
        """One receipts message. Counted without decoding: the machine is busy enough."""
        self.count += payload.count(b'"reading_id"')
        self.last_at = clock.monotonic()
        if not self.warm_count and self.count >= self.expected / 10:
            self.warm_count, self.warm_at = self.count, self.last_at
        if self.count >= self.expected:
            self.done.set()

    @property
    def rate(self) -> float:
        """Readings a second, once the first tenth had warmed everything up."""
        return (self.count - self.warm_count) / (self.last_at - self.warm_at)


@dataclass(frozen=True, slots=True)
class Stage:
    """Ready to be measured on; ``road`` starts the processes."""

    scene: Scene
    database: Database
    broker: OwnBroker
    road: Road
    homes: Sequence[Home]
    passwords: dict[str, str]
    gateways: dict[str, MqttClient]
    receipted: Receipted

    async def connect(self, home: Home, on_payload: Taker | None = None) -> MqttClient:
        """A home's gateway that hears its receipts: by default they are counted."""
        client = await MqttClient.open(
            self.broker,
            home.gateway_id,
            self.passwords[home.gateway_id],
            on_payload=on_payload or self.receipted.take,
        )
        await client.subscribe([v1.topic(home.gateway_id, "receipts")])
        self.gateways[home.gateway_id] = client
        return client

    async def ended(self, process_name: str) -> None:
        """End one process of the road in order."""
        child = next(child for child in self.road.children if child.name == process_name)
        self.road.children.remove(child)
        await child.stop()


@asynccontextmanager
async def stage(scene: Scene, homes: int = HOMES) -> AsyncIterator[Stage]:
    """Everything is stopped and dropped at the end. No gateway is connected yet."""
    with fresh_database(scene.running) as database, own_broker() as broker:
        made = furnish(database, homes, clock.now())
        passwords = broker.add_users([*(home.gateway_id for home in made), "ingest", GATEWAY])
        services = Services(
            admin_url=database.admin_url,
            ingest_url=database.ingest_url,
            console_url=database.console_url,
            broker_host=broker.host,
            broker_port=broker.port,
            ingest_password=passwords["ingest"],
            gateway_password=passwords[GATEWAY],
        )
        ready = Stage(scene, database, broker, Road(services, GATEWAY, scene.folder), made, passwords, {}, Receipted())
        try:
            yield ready
        finally:
            await ready.road.stop()
            for gateway in ready.gateways.values():
                gateway.close()
            await asyncio.gather(*(gateway.closed() for gateway in ready.gateways.values()))
