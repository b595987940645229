"""A simulated Bluetooth glucometer: memory, the manners of the Record Access Control Point, faults."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bumble import att
from bumble.device import Connection
from bumble.gatt import Characteristic, CharacteristicValue

from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.glucose_feature import GlucoseFeature, encode_glucose_feature
from device_drivers.codecs.glucose_measurement import (
    SENSOR_STATUS_ANNUNCIATION,
    ConcentrationUnit,
    GlucoseConcentration,
    GlucoseMeasurement,
    encode_glucose_measurement,
)
from device_drivers.codecs.glucose_measurement_context import (
    GlucoseMeasurementContext,
    encode_glucose_measurement_context,
)
from device_drivers.codecs.record_access_control_point import (
    NumberOfStoredRecords,
    OpCode,
    Operator,
    Refusal,
    Request,
    Response,
    ResponseCode,
    decode_request,
    encode_response,
)
from device_drivers.codecs.sfloat import Figure, Special
from device_drivers.errors import CodecError
from device_drivers.simulators.ble_peripheral import INDICATE, NOTIFY, READ, WRITE, Peripheral
from device_drivers.simulators.device import Now, shown_at
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from firmware_profiles.schema import Profile

_CCCD_IMPROPERLY_CONFIGURED, _PROCEDURE_ALREADY_IN_PROGRESS = 0xFD, 0xFE
_STATUS_BITS = {name: bit for bit, name in SENSOR_STATUS_ANNUNCIATION.items()}
_SPECIALS = {"HI": Special.POSITIVE_INFINITY, "LO": Special.NEGATIVE_INFINITY, "NaN": Special.NOT_A_NUMBER}
_MEAL_OF_KETONE = 6
_ALL_FEATURES = GlucoseFeature(0x03FF)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One place in the memory; ``ordinal`` counts all measurements of its life."""

    ordinal: int
    sequence_number: int
    local: datetime
    record: BleRecordSpec


class Glucometer(Peripheral):
    """One meter. ``memory`` is oldest first and as long as the profile says; the oldest record makes room."""

    def __init__(self, profile: Profile, spec: BleDeviceSpec, now: Now) -> None:
        super().__init__(profile, spec, now)
        self.memory: deque[StoredRecord] = deque(maxlen=profile.device.memory)
        self._next_sequence_number = spec.first_sequence_number
        self._made = 0
        self._taken = 0
        self._busy_left = spec.faults.busy_requests
        self._procedure: asyncio.Task[None] | None = None
        self._answered = False
        self._measurement: Characteristic[bytes] | None = None
        self._context: Characteristic[bytes] | None = None
        self._control_point: Characteristic[bytes] | None = None
        for record in sorted(spec.records, key=lambda record: record.age_s, reverse=True):
            self.measure(record)

    def measure(self, record: BleRecordSpec) -> None:
        """A measurement, ``age_s`` before now."""
        local = shown_at(record, self.clock())
        self._made += 1
        self.memory.append(StoredRecord(self._made, self._next_sequence_number, local, record))
        self._next_sequence_number = (self._next_sequence_number + 1) & 0xFFFF
        self.has_news()

    def reset(self) -> None:
        """The patient resets the meter: the memory is empty and counting starts again."""
        self.memory.clear()
        self.set_next_sequence_number(0)

    def set_next_sequence_number(self, number: int) -> None:
        """The meter counts on from here, whatever it holds."""
        self._next_sequence_number = number

    def has_untaken(self) -> bool:
        """Whether a record was never asked for."""
        return any(stored.ordinal > self._taken for stored in self.memory)

    def main_characteristics(self) -> list[Characteristic[bytes]]:
        """The Glucose Service."""
        self._measurement = self.secured(0x2A18, NOTIFY, b"")
        self._context = self.secured(0x2A34, NOTIFY, b"")
        self._control_point = self.secured(0x2A52, WRITE | INDICATE, CharacteristicValue(write=self._on_request))
        feature = self.secured(0x2A51, READ, encode_glucose_feature(_ALL_FEATURES))
        return [self._measurement, self._context, feature, self._control_point]

    def _on_request(self, _connection: Connection, octets: bytes) -> None:
        """The answer to the write itself; what it asks for is pushed."""
        if self._control_point is None or not self.is_subscribed(self._control_point):
            raise att.ATT_Error(_CCCD_IMPROPERLY_CONFIGURED)
        if self._busy_left > 0:
            self._busy_left -= 1
            raise att.ATT_Error(self.spec.faults.busy_code)
        try:
            request = decode_request(octets)
        except Refusal as refusal:
            self._start(self._answer(refusal.response))
        except CodecError as error:
            raise att.ATT_Error(att.ATT_INVALID_ATTRIBUTE_LENGTH_ERROR) from error
        else:
            self._obey(request)

    def _obey(self, request: Request) -> None:
        if self.spec.faults.hangs:
            return
        if self._refuses(request):
            self._start(self._answer(Response(request.op_code, ResponseCode.OPERATOR_NOT_SUPPORTED)))
            return
        match request.op_code:
            case OpCode.ABORT_OPERATION:
                if self._procedure is not None:
                    self._procedure.cancel()
                    self._procedure = None
                self._start(self._answer(Response(request.op_code, ResponseCode.SUCCESS)))
            case OpCode.REPORT_STORED_RECORDS:
                self._start(self._report(request))
            case OpCode.REPORT_NUMBER_OF_STORED_RECORDS:
                self._start(self._answer(NumberOfStoredRecords(len(self._chosen(request)))))
            case _:  # deleting is optional, and no gateway of ours ever asks for it
                self._start(self._answer(Response(request.op_code, ResponseCode.OP_CODE_NOT_SUPPORTED)))

    def _refuses(self, request: Request) -> bool:
        reports_all = (request.op_code, request.operator) == (OpCode.REPORT_STORED_RECORDS, Operator.ALL_RECORDS)
        by_number_only = self.profile.has_quirk("pulls_by_sequence_number")
        return (reports_all and by_number_only) or request.operator in self.spec.refused_operators

    def _start(self, procedure: Coroutine[None, None, None]) -> None:
        """One procedure at a time; it ends when its indication is confirmed."""
        running = self._procedure is not None and not self._procedure.done()
        if running and (not self._answered or self.awaits_confirmation()):
            procedure.close()
            raise att.ATT_Error(_PROCEDURE_ALREADY_IN_PROGRESS)
        self._answered = False
        self._procedure = self.run(procedure)

    async def _report(self, request: Request) -> None:
        chosen = self._chosen(request)
        for stored in chosen:
            if not await self._push_record(stored):
                return
        code = ResponseCode.SUCCESS if chosen else ResponseCode.NO_RECORDS_FOUND
        await self._answer(Response(request.op_code, code))
        if chosen:
            self._taken = max(self._taken, *(stored.ordinal for stored in chosen))

    async def _push_record(self, stored: StoredRecord) -> bool:
        if self._measurement is None or self._context is None:
            return False
        measurement = self.encoded(stored)
        if measurement.sequence_number == self.spec.faults.never_send:
            return True
        linked = await self.push(self._measurement, encode_glucose_measurement(measurement), indicate=False)
        meal = _meal(stored.record)
        if not linked or meal is None:
            return linked
        context = GlucoseMeasurementContext(sequence_number=measurement.sequence_number, meal=meal)
        return await self.push(self._context, encode_glucose_measurement_context(context), indicate=False)

    async def _answer(self, response: NumberOfStoredRecords | Response) -> None:
        if self._control_point is not None:
            self._answered = True
            await self.send(self._control_point, encode_response(response), indicate=True)

    def encoded(self, stored: StoredRecord) -> GlucoseMeasurement:
        """The record as the service says it."""
        record = stored.record
        status = sum(1 << _STATUS_BITS[flag] for flag in _flags(record))
        offset = timedelta(minutes=record.time_offset or 0)
        return GlucoseMeasurement(
            sequence_number=self._number(stored),
            base_time=DateTime.at(stored.local - offset),
            time_offset=record.time_offset,
            concentration=GlucoseConcentration(*self._figure(record), *record.type_and_location),
            sensor_status_annunciation=status,
            context_information_follows=_meal(record) is not None,
        )

    def _figure(self, record: BleRecordSpec) -> tuple[Figure, ConcentrationUnit]:
        in_moles = self.profile.firmware.values.unit == "mmol/L"
        unit, shift = (ConcentrationUnit.MOL_PER_L, -3) if in_moles else (ConcentrationUnit.KG_PER_L, -5)
        if record.analyte == "ketone":
            unit, shift = ConcentrationUnit.KG_PER_L, -4  # as mg/dL, ten times what the display shows in mmol/L
        value = record.value or "NaN"
        return _SPECIALS.get(value) or Decimal(value).scaleb(shift), unit

    def _chosen(self, request: Request) -> list[StoredRecord]:
        match request.operator:
            case Operator.FIRST_RECORD:
                return self._in_order()[:1]
            case Operator.LAST_RECORD:
                return self._in_order()[-1:]
            case _:
                return [stored for stored in self._in_order() if self._is_within(stored, request)]

    def _in_order(self) -> list[StoredRecord]:
        """As the meter counts: oldest first, with ``reversed_sequence`` newest first."""
        return list(self.memory)[::-1] if self._is_reversed else list(self.memory)

    @property
    def _is_reversed(self) -> bool:
        return self.profile.has_quirk("reversed_sequence")

    def _number(self, stored: StoredRecord) -> int:
        return self._made - stored.ordinal if self._is_reversed else stored.sequence_number

    def _is_within(self, stored: StoredRecord, request: Request) -> bool:
        return _is_between(stored.local, self._number(stored), request)


def _is_between(local: datetime, number: int, request: Request) -> bool:
    limits = (request.minimum, request.maximum)
    if any(isinstance(limit, DateTime) for limit in limits):
        at = DateTime.at(local).text
        low, high = (limit.text if isinstance(limit, DateTime) else None for limit in limits)
        return (low is None or low <= at) and (high is None or at <= high)
    low_number, high_number = (limit if isinstance(limit, int) else None for limit in limits)
    return (low_number is None or low_number <= number) and (high_number is None or number <= high_number)


def _meal(record: BleRecordSpec) -> int | None:
    """The context's meal; a ketone strip shows there and nowhere else."""
    return _MEAL_OF_KETONE if record.analyte == "ketone" else record.meal


def _flags(record: BleRecordSpec) -> tuple[str, ...]:
    shown = {"HI": ("result_too_high",), "LO": ("result_too_low",)}
    return record.flags + shown.get(record.value or "", ())
