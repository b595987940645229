"""Birth, heartbeat and last will of gateways: the gateway's row, and what became of its commands.

Nothing rests on one of them: the next replaces it, and a command that nothing is heard of is sent again.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from cloud.commands.models import TOLD, Told
from cloud.commands.outgoing import record_told
from cloud.db.connect import Connection
from cloud.devices.statuses import DeviceState, GatewayStatus, record_status
from cloud.ingest.instants import within_reach_if_any
from cloud.ingest.subscriber import Delivery
from gateway.wire import v1

log = logging.getLogger(__name__)

# A home has a handful of devices. Whoever sends more, or longer texts, is cut short: the rest of the status counts.
MOST_DEVICES = 100
LONGEST_NAME = 200  # characters of what is a key
LONGEST_TEXT = 500
MOST_VERSIONS = 50
LARGEST_COUNT = 2**31 - 1
MOST_COMMANDS = 50
LARGEST_DETAIL = 16 * 1024  # octets of JSON


def record(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write the newest status of each gateway; one that is not version 1 or does not fit is logged and passed over."""
    messages = [(delivery, message) for delivery in deliveries if (message := _message(delivery))]
    try:
        _record(connection, [_status(delivery, message) for delivery, message in messages])
        record_told(connection, [told for delivery, message in messages for told in _told(delivery, message)])
    except psycopg.DataError:
        if len(deliveries) > 1:
            for delivery in deliveries:
                record(connection, [delivery])
        else:
            log.warning("a status of gateway %s does not fit the database", deliveries[0].gateway_id)


def _message(delivery: Delivery) -> v1.StatusMessage | None:
    try:
        return v1.decode_status(delivery.payload)
    except v1.WireError as error:
        log.warning("a status of gateway %s is not version 1 (%s)", delivery.gateway_id, type(error).__name__)
        return None


def _told(delivery: Delivery, message: v1.StatusMessage) -> Sequence[Told]:
    return [
        Told(
            command_id=UUID(command.command_id),
            gateway_id=delivery.gateway_id,
            stage=command.stage,
            step=min(command.step, LARGEST_COUNT),
            at=delivery.received_at,
            reason=_text(command.reason),
            detail=_detail(command.detail),
        )
        for command in message.commands[:MOST_COMMANDS]
        if command.stage in TOLD
    ]


def _detail(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """As it can be kept; nothing where it cannot."""
    encoded = msgspec.json.encode(detail)
    return {} if len(encoded) > LARGEST_DETAIL or b"\\u0000" in encoded else detail


def _status(delivery: Delivery, message: v1.StatusMessage) -> GatewayStatus:
    devices = [_device(device) for device in message.devices[:MOST_DEVICES] if _fits(device)]
    if len(devices) < len(message.devices):
        log.warning("%d devices of gateway %s do not fit", len(message.devices) - len(devices), delivery.gateway_id)
    return GatewayStatus(
        gateway_id=delivery.gateway_id,
        state=message.state,
        received_at=delivery.received_at,
        at=within_reach_if_any(message.at),
        software=_text(message.software),
        outbox_depth=_count(message.outbox_depth),
        oldest_unsent_s=_count(message.oldest_unsent_s),
        started_at=within_reach_if_any(message.started_at),
        clock_synchronised=message.clock_synchronised,
        disk_free_octets=_count(message.disk_free_octets, 2**63 - 1),
        storage_error=_text(message.storage_error),
        readings_damaged=_count(message.readings_damaged),
        certificate_until=within_reach_if_any(message.certificate_until),
        versions={
            _clean(name)[:LONGEST_NAME]: _clean(said)[:LONGEST_NAME]
            for name, said in list(message.versions.items())[:MOST_VERSIONS]
        },
        devices=devices,
    )


def _fits(device: v1.WireDeviceState) -> bool:
    """Whether its keys can be kept as they are: cut short they would be another device's."""
    keys = (device.name, device.profile, device.device_id or "")
    return all(len(key) <= LONGEST_NAME and "\0" not in key for key in keys)


def _device(device: v1.WireDeviceState) -> DeviceState:
    return DeviceState(
        name=device.name,
        profile=device.profile,
        transport=_text(device.transport),
        device_id=device.device_id,
        visited_at=within_reach_if_any(device.visited_at),
        outcome=_text(device.outcome),
        reason=_text(device.reason),
        identity=_text(device.identity),
        complete_at=within_reach_if_any(device.complete_at),
        holds=_count(device.holds),
        heard_at=within_reach_if_any(device.heard_at),
        battery_low=device.battery_low,
        repairs={
            _clean(step)[:LONGEST_NAME]: min(times, LARGEST_COUNT)
            for step, times in list(device.repairs.items())[:MOST_VERSIONS]
        },
    )


def _text(text: str | None) -> str | None:
    return None if text is None else _clean(text)[:LONGEST_TEXT]


def _clean(text: str) -> str:
    """PostgreSQL's text holds no NUL."""
    return text.replace("\0", "�")


def _count(count: int | None, largest: int = LARGEST_COUNT) -> int | None:
    return None if count is None else min(count, largest)


def _record(connection: Connection, statuses: Sequence[GatewayStatus]) -> None:
    if not statuses:
        return
    known = record_status(connection, statuses)
    for unknown in {status.gateway_id for status in statuses} - known:
        log.warning("a status of gateway %s, which is not enrolled", unknown)
