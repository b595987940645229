"""Commands from the database over a real broker to a gateway's own code, and back; and what kills do to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from cloud.commands import store
from cloud.config import BrokerAddress, IngestSettings
from cloud.ingest.commanding import Commanding
from deploy.services.source import OwnBroker
from gateway import clock, heartbeat
from gateway.commands import DONE, Answer, Command, Commands
from gateway.config import Mqtt
from gateway.outbox import Outbox
from gateway.publisher import Publisher
from gateway.sightings import Sightings
from tests.cloud.ingest.running import PATIENCE_S, Ingest, ingest
from tests.cloud.made import GATEWAY, Ward


@dataclass
class Line:
    """A ward, a broker, an ingest process that can be started, and a gateway's outbox."""

    ward: Ward
    broker: OwnBroker
    outbox: Outbox
    password: str
    mqtt_url: str
    stack: ExitStack
    done: list[Command] = field(default_factory=list)

    async def start_ingest(self, client_id: str = "ingest-1") -> Ingest:
        """A worker that is ready."""
        started = ingest(self.ward.database.ingest_url, self.mqtt_url, client_id)
        return await asyncio.to_thread(self.stack.enter_context, started)

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[Commands]:
        """A gateway with a kind ``note``."""
        commands = Commands(
            self.outbox, clock.now, clock.monotonic, lambda: True, on_news=lambda: publisher.say_status()
        )
        commands.add("note", self._note)
        heart = heartbeat.Heart(
            self.outbox, [], Sightings(clock.now), clock.now, lambda: True, commands=commands.states
        )
        publisher = Publisher(
            self.outbox,
            GATEWAY,
            Mqtt(host=self.broker.host, port=self.broker.port),
            self.password,
            status=heart.status,
            now=clock.now,
            monotonic=clock.monotonic,
            reconnect_max_s=1.0,
            on_command=commands.received,
        )
        task = asyncio.create_task(publisher.run())
        try:
            await asyncio.wait_for(publisher.connected.wait(), PATIENCE_S)
            yield commands
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def send(self, **body: object) -> UUID:
        """Somebody at the console wants a note taken."""
        now = clock.now()
        async with await AsyncConnection.connect(self.ward.database.console_url) as conn:
            return await store.send(
                conn, GATEWAY, "note", body, at=now, expires_at=now + timedelta(minutes=5), secret={"word": "psst"}
            )

    async def until(self, command_id: UUID, stage: str) -> None:
        """Until the console sees that stage."""
        async with (
            await AsyncConnection.connect(self.ward.database.console_url, autocommit=True) as conn,
            asyncio.timeout(PATIENCE_S),
        ):
            while await self._stage(conn, command_id) != stage:  # noqa: ASYNC110 -- the table tells nobody
                await asyncio.sleep(0.02)

    async def _stage(self, conn: AsyncConnection[Any], command_id: UUID) -> str | None:
        found = await store.command(conn, command_id)
        return found.stage if found else None

    def _note(self, command: Command) -> Answer:
        self.done.append(command)
        return DONE


@pytest.fixture
def line(ward: Ward, broker: OwnBroker, tmp_path: Path) -> Any:
    """Nothing runs yet but database and broker."""
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    password = broker.add_user("ingest")
    with ExitStack() as stack:
        stack.callback(outbox.close)
        url = f"mqtt://ingest:{password}@{broker.host}:{broker.port}"
        yield Line(ward, broker, outbox, broker.add_user(GATEWAY), url, stack)


async def test_a_command_reaches_the_gateway_and_its_outcome_the_console(line: Line) -> None:
    worker = await line.start_ingest()
    async with line.gateway():
        command_id = await line.send(of="today")
        await line.until(command_id, "done")

    assert [dict(command.body) for command in line.done] == [{"of": "today", "word": "psst"}]
    assert line.ward.rows("SELECT count(*) FROM gateway_command_secret") == [(0,)]
    assert "psst" not in "".join(worker.log)


async def test_a_command_outlives_the_ingest_the_broker_and_a_gateway_that_is_away(line: Line) -> None:
    first = await line.send(number=1)  # nobody is there
    worker = await line.start_ingest()
    await line.until(first, "published")  # nobody hears it, and the broker forgets
    await asyncio.to_thread(worker.kill)
    await asyncio.to_thread(line.broker.kill)
    await asyncio.to_thread(line.broker.start)
    second = await line.send(number=2)

    async with line.gateway():
        # As after the pause for which an answer was waited.
        line.ward.admin.execute("UPDATE gateway_command SET publish_at = now() WHERE publish_at IS NOT NULL")
        await line.start_ingest("ingest-2")
        await line.until(second, "done")
        await line.until(first, "done")
    assert sorted(command.body["number"] for command in line.done) == [1, 2]


async def test_a_command_that_is_published_twice_is_done_once(line: Line) -> None:
    await line.start_ingest()
    async with line.gateway():
        command_id = await line.send()
        await line.until(command_id, "done")
        line.ward.admin.execute(
            "UPDATE gateway_command SET stage = 'waiting', step = -1, publish_at = now(), published = 0"
        )
        async with await AsyncConnection.connect(line.ward.database.jobs_url) as conn:
            await conn.execute("NOTIFY gateway_commands")
        await line.until(command_id, "done")
    assert len(line.done) == 1


class Stumbling:
    """A broker's client that a defect of ours makes stumble once."""

    def __init__(self) -> None:
        self.stumbled = False
        self.said: list[bytes] = []

    def publish_command(self, topic: str, payload: bytes, expires_in_s: int) -> None:  # noqa: ARG002 -- the port
        if not self.stumbled:
            self.stumbled = True
            raise ValueError("a figure of 7.8 mmol/L")
        self.said.append(payload)


async def test_a_command_that_cannot_be_said_keeps_no_other_back_and_its_words_out_of_the_log(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Stumbling()
    settings = IngestSettings(
        database_url=line.ward.database.ingest_url, broker=BrokerAddress(host="127.0.0.1", port=1)
    )
    commanding = Commanding(settings, broker, lambda: True, clock.now)
    await line.send(number=1)
    commanding.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not broker.stumbled:  # noqa: ASYNC110 -- it is another thread
                await asyncio.sleep(0.02)
            await line.send(number=2)
            while not any(b'"number":2' in payload for payload in broker.said):  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.02)
    finally:
        await asyncio.to_thread(commanding.stop)
    assert "a command was not published (ValueError at cloud/" in caplog.text
    assert "7.8" not in caplog.text
