"""Abbott FreeStyle Lite, Freedom Lite and Mini, and the Optium and Precision Xtra family, over their serial cables.

One command gives everything: serial number, software version, clock and the whole memory, behind one checksum. So a
visit gives all readings or none. Glucose is mg/dL on the wire whatever the display shows; a ketone record is 18 times
the mmol/L, and the reading says what the display shows: the eighteenth, to one decimal (0.2 mmol/L comes as 003). HI
and LO are words. A bit marks control solution, another a clock that was not set: such a reading has no local time.
Times have no seconds, so equal readings of one minute are told apart by their occurrence.

The meter sometimes does not hear its first command, or sends it back: after a silence the command is sent once more,
at most ``serial.retries`` times. Nothing published says in which order the records come, so there is no cursor: every
visit gives all of them, and what was read before is known by its identity.

While the strip port or the jack holds the cable the meter cannot measure, and its memory cannot change.

Quirks: ``xmem_with_ketones`` (Optium and Precision: the command is ``$xmem``, a letter tells glucose from ketones).

Wire page with the lines and a dump decoded by hand: ``abbott_mem.md``.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from decimal import Decimal

from device_drivers.codecs import abbott_mem as wire
from device_drivers.codecs.abbott_mem import Analyte, Dump, Flags, OutOfRange, Record
from device_drivers.drivers import new_readings as memory
from device_drivers.drivers.conversation import Clock, Cursor, Event, Opened
from device_drivers.drivers.new_readings import new_readings
from device_drivers.drivers.retries import retried, until_quiet
from device_drivers.errors import CodecError, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort

XMEM_WITH_KETONES = "xmem_with_ketones"
QUIRKS = frozenset({XMEM_WITH_KETONES})

_KNOWN_FLAGS = int(Flags.CONTROL_SOLUTION | Flags.LOST_TIME)


async def read(
    link: SerialLink,
    profile: Profile,
    cursor: Cursor | None,  # noqa: ARG001 - the contract has one; this conversation needs none
    now: Clock,
) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    meter = AbbottMeter(link, profile, now)
    dump, gateway_time = await meter.dump()
    _check_model(dump.serial_number, profile)
    identity = DeviceIdentity(
        manufacturer=profile.device.maker,
        model=profile.device.model,
        serial_number=dump.serial_number,
        firmware=dump.version,
    )
    coincident = None if dump.clock is None else CoincidentTimeStamp(gateway_time, dump.clock)
    yield Opened(identity=identity, coincident=coincident, holds=len(dump.records))
    readings = [reading_from(record, identity, profile) for record in dump.records]
    async with aclosing(new_readings(memory.Dump(readings), cursor=None, is_ordered=False)) as events:
        async for event in events:
            yield event


def _check_model(serial_number: str, profile: Profile) -> None:
    """UnexpectedDevice where the serial number is that of another FreeStyle meter."""
    model = wire.decode_serial_number(serial_number.encode()).model
    if model not in (None, profile.device.model) and not profile.has_quirk(XMEM_WITH_KETONES):
        raise UnexpectedDevice(str(model), profile.id)


class AbbottMeter:
    """One question, one long answer."""

    def __init__(self, link: SerialLink, profile: Profile, now: Clock) -> None:
        self._link = link
        self._port = profile.firmware.serial or SerialPort(baud=19200)
        self._command = wire.XMEM if profile.has_quirk(XMEM_WITH_KETONES) else wire.MEM
        self._now = now

    async def dump(self) -> tuple[Dump, datetime]:
        """The memory, and when its clock's line came. CodecError, LinkTimeout, LinkLost."""
        return await retried(self._attempt, self._port.retries, recover=self._wait_for_quiet)

    async def _attempt(self) -> tuple[Dump, datetime]:
        await self._link.drain_input()
        await self._link.write(self._command)
        held, clock_read_at = b"", None
        while (octets := wire.find_dump(held)) is None:
            if len(held) > wire.LONGEST:
                raise CodecError(wire.FORMAT, "no end", held[:64], 64)
            held += await self._link.read(256, self._port.reply_timeout_s)
            if clock_read_at is None and wire.has_clock(held):
                clock_read_at = self._now()
        return wire.decode_dump(octets), clock_read_at or self._now()

    async def _wait_for_quiet(self) -> None:
        await until_quiet(self._link, self._port.reply_timeout_s)


def reading_from(record: Record, identity: DeviceIdentity, profile: Profile) -> Reading:
    """One record as a reading."""
    control = Flags.CONTROL_SOLUTION in record.flags
    return Reading(
        device=identity,
        kind=Kind.KETONE if record.analyte is Analyte.KETONE else Kind.GLUCOSE,
        components=(Component(_code(record, control=control), quantity(record, profile)),),
        reported_time=ReportedTime(record.text, None if Flags.LOST_TIME in record.flags else record.local),
        profile=profile.id,
        raw=record.line.encode(),
        sample=Sample.CONTROL_SOLUTION if control else Sample.PATIENT,
        annotations=_annotations(record.flags),
    )


def quantity(record: Record, profile: Profile) -> Quantity:
    """mg/dL, ketones mmol/L as the display shows them; HI and LO with the profile's bounds."""
    values = profile.firmware.values
    ketone = record.analyte is Analyte.KETONE
    unit = Unit.MMOL_L if ketone else Unit.MG_DL
    match record.value:
        case OutOfRange.HIGH:
            return Quantity(None, unit, QuantityState.ABOVE_RANGE, values.ketone_high if ketone else values.high)
        case OutOfRange.LOW:
            return Quantity(None, unit, QuantityState.BELOW_RANGE, None if ketone else values.low)
        case value:
            return Quantity(wire.ketone_mmol_l(int(value)) if ketone else Decimal(value), unit)


def _code(record: Record, *, control: bool) -> Mdc:
    if record.analyte is Analyte.KETONE:
        return Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD
    return Mdc.CONC_GLU_CONTROL if control else Mdc.CONC_GLU_CAPILLARY_PLASMA


def _annotations(flags: Flags) -> tuple[str, ...]:
    unknown = int(flags) & ~_KNOWN_FLAGS
    named = {"clock_not_set": Flags.LOST_TIME in flags, f"unknown_flags_{unknown:02x}": bool(unknown)}
    return tuple(name for name, is_set in named.items() if is_set)
