"""Birth, heartbeat and last will of gateways: the gateway's row. Nothing rests on one of them; the next replaces it."""

import logging
from collections.abc import Sequence

import psycopg

from cloud.db.connect import Connection
from cloud.devices.store import GatewayStatus, record_status
from cloud.ingest.subscriber import Delivery
from gateway.wire import v1

log = logging.getLogger(__name__)


def record(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write the newest status of each gateway; one that is not version 1 or does not fit is logged and passed over."""
    statuses = [status for delivery in deliveries if (status := _status(delivery))]
    try:
        _record(connection, statuses)
    except psycopg.DataError:
        if len(deliveries) > 1:
            for delivery in deliveries:
                record(connection, [delivery])
        else:
            log.warning("a status of gateway %s does not fit the database", deliveries[0].gateway_id)


def _status(delivery: Delivery) -> GatewayStatus | None:
    try:
        message = v1.decode_status(delivery.payload)
    except v1.WireError as error:
        log.warning("a status of gateway %s is not version 1 (%s)", delivery.gateway_id, type(error).__name__)
        return None
    return GatewayStatus(
        gateway_id=delivery.gateway_id,
        state=message.state,
        received_at=delivery.received_at,
        software=message.software,
        outbox_depth=message.outbox_depth,
        oldest_unsent_s=message.oldest_unsent_s,
    )


def _record(connection: Connection, statuses: Sequence[GatewayStatus]) -> None:
    if not statuses:
        return
    known = record_status(connection, statuses)
    for unknown in {status.gateway_id for status in statuses} - known:
        log.warning("a status of gateway %s, which is not enrolled", unknown)
