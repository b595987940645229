"""The ingest process on a real broker and a real database, and what kills and outages do to it."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from cloud import clock
from cloud.ingest.arrivals import Arrival
from cloud.ingest.lane import SESSION_EXPIRY_S
from deploy.services.running import Running
from deploy.services.source import OwnBroker
from device_drivers.readings import Reading
from gateway.wire import v1
from tests.cloud.ingest.running import PATIENCE_S, Gateway, Ingest, ingest
from tests.cloud.made import GATEWAY, Ward, arrival, changed, glucose, message, sent, session, wait_for_a_lock


@dataclass
class Road:
    """A ward, a broker with a gateway's connection, and a way to start ingest workers."""

    ward: Ward
    broker: OwnBroker
    gateway: Gateway
    mqtt_url: str
    stack: ExitStack

    def start(self, client_id: str = "ingest-1") -> Ingest:
        """A worker that is ready; ended with the test."""
        return self.stack.enter_context(ingest(self.ward.database.ingest_url, self.mqtt_url, client_id))


@pytest.fixture
def road(ward: Ward, broker: OwnBroker) -> Iterator[Road]:
    """Everything but the ingest."""
    gateway = Gateway(broker, broker.add_user(GATEWAY))
    password = broker.add_user("ingest")
    with ExitStack() as stack:
        stack.callback(gateway.close)
        yield Road(ward, broker, gateway, f"mqtt://ingest:{password}@{broker.host}:{broker.port}", stack)


def stream(count: int, per_message: int = 5) -> tuple[list[Reading], list[Arrival]]:
    """Low glucose readings, one a minute back from now, and the messages that carry them."""
    now = clock.now().replace(microsecond=0)
    readings = [glucose("48", at=now - timedelta(minutes=n)) for n in range(count)]
    visit = session(readings[0].device)
    text = now.replace(tzinfo=None).isoformat()
    visit = v1.WireSession(
        session_id=visit.session_id,
        device=visit.device,
        started_at=now,
        profile=visit.profile,
        device_time=text,
        gateway_time=now,
    )
    return readings, [sent(*readings[n : n + per_message], visit=visit) for n in range(0, count, per_message)]


def ids(readings: list[Reading]) -> set[str]:
    """Their reading ids."""
    return {reading.reading_id for reading in readings}


def test_readings_are_stored_then_receipted(road: Road) -> None:
    road.start()
    readings, messages = stream(20)
    for each in messages:
        road.gateway.send(each)

    assert road.gateway.wait_for(ids(readings))
    assert road.ward.count("glucose_observation") == 20
    assert road.ward.count("alert_case") == 1


def test_a_poison_message_is_answered_and_its_neighbours_pass(road: Road) -> None:
    road.start()
    readings, messages = stream(10)
    road.gateway.send(messages[0])
    road.gateway.send(arrival(b"\x00poison"))
    road.gateway.send(messages[1])

    assert road.gateway.wait_for(ids(readings))
    assert road.gateway.wait_for_whole().reason == "undecodable"
    assert road.ward.count("quarantine") == 1


def test_ids_as_long_as_a_message_get_no_receipt_that_the_broker_refuses(road: Road) -> None:
    worker = road.start()
    readings, messages = stream(5)
    # While the worker waits for the ledger both odd messages arrive, and are one batch.
    with road.ward.admin.transaction():
        road.ward.admin.execute("LOCK ledger IN EXCLUSIVE MODE")
        road.gateway.send(messages[0])
        wait_for_a_lock(road.ward)
        odd = [changed(message(glucose("100")), reading_id=letter * 200_000) for letter in "xy"]
        for each in odd:
            road.gateway.send(arrival(each))
        road.gateway.send(sent(glucose("101")))

    assert road.gateway.wait_for(ids(readings) | {each.readings[0].reading_id for each in odd})
    assert not [line for line in worker.log if "the broker is away" in line]


def test_a_worker_that_is_asked_to_end_ends_in_order(road: Road) -> None:
    assert road.start().end() == 0


def test_kill_9_in_mid_stream_loses_nothing_and_doubles_nothing(road: Road) -> None:
    worker = road.start()
    readings, messages = stream(500)
    for each in messages[:60]:
        road.gateway.send(each)
    road.gateway.wait_for_count(1)
    worker.kill()
    for each in messages[60:]:
        road.gateway.send(each)
    road.start()

    if not road.gateway.wait_for(ids(readings), timeout_s=3.0):
        # Killed between the ack and the receipt: the gateway misses receipts and sends again, as its outbox does.
        for each in messages:
            road.gateway.send(each)
    assert road.gateway.wait_for(ids(readings))
    assert (road.ward.count("ledger"), road.ward.count("glucose_observation")) == (500, 500)
    assert road.ward.count("alert_case") == road.ward.rows("SELECT count(DISTINCT condition) FROM alert_case")[0][0]


def test_two_workers_share_the_stream_and_open_one_case(road: Road) -> None:
    first, second = road.start("ingest-1"), road.start("ingest-2")
    readings, messages = stream(300, per_message=1)
    for each in messages + messages:
        road.gateway.send(each)

    assert road.gateway.wait_for(ids(readings))
    assert (road.ward.count("ledger"), road.ward.count("glucose_observation")) == (300, 300)
    assert road.ward.count("alert_case") == 1
    assert first.end() == second.end() == 0


def test_a_worker_that_has_ended_is_dealt_no_messages_any_more(road: Road) -> None:
    road.start("ingest-1")
    assert road.start("ingest-2").end() == 0
    readings, messages = stream(40, per_message=1)
    for each in messages:
        road.gateway.send(each)

    assert road.gateway.wait_for(ids(readings), timeout_s=SESSION_EXPIRY_S / 2)


def test_an_outage_of_the_database_stops_acknowledgements_and_loses_nothing(road: Road, services: Running) -> None:
    worker = road.start()
    readings, messages = stream(50)
    for each in messages[:3]:
        road.gateway.send(each)
    assert road.gateway.wait_for(ids(readings[:15]))

    name = sql.Identifier(road.ward.admin.info.dbname)
    with psycopg.connect(services.postgres_admin_url, autocommit=True) as outside:
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        outside.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'pulsepost ingest-1' AND datname = %s",
            (road.ward.admin.info.dbname,),
        )
        for each in messages[3:]:
            road.gateway.send(each)
        assert not road.gateway.wait_for(ids(readings[15:20]), timeout_s=0.5)
        assert worker.process.poll() is None
        outside.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))

    assert road.gateway.wait_for(ids(readings))
    assert road.ward.count("glucose_observation") == 50
    assert all(fates == [v1.Fate.STORED] for fates in road.gateway.fates.values())


def test_a_broker_that_is_killed_and_comes_back_finds_its_worker_again(road: Road) -> None:
    worker = road.start()
    readings, messages = stream(40)
    for each in messages[:4]:
        road.gateway.send(each)
    assert road.gateway.wait_for(ids(readings[:20]))
    road.broker.kill()
    road.broker.start()

    for each in messages[4:]:
        road.gateway.send(each)
    if not road.gateway.wait_for(ids(readings), timeout_s=5.0):
        # What the broker had and lost, a gateway sends again: it misses the receipts.
        for each in messages:
            road.gateway.send(each)
    assert road.gateway.wait_for(ids(readings))
    assert road.ward.count("glucose_observation") == 40
    assert worker.process.poll() is None


def test_the_log_names_no_device_and_no_reading(road: Road) -> None:
    worker = road.start()
    readings, messages = stream(5)
    odd = arrival(message(glucose("100", annotations=("bad\0flag",))))
    for each in (*messages, odd, arrival(b'{"v":1,"message_id":"XYZ1234"}')):
        road.gateway.send(each)
    assert road.gateway.wait_for(ids(readings))
    road.gateway.wait_for_whole()
    worker.end()

    log = "".join(worker.log)
    assert "refused" in log
    for secret in ("XYZ1234", "flag", road.mqtt_url.split(":")[2].split("@")[0], *ids(readings)):
        assert secret not in log


def test_birth_and_will_reach_the_gateways_row(road: Road) -> None:
    road.start()
    heard = threading.Event()
    road.gateway.say(v1.StatusMessage(v=1, state="online", software="0.1.0", outbox_depth=10**12))
    road.gateway.say(v1.StatusMessage(v=1, state="online", software="0.1.0", outbox_depth=3))
    readings, messages = stream(1)
    for _ in range(int(PATIENCE_S * 10)):
        if road.ward.rows("SELECT state, outbox_depth FROM gateway") == [("online", 3)]:
            break
        heard.wait(0.1)
    road.gateway.send(messages[0])

    assert road.gateway.wait_for(ids(readings))
    assert road.ward.rows("SELECT state, software, outbox_depth FROM gateway") == [("online", "0.1.0", 3)]
