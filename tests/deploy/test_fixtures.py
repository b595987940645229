"""The fixtures themselves: what they promise to every other test."""

from __future__ import annotations

from queue import Queue
from threading import Event

import psycopg
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from deploy.services.broker_login import lets_in
from deploy.services.source import OwnBroker
from tests.fix_services import Database


def test_a_database_is_migrated_and_its_roles_can_log_in(database: Database) -> None:
    with psycopg.connect(database.ingest_url) as connection:
        assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (0,)
    with psycopg.connect(database.console_url) as connection:
        assert connection.execute("SELECT count(*) FROM alert_case").fetchone() == (0,)


def test_a_second_database_is_empty_again(database: Database) -> None:
    with psycopg.connect(database.admin_url) as connection:
        assert connection.execute("SELECT count(*) FROM patient").fetchone() == (0,)
        connection.execute("INSERT INTO patient (display_name, time_zone) VALUES ('A', 'UTC')")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("log_statement", "none"),
        ("log_min_error_statement", "panic"),
        ("log_error_verbosity", "terse"),  # else a DETAIL line quotes the row that failed
        ("log_parameter_max_length_on_error", "0"),
    ],
)
def test_the_databases_log_quotes_no_patients_row(database: Database, setting: str, value: str) -> None:
    with psycopg.connect(database.admin_url) as connection:
        assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (value,)


class Subscriber:
    """An ingest as the broker sees it: a shared subscription, a session that outlives the connection."""

    def __init__(self, broker: OwnBroker, password: str) -> None:
        self.arrived: Queue[MQTTMessage] = Queue()
        self.subscribed = Event()
        self.client = _client("ingest", password)
        self.client.on_message = lambda _client, _data, message: self.arrived.put(message)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect(broker.host, broker.port, clean_start=False, properties=_session_expiry())
        self.client.subscribe("$share/ingest/phg/v1/+/readings", qos=1)
        self.client.loop_start()
        assert self.subscribed.wait(5)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_the_broker_keeps_a_message_over_an_orderly_restart(broker: OwnBroker) -> None:
    ingest, home = broker.add_user("ingest"), broker.add_user("home-1")
    Subscriber(broker, ingest).close()
    _publish(broker, "home-1", home, "phg/v1/home-1/readings", b"one")
    broker.stop()
    broker.start()
    subscriber = Subscriber(broker, ingest)
    message = subscriber.arrived.get(timeout=5)
    subscriber.close()
    assert (message.topic, message.payload) == ("phg/v1/home-1/readings", b"one")


def test_the_broker_keeps_its_port_and_its_users_over_a_kill(broker: OwnBroker) -> None:
    port, home = broker.port, broker.add_user("home-1")
    broker.kill()
    broker.start()
    assert broker.port == port
    assert lets_in(broker.host, broker.port, "home-1", home)


def test_a_gateway_cannot_speak_for_another(broker: OwnBroker) -> None:
    subscriber = Subscriber(broker, broker.add_user("ingest"))
    password = broker.add_user("home-1")
    assert _publish(broker, "home-1", password, "phg/v1/home-2/readings", b"no") == "Not authorized"
    assert _publish(broker, "home-1", password, "phg/v1/home-1/readings", b"yes") == "Success"
    assert subscriber.arrived.get(timeout=5).payload == b"yes"
    assert subscriber.arrived.empty()
    subscriber.close()


def test_nobody_gets_in_without_the_right_password(broker: OwnBroker) -> None:
    broker.add_user("home-1")
    with pytest.raises(ConnectionRefusedError, match="Not authorized"):
        _publish(broker, "home-1", "wrong", "phg/v1/home-1/readings", b"no")
    with pytest.raises(ConnectionRefusedError, match="Not authorized"):
        _publish(broker, "", "", "phg/v1/home-1/readings", b"no")


def test_a_user_is_let_in_as_soon_as_it_is_added(broker: OwnBroker) -> None:
    users = {f"home-{number}": broker.add_user(f"home-{number}") for number in range(20)}
    assert all(lets_in(broker.host, broker.port, user, password) for user, password in users.items())
    assert not lets_in(broker.host, broker.port, "home-1", users["home-2"])


def _client(user: str, password: str) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"client-{user}",
        protocol=MQTTProtocolVersion.MQTTv5,
        reconnect_on_failure=False,
    )
    if user:
        client.username_pw_set(user, password)
    return client


def _session_expiry() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    return properties


def _publish(broker: OwnBroker, user: str, password: str, topic: str, payload: bytes) -> str:
    """Publish at QoS 1 and wait for the PUBACK; its reason in words."""
    reasons: Queue[ReasonCode] = Queue()
    connected: Queue[ReasonCode] = Queue()
    client = _client(user, password)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: connected.put(reason)
    client.on_publish = lambda _client, _data, _mid, reason, _properties: reasons.put(reason)
    client.connect(broker.host, broker.port)
    client.loop_start()
    try:
        reason = connected.get(timeout=5)
        if reason.is_failure:
            raise ConnectionRefusedError(str(reason))
        client.publish(topic, payload, qos=1)
        return str(reasons.get(timeout=5))
    finally:
        client.disconnect()
        client.loop_stop()
