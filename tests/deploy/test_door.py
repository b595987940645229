"""The gateways' door at a real broker: who is let in, what they may say and hear there, and what the log says of it."""

import queue
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from psycopg import AsyncConnection

from cloud import clock
from cloud.config import BrokerAddress
from cloud.enrolment.revocations import BrokerFiles, Revocations
from cloud.enrolment.store import add_certificate, enrol_gateway, revoke_others
from cloud.ingest.subscriber import Subscriber
from cloud.pki.authority import Authority
from deploy.services import places
from deploy.services.broker_login import ACCEPTED, lets_in
from deploy.services.source import OwnBroker
from deploy.services.start import own_broker
from gateway import identity
from gateway.clock import monotonic
from gateway.identity import Identity
from tests.fix_enrolment import as_signed, identity_signed_by, kept

WAIT_S = 10


class Guest:
    """Somebody at the door with an identity; what the broker answers stands in queues."""

    def __init__(self, broker: OwnBroker, made: Identity, folder: Path, client_id: str | None = None) -> None:
        answers, gone, alerts = queue.Queue[str](), queue.Queue[str](), queue.Queue[str]()
        published, subscribed = queue.Queue[str](), queue.Queue[list[str]]()
        messages = queue.Queue[tuple[str, bytes]]()

        def went(reason: str) -> None:
            gone.put(reason)
            answers.put(reason)

        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or made.gateway_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.tls_set_context(identity.tls_context(kept(made, folder)))
        # No callback knows this guest: paho closes its sockets when it is freed, and a circle would be freed late.
        client.on_connect = lambda _, __, ___, reason, ____: answers.put(str(reason))
        client.on_publish = lambda _, __, ___, reason, ____: published.put(str(reason))
        client.on_subscribe = lambda _, __, ___, reasons, ____: subscribed.put([str(reason) for reason in reasons])
        client.on_message = lambda _, __, message: messages.put((message.topic, bytes(message.payload)))
        client.on_disconnect = lambda _, __, ___, reason, ____: went(str(reason))
        client.on_log = lambda _, __, ___, text: alerts.put(text) if "ALERT" in text else None
        self.answers, self.gone, self.alerts = answers, gone, alerts
        self.published, self.subscribed, self.messages = published, subscribed, messages
        self.client = client
        self._broker = broker

    def enter(self) -> None:
        self.client.connect(self._broker.door.host, self._broker.door.port)
        self.client.loop_start()

    def let_in(self) -> bool:
        """Whether we are; else ``alerts`` says why not, if the alert came before the connection was reset."""
        self.enter()
        return self.answers.get(timeout=WAIT_S) == "Success"

    def publish(self, topic: str, payload: bytes = b"x") -> str:
        self.client.publish(topic, payload, qos=1)
        return self.published.get(timeout=WAIT_S)

    def subscribe(self, topic_filter: str) -> list[str]:
        self.client.subscribe(topic_filter, qos=1)
        return self.subscribed.get(timeout=WAIT_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def guest(broker: OwnBroker, made: Identity, folder: Path, client_id: str | None = None) -> Iterator[Guest]:
    visitor = Guest(broker, made, folder / made.gateway_id, client_id)
    try:
        yield visitor
    finally:
        visitor.leave()


def test_a_gateway_comes_in_by_its_certificate_and_is_called_what_it_says(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path
) -> None:
    with guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path, client_id="ingest-1") as home:
        assert home.let_in()
    assert "as home-1 (p5, c1, k60, u'home-1')" in broker.log()


def said(broker: OwnBroker, words: str, since: int) -> bool:
    """Whether the broker's log says it after so many characters: the log may come after the end of the connection."""
    end = monotonic() + WAIT_S
    while words not in broker.log()[since:]:
        if monotonic() > end:
            return False
        threading.Event().wait(0.02)
    return True


def refused(broker: OwnBroker, made: Identity, folder: Path) -> str:
    """The alert with which the broker ends the connection; its log must say it, too."""
    for _ in range(50):
        before = len(broker.log())
        with guest(broker, made, folder) as home:
            assert not home.let_in()
        assert said(broker, "certificate verify failed", before)
        if not home.alerts.empty():
            return home.alerts.get()
    raise AssertionError("no alert came through")


def test_a_certificate_of_another_authority_is_refused_and_logged(
    broker: OwnBroker, clone_authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    foreign = identity_signed_by(other_authority, "home-1", trusts=clone_authority)
    assert "UNKNOWN_CA" in refused(broker, foreign, tmp_path)


def test_an_expired_certificate_is_refused_and_logged(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path
) -> None:
    expired = identity_signed_by(clone_authority, "home-1", at=clock.now() - timedelta(days=91))
    assert "CERTIFICATE_EXPIRED" in refused(broker, expired, tmp_path)


def test_a_certificate_that_is_not_valid_yet_is_refused_and_logged(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path
) -> None:
    early = identity_signed_by(clone_authority, "home-1", at=clock.now() + timedelta(days=1))
    assert "ALERT" in refused(broker, early, tmp_path)


def test_without_a_certificate_nobody_comes_in(broker: OwnBroker, clone_authority: Authority, tmp_path: Path) -> None:
    made = Guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path)
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.load_verify_locations(cadata=clone_authority.pem)
    made.client._ssl_context = bare
    assert not made.let_in()
    assert "peer did not return a certificate" in broker.log()
    made.leave()


def test_a_password_is_not_looked_at_at_the_gateways_door(broker: OwnBroker) -> None:
    password = broker.add_user("ingest")
    assert lets_in(broker.host, broker.port, "ingest", password)
    assert not lets_in(broker.door.host, broker.door.port, "ingest", password)


def test_a_server_that_is_not_ours_gets_nothing_from_a_gateway(
    broker: OwnBroker, clone_authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    made = identity_signed_by(clone_authority, "home-1", trusts=other_authority)
    context = identity.tls_context(kept(made, tmp_path))
    with (
        socket.create_connection((broker.door.host, broker.door.port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname=broker.door.host)


@pytest.mark.parametrize("channel", ["live", "readings", "status", "receipts", "commands"])
def test_a_gateway_cannot_write_anothers_topics(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path, channel: str
) -> None:
    with guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path) as home:
        assert home.let_in()
        assert home.publish(f"phg/v1/home-2/{channel}") == "Not authorized"
        assert home.publish("phg/v1/home-1/readings") in ("Success", "No matching subscribers")


@pytest.mark.parametrize(
    "topic_filter",
    [
        "phg/v1/home-2/receipts",
        "phg/v1/home-2/#",
        "phg/v1/+/receipts",
        "phg/#",
        "#",
        "$share/ingest/phg/v1/+/receipts",
        "$share/ingest/phg/v1/home-2/receipts",
    ],
)
def test_a_gateway_hears_nothing_of_anothers_topics_and_the_log_says_that_it_asked(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path, topic_filter: str
) -> None:
    with (
        guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path) as curious,
        guest(broker, identity_signed_by(clone_authority, "home-2"), tmp_path) as other,
    ):
        assert curious.let_in()
        assert other.let_in()
        curious.subscribe(topic_filter)
        curious.subscribe("phg/v1/home-1/receipts")
        other.subscribe("phg/v1/home-2/receipts")
        cloud = Cloud(broker)
        cloud.say("phg/v1/home-2/receipts", b"for home-2")
        assert other.messages.get(timeout=WAIT_S) == ("phg/v1/home-2/receipts", b"for home-2")
        cloud.say("phg/v1/home-1/receipts", b"for home-1")
        cloud.leave()
        heard = curious.messages.get(timeout=WAIT_S)
        assert heard == ("phg/v1/home-1/receipts", b"for home-1")
    assert f"home-1 1 {topic_filter}" in broker.log()


def test_a_gateway_cannot_end_anothers_connection_or_take_its_session(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path
) -> None:
    with guest(broker, identity_signed_by(clone_authority, "home-2"), tmp_path) as other:
        assert other.let_in()
        with guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path, client_id="home-2") as thief:
            assert thief.let_in()
            assert other.publish("phg/v1/home-2/status") in ("Success", "No matching subscribers")
        assert other.gone.empty()


@contextmanager
def the_ingest(broker: OwnBroker, worker: str) -> Iterator[Subscriber]:
    address = BrokerAddress(host=broker.host, port=broker.port, username="ingest", password=broker.add_user("ingest"))
    subscriber = Subscriber(address, worker, clock.now)
    subscriber.start()
    try:
        assert subscriber.subscribed.wait(WAIT_S)
        yield subscriber
    finally:
        subscriber.stop()


def collected(subscriber: Subscriber, count: int) -> set[bytes]:
    payloads: set[bytes] = set()
    while len(payloads) < count and (batch := subscriber.collect(WAIT_S)):
        payloads |= {delivery.payload for delivery in batch}
        subscriber.acknowledge(batch)
    return payloads


def test_a_gateway_cannot_take_the_ingests_messages_by_subscribing_like_it(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path
) -> None:
    with (
        the_ingest(broker, "ingest-1") as ingest,
        guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path) as thief,
        guest(broker, identity_signed_by(clone_authority, "home-2"), tmp_path) as other,
    ):
        assert thief.let_in()
        assert other.let_in()
        for group in ("ingest", "ingest-1", "ingest-" + "0" * 32):
            thief.subscribe(f"$share/{group}/phg/v1/+/live")
            thief.subscribe(f"$share/{group}/phg/v1/+/readings")
        sent = {b"%d" % number for number in range(20)}
        for number, payload in enumerate(sorted(sent)):
            assert other.publish(f"phg/v1/home-2/{'live' if number % 2 else 'readings'}", payload) == "Success"
        assert collected(ingest, len(sent)) == sent


@pytest.mark.parametrize("worker", ["ingest-1", "ingest-1-live"])
def test_a_gateway_that_is_called_like_a_worker_does_not_end_its_connection(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path, worker: str
) -> None:
    with (
        the_ingest(broker, "ingest-1") as ingest,
        guest(broker, identity_signed_by(clone_authority, worker), tmp_path) as namesake,
    ):
        assert namesake.let_in()
        assert namesake.publish(f"phg/v1/{worker}/live", b"heard") == "Success"
        assert collected(ingest, 1) == {b"heard"}
        assert ingest.subscribed.is_set()
    assert "already connected" not in broker.log()


async def test_a_revoked_gateway_is_hung_up_on_and_refused_and_the_others_are_not(
    broker: OwnBroker, clone_authority: Authority, enrolment_role: AsyncConnection, tmp_path: Path
) -> None:
    revoked, good = (identity_signed_by(clone_authority, name) for name in ("home-1", "home-2"))
    now = clock.now()
    for each in (revoked, good):
        await enrol_gateway(enrolment_role, each.gateway_id, now)
        await add_certificate(enrolment_role, as_signed(each), now, "enrolment")
    list_of_broker = Revocations(clone_authority, broker_files(broker), clock.now)
    await list_of_broker.publish(enrolment_role)
    with guest(broker, revoked, tmp_path) as one, guest(broker, good, tmp_path) as two:
        assert one.let_in()
        assert two.let_in()
        await revoke_others(enrolment_role, "home-1", None, clock.now(), "stolen")
        await list_of_broker.publish(enrolment_role)
        assert one.gone.get(timeout=WAIT_S) == "Session taken over"
        assert two.publish("phg/v1/home-2/status") in ("Success", "No matching subscribers")
        assert two.gone.empty()
    assert "CERTIFICATE_REVOKED" in refused(broker, revoked, tmp_path / "again")
    broker.stop()
    broker.start()
    assert "CERTIFICATE_REVOKED" in refused(broker, revoked, tmp_path / "after a restart")
    with guest(broker, good, tmp_path / "again") as two:
        assert two.let_in()


async def test_a_revoked_gateway_cannot_resume_a_tls_session_of_before(
    broker: OwnBroker, clone_authority: Authority, enrolment_role: AsyncConnection, tmp_path: Path
) -> None:
    made = identity_signed_by(clone_authority, "home-1")
    await enrol_gateway(enrolment_role, "home-1", clock.now())
    await add_certificate(enrolment_role, as_signed(made), clock.now(), "enrolment")
    context = identity.tls_context(kept(made, tmp_path))
    answer, session, _ = mqtt_over(context, broker, None)
    assert answer == ACCEPTED
    assert mqtt_over(context, broker, session)[::2] == (ACCEPTED, True)
    await revoke_others(enrolment_role, "home-1", None, clock.now(), "stolen")
    await Revocations(clone_authority, broker_files(broker), clock.now).publish(enrolment_role)
    assert mqtt_over(context, broker, session)[::2] == (b"", False)


def mqtt_over(
    context: ssl.SSLContext, broker: OwnBroker, session: ssl.SSLSession | None
) -> tuple[bytes, ssl.SSLSession | None, bool | None]:
    """The CONNACK, if there is one; the TLS session; whether it was the one that was to be resumed."""
    with (
        socket.create_connection((broker.door.host, broker.door.port), timeout=WAIT_S) as plain,
        context.wrap_socket(plain, server_hostname=broker.door.host, session=session) as tls,
    ):
        try:
            tls.sendall(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c")  # MQTT 3.1.1, client id "c"
            answer = tls.recv(4)
        except OSError:
            answer = b""
        return answer, tls.session, tls.session_reused


def test_what_stands_in_the_brokers_folder_is_its_own_alone(broker: OwnBroker) -> None:
    folder = broker.door.revocation_list.parent.parent
    assert (folder / "server.key.pem").stat().st_mode & 0o077 == 0
    assert not list(folder.rglob("ca.key.pem"))


def broker_files(broker: OwnBroker) -> BrokerFiles:
    inside = BrokerAddress(
        host=broker.host, port=broker.port, username="enrolment", password=broker.add_user("enrolment")
    )
    return BrokerFiles(revocation_list=broker.door.revocation_list, reload=broker.door.reload, address=inside)


@pytest.mark.parametrize("cipher", ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "AES128-SHA"])
def test_an_old_cipher_is_not_spoken(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path, cipher: str
) -> None:
    context = identity.tls_context(kept(identity_signed_by(clone_authority, "home-1"), tmp_path))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    with (
        socket.create_connection((broker.door.host, broker.door.port)) as plain,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        context.wrap_socket(plain, server_hostname=broker.door.host)


def test_a_last_will_on_anothers_topic_is_not_published(
    broker: OwnBroker, clone_authority: Authority, tmp_path: Path
) -> None:
    with the_ingest(broker, "ingest-1") as ingest:
        for name in ("home-1", "home-2"):  # the second wills on its own topic, and is heard
            forger = Guest(broker, identity_signed_by(clone_authority, name), tmp_path / name)
            forger.client.will_set("phg/v1/home-2/status", name.encode(), qos=1)
            assert forger.let_in()
            forger.client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=4))  # with its will
            forger.client.loop_stop()
        assert collected(ingest, 1) == {b"home-2"}


def test_debug_lines_name_a_refused_publication_and_the_documented_filter_leaves_it(
    clone_authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "mosquitto.conf"
    text = places.MOSQUITTO_CONF.read_text().replace("log_timestamp_format %Y-%m-%dT%H:%M:%S", "log_timestamp false")
    changed.write_text(f"{text}log_type debug\n")
    monkeypatch.setattr(places, "MOSQUITTO_CONF", changed)
    with own_broker() as broker:
        with guest(broker, identity_signed_by(clone_authority, "home-1"), tmp_path) as home:
            assert home.let_in()
            home.publish("phg/v1/home-1/live")
            home.publish("Sending/Received/phg/v1/home-2/live")
        left = [line for line in broker.log().splitlines() if not re.match("^(Sending|Received) ", line)]
    assert any(
        line.startswith("Denied PUBLISH from home-1 ") and "'Sending/Received/phg/v1/home-2/live'" in line
        for line in left
    )
    assert not any("'phg/v1/home-1/live'" in line for line in left)


class Cloud:
    """The ingest, at the inner port."""

    def __init__(self, broker: OwnBroker) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="ingest", protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set("ingest", broker.add_user("ingest"))
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(WAIT_S)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
