"""LifeScan OneTouch UltraMini and UltraEasy over their serial cable.

Reads the software version, the serial number, the clock and all glucose records that are new; writes nothing into the
meter. Values are mg/dL on the wire, whatever the display shows; HI and LO come as FFFF and FFFE. The meter sends no
mark for control solution (such tests are not in its list). Records carry seconds of local wall time.

Every command is a data frame that the meter acknowledges and answers, and whose answer we acknowledge; two bits number
the frames modulo 2, so a repeated frame is recognised and dropped. Whatever goes wrong within an exchange (silence,
a damaged frame), the link is disconnected, which resets the bits, and the command is sent again, at most
``serial.retries`` times.

Wire page with offsets and a session decoded by hand: ``lifescan_ultramini.md``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from decimal import Decimal
from typing import TypeVar

from device_drivers.codecs import lifescan_ultramini as wire
from device_drivers.codecs.lifescan_ultramini import Control, Frame, FrameReader, Record
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.cursors import LOST_TRACK, cursor_of, known_of
from device_drivers.drivers.newest_first import Walk
from device_drivers.errors import ChecksumError, CodecError, LinkTimeout
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort, Values

QUIRKS: frozenset[str] = frozenset()

Answer = TypeVar("Answer")


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    meter = UltraMini(link, profile)
    await meter.connect()
    version = await meter.ask(wire.READ_VERSION, wire.decode_version)
    serial_number = await meter.ask(wire.READ_SERIAL_NUMBER, wire.decode_serial_number)
    identity = DeviceIdentity(
        manufacturer=profile.device.maker,
        model=profile.device.model,
        serial_number=serial_number,
        firmware=version.software,
    )
    device_time = await meter.ask(wire.READ_CLOCK, wire.decode_clock)
    coincident = CoincidentTimeStamp(gateway_time=now(), device_time=device_time)
    memory = _Records(meter, identity, profile)
    yield Opened(identity=identity, coincident=coincident, holds=await memory.count())
    walk = Walk(memory, known_of(cursor))
    async with aclosing(walk.readings()) as groups:
        async for group in groups:
            yield Received(group)
    yield Complete(cursor=cursor_of(walk.newest), holds=walk.holds, warnings=(LOST_TRACK,) if walk.lost_track else ())


class UltraMini:
    """The link layer: exchanges that either give an answer or an error, over a line that may do anything."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        self._link = link
        self._port = profile.firmware.serial or SerialPort(baud=9600)
        self._reader = FrameReader()
        self._waiting: list[Frame | ChecksumError] = []
        self._send = Control(0)
        self._expect = Control(0)

    async def connect(self) -> None:
        """Disconnect, which wakes the meter and resets both frame numbers. LinkTimeout, LinkLost, ChecksumError."""
        await self._retried(self._disconnect)

    async def ask(self, message: bytes, decode: Callable[[bytes], Answer]) -> Answer:
        """One command and its decoded answer. CodecError, LinkTimeout, LinkLost."""

        async def attempt() -> Answer:
            return decode(await self._exchange(message))

        return await self._retried(attempt, recover=self.connect)

    async def _retried(
        self, attempt: Callable[[], Awaitable[Answer]], recover: Callable[[], Awaitable[None]] | None = None
    ) -> Answer:
        retries = self._port.retries
        while True:
            try:
                return await attempt()
            except (LinkTimeout, CodecError):
                if retries == 0:
                    raise
            retries -= 1
            if recover is not None:
                await recover()

    async def _disconnect(self) -> None:
        await self._link.drain_input()
        self._reader.reset()
        self._waiting.clear()
        await self._write(Control.DISCONNECT)
        while Control.DISCONNECT | Control.ACKNOWLEDGE not in (await self._frame()).control:
            continue
        self._send = self._expect = Control(0)

    async def _exchange(self, message: bytes) -> bytes:
        await self._write(self._send | self._expect, message)
        while True:
            frame = await self._frame()
            number = Control.EXPECT if frame.control & Control.SEND else Control(0)
            if frame.payload and number == self._expect:
                break  # anything else is an acknowledgement, or a frame that we had already
        self._send ^= Control.SEND
        self._expect ^= Control.EXPECT
        await self._write(Control.ACKNOWLEDGE | self._send | self._expect)
        return frame.payload

    async def _write(self, control: Control, payload: bytes = b"") -> None:
        await self._link.write(wire.encode_frame(Frame(control, payload)))

    async def _frame(self) -> Frame:
        """The next whole frame. ChecksumError, LinkTimeout, LinkLost."""
        try:
            async with asyncio.timeout(self._port.reply_timeout_s):
                while not self._waiting:
                    data = await self._link.read(wire.LONGEST, self._port.reply_timeout_s)
                    self._waiting.extend(self._reader.feed(data))
        except TimeoutError as error:
            raise LinkTimeout("no frame from the meter in time") from error
        frame = self._waiting.pop(0)
        if isinstance(frame, ChecksumError):
            raise frame
        return frame


class _Records:
    """The meter's memory as a walk sees it."""

    def __init__(self, meter: UltraMini, identity: DeviceIdentity, profile: Profile) -> None:
        self._meter = meter
        self._identity = identity
        self._profile = profile

    async def count(self) -> int:
        return await self._meter.ask(wire.read_record(wire.COUNT_INDEX), wire.decode_count)

    async def record(self, index: int) -> Reading:
        record = await self._meter.ask(wire.read_record(index), wire.decode_record)
        return Reading(
            device=self._identity,
            kind=Kind.GLUCOSE,
            components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, quantity(record, self._profile.firmware.values)),),
            reported_time=ReportedTime(record.local.isoformat(), record.local),
            profile=self._profile.id,
            raw=wire.encode_record(record),
        )


def quantity(record: Record, values: Values) -> Quantity:
    """mg/dL, or HI and LO with the profile's bounds."""
    if record.value == wire.HIGH:
        return Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, values.high)
    if record.value == wire.LOW:
        return Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, values.low)
    return Quantity(Decimal(record.value), Unit.MG_DL)
