"""Bluetooth Glucose Service: every stored record, once, through the Record Access Control Point.

Wire page: bluetooth_glucose.md. The conversation: who are you (Device Information), what time is it (before anything
else moves), how many records do you hold, send me those I have not seen, was that all of them?

**The cursor** is the last record read: its sequence number, its base time, and how many records the meter then held.
A meter that was reset counts from the start again, so a sequence number alone would hide its new records for years.
Therefore the last record is asked for once more together with what follows it; if it is not there, or is another
record, or the numbers do not add up, everything is read. Reading everything is always safe: a reading that is already
known is recognised by its identity.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from device_drivers.codecs import glucose_measurement as measurement_codec
from device_drivers.codecs import glucose_measurement_context as context_codec
from device_drivers.codecs.glucose_measurement import (
    TYPE_CONTROL_SOLUTION,
    ConcentrationUnit,
    GlucoseMeasurement,
    decode_glucose_measurement,
)
from device_drivers.codecs.glucose_measurement_context import (
    GlucoseMeasurementContext,
    decode_glucose_measurement_context,
)
from device_drivers.codecs.sfloat import Figure, Special
from device_drivers.drivers.arrivals import Arrivals
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.device_clock import read_clock, reported_time
from device_drivers.drivers.device_information import read_identity
from device_drivers.drivers.record_access import (
    PROCEDURE_TIMEOUT_S,
    RECORD_ACCESS_CONTROL_POINT,
    check_end_of_report,
    count_records,
    start_report,
)
from device_drivers.errors import CodecError, IncompleteTransfer, LinkError, ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from firmware_profiles.schema import Profile

QUIRKS: frozenset[str] = frozenset()

GLUCOSE_MEASUREMENT = sig_uuid(0x2A18)
GLUCOSE_MEASUREMENT_CONTEXT = sig_uuid(0x2A34)

# At most so many readings are made durable together; fewer when the meter pauses.
_BATCH = 64

_CODES = {
    1: Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
    2: Mdc.CONC_GLU_CAPILLARY_PLASMA,
    3: Mdc.CONC_GLU_VENOUS_WHOLEBLOOD,
    4: Mdc.CONC_GLU_VENOUS_PLASMA,
    5: Mdc.CONC_GLU_ARTERIAL_WHOLEBLOOD,
    6: Mdc.CONC_GLU_ARTERIAL_PLASMA,
    7: Mdc.CONC_GLU_UNDETERMINED_WHOLEBLOOD,
    8: Mdc.CONC_GLU_UNDETERMINED_PLASMA,
    TYPE_CONTROL_SOLUTION: Mdc.CONC_GLU_CONTROL,
}
# kg/L to mg/dL and mol/L to mmol/L are shifts of the decimal point, so no digit is gained or lost.
_SHIFTS = {ConcentrationUnit.KG_PER_L: (Unit.MG_DL, 5), ConcentrationUnit.MOL_PER_L: (Unit.MMOL_L, 3)}


@dataclass(frozen=True, slots=True)
class _Last:
    """The cursor, understood."""

    sequence_number: int
    base_time: str
    holds: int


@dataclass(slots=True)
class _Transfer:
    """The state of one report: what came, and the record that may still get its context."""

    identity: DeviceIdentity
    profile: Profile
    known: _Last | None
    expected: int
    seen: dict[int, GlucoseMeasurement] = field(default_factory=dict)
    ready: list[Reading] = field(default_factory=list)
    missing_contexts: int = 0
    damaged: CodecError | None = None
    _open: tuple[GlucoseMeasurement, bytes] | None = None

    @property
    def known_is_there(self) -> bool:
        """Whether the last record of the previous visit is still the same record."""
        if self.known is None:
            return False
        record = self.seen.get(self.known.sequence_number)
        return record is not None and record.base_time.text == self.known.base_time

    def accept(self, characteristic: object, octets: bytes) -> None:
        """A measurement or a context. CodecError."""
        if characteristic == GLUCOSE_MEASUREMENT_CONTEXT:
            self._merge(decode_glucose_measurement_context(octets), octets)
            return
        self.close()
        record = decode_glucose_measurement(octets)
        if record.sequence_number not in self.seen:
            self._open = record, octets
        self.seen[record.sequence_number] = record

    def close(self) -> None:
        """No context will come any more for the record that is open."""
        if self._open is not None:
            self.missing_contexts += self._open[0].context_information_follows
            self._finish(*self._open, context=None)

    def take(self) -> tuple[Reading, ...]:
        """The readings that are whole, for the caller to make durable."""
        taken, self.ready = tuple(self.ready), []
        return taken

    def _merge(self, context: GlucoseMeasurementContext, octets: bytes) -> None:
        if self._open is None or self._open[0].sequence_number != context.sequence_number:
            return  # its record has left already, or never came: then the count does not match
        record, raw = self._open
        self._finish(record, raw + octets, context)

    def _finish(self, record: GlucoseMeasurement, raw: bytes, context: GlucoseMeasurementContext | None) -> None:
        self._open = None
        if self.known is None or record.sequence_number != self.known.sequence_number or not self.known_is_there:
            self.ready.append(_reading(record, context, raw, self.identity, self.profile))


async def read(link: BleLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``conversation`` for the contract. DeviceError at any point, and then no cursor moves."""
    identity = await read_identity(link, profile)
    coincident = await read_clock(link, profile, now)
    async with Arrivals(link) as arrivals:
        await arrivals.subscribe(GLUCOSE_MEASUREMENT)
        if link.has_characteristic(GLUCOSE_MEASUREMENT_CONTEXT):
            await arrivals.subscribe(GLUCOSE_MEASUREMENT_CONTEXT)
        await arrivals.subscribe(RECORD_ACCESS_CONTROL_POINT)
        holds = await count_records(link, arrivals)
        yield Opened(identity=identity, coincident=coincident, holds=holds)
        if holds == 0:
            yield Complete(cursor={}, holds=0)
            return

        known, expected = await _resume(link, arrivals, cursor, holds)
        transfer = _Transfer(identity, profile, known, expected)
        async for readings in _report(link, arrivals, transfer):
            if readings:
                yield Received(readings)
        if known is not None and not transfer.known_is_there and len(transfer.seen) < holds:
            transfer = _Transfer(identity, profile, None, holds)
            async for readings in _report(link, arrivals, transfer):
                if readings:
                    yield Received(readings)
        yield _complete(transfer, holds)


async def _resume(link: BleLink, arrivals: Arrivals, cursor: Cursor | None, holds: int) -> tuple[_Last | None, int]:
    """From which record on to read, and how many records that is; None means all of them."""
    last = _understand(cursor)
    if last is None or holds < last.holds:
        return None, holds
    try:
        expected = await count_records(link, arrivals, since=last.sequence_number)
    except ProtocolError:
        return None, holds  # a meter without this filter
    if expected == 0 or holds > last.holds + expected - 1:
        return None, holds  # records below the last number have appeared: it counts from the start again
    return last, expected


async def _report(link: BleLink, arrivals: Arrivals, transfer: _Transfer) -> AsyncIterator[tuple[Reading, ...]]:
    """Run one report to its end and check that it was whole. CodecError, IncompleteTransfer, LinkError.

    Whatever goes wrong, every whole reading is given out first: one damaged record must not hide those behind it.
    """
    await start_report(link, since=transfer.known.sequence_number if transfer.known else None)
    end: bytes | None = None
    while end is None:
        try:
            end = await _next_into(transfer, arrivals)
        except LinkError:
            yield transfer.take()
            raise
        if len(transfer.ready) >= _BATCH or not arrivals.waiting:
            yield transfer.take()
    transfer.close()
    yield transfer.take()
    check_end_of_report(end)
    if transfer.damaged is not None:
        raise transfer.damaged
    if len(transfer.seen) < transfer.expected:
        raise IncompleteTransfer(transfer.expected, len(transfer.seen))


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


def _complete(transfer: _Transfer, holds: int) -> Complete:
    added = len(transfer.seen) - transfer.expected  # measured while we were reading
    newest = transfer.seen[max(transfer.seen)]
    cursor: Cursor = {
        "sequence_number": newest.sequence_number,
        "base_time": newest.base_time.text,
        "holds": holds + added,
    }
    missing = transfer.missing_contexts
    warnings = (f"{missing} records announced a context that did not come",) if missing else ()
    return Complete(cursor=cursor, holds=holds + added, warnings=warnings)


def _reading(
    record: GlucoseMeasurement,
    context: GlucoseMeasurementContext | None,
    raw: bytes,
    identity: DeviceIdentity,
    profile: Profile,
) -> Reading:
    concentration = record.concentration
    control = concentration is not None and concentration.type == TYPE_CONTROL_SOLUTION
    code = _CODES.get(concentration.type if concentration else 0, Mdc.CONC_GLU_UNDETERMINED_PLASMA)
    return Reading(
        device=identity,
        kind=Kind.GLUCOSE,
        components=(Component(code, _quantity(record, profile)),),
        reported_time=_reported_time(record, profile),
        profile=profile.id,
        raw=raw,
        sample=Sample.CONTROL_SOLUTION if control else Sample.PATIENT,
        sequence_number=record.sequence_number,
        annotations=record.annunciations,
        context=_measured_on(record) | (_around(context) if context else {}),
    )


def _reported_time(record: GlucoseMeasurement, profile: Profile) -> ReportedTime:
    local = record.base_time.local
    if record.time_offset is None:
        return reported_time(record.base_time, profile, local=local)
    try:
        local = local + timedelta(minutes=record.time_offset) if local else None
    except OverflowError:
        local = None  # the year 9999 and a positive offset
    return reported_time(record.base_time, profile, suffix=f"{record.time_offset:+d}min", local=local)


def _quantity(record: GlucoseMeasurement, profile: Profile) -> Quantity:
    values, concentration = profile.firmware.values, record.concentration
    unit, shift = _SHIFTS[concentration.unit] if concentration else (_unit(values.unit), 0)
    figure = concentration.figure if concentration else Special.NOT_A_NUMBER
    state = _state(figure, record.annunciations)
    limits = (values.low, values.high) if values.unit == unit else (None, None)
    if state is QuantityState.MEASURED and isinstance(figure, Decimal):
        return Quantity(figure.scaleb(shift), unit)
    bound = {QuantityState.BELOW_RANGE: limits[0], QuantityState.ABOVE_RANGE: limits[1]}.get(state)
    return Quantity(None, unit, state, bound)


def _unit(text: str) -> Unit:
    return Unit(text) if text in (Unit.MG_DL, Unit.MMOL_L) else Unit.MG_DL


def _state(figure: Figure, annunciations: tuple[str, ...]) -> QuantityState:
    """The status bits outrank the figure: a meter that shows HI may send its upper limit as the figure."""
    if "result_too_high" in annunciations or figure is Special.POSITIVE_INFINITY:
        return QuantityState.ABOVE_RANGE
    if "result_too_low" in annunciations or figure is Special.NEGATIVE_INFINITY:
        return QuantityState.BELOW_RANGE
    return QuantityState(figure.value) if isinstance(figure, Special) else QuantityState.MEASURED


def _measured_on(record: GlucoseMeasurement) -> dict[str, str]:
    if record.concentration is None:
        return {}
    concentration = record.concentration
    return {
        "type": _word(measurement_codec.TYPES, concentration.type),
        "sample_location": _word(measurement_codec.SAMPLE_LOCATIONS, concentration.sample_location),
    }


def _around(context: GlucoseMeasurementContext) -> dict[str, str]:
    """The context's fields as words; amounts as text with their unit in the name."""
    words: dict[str, str] = {}
    if context.meal is not None:
        words["meal"] = _word(context_codec.MEALS, context.meal)
    if context.tester is not None and context.health is not None:
        words["tester"] = _word(context_codec.TESTERS, context.tester)
        words["health"] = _word(context_codec.HEALTH, context.health)
    if context.carbohydrate is not None:
        words["carbohydrate_id"] = _word(context_codec.CARBOHYDRATE_IDS, context.carbohydrate.carbohydrate_id)
        words["carbohydrate_kg"] = str(context.carbohydrate.kilograms)
    if context.exercise is not None:
        words["exercise_duration_s"] = str(context.exercise.duration_s)
        words["exercise_intensity_percent"] = str(context.exercise.intensity_percent)
    if context.medication is not None:
        words["medication_id"] = _word(context_codec.MEDICATION_IDS, context.medication.medication_id)
        words[f"medication_{context.medication.unit.lower()}"] = str(context.medication.amount)
    if context.hba1c_percent is not None:
        words["hba1c_percent"] = str(context.hba1c_percent)
    return words


def _word(words: dict[int, str], value: int) -> str:
    return words.get(value, f"reserved_{value}")
