"""TaiDoc TD-3128 (FORA P30) and other cuffs that speak TaiDoc's 8-octet frames.

Reads the model, the serial number, the clock and the records of every user of the cuff; writes nothing into it and
never starts a measurement. Values are mm[Hg] and beats per minute; times have no seconds, so equal readings of one
minute are told apart by their occurrence. Failed measurements are kept, as states and not as figures.

A question and its answer carry the same command, but the answer does not repeat the index that was asked for. So
after a repeated question the line is listened to until it is quiet: a late answer must not be taken for the next one.
A ``54`` frame ("entered communication") may come at any moment and is no answer.

Quirks: ``mean_pressure_in_second_octet`` (systolic, mean, diastolic, pulse; without it a 16-bit systolic, diastolic,
pulse), ``pulse_up_to_3_marks_a_failed_measurement``.

Wire page with offsets and a record decoded by hand: ``taidoc_51.md``.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from decimal import Decimal

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.codecs.taidoc_51 import Command, Direction, Frame, FrameReader, Heartbeat, Pressure, Stamp
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.cursors import LOST_TRACK, cursor_of, known_of
from device_drivers.drivers.newest_first import Walk
from device_drivers.errors import ChecksumError, LinkTimeout, ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort

MEAN_PRESSURE_IN_SECOND_OCTET = "mean_pressure_in_second_octet"
FAILED_MEASUREMENT = "pulse_up_to_3_marks_a_failed_measurement"
QUIRKS = frozenset({MEAN_PRESSURE_IN_SECOND_OCTET, FAILED_MEASUREMENT})

_HEARTBEAT = {
    Heartbeat.FAST_OR_SLOW: "fast_or_slow_pulse",
    Heartbeat.VARIED: "varied_pulse",
    Heartbeat.ATRIAL_FIBRILLATION: "atrial_fibrillation",
}


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    cuff = TaiDoc(link, profile)
    await cuff.connect()
    identity = await _identify(cuff, profile)
    coincident = await _compare_clocks(cuff, now)
    memories = {user: _Records(cuff, identity, profile, user) for user in range(1, profile.device.users + 1)}
    counts = [await memory.count() for memory in memories.values()]
    yield Opened(identity=identity, coincident=coincident, holds=sum(counts))
    finished: dict[str, int | str] = {}
    warnings: set[str] = set()
    holds = 0
    for user, memory in memories.items():
        walk = Walk(memory, known_of(cursor, f"user_{user}_"))
        async with aclosing(walk.readings()) as groups:
            async for group in groups:
                yield Received(group)
        finished |= cursor_of(walk.newest, f"user_{user}_")
        holds += walk.holds
        warnings |= {LOST_TRACK} if walk.lost_track else set()
    yield Complete(cursor=finished, holds=holds, warnings=tuple(warnings))


async def _identify(cuff: "TaiDoc", profile: Profile) -> DeviceIdentity:
    """ProtocolError where another model answers than the profile is for."""
    model = wire.decode_model(await cuff.ask(Command.READ_MODEL))
    if not re.fullmatch(profile.device.match.model or ".*", model):
        raise ProtocolError(f"the device says it is a {model}, the profile is {profile.id}")
    former = wire.decode_serial_half(await cuff.ask(Command.SERIAL_FORMER))
    later = wire.decode_serial_half(await cuff.ask(Command.SERIAL_LATER))
    return DeviceIdentity(manufacturer=profile.device.maker, model=model, serial_number=former + later)


async def _compare_clocks(cuff: "TaiDoc", now: Clock) -> CoincidentTimeStamp | None:
    """None where the clock was never set."""
    clock = wire.decode_stamp(await cuff.ask(Command.READ_CLOCK)).local
    return None if clock is None else CoincidentTimeStamp(gateway_time=now(), device_time=clock)


class TaiDoc:
    """Question and answer over a line that may do anything."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        self._link = link
        self._port = profile.firmware.serial or SerialPort(baud=19200)
        self._reader = FrameReader()
        self._waiting: list[Frame | ChecksumError] = []

    async def connect(self) -> None:
        """Enter communication; the device may answer with its model or its own announcement instead."""
        await self.ask(Command.CONNECT, also=(Command.READ_MODEL, Command.ENTERED_COMMUNICATION))

    async def ask(self, command: Command, data: bytes = bytes(4), also: tuple[Command, ...] = ()) -> bytes:
        """The four octets of the answer. ChecksumError, LinkTimeout, LinkLost after the profile's retries."""
        for retries_left in range(self._port.retries, -1, -1):
            await self._forget_input()
            await self._link.write(wire.encode_frame(Frame(command, data)))
            try:
                answer = await self._answer((command, *also))
            except (LinkTimeout, ChecksumError):
                if retries_left == 0:
                    raise
                continue
            if retries_left < self._port.retries:
                await self._listen_until_quiet()
            return answer
        raise LinkTimeout("the profile allows no attempt")

    async def _answer(self, commands: tuple[Command, ...]) -> bytes:
        try:
            async with asyncio.timeout(self._port.reply_timeout_s):
                while True:
                    frame = await self._frame()
                    if frame.direction is Direction.DEVICE and frame.command in commands:
                        return frame.data
        except TimeoutError as error:
            raise LinkTimeout("no answer from the device in time") from error

    async def _frame(self) -> Frame:
        while not self._waiting:
            self._waiting.extend(self._reader.feed(await self._link.read(64, self._port.reply_timeout_s)))
        frame = self._waiting.pop(0)
        if isinstance(frame, ChecksumError):
            raise frame
        return frame

    async def _forget_input(self) -> None:
        await self._link.drain_input()
        self._reader.reset()
        self._waiting.clear()

    async def _listen_until_quiet(self) -> None:
        """Until nothing has come for one reply time; at most as long as all retries would have taken."""
        for _ in range(self._port.retries + 1):
            try:
                await self._link.read(64, self._port.reply_timeout_s)
            except LinkTimeout:
                return


class _Records:
    """One user's memory as a walk sees it."""

    def __init__(self, cuff: TaiDoc, identity: DeviceIdentity, profile: Profile, user: int) -> None:
        self._cuff = cuff
        self._identity = identity
        self._profile = profile
        self._user = user

    async def count(self) -> int:
        return wire.decode_count(await self._cuff.ask(Command.COUNT, wire.select_user(self._user)))

    async def record(self, index: int) -> Reading:
        selection = wire.select_record(index, self._user)
        time = await self._cuff.ask(Command.RECORD_TIME, selection)
        value = await self._cuff.ask(Command.RECORD_VALUE, selection)
        stamp = wire.decode_stamp(time)
        pressure = wire.decode_pressure(value, with_mean=self._profile.has_quirk(MEAN_PRESSURE_IN_SECOND_OCTET))
        failed = pressure.systolic == 0 or (pressure.pulse <= 3 and self._profile.has_quirk(FAILED_MEASUREMENT))
        return Reading(
            device=self._identity,
            kind=Kind.BLOOD_PRESSURE,
            components=components(pressure, failed=failed),
            reported_time=ReportedTime(stamp.text, stamp.local),
            profile=self._profile.id,
            raw=time + value,
            user_index=self._user,
            annotations=annotations(stamp, failed=failed),
        )


def components(pressure: Pressure, *, failed: bool) -> tuple[Component, ...]:
    """The coded figures; of a failed measurement none is a number."""
    figures = (
        (Mdc.PRESS_BLD_NONINV_SYS, pressure.systolic, Unit.MM_HG),
        (Mdc.PRESS_BLD_NONINV_DIA, pressure.diastolic, Unit.MM_HG),
        (Mdc.PRESS_BLD_NONINV_MEAN, pressure.mean, Unit.MM_HG),
        (Mdc.PULS_RATE_NON_INV, pressure.pulse, Unit.PER_MIN),
    )
    return tuple(
        Component(
            code,
            Quantity(None, unit, QuantityState.NOT_A_NUMBER) if failed else Quantity(Decimal(figure), unit),
        )
        for code, figure, unit in figures
        if figure is not None
    )


def annotations(stamp: Stamp, *, failed: bool) -> tuple[str, ...]:
    """The cuff's own flags, by name."""
    flags = {
        "irregular_pulse": stamp.arrhythmia,
        _HEARTBEAT.get(stamp.heartbeat, ""): stamp.heartbeat is not Heartbeat.NORMAL,
        "averaged": stamp.averaged,
        "failed_measurement": failed,
    }
    return tuple(name for name, is_set in flags.items() if is_set)
