"""All SQL of observations: writing the hypertables, and reading them through the views."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from cloud.db.connect import Connection, as_rows
from cloud.observations.models import Observation, StoredBloodPressure, StoredGlucose
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Sample
from device_drivers.timestamps import TimeQuality


def insert(connection: Connection, observations: Iterable[Observation]) -> None:
    """Store observations whose readings are new to the ledger."""
    glucose: list[dict[str, Any]] = []
    blood_pressure: list[dict[str, Any]] = []
    for observation in observations:
        if observation.reading.kind is Kind.GLUCOSE:
            glucose.append(_glucose_row(observation))
        else:
            blood_pressure.append(_blood_pressure_row(observation))
    if glucose:
        connection.execute(_INSERT_GLUCOSE, (as_rows(glucose),))
    if blood_pressure:
        connection.execute(_INSERT_BLOOD_PRESSURE, (as_rows(blood_pressure),))


def last_glucose(connection: Connection, patient_id: UUID, limit: int = 20) -> Sequence[StoredGlucose]:
    """The newest glucose observations of a patient, newest first."""
    rows = connection.execute(
        _READ_GLUCOSE + " WHERE patient_id = %s ORDER BY effective_time DESC LIMIT %s", (patient_id, limit)
    )
    return [_glucose(*row) for row in rows]


def last_blood_pressure(connection: Connection, patient_id: UUID, limit: int = 20) -> Sequence[StoredBloodPressure]:
    """The newest blood-pressure observations of a patient, newest first."""
    rows = connection.execute(
        _READ_BLOOD_PRESSURE + " WHERE patient_id = %s ORDER BY effective_time DESC LIMIT %s", (patient_id, limit)
    )
    return [_blood_pressure(*row) for row in rows]


def glucose_between(
    connection: Connection, patient_id: UUID, start: datetime, end: datetime
) -> Sequence[StoredGlucose]:
    """Glucose observations with start <= effective time < end, oldest first."""
    rows = connection.execute(_READ_GLUCOSE + _WINDOW, (patient_id, start, end))
    return [_glucose(*row) for row in rows]


def blood_pressure_between(
    connection: Connection, patient_id: UUID, start: datetime, end: datetime
) -> Sequence[StoredBloodPressure]:
    """Blood-pressure observations with start <= effective time < end, oldest first."""
    rows = connection.execute(_READ_BLOOD_PRESSURE + _WINDOW, (patient_id, start, end))
    return [_blood_pressure(*row) for row in rows]


def _common_row(observation: Observation) -> dict[str, Any]:
    reading = observation.reading
    return {
        "effective_time": observation.effective_time,
        "reading_id": reading.reading_id,
        "patient_id": observation.patient_id,
        "device_id": reading.device.device_id,
        "user_index": reading.user_index,
        "sample": reading.sample,
        "context": reading.context,
        "annotations": reading.annotations,
        "reported_time": reading.reported_time.text,
        "time_quality": observation.time_quality,
        "received_at": observation.received_at,
    }


def _glucose_row(observation: Observation) -> dict[str, Any]:
    component = observation.reading.components[0]
    return _common_row(observation) | {
        "code": int(component.code),
        "value": component.quantity.value,
        "unit": component.quantity.unit,
        "state": component.quantity.state,
        "bound": component.quantity.bound,
    }


def _blood_pressure_row(observation: Observation) -> dict[str, Any]:
    by_code = {c.code: c.quantity for c in observation.reading.components}
    systolic, diastolic = by_code[Mdc.PRESS_BLD_NONINV_SYS], by_code[Mdc.PRESS_BLD_NONINV_DIA]
    mean, pulse = by_code.get(Mdc.PRESS_BLD_NONINV_MEAN), by_code.get(Mdc.PULS_RATE_NON_INV)
    # One state for both pressures: where either is no number, the pair is none.
    state = systolic.state if systolic.state is not QuantityState.MEASURED else diastolic.state
    return _common_row(observation) | {
        "systolic": systolic.value,
        "diastolic": diastolic.value,
        "mean_pressure": mean.value if mean else None,
        "unit": systolic.unit,
        "pulse": pulse.value if pulse else None,
        "state": state,
    }


def _glucose(*row: Any) -> StoredGlucose:
    reading_id, effective_time, value, unit, state, bound, *rest = row
    return StoredGlucose(
        reading_id=reading_id,
        effective_time=effective_time,
        quantity=Quantity(value, Unit(unit), QuantityState(state), bound),
        **_common(rest),
    )


def _blood_pressure(*row: Any) -> StoredBloodPressure:
    reading_id, effective_time, systolic, diastolic, mean_pressure, unit, pulse, state, *rest = row
    return StoredBloodPressure(
        reading_id=reading_id,
        effective_time=effective_time,
        systolic=systolic,
        diastolic=diastolic,
        mean_pressure=mean_pressure,
        unit=Unit(unit),
        pulse=pulse,
        state=state,
        **_common(rest),
    )


def _common(rest: Sequence[Any]) -> dict[str, Any]:
    sample, annotations, context, reported_time, time_quality, received_at, device_id = rest
    return {
        "sample": Sample(sample),
        "annotations": tuple(annotations),
        "context": context,
        "reported_time": reported_time,
        "time_quality": TimeQuality(time_quality),
        "received_at": received_at,
        "device_id": device_id,
    }


_READ_GLUCOSE: LiteralString = """
SELECT reading_id, effective_time, value, unit, state, bound,
       sample, annotations, context, reported_time, time_quality, received_at, device_id
FROM glucose
"""
_READ_BLOOD_PRESSURE: LiteralString = """
SELECT reading_id, effective_time, systolic, diastolic, mean_pressure, unit, pulse, state,
       sample, annotations, context, reported_time, time_quality, received_at, device_id
FROM blood_pressure
"""
_WINDOW: LiteralString = (
    " WHERE patient_id = %s AND effective_time >= %s AND effective_time < %s ORDER BY effective_time"
)

_INSERT_GLUCOSE = """
INSERT INTO glucose_observation (effective_time, reading_id, patient_id, device_id, user_index, code, value, unit,
                                 state, bound, sample, context, annotations, reported_time, time_quality, received_at)
SELECT effective_time, reading_id, patient_id, device_id, user_index, code, value, unit,
       state, bound, sample, context, annotations, reported_time, time_quality, received_at
FROM json_to_recordset(%s::json) AS r(
    effective_time timestamptz, reading_id uuid, patient_id uuid, device_id text, user_index smallint, code integer,
    value numeric, unit text, state text, bound numeric, sample text, context jsonb, annotations text[],
    reported_time text, time_quality text, received_at timestamptz)
"""

_INSERT_BLOOD_PRESSURE = """
INSERT INTO blood_pressure_observation (effective_time, reading_id, patient_id, device_id, user_index, systolic,
                                        diastolic, mean_pressure, unit, pulse, state, sample, context, annotations,
                                        reported_time, time_quality, received_at)
SELECT effective_time, reading_id, patient_id, device_id, user_index, systolic,
       diastolic, mean_pressure, unit, pulse, state, sample, context, annotations,
       reported_time, time_quality, received_at
FROM json_to_recordset(%s::json) AS r(
    effective_time timestamptz, reading_id uuid, patient_id uuid, device_id text, user_index smallint,
    systolic numeric, diastolic numeric, mean_pressure numeric, unit text, pulse numeric, state text, sample text,
    context jsonb, annotations text[], reported_time text, time_quality text, received_at timestamptz)
"""
