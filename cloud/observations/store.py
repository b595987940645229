"""All SQL of writing observations into the hypertables; people read them through the views (``cloud.patients``)."""

from collections.abc import Iterable
from typing import Any

from cloud.db.connect import Connection, as_rows
from cloud.observations.models import Observation
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState


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
