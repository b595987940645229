"""All SQL of writing observations into the hypertables; people read them through the views (``cloud.patients``)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed, Identifier

from cloud.db.connect import Connection, as_rows
from cloud.observations.models import Observation
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState


def insert(connection: Connection, observations: Iterable[Observation]) -> None:
    """Store observations whose readings are new to the ledger."""
    rows: dict[Kind, list[dict[str, Any]]] = {}
    for observation in observations:
        kind = observation.reading.kind
        rows.setdefault(kind, []).append(_ROW[kind](observation))
    for kind, of_kind in rows.items():
        connection.execute(_INSERT[kind], (as_rows(of_kind),))


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


def _concentration_row(observation: Observation) -> dict[str, Any]:
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


_INSERT_CONCENTRATION: LiteralString = """
INSERT INTO {table} (effective_time, reading_id, patient_id, device_id, user_index, code, value, unit,
                     state, bound, sample, context, annotations, reported_time, time_quality, received_at)
SELECT effective_time, reading_id, patient_id, device_id, user_index, code, value, unit,
       state, bound, sample, context, annotations, reported_time, time_quality, received_at
FROM json_to_recordset(%s::json) AS r(
    effective_time timestamptz, reading_id uuid, patient_id uuid, device_id text, user_index smallint, code integer,
    value numeric, unit text, state text, bound numeric, sample text, context jsonb, annotations text[],
    reported_time text, time_quality text, received_at timestamptz)
"""

_INSERT_BLOOD_PRESSURE: LiteralString = """
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

_ROW: Mapping[Kind, Callable[[Observation], dict[str, Any]]] = {
    Kind.GLUCOSE: _concentration_row,
    Kind.KETONE: _concentration_row,
    Kind.BLOOD_PRESSURE: _blood_pressure_row,
}
_INSERT: Mapping[Kind, SQL | Composed] = {
    Kind.GLUCOSE: SQL(_INSERT_CONCENTRATION).format(table=Identifier("glucose_observation")),
    Kind.KETONE: SQL(_INSERT_CONCENTRATION).format(table=Identifier("ketone_observation")),
    Kind.BLOOD_PRESSURE: SQL(_INSERT_BLOOD_PRESSURE),
}
