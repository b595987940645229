"""A running ingest process, and a gateway's side of the broker."""

import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud.ingest.arrivals import Arrival
from deploy.services.source import OwnBroker
from gateway.wire import v1
from tests.cloud.made import GATEWAY

PATIENCE_S = 30.0


@dataclass
class Ingest:
    """``python -m cloud ingest``, with what it logged."""

    process: "subprocess.Popen[str]"
    ready: threading.Event = field(default_factory=threading.Event)
    log: list[str] = field(default_factory=list)

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def watch(self) -> None:
        """Read its output until it ends."""
        for line in self.process.stdout or ():
            self.log.append(line)
            if line.startswith("ready"):
                self.ready.set()


@contextmanager
def ingest(database_url: str, mqtt_url: str, client_id: str = "ingest-1") -> Iterator[Ingest]:
    """A worker that is ready; killed at the end if it still runs."""
    environ = os.environ | {
        "PULSEPOST_DATABASE_URL": database_url,
        "PULSEPOST_MQTT_URL": mqtt_url,
        "PULSEPOST_INGEST_CLIENT_ID": client_id,
    }
    command = [sys.executable, "-m", "cloud", "ingest"]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running = Ingest(process)
    reader = threading.Thread(target=running.watch)
    reader.start()
    try:
        assert running.ready.wait(PATIENCE_S), "".join(running.log)
        yield running
    finally:
        process.kill()
        process.wait(PATIENCE_S)
        reader.join(PATIENCE_S)
        if process.stdout:
            process.stdout.close()


class Gateway:
    """A gateway's connection: it publishes messages and keeps the receipts that come."""

    def __init__(self, broker: OwnBroker, password: str, gateway_id: str = GATEWAY) -> None:
        self.fates: dict[str, list[v1.Fate]] = defaultdict(list)
        self.whole: list[v1.ReceiptsMessage] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._gateway_id = gateway_id
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=gateway_id, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.username_pw_set(gateway_id, password)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(v1.topic(gateway_id, "receipts"), qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)

    def send(self, arrival: Arrival) -> None:
        """Publish a message as a gateway does."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it untyped
        properties.CorrelationData = arrival.correlation
        properties.MessageExpiryInterval = v1.MESSAGE_EXPIRY_S
        self._client.publish(v1.topic(self._gateway_id, "readings"), arrival.payload, qos=1, properties=properties)

    def say(self, status: v1.StatusMessage) -> None:
        """Publish a status."""
        self._client.publish(v1.topic(self._gateway_id, "status"), v1.encode(status), qos=1)

    def wait_for(self, reading_ids: Collection[str], timeout_s: float = PATIENCE_S) -> bool:
        """Whether a receipt of each came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.fates.keys() >= set(reading_ids), timeout_s)

    def wait_for_count(self, count: int) -> None:
        """Until so many readings have a receipt."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.fates) >= count, PATIENCE_S)

    def wait_for_whole(self) -> v1.ReceiptsMessage:
        """The first receipt of a whole message."""
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.whole), PATIENCE_S)
            return self.whole[0]

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del client, userdata
        receipts = v1.decode_receipts(bytes(message.payload))
        with self._changed:
            for receipt in receipts.receipts:
                self.fates[receipt.reading_id].append(receipt.fate)
            if receipts.whole_message:
                self.whole.append(receipts)
            self._changed.notify_all()
