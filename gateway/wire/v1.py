"""Version 1 of what a gateway says over MQTT, and what it is told. It is for ever: fields are added, never changed.

Topics (MQTT 5, QoS 1, no retained message, no patient data anywhere in them):

    phg/v1/{gateway_id}/readings   gateway → cloud   ReadingsMessage; correlation data = message_id (16 octets)
    phg/v1/{gateway_id}/receipts   cloud → gateway   ReceiptsMessage
    phg/v1/{gateway_id}/status     gateway → cloud   StatusMessage (also the last will)
    phg/v1/{gateway_id}/commands   cloud → gateway   reserved

JSON, UTF-8. Decimals travel as strings, so that 5.0 stays 5.0. Times are RFC 3339 in UTC where they are the gateway's,
and naive ISO 8601 where they are the device's.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec

from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp

VERSION = 1
# More readings than this in one message buy nothing in throughput and cost latency.
MAX_READINGS = 50


class WireError(Exception):
    """A payload that is not version 1; ``reason`` says where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WireDevice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    manufacturer: str
    model: str
    serial_number: str | None = None
    system_id: str | None = None
    address: str | None = None
    firmware: str | None = None


class WireSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One visit to one device: who it is, both clocks at one moment, how much it holds."""

    session_id: str
    device: WireDevice
    started_at: datetime
    profile: str
    device_time: str | None = None
    gateway_time: datetime | None = None
    holds: int | None = None


class WireComponent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    code: int
    unit: str
    value: Decimal | None = None
    state: str = "measured"
    bound: Decimal | None = None


class WireReading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    reading_id: str
    kind: str
    components: tuple[WireComponent, ...]
    reported_time: str
    reported_local: str | None = None
    raw: str
    read_at: datetime
    sample: str = "patient"
    sequence_number: int | None = None
    occurrence: int = 0
    user_index: int | None = None
    annotations: tuple[str, ...] = ()
    context: dict[str, str] = {}


class ReadingsMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    v: int
    message_id: str
    session: WireSession
    readings: tuple[WireReading, ...]


class Fate(StrEnum):
    """What became of a reading. Each of them frees its outbox row."""

    STORED = "stored"
    ALREADY_KNOWN = "already_known"
    QUARANTINED = "quarantined"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    reading_id: str
    fate: Fate
    reason: str | None = None


class ReceiptsMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sent after the commit; ``whole_message`` is the fate of a message of which no reading could be made out."""

    v: int
    message_id: str
    committed_at: datetime
    receipts: tuple[Receipt, ...] = ()
    whole_message: Fate | None = None
    reason: str | None = None


class StatusMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Birth, heartbeat and last will of a gateway."""

    v: int
    state: Literal["online", "offline"]
    at: datetime | None = None
    software: str | None = None
    outbox_depth: int | None = None
    oldest_unsent_s: int | None = None


def topic(gateway_id: str, channel: Literal["readings", "receipts", "status", "commands"]) -> str:
    """The topic of one gateway's channel. Gateway ids are opaque: letters, digits and hyphens."""
    return f"phg/v1/{gateway_id}/{channel}"


_READINGS = msgspec.json.Decoder(ReadingsMessage)
_RECEIPTS = msgspec.json.Decoder(ReceiptsMessage)
_STATUS = msgspec.json.Decoder(StatusMessage)
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def encode(message: ReadingsMessage | ReceiptsMessage | StatusMessage) -> bytes:
    """JSON octets of a message."""
    return _ENCODER.encode(message)


def decode_readings(payload: bytes) -> ReadingsMessage:
    """WireError where the payload is not a version-1 readings message."""
    try:
        message = _READINGS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
    if message.v != VERSION:
        raise WireError(f"unknown wire version {message.v}")
    return message


def decode_receipts(payload: bytes) -> ReceiptsMessage:
    """WireError where the payload is not a version-1 receipts message."""
    try:
        message = _RECEIPTS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
    if message.v != VERSION:
        raise WireError(f"unknown wire version {message.v}")
    return message


def decode_status(payload: bytes) -> StatusMessage:
    """WireError where the payload is not a version-1 status message."""
    try:
        return _STATUS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error


def wire_reading(reading: Reading, read_at: datetime) -> WireReading:
    """A Reading in the words of version 1; ``read_at`` is when its last byte reached the gateway."""
    return WireReading(
        reading_id=reading.reading_id,
        kind=reading.kind.value,
        components=tuple(
            WireComponent(
                code=int(c.code),
                unit=c.quantity.unit.value,
                value=c.quantity.value,
                state=c.quantity.state.value,
                bound=c.quantity.bound,
            )
            for c in reading.components
        ),
        reported_time=reading.reported_time.text,
        reported_local=reading.reported_time.local.isoformat() if reading.reported_time.local else None,
        raw=reading.raw.hex(),
        read_at=read_at,
        sample=reading.sample.value,
        sequence_number=reading.sequence_number,
        occurrence=reading.occurrence,
        user_index=reading.user_index,
        annotations=reading.annotations,
        context=dict(reading.context),
    )


def wire_device(identity: DeviceIdentity) -> WireDevice:
    """A DeviceIdentity in the words of version 1."""
    return WireDevice(
        manufacturer=identity.manufacturer,
        model=identity.model,
        serial_number=identity.serial_number,
        system_id=identity.system_id,
        address=identity.address,
        firmware=identity.firmware,
    )


def device_identity(device: WireDevice) -> DeviceIdentity:
    """Back from the wire."""
    return DeviceIdentity(
        manufacturer=device.manufacturer,
        model=device.model,
        serial_number=device.serial_number,
        system_id=device.system_id,
        address=device.address,
        firmware=device.firmware,
    )


def reading(wire: WireReading, session: WireSession) -> Reading:
    """Back from the wire. WireError for an unknown code, unit, state or kind, or an id that is not its content's."""
    try:
        made = Reading(
            device=device_identity(session.device),
            kind=Kind(wire.kind),
            components=tuple(
                Component(Mdc(c.code), Quantity(c.value, Unit(c.unit), QuantityState(c.state), c.bound))
                for c in wire.components
            ),
            reported_time=ReportedTime(
                wire.reported_time, datetime.fromisoformat(wire.reported_local) if wire.reported_local else None
            ),
            profile=session.profile,
            raw=bytes.fromhex(wire.raw),
            sample=Sample(wire.sample),
            sequence_number=wire.sequence_number,
            occurrence=wire.occurrence,
            user_index=wire.user_index,
            annotations=wire.annotations,
            context=wire.context,
        )
        if made.reading_id != wire.reading_id:
            raise WireError(f"reading_id {wire.reading_id} does not belong to this content ({made.reading_id})")
    except ValueError as error:
        raise WireError(str(error)) from error
    return made


def coincident(session: WireSession) -> CoincidentTimeStamp | None:
    """The session's coincident time stamp, where the device's clock could be read. WireError for an odd date."""
    if session.device_time is None or session.gateway_time is None:
        return None
    try:
        return CoincidentTimeStamp(session.gateway_time, datetime.fromisoformat(session.device_time))
    except ValueError as error:
        raise WireError(str(error)) from error
