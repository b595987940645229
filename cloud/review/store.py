"""All SQL of the review. Without the account's right to see the patient there is no row."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE
from cloud.review.models import Patient, Stored
from cloud.what_if import histories
from cloud.zones import store as zones
from device_drivers.wall_clocks import Zones

Connection = AsyncConnection[Any]

_PATIENT: Final = SQL(
    "SELECT p.patient_id, p.display_name, p.birth_date, p.time_zone FROM patient p"
    " WHERE p.patient_id = %(patient_id)s AND {in_care}"
).format(in_care=IN_CARE)


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def stored(conn: Connection, patient_id: UUID, since: datetime, at: datetime) -> Stored:
    """The patient's readings and schedules since then; the caller has checked who asks."""
    of = zones.of_rows(await _rows(conn, zones.ZONES, ([patient_id],))).get(patient_id, Zones(UTC))
    zone = of.otherwise or UTC
    asked = {"patient_ids": [patient_id], "since": since, "at": at}
    slots = [tuple(rest) for _, *rest in await _rows(conn, histories.SLOTS, asked)]
    pauses = [tuple(rest) for _, *rest in await _rows(conn, histories.PAUSES, asked)]
    return Stored(
        zone=zone,
        pressure=tuple(
            histories.pressure_series(tuple(rest), of) for _, *rest in await _rows(conn, histories.PRESSURE, asked)
        ),
        glucose=tuple(
            histories.strip_series(tuple(rest), of) for _, *rest in await _rows(conn, histories.GLUCOSE, asked)
        ),
        schedules=histories.schedules_of(slots, pauses, zone, since, at),
    )


async def _rows(conn: Connection, statement: Any, parameters: Any) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(statement, parameters)
    return await cursor.fetchall()
