"""All SQL of the patient's pages. Without the account's right to see the patient there is no row."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from cloud.auth.care_team import IN_CARE, IN_CARE_TEAM
from cloud.patients.models import BloodPressure, Concentration, Patient, PatientDevice, PatientSummary

Connection = AsyncConnection[Any]

_PATIENT: Final = SQL(
    """SELECT p.patient_id, p.display_name, p.birth_date, p.time_zone FROM patient p
       WHERE p.patient_id = %(patient_id)s AND {in_care}"""
).format(in_care=IN_CARE)

# A year is a chunk for each month and kind, and most are asked in vain: who measured lately is found in the last ones.
_NEWEST: Final = SQL(
    """greatest((SELECT max(o.effective_time) FROM glucose o WHERE o.patient_id = p.patient_id {within}),
                (SELECT max(o.effective_time) FROM ketone o WHERE o.patient_id = p.patient_id {within}),
                (SELECT max(o.effective_time) FROM blood_pressure o WHERE o.patient_id = p.patient_id {within}))"""
)
_LATELY: Final = SQL("AND o.effective_time > now() - interval '35 days'")

_PATIENTS: Final = SQL(
    """SELECT p.patient_id, p.display_name, p.birth_date, p.time_zone, cases.open_cases, cases.highest,
              coalesce({lately}, {ever}) AS last_reading
       FROM patient p
       CROSS JOIN LATERAL (
           SELECT count(*) AS open_cases,
                  (array_agg(c.priority ORDER BY array_position(ARRAY['high', 'medium', 'low'], c.priority)))[1]
                      AS highest
           FROM alert_case c WHERE c.patient_id = p.patient_id AND c.state NOT IN ('resolved', 'expired')) cases
       WHERE {in_care_team}
       ORDER BY p.training, array_position(ARRAY['high', 'medium', 'low'], cases.highest), p.display_name,
                p.patient_id"""
).format(in_care_team=IN_CARE_TEAM, lately=_NEWEST.format(within=_LATELY), ever=_NEWEST.format(within=SQL("")))

_CONCENTRATION: Final = SQL(
    """SELECT o.effective_time, o.reading_id, d.manufacturer || ' ' || d.model AS device, o.unit, o.state,
        o.sample, o.context, o.annotations, o.reported_time, o.time_quality, o.received_at, o.stored_at,
        o.value, o.bound, {said}
    FROM {view} o JOIN device d USING (device_id) {who_said}
    WHERE o.patient_id = %s AND o.effective_time > %s
    ORDER BY o.effective_time DESC, o.stored_at DESC LIMIT %s"""
)
# What a person said of it stands beside what the device said.
_SAID: Final = SQL("s.said_at, CASE WHEN w.role <> 'patient' THEN w.display_name END AS said_by")
_WHO_SAID: Final = SQL(
    """LEFT JOIN reading_release s ON s.reading_id = o.reading_id AND s.outcome = 'stored'
       LEFT JOIN account w ON w.account_id = s.said_by"""
)
_GLUCOSE: Final = _CONCENTRATION.format(view=Identifier("glucose"), said=_SAID, who_said=_WHO_SAID)
_KETONE: Final = _CONCENTRATION.format(view=Identifier("ketone"), said=_SAID, who_said=_WHO_SAID)

_BLOOD_PRESSURE: Final = SQL(
    """SELECT o.effective_time, o.reading_id, d.manufacturer || ' ' || d.model AS device, o.unit,
        o.state, o.sample, o.context, o.annotations, o.reported_time, o.time_quality, o.received_at, o.stored_at,
        o.systolic, o.diastolic, o.mean_pressure, o.pulse, {said}
    FROM blood_pressure o JOIN device d USING (device_id) {who_said}
    WHERE o.patient_id = %s AND o.effective_time > %s
    ORDER BY o.effective_time DESC, o.stored_at DESC LIMIT %s"""
).format(said=_SAID, who_said=_WHO_SAID)

# A gateway may have been replaced: of the batteries and visits that two of them tell, the latest counts. A few sessions
# are asked whether the clock can be read: the newest may have been cut off before.
_DEVICES: Final = """SELECT a.assignment_id, a.device_id, a.user_index, d.manufacturer || ' ' || d.model AS name,
        d.serial_number, d.holds, d.readings_known AS known, d.complete_at, r.battery_low, clock.tells_clock,
        a.clock_checked_at, c.display_name AS clock_checked_by, gap.missing, gap.holes,
        (SELECT count(*) FROM quarantine q WHERE q.device_id = a.device_id AND q.reading_id IS NOT NULL
                                             AND q.resolution IS DISTINCT FROM 'released') AS quarantined
    FROM device_assignment a
    JOIN device d USING (device_id)
    LEFT JOIN reconciliation gap USING (device_id)
    LEFT JOIN account c ON c.account_id = a.clock_checked_by
    LEFT JOIN LATERAL (
        SELECT g.battery_low FROM gateway_device g WHERE g.device_id = a.device_id AND g.battery_low IS NOT NULL
        ORDER BY g.told_at DESC LIMIT 1) r ON true
    CROSS JOIN LATERAL (
        SELECT bool_or(s.device_time IS NOT NULL) AS tells_clock
        FROM (SELECT device_time FROM device_session WHERE device_id = a.device_id
              ORDER BY started_at DESC LIMIT 20) s) clock
    WHERE a.patient_id = %(patient_id)s AND a.valid @> %(now)s
    ORDER BY name, a.device_id, a.user_index NULLS FIRST"""

_CHECK_CLOCK: Final = SQL(
    """UPDATE device_assignment a SET clock_checked_at = %(now)s, clock_checked_by = %(account_id)s
       FROM patient p
       WHERE p.patient_id = a.patient_id AND a.patient_id = %(patient_id)s AND a.assignment_id = %(assignment_id)s
         AND a.valid @> %(now)s AND {in_care}"""
).format(in_care=IN_CARE)


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def oneself(conn: Connection, patient_id: UUID) -> Patient | None:
    """The patient behind a patient's own account: the caller takes the id from the session, never from a request."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(
            "SELECT patient_id, display_name, birth_date, time_zone FROM patient WHERE patient_id = %s", (patient_id,)
        )
        return await cursor.fetchone()


async def patients(conn: Connection, account_id: UUID) -> list[PatientSummary]:
    """All patients in the account's care, those with the gravest open case first."""
    async with conn.cursor(row_factory=class_row(PatientSummary)) as cursor:
        await cursor.execute(_PATIENTS, {"account_id": account_id})
        return await cursor.fetchall()


async def glucose(conn: Connection, patient_id: UUID, since: datetime, most: int) -> list[Concentration]:
    """Newest first; the caller has checked who asks."""
    return await _concentrations(conn, _GLUCOSE, patient_id, since, most)


async def ketone(conn: Connection, patient_id: UUID, since: datetime, most: int) -> list[Concentration]:
    """Newest first; the caller has checked who asks."""
    return await _concentrations(conn, _KETONE, patient_id, since, most)


async def _concentrations(
    conn: Connection, query: Composed, patient_id: UUID, since: datetime, most: int
) -> list[Concentration]:
    async with conn.cursor(row_factory=class_row(Concentration)) as cursor:
        await cursor.execute(query, (patient_id, since, most))
        return await cursor.fetchall()


async def blood_pressure(conn: Connection, patient_id: UUID, since: datetime, most: int) -> list[BloodPressure]:
    """Newest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(BloodPressure)) as cursor:
        await cursor.execute(_BLOOD_PRESSURE, (patient_id, since, most))
        return await cursor.fetchall()


async def devices(conn: Connection, patient_id: UUID, now: datetime) -> list[PatientDevice]:
    """What the patient has now; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(PatientDevice)) as cursor:
        await cursor.execute(_DEVICES, {"patient_id": patient_id, "now": now})
        return await cursor.fetchall()


async def check_clock(conn: Connection, account_id: UUID, patient_id: UUID, assignment_id: UUID, now: datetime) -> bool:
    """Somebody in the care team compared the device's clock with a watch now; False where the patient has no such."""
    cursor = await conn.execute(
        _CHECK_CLOCK,
        {"account_id": account_id, "patient_id": patient_id, "assignment_id": assignment_id, "now": now},
    )
    return cursor.rowcount == 1
