"""The wrong-person guard: which new readings wait for "was it you?", and all SQL of keeping them.

What waits is attributed, dated and kept whole, and in no hypertable: so no average, chart or rule can count it.
Released (``cloud.ingest.releases``) it goes the way of every reading.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from alerting.familiarity import WITHIN, Pair, unfamiliar
from cloud.alerts.models import Doubted
from cloud.alerts.reasons import to_json
from cloud.db.connect import Connection, as_rows
from cloud.devices.models import Assignment, is_shared
from cloud.ingest.arrivals import Decoded, Item, whole
from cloud.observations.models import Observation
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Reading, Sample


def doubted(
    connection: Connection, fresh: Iterable[Observation], assigned: Mapping[str, Sequence[Assignment]]
) -> list[Doubted]:
    """Those of these new observations that do not look like their patient's own, on devices that are shared."""
    # Most batches are of nobody's but the patient's own devices, and cost nothing here.
    perhaps = {device_id: of for device_id, of in assigned.items() if _ever_shared(of)}
    if not perhaps:
        return []
    pairs: dict[UUID, list[tuple[Observation, Pair]]] = defaultdict(list)
    for observation in fresh:
        pair = _pair(observation)
        if pair and is_shared(perhaps.get(observation.reading.device.device_id, ()), observation.effective_time):
            pairs[observation.patient_id].append((observation, pair))
    return [one for patient_id, new in pairs.items() for one in _of_patient(connection, patient_id, new)]


def keep(connection: Connection, doubts: Iterable[tuple[Doubted, Decoded, Item]], at: datetime) -> None:
    """Write them down, whole, with the reason; the question is asked from now on."""
    rows = [_row(doubt, decoded, item, at) for doubt, decoded, item in doubts]
    if rows:
        connection.execute(_KEEP, (as_rows(rows),))


def _of_patient(connection: Connection, patient_id: UUID, new: Sequence[tuple[Observation, Pair]]) -> Iterable[Doubted]:
    times = [pair.at for _, pair in new]
    own = [
        Pair(at=at, unit=Unit(unit), systolic=systolic, diastolic=diastolic)
        for at, systolic, diastolic, unit in connection.execute(
            "SELECT effective_time, systolic, diastolic, unit FROM own_pressures(%s, %s, %s)",
            (patient_id, min(times) - WITHIN, max(times)),
        )
    ]
    for (observation, _), doubt in zip(new, unfamiliar(own, [pair for _, pair in new]), strict=True):
        if doubt is not None:
            yield Doubted(observation=observation, doubt=doubt)


def _ever_shared(assignments: Sequence[Assignment]) -> bool:
    first, *others = assignments
    return first.shared or any(a.shared or a.patient_id != first.patient_id for a in others)


def _pair(observation: Observation) -> Pair | None:
    """Both pressures of the patient's own sample; None for whatever else it is."""
    reading = observation.reading
    if reading.kind is not Kind.BLOOD_PRESSURE or reading.sample is not Sample.PATIENT:
        return None
    figures = _figures(reading)
    systolic, diastolic = figures[Mdc.PRESS_BLD_NONINV_SYS], figures[Mdc.PRESS_BLD_NONINV_DIA]
    if systolic.value is None or diastolic.value is None or systolic.state is not QuantityState.MEASURED:
        return None
    return Pair(at=observation.effective_time, unit=systolic.unit, systolic=systolic.value, diastolic=diastolic.value)


def _figures(reading: Reading) -> Mapping[Mdc, Quantity]:
    return {component.code: component.quantity for component in reading.components}


def _row(doubted: Doubted, decoded: Decoded, item: Item, at: datetime) -> dict[str, object]:
    observation, reading = doubted.observation, doubted.observation.reading
    figures = _figures(reading)
    pulse = figures.get(Mdc.PULS_RATE_NON_INV)
    values: dict[str, Decimal | None] = {
        "systolic": figures[Mdc.PRESS_BLD_NONINV_SYS].value,
        "diastolic": figures[Mdc.PRESS_BLD_NONINV_DIA].value,
        "pulse": pulse.value if pulse else None,
    }
    return {
        **values,
        "reading_id": reading.reading_id,
        "patient_id": observation.patient_id,
        "device_id": reading.device.device_id,
        "user_index": reading.user_index,
        "gateway_id": decoded.arrival.gateway_id,
        "effective_time": observation.effective_time,
        "time_quality": observation.time_quality,
        "reported_time": reading.reported_time.text,
        "received_at": observation.received_at,
        "unit": figures[Mdc.PRESS_BLD_NONINV_SYS].unit,
        "reason": to_json(doubted.doubt),
        "payload": "\\x" + whole(item, decoded).hex(),
        "asked_at": at,
    }


_KEEP = """
INSERT INTO held_reading (reading_id, patient_id, device_id, user_index, gateway_id, effective_time, time_quality,
                          reported_time, received_at, unit, systolic, diastolic, pulse, reason, payload, asked_at)
SELECT reading_id, patient_id, device_id, user_index, gateway_id, effective_time, time_quality, reported_time,
       received_at, unit, systolic, diastolic, pulse, reason, payload, asked_at
FROM json_to_recordset(%s::json) AS r(reading_id uuid, patient_id uuid, device_id text, user_index smallint,
    gateway_id text, effective_time timestamptz, time_quality text, reported_time text, received_at timestamptz,
    unit text, systolic numeric, diastolic numeric, pulse numeric, reason jsonb, payload bytea, asked_at timestamptz)
"""
