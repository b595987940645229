"""All SQL of writing observations into the hypertables; people read them through the views (``cloud.patients``)."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from cloud.db.connect import Connection
from cloud.db.copying import NULL, Table, bytea, int2, int4, jsonb, numeric, text, text_array, timestamptz, uuid
from cloud.observations.models import Observation
from device_drivers.nomenclature import Mdc
from device_drivers.readings import Kind, QuantityState


def insert(connection: Connection, observations: Iterable[Observation]) -> None:
    """Store observations whose readings are new to the ledger."""
    rows: dict[Kind, list[bytes]] = {}
    for observation in observations:
        kind = observation.reading.kind
        rows.setdefault(kind, []).append(_common(observation) + _FIGURES[kind](observation))
    for kind, of_kind in rows.items():
        _TABLE[kind].copy(connection, of_kind)


def _common(observation: Observation) -> bytes:
    """What all hypertables have, in the order of ``_COMMON``."""
    reading = observation.reading
    return b"".join(
        (
            timestamptz(observation.effective_time),
            uuid(reading.reading_id),
            text(reading.reported_time.text),
            jsonb(reading.context),
            text_array(reading.annotations),
            _shared(
                observation.patient_id.int,  # a UUID is slow to hash
                reading.device.device_id,
                reading.user_index,
                reading.sample,
                observation.time_quality,
                observation.received_at,
            ),
        )
    )


# The readings of a message have these in common, mostly.
@lru_cache(maxsize=64)
def _shared(
    patient_id: int, device_id: str, user_index: int | None, sample: str, time_quality: str, received_at: datetime
) -> bytes:
    return b"".join(
        (
            bytea(patient_id.to_bytes(16, "big")),
            text(device_id),
            int2(user_index),
            text(sample),
            text(time_quality),
            timestamptz(received_at),
        )
    )


def _concentration(observation: Observation) -> bytes:
    [component] = observation.reading.components
    quantity = component.quantity
    return numeric(quantity.value) + numeric(quantity.bound) + _coded(component.code, quantity.unit, quantity.state)


def _blood_pressure(observation: Observation) -> bytes:
    by_code = {c.code: c.quantity for c in observation.reading.components}
    systolic, diastolic = by_code[Mdc.PRESS_BLD_NONINV_SYS], by_code[Mdc.PRESS_BLD_NONINV_DIA]
    mean, pulse = by_code.get(Mdc.PRESS_BLD_NONINV_MEAN), by_code.get(Mdc.PULS_RATE_NON_INV)
    # One state for both pressures: where either is no number, the pair is none.
    state = systolic.state if systolic.state is not QuantityState.MEASURED else diastolic.state
    return b"".join(
        (
            numeric(systolic.value),
            numeric(diastolic.value),
            numeric(mean.value) if mean else NULL,
            text(systolic.unit),
            numeric(pulse.value) if pulse else NULL,
            text(state),
        )
    )


@lru_cache(maxsize=64)
def _coded(code: int, unit: str, state: str) -> bytes:
    return int4(code) + text(unit) + text(state)


_FIGURES: Mapping[Kind, Callable[[Observation], bytes]] = {
    Kind.GLUCOSE: _concentration,
    Kind.KETONE: _concentration,
    Kind.BLOOD_PRESSURE: _blood_pressure,
}
_COMMON = (
    "effective_time",
    "reading_id",
    "reported_time",
    "context",
    "annotations",
    "patient_id",
    "device_id",
    "user_index",
    "sample",
    "time_quality",
    "received_at",
)
_CONCENTRATION = (*_COMMON, "value", "bound", "code", "unit", "state")
_BLOOD_PRESSURE = (*_COMMON, "systolic", "diastolic", "mean_pressure", "unit", "pulse", "state")
_TABLE: Mapping[Kind, Table] = {
    Kind.GLUCOSE: Table("glucose_observation", _CONCENTRATION),
    Kind.KETONE: Table("ketone_observation", _CONCENTRATION),
    Kind.BLOOD_PRESSURE: Table("blood_pressure_observation", _BLOOD_PRESSURE),
}
