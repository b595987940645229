"""LifeScan OneTouch UltraMini and UltraEasy over their serial cable, Verio IQ over its USB serial bridge.

Reads the software version, the serial number, the clock and all glucose records that are new; writes nothing into the
meter. Values are mg/dL on the wire, whatever the display shows; HI and LO come as FFFF and FFFE. The UltraMini sends no
mark for control solution (such tests are not in its list). Records carry seconds of local wall time.

Every command is a data frame that the meter acknowledges and answers, and whose answer we acknowledge; two bits number
the frames modulo 2, so a repeated frame is recognised and dropped. Whatever goes wrong within an exchange (silence,
a damaged frame), the link is disconnected, which resets the bits, and the command is sent again, at most
``serial.retries`` times.

Quirks: ``without_link_layer`` (one frame asks, one answers, the control octet is always 0; because an answer does not
repeat the index, the line is listened to until it is quiet before a question is repeated), ``verio_messages`` (other
commands, a status octet, times since 2000, records that mark control solution and meals).

Wire page with offsets and a session decoded by hand: ``lifescan_ultramini.md``.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from device_drivers.codecs import lifescan_ultramini as wire
from device_drivers.codecs import lifescan_verio_iq
from device_drivers.codecs.lifescan_ultramini import Control, Frame, FrameReader, Record, Version
from device_drivers.drivers.conversation import Clock, Cursor, Event, Opened
from device_drivers.drivers.incoming import Incoming
from device_drivers.drivers.new_readings import new_readings
from device_drivers.drivers.retries import retried, until_quiet
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort, Values

WITHOUT_LINK_LAYER = "without_link_layer"
VERIO_MESSAGES = "verio_messages"
QUIRKS = frozenset({WITHOUT_LINK_LAYER, VERIO_MESSAGES})

MEALS = {1: "preprandial", 2: "postprandial"}

Answer = TypeVar("Answer")


class Messages(Protocol):
    """What the two message codecs have in common; each is a module, so what stands here are its functions."""

    READ_VERSION: bytes
    READ_SERIAL_NUMBER: bytes
    READ_CLOCK: bytes
    READ_COUNT: bytes

    def read_record(self, index: int) -> bytes: ...
    def decode_version(self, message: bytes) -> Version: ...
    def decode_serial_number(self, message: bytes) -> str: ...
    def decode_clock(self, message: bytes) -> datetime: ...
    def decode_count(self, message: bytes) -> int: ...
    def decode_record(self, message: bytes) -> Record: ...
    def encode_version(self, version: Version) -> bytes: ...
    def encode_serial_number(self, serial_number: str) -> bytes: ...
    def encode_clock(self, clock: datetime) -> bytes: ...
    def encode_count(self, count: int) -> bytes: ...
    def encode_record(self, record: Record) -> bytes: ...
    def decode_request(self, message: bytes) -> int | None: ...
    def seconds_of(self, local: datetime) -> int: ...


def messages_of(profile: Profile) -> Messages:
    """What the profile's meter says inside its frames."""
    return lifescan_verio_iq if profile.has_quirk(VERIO_MESSAGES) else wire


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    messages = messages_of(profile)
    meter = Unnumbered(link, profile) if profile.has_quirk(WITHOUT_LINK_LAYER) else UltraMini(link, profile)
    await meter.connect()
    version = await meter.ask(messages.READ_VERSION, messages.decode_version)
    serial_number = await meter.ask(messages.READ_SERIAL_NUMBER, messages.decode_serial_number)
    identity = DeviceIdentity(
        manufacturer=profile.device.maker,
        model=profile.device.model,
        serial_number=serial_number,
        firmware=version.software,
    )
    device_time = await meter.ask(messages.READ_CLOCK, messages.decode_clock)
    coincident = CoincidentTimeStamp(gateway_time=now(), device_time=device_time)
    memory = _Records(meter, messages, identity, profile)
    yield Opened(identity=identity, coincident=coincident, holds=await memory.count())
    async with aclosing(new_readings(memory, cursor)) as events:
        async for event in events:
            yield event


class Meter(Protocol):
    """A meter that answers."""

    async def connect(self) -> None:
        """Begin. LinkTimeout, LinkLost, ChecksumError."""
        ...

    async def ask(self, message: bytes, decode: Callable[[bytes], Answer]) -> Answer:
        """One command and its decoded answer. CodecError, LinkTimeout, LinkLost."""
        ...


class UltraMini:
    """The link layer: exchanges that either give an answer or an error, over a line that may do anything."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        self._link = link
        port = profile.firmware.serial or SerialPort(baud=9600)
        self._retries = port.retries
        self._frames: Incoming[Frame] = Incoming(link, FrameReader(), port.reply_timeout_s)
        self._send = Control(0)
        self._expect = Control(0)

    async def connect(self) -> None:
        """Disconnect, which wakes the meter and resets both frame numbers. LinkTimeout, LinkLost, ChecksumError."""
        await retried(self._disconnect, self._retries)

    async def ask(self, message: bytes, decode: Callable[[bytes], Answer]) -> Answer:
        """One command and its decoded answer. CodecError, LinkTimeout, LinkLost."""

        async def attempt() -> Answer:
            return decode(await self._exchange(message))

        return await retried(attempt, self._retries, recover=self.connect)

    async def _disconnect(self) -> None:
        await self._frames.forget()
        await self._write(Control.DISCONNECT)
        while Control.DISCONNECT | Control.ACKNOWLEDGE not in (await self._frames.next()).control:
            continue
        self._send = self._expect = Control(0)

    async def _exchange(self, message: bytes) -> bytes:
        await self._write(self._send | self._expect, message)
        while True:
            frame = await self._frames.next()
            number = Control.EXPECT if frame.control & Control.SEND else Control(0)
            if frame.payload and number == self._expect:
                break  # anything else is an acknowledgement, or a frame that we had already
        self._send ^= Control.SEND
        self._expect ^= Control.EXPECT
        await self._write(Control.ACKNOWLEDGE | self._send | self._expect)
        return frame.payload

    async def _write(self, control: Control, payload: bytes = b"") -> None:
        await self._link.write(wire.encode_frame(Frame(control, payload)))


class Unnumbered:
    """No link layer: a frame asks, a frame answers."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        self._link = link
        self._port = profile.firmware.serial or SerialPort(baud=38400)
        self._frames: Incoming[Frame] = Incoming(link, FrameReader(), self._port.reply_timeout_s)

    async def connect(self) -> None:
        """There is nothing to begin."""

    async def ask(self, message: bytes, decode: Callable[[bytes], Answer]) -> Answer:
        """One command and its decoded answer. CodecError, LinkTimeout, LinkLost."""

        async def attempt() -> Answer:
            await self._frames.forget()
            await self._link.write(wire.encode_frame(Frame(Control(0), message)))
            return decode((await self._frames.next()).payload)

        return await retried(attempt, self._port.retries, recover=self._until_quiet)

    async def _until_quiet(self) -> None:
        await until_quiet(self._link, self._port.reply_timeout_s)


class _Records:
    """The meter's memory as a walk sees it."""

    def __init__(self, meter: Meter, messages: Messages, identity: DeviceIdentity, profile: Profile) -> None:
        self._meter = meter
        self._messages = messages
        self._identity = identity
        self._profile = profile

    async def count(self) -> int:
        return await self._meter.ask(self._messages.READ_COUNT, self._messages.decode_count)

    async def record(self, index: int) -> Reading:
        record = await self._meter.ask(self._messages.read_record(index), self._messages.decode_record)
        text = record.local.isoformat()
        is_set = text not in self._profile.firmware.clock.unset
        code = Mdc.CONC_GLU_CONTROL if record.is_control else Mdc.CONC_GLU_CAPILLARY_PLASMA
        return Reading(
            device=self._identity,
            kind=Kind.GLUCOSE,
            components=(Component(code, quantity(record, self._profile.firmware.values)),),
            reported_time=ReportedTime(text, record.local if is_set else None),
            profile=self._profile.id,
            raw=self._messages.encode_record(record),
            sample=Sample.CONTROL_SOLUTION if record.is_control else Sample.PATIENT,
            context={"meal": MEALS.get(record.meal, f"reserved_{record.meal}")} if record.meal else {},
        )


def quantity(record: Record, values: Values) -> Quantity:
    """mg/dL, or HI and LO with the profile's bounds; a figure beyond them is shown as HI or LO, too."""
    if record.value == wire.LOW or (values.low is not None and record.value < values.low):
        return Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, values.low)
    if record.value == wire.HIGH or (values.high is not None and record.value > values.high):
        return Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, values.high)
    return Quantity(Decimal(record.value), Unit.MG_DL)
