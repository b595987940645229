"""TaiDoc meters and cuffs (FORA, GlucoRx, Menarini and many more brands), all speaking TaiDoc's 8-octet frames.

Reads the model, the serial number, the clock and the records of every user; writes nothing into the device and never
starts a measurement. Pressures are mm[Hg] and beats per minute, glucose is mg/dL on the wire whatever the display
shows, a ketone value is 30 times the mmol/L and the reading says what the display shows (the thirtieth, cut to one
decimal). Values beyond the profile's limits are HI and LO, as on the display. Control solution is the fourth meal mark.
What other strips measured (haematocrit, uric acid, ...) has no place in a Reading: it is left out, and the visit's
warnings say what and how much. Failed measurements of a cuff are kept, as states and not as figures. Times have no
seconds, so equal readings of one minute are told apart by their occurrence.

A question and its answer carry the same command, but the answer does not repeat the index that was asked for. So
after a repeated question the line is listened to until it is quiet: a late answer must not be taken for the next one.
And as time and value of a record are two questions, the time is asked again behind the value: a measurement made in
between would put one record's value to another's time. A ``54`` frame ("entered communication") may come at any
moment and is no answer.

Quirks: ``mean_pressure_in_second_octet`` (systolic, mean, diastolic, pulse; without it a 16-bit systolic, diastolic,
pulse), ``pulse_up_to_3_marks_a_failed_measurement``, ``glucose_and_pressure_in_one_memory`` (a bit of the record's
time tells which).

Wire page with offsets and records decoded by hand: ``taidoc_51.md``.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.codecs.taidoc_51 import (
    Analyte,
    Command,
    Direction,
    Frame,
    FrameReader,
    Glucose,
    Heartbeat,
    Meal,
    Stamp,
)
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.incoming import Incoming
from device_drivers.drivers.new_readings_of_users import new_readings_of_users
from device_drivers.drivers.pressure_figures import pressure_figures
from device_drivers.errors import ChecksumError, LinkTimeout, ProtocolError, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort, Values

MEAN_PRESSURE_IN_SECOND_OCTET = "mean_pressure_in_second_octet"
FAILED_MEASUREMENT = "pulse_up_to_3_marks_a_failed_measurement"
GLUCOSE_AND_PRESSURE = "glucose_and_pressure_in_one_memory"
QUIRKS = frozenset({MEAN_PRESSURE_IN_SECOND_OCTET, FAILED_MEASUREMENT, GLUCOSE_AND_PRESSURE})

_HEARTBEAT = {
    Heartbeat.FAST_OR_SLOW: "fast_or_slow_pulse",
    Heartbeat.VARIED: "varied_pulse",
    Heartbeat.ATRIAL_FIBRILLATION: "atrial_fibrillation",
}
_MEALS = {Meal.BEFORE: "preprandial", Meal.AFTER: "postprandial"}
# A record that is only counted; this mark never leaves the driver.
_NOT_READ = "not_read"
# A person does not measure more often than this while one record is read.
ATTEMPTS = 3


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    cuff = TaiDoc(link, profile)
    await cuff.connect()
    identity = await _identify(cuff, profile)
    coincident = await _compare_clocks(cuff, now)
    memories = {user: _Records(cuff, identity, profile, user) for user in _users(profile)}
    counts = [await memory.count() for memory in memories.values()]
    yield Opened(identity=identity, coincident=coincident, holds=sum(counts))
    left_out: Counter[str] = Counter()
    async with aclosing(new_readings_of_users(memories, cursor)) as events:
        async for event in events:
            if isinstance(event, Complete):
                yield replace(event, warnings=(*event.warnings, *_warnings(left_out)))
                return
            left_out.update(reading.context[_NOT_READ] for reading in event.readings if _NOT_READ in reading.context)
            if readings := tuple(reading for reading in event.readings if _NOT_READ not in reading.context):
                yield Received(readings)


def _users(profile: Profile) -> range:
    """Cuffs count their users from 1; the glucose meters have none, and are asked for 0."""
    return range(1) if profile.device.kind == "glucose" else range(1, profile.device.users + 1)


def _warnings(left_out: Counter[str]) -> list[str]:
    return [f"left out: {count} of {name}, which has no place in a reading" for name, count in sorted(left_out.items())]


async def _identify(cuff: "TaiDoc", profile: Profile) -> DeviceIdentity:
    """UnexpectedDevice where another model answers than the profile is for."""
    model = wire.decode_model(await cuff.ask(Command.READ_MODEL))
    if not re.fullmatch(profile.device.match.model or ".*", model):
        raise UnexpectedDevice(model, profile.id)
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
        self._frames: Incoming[Frame] = Incoming(link, FrameReader(), self._port.reply_timeout_s)

    async def connect(self) -> None:
        """Enter communication; the device may answer with its model or its own announcement instead."""
        await self.ask(Command.CONNECT, also=(Command.READ_MODEL, Command.ENTERED_COMMUNICATION))

    async def ask(self, command: Command, data: bytes = bytes(4), also: tuple[Command, ...] = ()) -> bytes:
        """The four octets of the answer. ChecksumError, LinkTimeout, LinkLost after the profile's retries."""
        for retries_left in range(self._port.retries, -1, -1):
            await self._frames.forget()
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
                    frame = await self._frames.next()
                    if frame.direction is Direction.DEVICE and frame.command in commands:
                        return frame.data
        except TimeoutError as error:
            raise LinkTimeout("no answer from the device in time") from error

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
        time, value = await self._octets(wire.select_record(index, self._user))
        stamp = wire.decode_stamp(time)
        is_pressure = self._profile.device.kind == "blood_pressure"
        if self._profile.has_quirk(GLUCOSE_AND_PRESSURE):
            is_pressure = stamp.is_pressure
        blank = Reading(
            device=self._identity,
            kind=Kind.GLUCOSE,
            components=(),
            reported_time=ReportedTime(stamp.text, stamp.local),
            profile=self._profile.id,
            raw=time + value,
            user_index=self._user or None,
        )
        return self._pressure(blank, stamp, value) if is_pressure else self._strip(blank, wire.decode_glucose(value))

    async def _octets(self, selection: bytes) -> tuple[bytes, bytes]:
        """Time and value of one record. ProtocolError where the memory never holds still."""
        time = await self._cuff.ask(Command.RECORD_TIME, selection)
        for _ in range(ATTEMPTS):
            value = await self._cuff.ask(Command.RECORD_VALUE, selection)
            again = await self._cuff.ask(Command.RECORD_TIME, selection)
            if again == time:
                return time, value
            time = again
        raise ProtocolError(f"the time of a record changed {ATTEMPTS} times")

    def _pressure(self, blank: Reading, stamp: Stamp, value: bytes) -> Reading:
        pressure = wire.decode_pressure(value, with_mean=self._profile.has_quirk(MEAN_PRESSURE_IN_SECOND_OCTET))
        failed = 0 in (pressure.systolic, pressure.pulse) or (
            pressure.pulse <= 3 and self._profile.has_quirk(FAILED_MEASUREMENT)
        )
        figures = pressure_figures(
            systolic=pressure.systolic,
            diastolic=pressure.diastolic,
            mean=pressure.mean,
            pulse=pressure.pulse,
            failed=failed,
        )
        return replace(
            blank, kind=Kind.BLOOD_PRESSURE, components=figures, annotations=annotations(stamp, failed=failed)
        )

    def _strip(self, blank: Reading, strip: Glucose) -> Reading:
        control = strip.meal is Meal.CONTROL_SOLUTION
        values = self._profile.firmware.values
        match strip.type:
            case Analyte.GLUCOSE:
                kind, quantity = Kind.GLUCOSE, glucose(strip.value, values)
                code = Mdc.CONC_GLU_CONTROL if control else Mdc.CONC_GLU_CAPILLARY_PLASMA
            case Analyte.KETONE:
                kind, quantity = Kind.KETONE, ketone(strip.value, values)
                code = Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD
            case other:
                return replace(blank, context={_NOT_READ: name_of(other)})
        return replace(
            blank,
            kind=kind,
            components=(Component(code, quantity),),
            sample=Sample.CONTROL_SOLUTION if control else Sample.PATIENT,
            context={"meal": _MEALS[strip.meal]} if strip.meal in _MEALS else {},
        )


def glucose(value: int, values: Values) -> Quantity:
    """mg/dL; beyond the profile's limits the meter shows HI and LO."""
    if values.high is not None and value > values.high:
        return Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, values.high)
    if values.low is not None and value < values.low:
        return Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, values.low)
    return Quantity(Decimal(value), Unit.MG_DL)


def ketone(raw: int, values: Values) -> Quantity:
    """mmol/L as the display shows it."""
    if values.ketone_high is not None and raw > values.ketone_high * wire.KETONE_FACTOR:
        return Quantity(None, Unit.MMOL_L, QuantityState.ABOVE_RANGE, values.ketone_high)
    return Quantity(wire.ketone_mmol_l(raw), Unit.MMOL_L)


def name_of(type: int) -> str:
    """What a strip of this type measures."""
    known = {analyte.value: analyte.name.lower().replace("_", " ") for analyte in Analyte}
    return known.get(type, f"strip type {type}")


def annotations(stamp: Stamp, *, failed: bool) -> tuple[str, ...]:
    """The cuff's own flags, by name."""
    flags = {
        "irregular_pulse": stamp.arrhythmia,
        _HEARTBEAT.get(stamp.heartbeat, ""): stamp.heartbeat is not Heartbeat.NORMAL,
        "averaged": stamp.averaged,
        "failed_measurement": failed,
    }
    return tuple(name for name, is_set in flags.items() if is_set)
