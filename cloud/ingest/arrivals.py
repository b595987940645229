"""A message as it arrived, and what could be made out of it. Pure."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from cloud.devices.store import Session
from cloud.faults import placed
from cloud.ingest.instants import within_reach, within_reach_if_any
from device_drivers.identity import DeviceIdentity
from device_drivers.readings import Reading
from device_drivers.timestamps import CoincidentTimeStamp, Evidence
from gateway.wire import v1

log = logging.getLogger(__name__)

LARGEST_COUNT = 2**31 - 1


class ReasonCode(StrEnum):
    """Why something is in quarantine; the database knows the same list."""

    UNDECODABLE = "undecodable"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_GATEWAY = "unknown_gateway"
    UNASSIGNED_DEVICE = "unassigned_device"
    IMPOSSIBLE_VALUE = "impossible_value"
    IMPOSSIBLE_TIME = "impossible_time"
    UNKNOWN_TIMELINE = "unknown_timeline"
    CONTENT_MISMATCH = "content_mismatch"
    REFUSED_BY_DATABASE = "refused_by_database"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason: the code for machines and counters, the sentence for people.

    ``measured_at``: the time, where only the patient is missing; ``may_be``: the times, where there is more than one.
    """

    code: ReasonCode
    sentence: str
    measured_at: datetime | None = None
    may_be: tuple[datetime, ...] = ()


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One message from a gateway's readings topic. ``correlation`` is MQTT 5 correlation data, the message's id.

    ``kept_s``: how long the broker kept it, in whole seconds; None where it does not say.
    """

    gateway_id: str
    payload: bytes
    correlation: bytes
    received_at: datetime
    kept_s: int | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a message; ``reading`` is None where its content is refused already."""

    wire: v1.WireReading
    reading: Reading | None
    refusal: Refusal | None


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """A message that could be read; ``session`` as the wire has it for the quarantine, as we have it for the rest."""

    arrival: Arrival
    message: v1.ReadingsMessage
    session: Session
    coincident: CoincidentTimeStamp | None
    evidence: Evidence  # what the session and its way to us say for and against its stamp
    items: Sequence[Item]

    def split(self) -> "Sequence[Decoded]":
        """The same message once per reading."""
        return [msgspec.structs.replace(self, items=(item,)) for item in self.items]


class Undecoded(msgspec.Struct, frozen=True, kw_only=True):
    """A message of which nothing could be made out, or that may not be listened to."""

    arrival: Arrival
    refusal: Refusal


def decode(arrival: Arrival) -> Decoded | Undecoded:
    """Total: every payload becomes one or the other, whatever it holds."""
    try:
        return _decode(arrival)
    except v1.UnknownVersion as error:
        return Undecoded(arrival=arrival, refusal=Refusal(ReasonCode.UNKNOWN_VERSION, error.reason))
    except v1.WireError as error:
        return Undecoded(arrival=arrival, refusal=Refusal(ReasonCode.UNDECODABLE, error.reason))
    except Exception as error:  # noqa: BLE001 - bytes from outside must never stop the queue, even where we have a bug
        log.error("decoding failed in a way we did not foresee: %s", placed(error))
        return Undecoded(arrival=arrival, refusal=Refusal(ReasonCode.UNDECODABLE, type(error).__name__))


def _decode(arrival: Arrival) -> Decoded:
    message = v1.decode_readings(arrival.payload)
    wire = message.session
    coincident, evidence = v1.coincident(wire), _with_waiting(v1.evidence(wire), message, arrival)
    try:
        device = v1.device_identity(wire.device)
        _ = device.device_id
    except ValueError as error:
        raise v1.WireError(str(error)) from error
    session = Session(
        session_id=wire.session_id,
        gateway_id=arrival.gateway_id,
        device=device,
        profile=wire.profile,
        started_at=within_reach(wire.started_at),
        gateway_time=within_reach_if_any(wire.gateway_time),
        device_time=coincident.device_time if coincident else None,
        holds=_count(wire.holds),
        received_at=arrival.received_at,
        ended_at=within_reach_if_any(wire.ended_at),
        complete=wire.complete,
        received=_count(wire.received),
    )
    return Decoded(
        arrival=arrival,
        message=message,
        session=session,
        coincident=coincident,
        evidence=evidence,
        items=[_item(reading, device, wire.profile) for reading in message.readings],
    )


def _with_waiting(evidence: Evidence, message: v1.ReadingsMessage, arrival: Arrival) -> Evidence:
    """The time in the gateway and the time at the broker; unknown where either is."""
    if message.waited_s is None or arrival.kept_s is None or not message.readings:
        return evidence
    return replace(
        evidence,
        oldest_read_at=min([reading.read_at for reading in message.readings]),
        waited=timedelta(seconds=message.waited_s + arrival.kept_s),
    )


def _count(count: int | None) -> int | None:
    """None for what no memory holds: a session's count must not hold its readings back, nor the rest of a batch up."""
    return count if count is not None and count <= LARGEST_COUNT else None


def _item(wire: v1.WireReading, device: DeviceIdentity, profile: str) -> Item:
    try:
        return Item(wire=wire, reading=v1.reading_of(wire, device, profile), refusal=None)
    except v1.ContentMismatch as error:
        refusal = Refusal(ReasonCode.CONTENT_MISMATCH, error.reason)
    except v1.WireError as error:
        refusal = Refusal(ReasonCode.UNDECODABLE, error.reason)
    return Item(wire=wire, reading=None, refusal=refusal)


_ENCODER = msgspec.json.Encoder(decimal_format="string")


class _Waiting(msgspec.Struct, frozen=True):
    """What its message said of its way to us: of a reading alone it could not be told any more."""

    oldest_read_at: datetime
    waited_s: float


class _Whole(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON of ``whole``; session and reading exactly as they came."""

    v: int
    session: msgspec.Raw
    reading: msgspec.Raw
    waiting: _Waiting | None = None


def whole(item: Item, decoded: Decoded) -> bytes:
    """One reading with its session, as JSON: what is kept of it where it does not count, enough to judge it again."""
    kept: dict[str, object] = {"v": v1.VERSION, "session": decoded.message.session, "reading": item.wire}
    evidence = decoded.evidence
    if evidence.oldest_read_at is not None and evidence.waited is not None:
        kept["waiting"] = _Waiting(evidence.oldest_read_at, evidence.waited.total_seconds())
    return _ENCODER.encode(kept)


def again(kept: bytes, message_id: str, gateway_id: str, received_at: datetime) -> Decoded | Undecoded:
    """``whole`` read back: the message of this one reading, decoded as when it first came (at ``received_at``)."""
    try:
        found = msgspec.json.decode(kept, type=_Whole)
    except msgspec.DecodeError as error:
        arrival = Arrival(gateway_id=gateway_id, payload=kept, correlation=b"", received_at=received_at)
        return Undecoded(arrival=arrival, refusal=Refusal(ReasonCode.UNDECODABLE, str(error)))
    payload = _ENCODER.encode(
        {"v": found.v, "message_id": message_id, "session": found.session, "readings": [found.reading]}
    )
    arrival = Arrival(gateway_id=gateway_id, payload=payload, correlation=b"", received_at=received_at)
    decoded = decode(arrival)
    if found.waiting is None or isinstance(decoded, Undecoded):
        return decoded
    waited = timedelta(seconds=found.waiting.waited_s)
    evidence = replace(decoded.evidence, oldest_read_at=found.waiting.oldest_read_at, waited=waited)
    return msgspec.structs.replace(decoded, evidence=evidence)
