"""Readings that no gateway sent: those of training patients, brought in as a gateway would bring them.

They are messages of the wire, stored by the same code as any other: judged, entered into the ledger, filed. They come
as one visit, at which the device's whole memory was read.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from cloud.db.connect import Connection
from cloud.ingest.arrivals import Arrival
from cloud.ingest.handle import handle
from device_drivers.readings import Reading
from gateway.wire import v1


def plant(connection: Connection, gateway_id: str, readings: Sequence[Reading], now: datetime) -> int:
    """Readings of one device, whose clock shows UTC; how many were stored. The others are in quarantine.

    The gateway must be enrolled. On an autocommit connection each message is committed by itself.
    """
    visit_id = uuid4().hex
    stored = 0
    for first in range(0, len(readings), v1.MAX_READINGS):
        part = readings[first : first + v1.MAX_READINGS]
        message = v1.ReadingsMessage(
            v=1,
            message_id=uuid4().hex,
            session=v1.WireSession(
                session_id=visit_id,
                device=v1.wire_device(part[0].device),
                started_at=now,
                profile=part[0].profile,
                device_time=now.replace(tzinfo=None).isoformat(),
                gateway_time=now,
                holds=len(readings),
            ),
            readings=tuple(v1.wire_reading(reading, now) for reading in part),
        )
        arrival = Arrival(
            gateway_id=gateway_id,
            payload=v1.encode(message),
            correlation=bytes.fromhex(message.message_id),
            received_at=now,
            kept_s=0,
        )
        for outcome in handle(connection, [arrival], lambda: now):
            stored += sum(receipt.fate is v1.Fate.STORED for receipt in outcome.receipts.receipts)
    return stored
