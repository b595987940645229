"""LifeScan OneTouch Ultra and Ultra2 over their serial cable.

Reads the software version, the serial number, the clock and the whole memory, which the meter sends in one piece,
newest first; writes nothing into the meter. Values are mg/dL on the wire, whatever the display shows; HI and LO come
as words, a control solution as a ``C`` before the result. The Ultra2 adds the meal and a comment.

Every line carries a checksum, but it is a plain sum: two digits that change places pass it. So the day of the week is
held against the date, and a dump in which one does not fit is believed only when a second dump says the same; the
reading then has no time that we could trust. A dump with fewer lines than its header announces is asked for again and
never complete. A ``?`` behind a result is the meter's word that its memory is damaged there: kept, not as a figure.

The last character of the serial number names the model (``T`` Ultra, ``Y`` Ultra2); another model than the profile's
is refused.

Wire page with offsets and a record decoded by hand: ``lifescan_ultra.md``.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from device_drivers.codecs import lifescan_ultra as wire
from device_drivers.codecs.lifescan_ultra import ClockReading, Header, Line, LineReader, Record, SerialNumber, Version
from device_drivers.drivers.conversation import Clock, Cursor, Event, Opened
from device_drivers.drivers.incoming import Incoming
from device_drivers.drivers.new_readings import Dump, new_readings
from device_drivers.drivers.retries import retried, until_quiet
from device_drivers.errors import IncompleteTransfer, LinkTimeout, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort, Values

QUIRKS: frozenset[str] = frozenset()

MEALS = {"B": "preprandial", "A": "postprandial"}
COMMENTS = {
    "01": "not_enough_food", "02": "too_much_food", "03": "mild_exercise", "04": "hard_exercise", "05": "medication",
    "06": "stress", "07": "illness", "08": "feel_hypo", "09": "menses", "10": "vacation", "11": "other",
}  # fmt: skip

# A line takes 65 ms at 9600 baud, and the next follows at once.
BETWEEN_LINES_S = 0.5
# Lines of another answer that may stand in the line: a whole dump.
MOST_LATE_LINES = 1000

Answer = TypeVar("Answer", Version, SerialNumber, ClockReading, Header)


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    meter = Ultra(link, profile)
    version = await meter.ask(wire.READ_VERSION, Version)
    serial_number = (await meter.ask(wire.READ_SERIAL_NUMBER, SerialNumber)).serial_number
    _check_model(serial_number, profile)
    identity = DeviceIdentity(
        manufacturer=profile.device.maker,
        model=profile.device.model,
        serial_number=serial_number,
        firmware=version.software,
    )
    clock = (await meter.ask(wire.READ_CLOCK, ClockReading)).stamp.local
    coincident = None if clock is None else CoincidentTimeStamp(gateway_time=now(), device_time=clock)
    contents = await meter.contents()
    yield Opened(identity=identity, coincident=coincident, holds=len(contents.records))
    memory = Dump([_reading(record, identity, profile) for record in contents.records])
    async with aclosing(new_readings(memory, cursor)) as events:
        async for event in events:
            yield event


def _check_model(serial_number: str, profile: Profile) -> None:
    """UnexpectedDevice where the serial number is another model's."""
    model = wire.MODELS.get(serial_number[-1])
    if model is not None and model != profile.device.model:
        raise UnexpectedDevice(model, profile.id)


@dataclass(frozen=True, slots=True)
class Contents:
    """A whole dump."""

    header: Header
    records: tuple[Record, ...]

    @property
    def is_consistent(self) -> bool:
        """Whether every day of the week is its date's own."""
        return all(record.stamp.weekday_matches for record in self.records)


class Ultra:
    """Commands and lines over a line that may do anything."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        self._link = link
        self._port = profile.firmware.serial or SerialPort(baud=9600)
        self._lines: Incoming[Line] = Incoming(link, LineReader(), self._port.reply_timeout_s)

    async def ask(self, command: str, answer: type[Answer]) -> Answer:
        """One command and its one-line answer. CodecError, LinkTimeout, LinkLost."""

        async def attempt() -> Answer:
            await self._command(command)
            return await self._next(answer)

        return await retried(attempt, self._port.retries, self._until_quiet)

    async def contents(self) -> Contents:
        """The whole memory; IncompleteTransfer, CodecError, LinkTimeout, LinkLost."""
        contents = await self._dumped()
        for _ in range(self._port.retries):
            if contents.is_consistent:
                break
            before, contents = contents, await self._dumped()
            if contents == before:
                break
        return contents

    async def _dumped(self) -> Contents:
        return await retried(self._dump, self._port.retries, self._until_quiet)

    async def _dump(self) -> Contents:
        await self._command(wire.READ_MEMORY)
        header = await self._next(Header)
        records: list[Record] = []
        while len(records) < header.count:
            try:
                line = await self._lines.next()
            except LinkTimeout as error:
                raise IncompleteTransfer(header.count, len(records)) from error
            if not isinstance(line, Record):
                raise IncompleteTransfer(header.count, len(records))
            records.append(line)
        if await self._lines.more_within(min(BETWEEN_LINES_S, self._port.reply_timeout_s)):
            # One of the lines came twice, and which is not known.
            raise IncompleteTransfer(header.count, len(records) + 1)
        return Contents(header, tuple(records))

    async def _command(self, command: str) -> None:
        """Send it with nothing left over from before."""
        await self._lines.forget()
        await self._link.write(wire.encode_command(command))

    async def _next(self, answer: type[Answer]) -> Answer:
        """The next line of this kind; late lines of other kinds pass by."""
        for _ in range(MOST_LATE_LINES):
            line = await self._lines.next()
            if isinstance(line, answer):
                return line
        raise LinkTimeout("the meter says other things than the answer")

    async def _until_quiet(self) -> None:
        """A dump cannot be stopped: what is still coming has to pass by before the next command."""
        await until_quiet(self._link, self._port.reply_timeout_s)


def _reading(record: Record, identity: DeviceIdentity, profile: Profile) -> Reading:
    stamp = record.stamp
    is_set = stamp.weekday_matches and stamp.text not in profile.firmware.clock.unset
    return Reading(
        device=identity,
        kind=Kind.GLUCOSE,
        components=(Component(_code(record), quantity(record, profile.firmware.values)),),
        reported_time=ReportedTime(stamp.text, stamp.local if is_set else None),
        profile=profile.id,
        raw=wire.encode(record),
        sample=Sample.CONTROL_SOLUTION if record.is_control else Sample.PATIENT,
        annotations=annotations(record),
        context=_context(record),
    )


def _code(record: Record) -> Mdc:
    return Mdc.CONC_GLU_CONTROL if record.is_control else Mdc.CONC_GLU_CAPILLARY_PLASMA


def quantity(record: Record, values: Values) -> Quantity:
    """mg/dL, or HI and LO with the profile's bounds; what the meter itself doubts is not a number."""
    if record.parity_error:
        return Quantity(None, Unit.MG_DL, QuantityState.NOT_A_NUMBER)
    if record.result == wire.HIGH:
        return Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, values.high)
    if record.result == wire.LOW:
        return Quantity(None, Unit.MG_DL, QuantityState.BELOW_RANGE, values.low)
    if record.mg_dl is None:
        return Quantity(None, Unit.MG_DL, QuantityState.NOT_A_NUMBER)
    return Quantity(Decimal(record.mg_dl), Unit.MG_DL)


def annotations(record: Record) -> tuple[str, ...]:
    """What the meter, or its calendar, says against a record."""
    flags = {
        "memory_parity_error": record.parity_error,
        "unknown_result": record.mg_dl is None and record.result not in (wire.HIGH, wire.LOW),
        "weekday_does_not_fit": not record.stamp.weekday_matches,
    }
    return tuple(name for name, is_set in flags.items() if is_set)


def _context(record: Record) -> dict[str, str]:
    """Meal and comment where there is one."""
    words: dict[str, str] = {}
    if record.meal not in (None, "N"):
        words["meal"] = MEALS.get(str(record.meal), f"reserved_{record.meal}")
    if record.comment not in (None, "00"):
        words["comment"] = COMMENTS.get(str(record.comment), f"reserved_{record.comment}")
    return words
