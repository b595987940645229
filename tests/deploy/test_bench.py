"""The benchmark's own arithmetic, its small MQTT client on a real broker, and one figure measured quickly."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.bench import results
from deploy.bench.__main__ import FIGURES, QUICK
from deploy.bench.mqtt import MqttClient, Refused
from deploy.bench.results import LIMITS, Rounds, percentile
from deploy.bench.stage import Scene
from deploy.services.running import Running
from deploy.services.source import OwnBroker


def test_every_figure_with_a_limit_is_measured_by_a_command() -> None:
    assert {name.partition(".")[0] for name in LIMITS} == set(FIGURES)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(range(1, 101), 0.99) == 99
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([7.0], 0.99) == 7.0


def test_the_table_and_the_file_say_the_median_of_the_rounds(tmp_path: Path) -> None:
    rounds = Rounds()
    for value in (0.5, 0.7, 0.9):
        rounds.add(ratio=value, ingest_per_s=10_000 * value)
    shown = "\n".join(results.table({"ingest_single": rounds}))
    assert "ingest_single.ratio" in shown
    assert "≥ 0.6" in shown
    assert "met" in shown
    file = tmp_path / "bench" / "results.json"
    results.write(file, results.as_json({"ingest_single": rounds}, {"quick": False}))
    written = json.loads(file.read_text())
    assert (written["ingest_single"]["ratio"], written["ingest_single"]["ingest_per_s"]) == (0.7, 7000)


async def test_the_small_client_publishes_and_hears(broker: OwnBroker) -> None:
    passwords = broker.add_users(["home-1", "ingest"])
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    ingest = await MqttClient.open(broker, "ingest", passwords["ingest"], on_payload=heard.put_nowait)
    await ingest.subscribe(["phg/v1/+/readings"])
    home = await MqttClient.open(broker, "home-1", passwords["home-1"])
    payloads = [bytes([number]) * (number * 40) for number in range(1, 250)]
    for payload in payloads:
        await home.publish("phg/v1/home-1/readings", payload, b"\7" * 16)
    await home.settled()
    async with asyncio.timeout(10):
        assert [await heard.get() for _ in payloads] == payloads
    for client in (home, ingest):
        client.close()
        await client.closed()


async def test_the_small_client_is_refused_with_a_wrong_password(broker: OwnBroker) -> None:
    broker.add_user("home-1")
    with pytest.raises(Refused):
        await MqttClient.open(broker, "home-1", "a guess")


class Stubborn(NamedTuple):
    """Where a broker listens that refuses and does not hang up."""

    host: str
    port: int


async def test_the_small_client_hangs_up_where_it_is_refused_and_nobody_else_does() -> None:
    ended = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"\x20\x03\x00\x87\x00")  # CONNACK: not authorized, no properties
        with suppress(ConnectionResetError):
            await reader.read(-1)
        ended.set()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    stubborn = Stubborn("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        with pytest.raises(Refused):
            await MqttClient.open(stubborn, "home-1", "a guess")
        await asyncio.wait_for(ended.wait(), 5)
    finally:
        server.close()


async def test_a_figure_is_measured_with_everything_real(services: Running, tmp_path: Path) -> None:
    said: list[str] = []
    rounds = await FIGURES["ingest_single"](Scene(services, tmp_path, QUICK, said.append))
    assert rounds.medians["ratio"] == pytest.approx(
        rounds.medians["ingest_per_s"] / rounds.medians["bare_subscriber_per_s"]
    )
    assert len(said) == QUICK.rounds
