"""Andon's cuffs under Beurer's name: BM 55 and BM 58 over USB HID, BM 58 and BM 65 over their built-in serial bridge.

Reads the number of records and every record; writes nothing into the cuff. Values are mm[Hg] and beats per minute;
times have no seconds, so equal readings of one minute are told apart by their occurrence. Nothing on this wire has a
checksum: every answer is asked for twice, and believed when it comes twice in a row. The cuff says neither who it is
(its name is that of the maker's board) nor what time it thinks it is: the way to the device identifies it, and a
session has no coincident time stamp.

The records of both users stand in one list. Where a model says whose a record is, the top bit of the day does;
irregular pulse and movement stand in those of the year and the month. A top bit that the profile does not explain
makes the date unbelievable: the reading is kept without a time.

Quirks: ``user_in_top_bit_of_day``, ``irregular_pulse_in_top_bit_of_year``, ``movement_in_top_bit_of_month``.

Wire page with offsets and a record decoded by hand: ``andon_bm.md``.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Protocol, TypeVar, cast

from device_drivers.codecs import andon_bm as wire
from device_drivers.codecs.andon_bm import Record
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened
from device_drivers.drivers.new_readings import Dump
from device_drivers.drivers.new_readings_of_users import new_readings_of_users
from device_drivers.drivers.pressure_figures import pressure_figures
from device_drivers.drivers.report_exchange import ReportExchange
from device_drivers.drivers.retries import retried, until_quiet
from device_drivers.errors import CodecError, IncompleteTransfer, LinkError, LinkTimeout, ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import ReportLink, SerialLink
from device_drivers.readings import Kind, Reading, ReportedTime
from firmware_profiles.schema import Hid, Profile, SerialPort

USER_IN_DAY = "user_in_top_bit_of_day"
IRREGULAR_IN_YEAR = "irregular_pulse_in_top_bit_of_year"
MOVEMENT_IN_MONTH = "movement_in_top_bit_of_month"
QUIRKS = frozenset({USER_IN_DAY, IRREGULAR_IN_YEAR, MOVEMENT_IN_MONTH})

# A person does not measure more often than this during one visit.
_PASSES = 4
# What lies between the two words of the good-bye in every published program.
_BEFORE_OFF_S = 0.04

Answer = TypeVar("Answer")


async def read(
    link: SerialLink | ReportLink,
    profile: Profile,
    cursor: Cursor | None,
    now: Clock,  # noqa: ARG001 - the cuff's clock cannot be read
) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    cuff = _cuff(link, profile)
    await cuff.wake()
    records = await _contents(cuff)
    identity = DeviceIdentity(manufacturer=profile.device.maker, model=profile.device.model, address=link.address)
    users = range(1, profile.device.users + 1)
    memories = {user: Dump(_readings(records, user, identity, profile)) for user in users}
    yield Opened(identity=identity, coincident=None, holds=len(records))
    async with aclosing(new_readings_of_users(memories, cursor)) as events:
        async for event in events:
            if isinstance(event, Complete):
                await cuff.say_good_bye()
            yield event


async def _contents(cuff: "Cuff") -> list[bytes]:
    """All records, while nobody measured. ProtocolError where the memory never holds still."""
    for _ in range(_PASSES):
        count = await cuff.count()
        records = [await cuff.record(number, count) for number in range(1, count + 1)]
        if await cuff.count() == count and (not records or await cuff.record(1, count) == records[0]):
            return records
    raise ProtocolError(f"the memory changed during each of {_PASSES} passes")


class Way(Protocol):
    """Either cable: one command, and what ``whole`` makes of its answer."""

    async def ask(self, command: bytes, whole: Callable[[bytes], Answer | None]) -> Answer: ...

    async def say_good_bye(self) -> None: ...


class Cuff:
    """The commands, each answer heard twice."""

    def __init__(self, way: Way, retries: int, record: Callable[[bytes], bytes | None]) -> None:
        self._way = way
        self._retries = retries
        self._record = record

    async def wake(self) -> None:
        """LinkTimeout, LinkLost, CodecError after the profile's retries."""
        await self._way.ask(bytes([wire.WAKE]), _awake)

    async def count(self) -> int:
        """How many records it holds."""
        return await self._sure(bytes([wire.COUNT]), lambda octets: octets[0] if octets else None)

    async def record(self, number: int, count: int) -> bytes:
        """One record, 1 the first of ``count``. IncompleteTransfer where it is not there."""
        try:
            return await self._sure(wire.record_command(number), self._record)
        except _NoSuchRecord as error:
            raise IncompleteTransfer(count, number - 1) from error

    async def say_good_bye(self) -> None:
        """Everything has been read: whatever goes wrong now concerns nobody."""
        with suppress(LinkError):
            await self._way.say_good_bye()

    async def _sure(self, command: bytes, whole: Callable[[bytes], Answer | None]) -> Answer:
        before = await self._way.ask(command, whole)
        for _ in range(self._retries + 1):
            answer = await self._way.ask(command, whole)
            if answer == before:
                return answer
            before = answer
        raise CodecError(wire.FORMAT, "another answer to the same question each time", command)


def _cuff(link: SerialLink | ReportLink, profile: Profile) -> Cuff:
    if profile.firmware.transport == "hid":
        hid = profile.firmware.hid or Hid(report_length=8)
        return Cuff(_Reports(cast(ReportLink, link), hid), hid.retries, _record_in_report)
    port = profile.firmware.serial or SerialPort(baud=4800)
    return Cuff(_Line(cast(SerialLink, link), port), port.retries, _record_on_line)


class _Reports:
    """The HID variant: a report each way."""

    def __init__(self, link: ReportLink, hid: Hid) -> None:
        self._link = link
        self._exchange = ReportExchange(link, hid, bytes)

    async def ask(self, command: bytes, whole: Callable[[bytes], Answer | None]) -> Answer:
        return await self._exchange.ask([wire.command_report(command)], whole)

    async def say_good_bye(self) -> None:
        await self._link.write(wire.command_report(bytes([wire.BYE])))
        await asyncio.sleep(_BEFORE_OFF_S)
        await self._link.write(wire.command_report(bytes([wire.OFF])))


class _Line:
    """The serial variant."""

    def __init__(self, link: SerialLink, port: SerialPort) -> None:
        self._link = link
        self._port = port

    async def ask(self, command: bytes, whole: Callable[[bytes], Answer | None]) -> Answer:
        attempts = 0

        async def attempt() -> Answer:
            nonlocal attempts
            attempts += 1
            await self._link.drain_input()
            await self._link.write(command)
            return await self._collect(whole)

        answer = await retried(attempt, self._port.retries, self._until_quiet)
        if attempts > 1:
            await self._until_quiet()
        return answer

    async def say_good_bye(self) -> None:
        """No published program says one over this cable."""

    async def _collect(self, whole: Callable[[bytes], Answer | None]) -> Answer:
        octets = b""
        try:
            async with asyncio.timeout(self._port.reply_timeout_s):
                while (answer := whole(octets)) is None:
                    octets += await self._link.read(wire.NAME_LENGTH, self._port.reply_timeout_s)
        except TimeoutError as error:
            raise LinkTimeout("no answer from the cuff in time") from error
        return answer

    async def _until_quiet(self) -> None:
        await until_quiet(self._link, self._port.reply_timeout_s)


class _NoSuchRecord(CodecError):
    """The cuff has no record of this number."""


def _awake(octets: bytes) -> bool | None:
    if octets and octets[0] != wire.AWAKE:
        raise CodecError(wire.FORMAT, "the answer to AA is 55", octets)
    return True if octets else None


def _record_in_report(octets: bytes) -> bytes | None:
    return octets[: wire.RECORD_LENGTH] if len(octets) >= wire.RECORD_LENGTH else None


def _record_on_line(octets: bytes) -> bytes | None:
    if octets[:1] == bytes([wire.NO_RECORD]):
        raise _NoSuchRecord(wire.FORMAT, "no such record", octets)
    if octets and octets[0] != wire.RECORD_FOLLOWS:
        raise CodecError(wire.FORMAT, "a record begins with AC", octets)
    return octets[1 : 1 + wire.RECORD_LENGTH] if len(octets) > wire.RECORD_LENGTH else None


def _readings(records: list[bytes], user: int, identity: DeviceIdentity, profile: Profile) -> list[Reading]:
    """One user's records, newest first (which end of the list that is, the dates say)."""
    says_who = profile.has_quirk(USER_IN_DAY)
    readings = [
        _reading(octets, user if says_who else None, identity, profile)
        for octets in records
        if not says_who or (2 if wire.decode(octets).second_user else 1) == user
    ]
    is_ascending = bool(readings) and readings[0].reported_time.text < readings[-1].reported_time.text
    return readings[::-1] if is_ascending else readings


def _reading(octets: bytes, user: int | None, identity: DeviceIdentity, profile: Profile) -> Reading:
    record = wire.decode(octets)
    marks = _marks(record, profile)
    failed = record.pulse == 0
    return Reading(
        device=identity,
        kind=Kind.BLOOD_PRESSURE,
        components=pressure_figures(
            systolic=record.systolic, diastolic=record.diastolic, pulse=record.pulse, failed=failed
        ),
        reported_time=ReportedTime(record.time, None if "unexplained_bits" in marks else record.local),
        profile=profile.id,
        raw=octets,
        user_index=user,
        annotations=(*marks, "failed_measurement") if failed else marks,
    )


def _marks(record: Record, profile: Profile) -> tuple[str, ...]:
    """The cuff's own flags, by name; those that the profile does not know make one together."""
    irregular, movement = profile.has_quirk(IRREGULAR_IN_YEAR), profile.has_quirk(MOVEMENT_IN_MONTH)
    flags = {
        "irregular_pulse": record.irregular and irregular,
        "body_movement": record.movement and movement,
        "unexplained_bits": (record.irregular and not irregular)
        or (record.movement and not movement)
        or (record.second_user and not profile.has_quirk(USER_IN_DAY)),
    }
    return tuple(name for name, is_set in flags.items() if is_set)
