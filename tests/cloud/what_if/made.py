"""A panel with readings of some weeks, as the ingest would have stored them: plain rows, without alerts."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from cloud.db.connect import Connection
from tests.cloud.made import NOW


def store_pressure(
    connection: Connection,
    patient_id: UUID,
    at: datetime,
    systolic: float | None,
    diastolic: float | None = 80,
    *,
    unit: str = "mm[Hg]",
    annotations: tuple[str, ...] = (),
    received_after: timedelta = timedelta(seconds=30),
    device_id: str = "cuff",
    sample: str = "patient",
    state: str = "measured",
) -> None:
    """One reading of a cuff."""
    connection.execute(
        "INSERT INTO blood_pressure_observation (effective_time, reading_id, patient_id, device_id, systolic,"
        " diastolic, unit, pulse, state, sample, annotations, reported_time, time_quality, received_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, 70, %s, %s, %s, '', 'synchronised', %s)",
        (at, uuid4(), patient_id, device_id, systolic, diastolic, unit, state, sample, list(annotations),
         at + received_after),
    )  # fmt: skip


def store_glucose(
    connection: Connection,
    patient_id: UUID,
    at: datetime,
    value: float | None,
    *,
    unit: str = "mg/dL",
    state: str = "measured",
    sample: str = "patient",
    meal: str | None = None,
    table: str = "glucose_observation",
) -> None:
    """One strip."""
    statement = "INSERT INTO ketone_observation" if table == "ketone_observation" else "INSERT INTO glucose_observation"
    connection.execute(
        statement + " (effective_time, reading_id, patient_id, device_id, code, value, unit, state, sample, context,"
        " reported_time, time_quality, received_at)"
        " VALUES (%s, %s, %s, 'meter', 160184, %s, %s, %s, %s, jsonb_strip_nulls(jsonb_build_object('meal', %s::text)),"
        " '', 'synchronised', %s)",
        (at, uuid4(), patient_id, value, unit, state, sample, meal, at + timedelta(seconds=30)),
    )


def low_mornings(connection: Connection, patient_id: UUID, days: int = 20, value: float = 62) -> list[datetime]:
    """A low strip each other morning, and an ordinary one each evening; the times of the low ones."""
    low = []
    for day in range(1, days + 1):
        evening = NOW - timedelta(days=day)
        store_glucose(connection, patient_id, evening, 120)
        if day % 2:
            low.append(evening + timedelta(hours=6))
            store_glucose(connection, patient_id, low[-1], value)
    return sorted(low)
