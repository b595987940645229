"""Omron HEM-790IT, HEM-7300IT, BP791IT and their family over USB.

Reads the model's code, its serial octets and the records of every user of the cuff; writes nothing into it. Values are
mm[Hg] and beats per minute; times have seconds. The cuff marks an irregular pulse, movement, and the place of a record
in a series of three (TruRead). It offers no way to read its clock, so the readings of a session have no coincident time
stamp. Its serial octets are nearly all zero in every published capture; they are taken as part of the way to the device
and not for a serial number.

The cuff has to be put into a mode by a feature report, and then be sent zeros until it says OK. An answer comes in
several reports, each with a count in front; a count beyond seven is noise of the link. NO means busy: ask again. The
last word switches the cuff off, which it would do by itself after a while.

Quirk: ``records_without_flags`` (HEM-637IT).

Wire page with offsets and a record decoded by hand: ``omron_hem.md``.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import TypeVar

from device_drivers.codecs import omron_hem as wire
from device_drivers.codecs.omron_hem import Record
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened
from device_drivers.drivers.new_readings_of_users import new_readings_of_users
from device_drivers.drivers.pressure_figures import pressure_figures
from device_drivers.drivers.report_exchange import ReportExchange
from device_drivers.errors import CodecError, LinkError, LinkTimeout, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import ReportLink
from device_drivers.readings import Kind, Reading, ReportedTime
from firmware_profiles.schema import Hid, Profile

RECORDS_WITHOUT_FLAGS = "records_without_flags"
QUIRKS = frozenset({RECORDS_WITHOUT_FLAGS})

Answer = TypeVar("Answer")


async def read(link: ReportLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:  # noqa: ARG001 - the cuff's clock cannot be read
    """One visit; see ``drivers.conversation`` for the contract."""
    cuff = Omron(link, profile)
    identity = await _identify(cuff, link, profile)
    await cuff.enter(wire.READINGS)
    memories = {user: _Records(cuff, identity, profile, user) for user in range(1, profile.device.users + 1)}
    holds = sum([await memory.count() for memory in memories.values()])
    yield Opened(identity=identity, coincident=None, holds=holds)
    async with aclosing(new_readings_of_users(memories, cursor)) as events:
        async for event in events:
            if isinstance(event, Complete):
                await cuff.say_good_bye()
            yield event


async def _identify(cuff: "Omron", link: ReportLink, profile: Profile) -> DeviceIdentity:
    """UnexpectedDevice where another model answers than the profile is for."""
    await cuff.enter(wire.INFORMATION)
    version = await cuff.ask(wire.VERSION, wire.VERSION_LENGTH, wire.decode_version)
    if not re.fullmatch(profile.device.match.model or ".*", version.model):
        raise UnexpectedDevice(version.model, profile.id)
    serial = await cuff.ask(wire.SERIAL_NUMBER, wire.SERIAL_NUMBER_LENGTH, wire.decode_octets)
    return DeviceIdentity(
        manufacturer=profile.device.maker,
        model=version.model,
        address=f"{link.address}/{serial.data.hex()}",
        firmware=version.firmware,
    )


class Omron:
    """Modes, commands and answers over a link that may do anything."""

    def __init__(self, link: ReportLink, profile: Profile) -> None:
        self._link = link
        self._hid = profile.firmware.hid or Hid(report_length=8)
        self._exchange = ReportExchange(link, self._hid, wire.report_octets)

    async def enter(self, mode: bytes) -> None:
        """Select a mode and clear the line until the cuff says OK. LinkTimeout, LinkLost."""
        await self._link.set_feature(mode)
        await self._exchange.ask(wire.reports_of(wire.CLEAR), _is_clear)

    async def ask(self, command: bytes, length: int, decode: Callable[[bytes], Answer]) -> Answer:
        """The decoded answer, ``length`` octets long. CodecError, LinkTimeout, LinkLost after the retries."""

        def whole(octets: bytes) -> Answer | None:
            _refuse_busy(octets)
            if octets[: len(wire.OK)] != wire.OK[: len(octets)]:
                raise CodecError(wire.FORMAT, "an answer begins with OK or NO", octets)
            return decode(octets) if len(octets) >= length else None

        return await self._exchange.ask(wire.reports_of(command), whole)

    async def say_good_bye(self) -> None:
        """Switch the cuff off. Everything has been read: whatever goes wrong now concerns nobody."""
        with suppress(LinkError, CodecError):
            for report in wire.reports_of(wire.END):
                await self._link.write(report)
            await self._link.read(self._hid.reply_timeout_s)


def _is_clear(octets: bytes) -> bool | None:
    return True if octets.endswith(wire.OK) else None


def _refuse_busy(octets: bytes) -> None:
    if octets == wire.BUSY:
        raise LinkTimeout("the cuff is busy")


class _Records:
    """One user's memory as a walk sees it."""

    def __init__(self, cuff: Omron, identity: DeviceIdentity, profile: Profile, user: int) -> None:
        self._cuff = cuff
        self._identity = identity
        self._profile = profile
        self._user = user
        without_flags = profile.has_quirk(RECORDS_WITHOUT_FLAGS)
        self._length = wire.RECORD_WITHOUT_FLAGS_LENGTH if without_flags else wire.RECORD_LENGTH

    async def count(self) -> int:
        command = wire.count_command(self._user - 1)
        return (await self._cuff.ask(command, wire.COUNT_LENGTH, wire.decode_count)).count

    async def record(self, index: int) -> Reading:
        command = wire.record_command(self._user - 1, index)
        octets = await self._cuff.ask(command, self._length, self._checked)
        record = wire.decode_record(octets)
        failed = record.systolic == 0
        return Reading(
            device=self._identity,
            kind=Kind.BLOOD_PRESSURE,
            components=pressure_figures(
                systolic=record.systolic, diastolic=record.diastolic, pulse=record.pulse, failed=failed
            ),
            reported_time=ReportedTime(record.time, record.local),
            profile=self._profile.id,
            raw=octets,
            user_index=self._user,
            annotations=annotations(record, failed=failed),
        )

    def _checked(self, octets: bytes) -> bytes:
        """The octets of a record of this model. CodecError."""
        if len(octets) != self._length:
            raise CodecError(wire.FORMAT, f"this model's record has {self._length} octets", octets, self._length)
        wire.decode_record(octets)
        return octets


def annotations(record: Record, *, failed: bool) -> tuple[str, ...]:
    """The cuff's own flags, by name."""
    flags = {
        "irregular_pulse": record.irregular,
        "body_movement": record.movement,
        f"truread_{record.truread}": record.truread != 0,
        "failed_measurement": failed,
    }
    return tuple(name for name, is_set in flags.items() if is_set)
