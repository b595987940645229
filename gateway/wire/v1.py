"""Version 1 of what a gateway says over MQTT, and what it is told. It is for ever: fields are added, never changed.

Topics (MQTT 5, QoS 1, no retained message, no patient data anywhere in them):

    phg/v1/{gateway_id}/live       gateway → cloud   ReadingsMessage of readings that may call for somebody now
    phg/v1/{gateway_id}/readings   gateway → cloud   ReadingsMessage of all others
    phg/v1/{gateway_id}/receipts   cloud → gateway   ReceiptsMessage
    phg/v1/{gateway_id}/status     gateway → cloud   StatusMessage (also the last will)
    phg/v1/{gateway_id}/commands   cloud → gateway   CommandsMessage

The correlation data of a readings message are its message_id (16 octets). The two topics differ in nothing but the
queue that their messages wait in: a reading is taken on either of them.

A readings message expires after MESSAGE_EXPIRY_S, for the sake of its countdown: the broker hands on what is left (MQTT
5, 3.3.2.3.3), and so the cloud learns how long it was kept there.

A commands message expires with its command, so that the broker hands nobody an order of yesterday. It comes again until
a status tells what became of it: a gateway knows a command by its id, and does it once.

JSON, UTF-8. Decimals travel as strings, so that 5.0 stays 5.0. Times are RFC 3339 with their offset where they are the
gateway's or the cloud's (a time without one is refused), and naive ISO 8601 where they are the device's.

A reader ignores fields that it does not know: that is how version 1 grows. The fates never grow, because a gateway in a
home could not read a fourth: what is neither stored, known nor quarantined gets no receipt, and comes again. A readings
message may be without readings: then it tells of its session alone.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp, Evidence

VERSION = 1
# More readings than this in one message buy nothing in throughput and cost latency.
MAX_READINGS = 50
# A broker ends the connection of whoever sends it more than it takes (ours: 256 KiB), each time it is sent again.
MAX_READINGS_OCTETS = 128 * 1024
# Decimals beyond 10^±128 are no device's: IEEE 11073 FLOAT ends there, and a database need not find out.
MAX_DECIMAL_EXPONENT = 128
# Nothing is lost where a message expires: what has no receipt is published again.
MESSAGE_EXPIRY_S = 30 * 24 * 3600
# Figures of more characters than this are no device's either, and are not kept in memory for the next that is equal.
LONGEST_KEPT_FIGURES = 32

# A time that does not say its zone is nobody's time.
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
# A UUID in either spelling, with or without hyphens; gateways write 32 hex digits. (?!\n): in Python, unlike in JSON
# Schema, $ also stands before a line feed at the end.
Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$(?!\n)")]
Count = Annotated[int, msgspec.Meta(ge=0)]
# What a gateway is to do, in a word.
CommandKind = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$(?!\n)")]
# Up to three centuries.
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e10)]


class WireError(Exception):
    """A payload that is not version 1; ``reason`` says where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownVersion(WireError):
    """A message of a version that this reader does not know."""


class ContentMismatch(WireError):
    """A reading whose id was not made from its content."""


class WireDevice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    manufacturer: str
    model: str
    serial_number: str | None = None
    system_id: str | None = None
    address: str | None = None
    firmware: str | None = None


class WirePrevious(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last visit of this gateway to the same device that went to its end; by count, where ``drained``."""

    gateway_time: Instant
    device_time: str | None = None
    drained: bool = False


class WireSession(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One visit to one device: who it is, both clocks at one moment, how much it holds.

    ``clock_synchronised``: whether the gateway could vouch for its own clock then; absent where it does not know.

    The session of a visit that went to its end is told once more when it has ended, in a message without readings that
    comes after all of its readings: then ``complete`` is true, and ``received`` says how many readings the device gave.
    """

    session_id: Id
    device: WireDevice
    started_at: Instant
    profile: str
    device_time: str | None = None
    gateway_time: Instant | None = None
    holds: Count | None = None
    previous: WirePrevious | None = None
    clock_synchronised: bool | None = None
    ended_at: Instant | None = None
    complete: bool = False
    received: Count | None = None


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
    read_at: Instant
    sample: str = "patient"
    sequence_number: int | None = None
    occurrence: int = 0
    user_index: int | None = None
    annotations: tuple[str, ...] = ()
    context: dict[str, str] = {}
    clock_went_back_to: str | None = None


class ReadingsMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Readings of one session.

    ``waited_s``: how long ago the gateway read the oldest of them (the one with the earliest ``read_at``) when it
    published the message, by a clock that nobody can set; absent where it does not know.
    """

    v: int
    message_id: Id
    session: WireSession
    readings: tuple[WireReading, ...]
    waited_s: Seconds | None = None


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
    message_id: Id
    committed_at: Instant
    receipts: tuple[Receipt, ...] = ()
    whole_message: Fate | None = None
    reason: str | None = None


class WireDeviceState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device of the gateway's roster as its last visit found it.

    ``name`` is its name in the gateway's configuration. ``outcome`` is a word of ``visit.Outcome``; a reader takes any.
    ``identity`` is what answered where no profile, or more than one, fits it, in its own words: support can write
    the profile from it. ``repairs`` are the steps of the ladder that Bluetooth repairs have taken, and how often.
    """

    name: str
    profile: str
    transport: str | None = None
    device_id: str | None = None
    visited_at: Instant | None = None
    outcome: str | None = None
    reason: str | None = None
    identity: str | None = None
    complete_at: Instant | None = None
    holds: Count | None = None
    heard_at: Instant | None = None
    battery_low: bool | None = None
    repairs: dict[str, Count] = {}


class CommandStage(StrEnum):
    """How far a command has come. UNDERWAY is followed by one of the others; those are the end of it."""

    UNDERWAY = "underway"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"


class CommandsMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command. What ``body`` holds depends on ``kind``; nothing in it is about a patient.

    A gateway that does not know the kind refuses it. After ``expires_at`` a command is not begun.
    """

    v: int
    command_id: Id
    kind: CommandKind
    expires_at: Instant
    body: dict[str, Any] = {}


class WireCommandState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a command, in every status for a while, and again where the command comes again.

    ``stage`` is a word of CommandStage. ``step`` counts what was said of this command: of two statuses the one with the
    greater step is the newer. ``reason`` is for people; what ``detail`` holds depends on the command's kind.
    """

    command_id: Id
    kind: CommandKind
    stage: str
    step: Count
    at: Instant | None = None
    reason: str | None = None
    detail: dict[str, Any] = {}


class StatusMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Birth, heartbeat and last will of a gateway.

    ``storage_error``: why the outbox takes nothing at the moment (a full disk); devices are then left unread.
    ``readings_damaged``: how many readings in the outbox the disk has damaged; they are not in ``outbox_depth``.
    ``certificate_until``: the end of the validity of the certificate that the gateway shows. ``versions``: of what the
    gateway runs on, by name. ``commands``: what became of the last ones.
    """

    v: int
    state: Literal["online", "offline"]
    at: Instant | None = None
    software: str | None = None
    outbox_depth: Count | None = None
    oldest_unsent_s: Count | None = None
    started_at: Instant | None = None
    clock_synchronised: bool | None = None
    disk_free_octets: Count | None = None
    storage_error: str | None = None
    readings_damaged: Count | None = None
    certificate_until: Instant | None = None
    versions: dict[str, str] = {}
    devices: tuple[WireDeviceState, ...] = ()
    commands: tuple[WireCommandState, ...] = ()


def topic(gateway_id: str, channel: Literal["live", "readings", "receipts", "status", "commands"]) -> str:
    """The topic of one gateway's channel. Gateway ids are opaque: letters, digits and hyphens."""
    return f"phg/v1/{gateway_id}/{channel}"


class _Versioned(msgspec.Struct, frozen=True):
    """What every version has in common."""

    v: int


Word = TypeVar("Word", bound=StrEnum)
Message = TypeVar("Message", ReadingsMessage, ReceiptsMessage, StatusMessage, CommandsMessage)

_READINGS = msgspec.json.Decoder(ReadingsMessage)
_RECEIPTS = msgspec.json.Decoder(ReceiptsMessage)
_STATUS = msgspec.json.Decoder(StatusMessage)
_COMMANDS = msgspec.json.Decoder(CommandsMessage)
_VERSION = msgspec.json.Decoder(_Versioned)
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def encode(message: ReadingsMessage | ReceiptsMessage | StatusMessage | CommandsMessage) -> bytes:
    """JSON octets of a message."""
    return _ENCODER.encode(message)


def decode_readings(payload: bytes) -> ReadingsMessage:
    """WireError where the payload is not a version-1 readings message."""
    return _decode(_READINGS, payload)


def decode_receipts(payload: bytes) -> ReceiptsMessage:
    """WireError where the payload is not a version-1 receipts message."""
    return _decode(_RECEIPTS, payload)


def decode_status(payload: bytes) -> StatusMessage:
    """WireError where the payload is not a version-1 status message."""
    return _decode(_STATUS, payload)


def decode_commands(payload: bytes) -> CommandsMessage:
    """WireError where the payload is not a version-1 commands message."""
    return _decode(_COMMANDS, payload)


def _decode(decoder: msgspec.json.Decoder[Message], payload: bytes) -> Message:
    # RecursionError: an array nested ten thousand deep is bad input like any other.
    try:
        message = decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Another version may have another shape, and the reason should say which it is.
        _refuse_other_version(payload)
        raise WireError(str(error)) from error
    if message.v != VERSION:
        raise UnknownVersion(f"unknown wire version {message.v}")
    return message


def _refuse_other_version(payload: bytes) -> None:
    try:
        version = _VERSION.decode(payload).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(str(error)) from error
    if version != VERSION:
        raise UnknownVersion(f"unknown wire version {version}")


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
        clock_went_back_to=reading.clock_went_back_to.isoformat() if reading.clock_went_back_to else None,
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


# All readings of a session share one identity: made once, its device_id is worked out once.
@lru_cache(maxsize=1024)
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


class _Words(dict[str, Word]):
    """The members of an enumeration by their word, at a tenth of the price of calling it; ValueError for another."""

    def __init__(self, words: type[Word]) -> None:
        super().__init__((member.value, member) for member in words)
        self._name = words.__name__

    def __missing__(self, word: str) -> Word:
        raise ValueError(f"{word!r} is not a valid {self._name}")


_KINDS, _UNITS, _STATES, _SAMPLES = _Words(Kind), _Words(Unit), _Words(QuantityState), _Words(Sample)


def reading(wire: WireReading, session: WireSession) -> Reading:
    """Back from the wire. WireError for an unknown code, unit, state or kind; ContentMismatch for another's id."""
    return reading_of(wire, device_identity(session.device), session.profile)


def reading_of(wire: WireReading, device: DeviceIdentity, profile: str) -> Reading:
    """The same, for a caller that has the device of the session already."""
    try:
        made = Reading(
            device=device,
            kind=_KINDS[wire.kind],
            components=tuple([_component(component) for component in wire.components]),
            reported_time=ReportedTime(
                wire.reported_time, datetime.fromisoformat(wire.reported_local) if wire.reported_local else None
            ),
            profile=profile,
            raw=bytes.fromhex(wire.raw),
            sample=_SAMPLES[wire.sample],
            sequence_number=wire.sequence_number,
            occurrence=wire.occurrence,
            user_index=wire.user_index,
            annotations=wire.annotations,
            context=wire.context,
            clock_went_back_to=_wall_clock(wire.clock_went_back_to),
        )
        if made.reading_id != wire.reading_id:
            raise ContentMismatch(f"reading_id {wire.reading_id} does not belong to this content ({made.reading_id})")
    except ValueError as error:
        raise WireError(str(error)) from error
    return made


def _component(wire: WireComponent) -> Component:
    value, bound = _text(wire.value), _text(wire.bound)
    if len(value or "") + len(bound or "") > LONGEST_KEPT_FIGURES:
        return _made_component.__wrapped__(wire.code, wire.unit, wire.state, value, bound)
    return _made_component(wire.code, wire.unit, wire.state, value, bound)


# Devices report few different figures: most components have been made before. Kept by text, because 5.0 equals 5.00.
@lru_cache(maxsize=8192)
def _made_component(code: int, unit: str, state: str, value: str | None, bound: str | None) -> Component:
    return Component(Mdc(code), Quantity(_figure(value), _UNITS[unit], _STATES[state], _figure(bound)))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _figure(text: str | None) -> Decimal | None:
    if text is None:
        return None
    value = Decimal(text)
    if not (value.is_finite() and abs(value.adjusted()) <= MAX_DECIMAL_EXPONENT):
        raise ValueError(f"{value} is not a figure that a device can report")
    return value


def coincident(session: WireSession) -> CoincidentTimeStamp | None:
    """The session's coincident time stamp, where the device's clock could be read. WireError for an odd date."""
    device_time = _wall_clock(session.device_time)
    if device_time is None or session.gateway_time is None:
        return None
    return CoincidentTimeStamp(session.gateway_time, device_time)


def evidence(session: WireSession) -> Evidence:
    """What the session says for and against its own stamp. WireError for an odd date."""
    previous = session.previous
    if previous is None:
        return Evidence(synchronised=session.clock_synchronised, started_at=session.started_at)
    device_time = _wall_clock(previous.device_time)
    return Evidence(
        previous=CoincidentTimeStamp(previous.gateway_time, device_time) if device_time is not None else None,
        drained_at=previous.gateway_time if previous.drained else None,
        synchronised=session.clock_synchronised,
        started_at=session.started_at,
    )


def _wall_clock(text: str | None) -> datetime | None:
    """A device's wall clock. WireError for an odd date, or for one with a zone."""
    if text is None:
        return None
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise WireError(str(error)) from error
    if local.tzinfo is not None:
        raise WireError(f"a device's clock has no zone: {text}")
    return local


def wire_session(
    session_id: str,
    identity: DeviceIdentity,
    profile: str,
    started_at: datetime,
    stamp: CoincidentTimeStamp | None,
    holds: Count | None,
    *,
    previous: WirePrevious | None = None,
    clock_synchronised: bool | None = None,
    ended_at: datetime | None = None,
    complete: bool = False,
    received: Count | None = None,
) -> WireSession:
    """One visit in the words of version 1."""
    return WireSession(
        session_id=session_id,
        device=wire_device(identity),
        started_at=started_at,
        profile=profile,
        device_time=stamp.device_time.isoformat() if stamp else None,
        gateway_time=stamp.gateway_time if stamp else None,
        holds=holds,
        previous=previous,
        clock_synchronised=clock_synchronised,
        ended_at=ended_at,
        complete=complete,
        received=received,
    )
