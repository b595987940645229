"""`python -m deploy.bench.bare_subscriber`: drains a queue with manual acknowledgements and does nothing else.

The rate at which paho can do this at all is what ``ingest_single`` is measured against.
"""

import json
import os
import sys
import threading

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from cloud.config import ingest_settings
from cloud.ingest import names
from cloud.ingest.lane import RECEIVE_MAXIMUM
from deploy.bench import clock


def main() -> int:
    """Take up the reserved session, drain it, print the rate."""
    settings = ingest_settings()
    broker = settings.broker
    expected = int(os.environ["BENCH_MESSAGES"])
    warm = expected // 10
    done = threading.Event()
    arrived = 0
    warm_at = last_at = 0.0

    def on_message(client: Client, userdata: object, message: MQTTMessage) -> None:
        nonlocal arrived, warm_at, last_at
        del userdata
        client.ack(message.mid, qos=1)
        arrived += 1
        if arrived == warm:
            warm_at = clock.monotonic()
        if arrived == expected:
            last_at = clock.monotonic()
            done.set()

    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=names.session(settings.client_id),
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
    )
    client.username_pw_set(broker.username, broker.password)
    client.on_message = on_message
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.SessionExpiryInterval = 60
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)
    client.loop_start()
    done.wait()
    leaving = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
    leaving.SessionExpiryInterval = 0
    client.disconnect(properties=leaving)
    client.loop_stop()
    print(json.dumps({"rate": (expected - warm) / (last_at - warm_at)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
