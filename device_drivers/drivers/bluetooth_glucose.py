"""Bluetooth Glucose Service: every stored record, once, through the Record Access Control Point.

Models: the meters whose profile names this driver, from Accu-Chek Guide to CareSens Dual (README, support table).
Features: history, incremental reading, meal and other context, control solution, HI and LO, ketones where the profile
knows how they are told. Wire page: bluetooth_glucose.md. The conversation: who are you (Device Information), what time
is it (before anything else moves), how many records do you hold, send me those I have not seen, was that all of them?

**The cursor** is the last record read: its sequence number, its base time, and how many records the meter then held.
A meter that was reset counts from the start again, so a sequence number alone would hide its new records for years.
Therefore the last record is asked for once more together with what follows it; if it is not there, or is another
record, or the numbers do not add up, everything is read. Reading everything is always safe: a reading that is already
known is recognised by its identity. So is everything read when the numbers come near 65535, after which they begin
again with 0.

**Completeness** is by count and by number: a report with fewer records than announced has its holes asked for once more
by range; what is still missing then is an error, and the cursor stays.

**The clock.** The oldest record comes first, and only the newer ones tell whether the clock was set back after it. So
the readings of a report are given out at its end, whatever that is. Nothing is at risk meanwhile: no meter deletes what
it has sent (deleting is a request of its own, which no profile allows), and the cursor moves after the report alone, so
a gateway that loses power in the middle of it is sent everything again. A model that deletes would need a driver that
gives each record out as it comes, and readings without this witness against the clock.

Quirks: ``reversed_sequence`` (the newest record is always number 0: identity is time and figure, and the first record
tells whether anything is new), ``meal_6_is_ketone`` (the context turns a glucose record into a ketone one, so no record
is given out before its context), ``pulls_by_sequence_number`` ("all records" is never asked for).
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from device_drivers.codecs.glucose_measurement import GlucoseMeasurement, decode_glucose_measurement
from device_drivers.codecs.glucose_measurement_context import (
    GlucoseMeasurementContext,
    decode_glucose_measurement_context,
)
from device_drivers.codecs.record_access_control_point import Operator, Request
from device_drivers.drivers.arrivals import Arrivals
from device_drivers.drivers.battery import battery_warnings
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.device_clock import read_clock
from device_drivers.drivers.device_information import read_identity
from device_drivers.drivers.glucose_records import MEAL_6_IS_KETONE, REVERSED_SEQUENCE, reading_of, reported_time_of
from device_drivers.drivers.occurrences import told_apart
from device_drivers.drivers.record_access import (
    PROCEDURE_TIMEOUT_S,
    RECORD_ACCESS_CONTROL_POINT,
    Unsupported,
    check_end_of_report,
    count_records,
    newest_of,
    report,
    requests_for_missing,
    start_procedure,
)
from device_drivers.errors import CodecError, IncompleteTransfer, LinkError, ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink
from device_drivers.readings import Reading
from device_drivers.timestamps import MemoryOrder
from firmware_profiles.schema import Profile

PULLS_BY_SEQUENCE_NUMBER = "pulls_by_sequence_number"
QUIRKS: frozenset[str] = frozenset({MEAL_6_IS_KETONE, PULLS_BY_SEQUENCE_NUMBER, REVERSED_SEQUENCE})

GLUCOSE_MEASUREMENT = sig_uuid(0x2A18)
GLUCOSE_MEASUREMENT_CONTEXT = sig_uuid(0x2A34)

# No memory is larger, so from this number on the next new record may have begun again with 0.
_NEAR_THE_WRAP = 0x10000 - 4096

_EVERYTHING = report(Operator.ALL_RECORDS)
_FROM_ZERO = report(Operator.GREATER_THAN_OR_EQUAL_TO, 0)


@dataclass(frozen=True, slots=True)
class _Last:
    """The cursor, understood."""

    sequence_number: int
    base_time: str
    holds: int


@dataclass(slots=True)
class _Open:
    """A record whose context may still come."""

    record: GlucoseMeasurement
    raw: bytes
    context: GlucoseMeasurementContext | None = None

    @property
    def lacks_context(self) -> bool:
        return self.record.context_information_follows and self.context is None


@dataclass(slots=True)
class _Transfer:
    """The state of one report and of its repetitions: what came, and the records that may still get their context."""

    identity: DeviceIdentity
    profile: Profile
    known: _Last | None
    expected: int
    seen: dict[int, GlucoseMeasurement] = field(default_factory=dict)
    ready: list[Reading] = field(default_factory=list)
    missing_contexts: int = 0
    damaged: CodecError | None = None
    _open: dict[int, _Open] = field(default_factory=dict)
    _equals: Counter[str] = field(default_factory=Counter)

    @property
    def known_is_there(self) -> bool:
        """Whether the last record of the previous visit is still the same record."""
        if self.known is None:
            return False
        record = self.seen.get(self.known.sequence_number)
        return record is not None and record.base_time.text == self.known.base_time

    @property
    def is_short(self) -> bool:
        """Whether less came than was announced."""
        return len(self.seen) < self.expected

    @property
    def since(self) -> int | None:
        """The first number asked for; None for all."""
        return self.known.sequence_number if self.known else None

    def accept(self, characteristic: object, octets: bytes) -> None:
        """A measurement or a context. CodecError."""
        if characteristic == GLUCOSE_MEASUREMENT_CONTEXT:
            self._merge(decode_glucose_measurement_context(octets), octets)
            return
        if not self._needs_every_context:
            self.close()
        record = decode_glucose_measurement(octets)
        if record.sequence_number not in self.seen:
            self._open[record.sequence_number] = _Open(record, octets)
            self.seen[record.sequence_number] = record

    def close(self) -> None:
        """No context will come any more for the records that are open.

        Where the context says what was measured, a record that lacks it counts as not received at all.
        """
        for number, opened in self._open.items():
            if opened.lacks_context and self._needs_every_context:
                del self.seen[number]
            else:
                self.missing_contexts += opened.lacks_context
                self._finish(opened)
        self._open.clear()

    def take(self) -> tuple[Reading, ...]:
        """The readings that are whole, for the caller to make durable, with what their order says of the clock."""
        taken, self.ready = tuple(self.ready), []
        if self.profile.has_quirk(REVERSED_SEQUENCE):
            return taken
        back = self._clock_went_back()
        return tuple(replace(reading, clock_went_back_to=back.get(reading.sequence_number)) for reading in taken)

    def _clock_went_back(self) -> Mapping[int | None, datetime | None]:
        """By sequence number: the earliest time of a newer record, where that is before the record's own."""
        newest, order = newest_of(self.seen), MemoryOrder()
        from_the_newest = sorted(self.seen, key=lambda number: (newest - number) % 0x10000)
        return {n: order.older(reported_time_of(self.seen[n], self.profile).local) for n in from_the_newest}

    @property
    def _needs_every_context(self) -> bool:
        return self.profile.has_quirk(MEAL_6_IS_KETONE)

    def _merge(self, context: GlucoseMeasurementContext, octets: bytes) -> None:
        opened = self._open.get(context.sequence_number)
        if opened is None:
            return  # its record has left already, or never came: then the count does not match
        opened.context, opened.raw = context, opened.raw + octets
        if not self._needs_every_context:
            self.close()

    def _finish(self, opened: _Open) -> None:
        if self.known_is_there and self.known and opened.record.sequence_number == self.known.sequence_number:
            return
        reading = reading_of(opened.record, opened.context, opened.raw, self.identity, self.profile)
        has_number = reading.sequence_number is not None
        self.ready.append(reading if has_number else told_apart(reading, self._equals))


async def read(link: BleLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``conversation`` for the contract. DeviceError at any point, and then no cursor moves."""
    identity = await read_identity(link, profile)
    coincident = await read_clock(link, profile, now)
    battery = await battery_warnings(link)
    async with Arrivals(link) as arrivals:
        await arrivals.subscribe(GLUCOSE_MEASUREMENT)
        if link.has_characteristic(GLUCOSE_MEASUREMENT_CONTEXT):
            await arrivals.subscribe(GLUCOSE_MEASUREMENT_CONTEXT)
        await arrivals.subscribe(RECORD_ACCESS_CONTROL_POINT)
        holds = await count_records(link, arrivals)
        yield Opened(identity=identity, coincident=coincident, holds=holds)
        if holds == 0:
            yield Complete(cursor={}, holds=0, warnings=battery)
            return
        if profile.has_quirk(REVERSED_SEQUENCE):
            first = await _first_record(link, arrivals)
            seen_before = Complete(cursor={"first": first.hex(), "holds": holds}, holds=holds, warnings=battery)
            if cursor == seen_before.cursor:
                yield seen_before
                return
            known, expected = None, holds
        else:
            known, expected = await _resume(link, arrivals, cursor, holds)

        transfer = _Transfer(identity, profile, known, expected)
        async for readings in _report(link, arrivals, transfer):
            yield Received(readings)
        if known is not None and not transfer.known_is_there and len(transfer.seen) < holds:
            transfer = _Transfer(identity, profile, None, holds)
            async for readings in _report(link, arrivals, transfer):
                yield Received(readings)
        yield seen_before if profile.has_quirk(REVERSED_SEQUENCE) else _complete(transfer, holds, battery)


async def _resume(link: BleLink, arrivals: Arrivals, cursor: Cursor | None, holds: int) -> tuple[_Last | None, int]:
    """From which record on to read, and how many records that is; None means all of them."""
    last = _understand(cursor)
    if last is None or holds < last.holds or last.sequence_number >= _NEAR_THE_WRAP:
        return None, holds
    try:
        expected = await count_records(link, arrivals, since=last.sequence_number)
    except ProtocolError:
        return None, holds  # a meter without this filter
    if expected == 0 or holds > last.holds + expected - 1:
        return None, holds  # records below the last number have appeared: it counts from the start again
    return last, expected


async def _first_record(link: BleLink, arrivals: Arrivals) -> bytes:
    """The octets of the record that the meter calls its first."""
    await start_procedure(link, report(Operator.FIRST_RECORD))
    octets = b""
    while True:
        characteristic, arrived = await arrivals.next(PROCEDURE_TIMEOUT_S)
        if characteristic == RECORD_ACCESS_CONTROL_POINT:
            check_end_of_report(arrived)
            return octets
        octets += arrived


async def _report(link: BleLink, arrivals: Arrivals, transfer: _Transfer) -> AsyncIterator[tuple[Reading, ...]]:
    """Run one report to its end and check that it was whole. CodecError, IncompleteTransfer, ProtocolError, LinkError.

    Whatever goes wrong, every whole reading is given out first: one damaged record must not hide those behind it.
    """
    async for readings in _first_supported(link, arrivals, transfer):
        yield readings
    for request in requests_for_missing(transfer.seen, transfer.since) if transfer.is_short else ():
        try:
            async for readings in _run(link, arrivals, transfer, request):
                yield readings
        except Unsupported:
            break
    if transfer.is_short:
        raise transfer.damaged or IncompleteTransfer(transfer.expected, len(transfer.seen))


async def _first_supported(
    link: BleLink, arrivals: Arrivals, transfer: _Transfer
) -> AsyncIterator[tuple[Reading, ...]]:
    """Ask in the first way that the meter understands. Unsupported where it understands none."""
    *others, last = _ways_to_ask(transfer)
    for request in others:
        try:
            async for readings in _run(link, arrivals, transfer, request):
                yield readings
        except Unsupported:
            continue
        return
    async for readings in _run(link, arrivals, transfer, last):
        yield readings


def _ways_to_ask(transfer: _Transfer) -> Iterable[Request]:
    """From best to last resort. The newest record is worth having even where the others cannot be asked for."""
    if transfer.since is not None:
        return [report(Operator.GREATER_THAN_OR_EQUAL_TO, transfer.since)]
    if transfer.profile.has_quirk(PULLS_BY_SEQUENCE_NUMBER):
        return [_FROM_ZERO]
    newest = Operator.FIRST_RECORD if transfer.profile.has_quirk(REVERSED_SEQUENCE) else Operator.LAST_RECORD
    return [_EVERYTHING, _FROM_ZERO, report(newest)]


async def _run(
    link: BleLink, arrivals: Arrivals, transfer: _Transfer, request: Request
) -> AsyncIterator[tuple[Reading, ...]]:
    """One request to the answer that ends it, and only then its readings: their order says when the clock was set back.

    Unsupported, ProtocolError, LinkError; damaged records are noted.
    """
    await start_procedure(link, request)
    end: bytes | None = None
    while end is None:
        try:
            end = await _next_into(transfer, arrivals)
        except LinkError:
            transfer.close()
            if transfer.ready:
                yield transfer.take()
            raise
    transfer.close()
    if transfer.ready:
        yield transfer.take()
    check_end_of_report(end)


async def _next_into(transfer: _Transfer, arrivals: Arrivals) -> bytes | None:
    """Take what comes next; the octets of the answer that ends the report, None before. LinkError."""
    characteristic, octets = await arrivals.next(PROCEDURE_TIMEOUT_S)
    if characteristic == RECORD_ACCESS_CONTROL_POINT:
        return octets
    try:
        transfer.accept(characteristic, octets)
    except CodecError as error:
        transfer.damaged = transfer.damaged or error
    return None


def _understand(cursor: Cursor | None) -> _Last | None:
    if not cursor or not {"sequence_number", "base_time", "holds"} <= cursor.keys():
        return None
    return _Last(int(cursor["sequence_number"]), str(cursor["base_time"]), int(cursor["holds"]))


def _complete(transfer: _Transfer, holds: int, battery: tuple[str, ...]) -> Complete:
    added = len(transfer.seen) - transfer.expected  # measured while we were reading
    newest = transfer.seen[newest_of(transfer.seen)]
    cursor: Cursor = {
        "sequence_number": newest.sequence_number,
        "base_time": newest.base_time.text,
        "holds": holds + added,
    }
    return Complete(cursor=cursor, holds=holds + added, warnings=(*battery, *_warnings(transfer)))


def _warnings(transfer: _Transfer) -> Iterable[str]:
    if transfer.missing_contexts:
        yield f"{transfer.missing_contexts} records announced a context that did not come"
    if transfer.damaged is not None:
        yield "all records came, and beside them something that could not be decoded"
