"""All SQL of the trainees' page. Of patients who are not in the account's care there is no row."""

from collections import defaultdict
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from alerting.synthetic.scenes import Kind
from cloud.auth.care_team import IN_CARE_TEAM
from cloud.training.models import Course, Learnt, Told, Worked

Connection = AsyncConnection[Any]

# The truth is behind a view that is empty until the course has ended.
_PATIENTS: Final = SQL(
    """SELECT c.course_id, c.started_at, c.ended_at, p.patient_id, p.display_name, p.time_zone, w.kind, w.crisis, w.at
       FROM training_course c JOIN training_patient t USING (course_id) JOIN patient p USING (patient_id)
       LEFT JOIN training_told w USING (patient_id)
       WHERE {in_care_team} ORDER BY c.started_at DESC, c.course_id, p.display_name, p.patient_id"""
).format(in_care_team=IN_CARE_TEAM)
_CASES: Final = SQL(
    """SELECT c.case_id, c.patient_id, c.condition, c.tier, c.state, c.opened_at, c.disposition,
              (SELECT min(e.at) FROM case_event e WHERE e.case_id = c.case_id AND e.event = 'acknowledge') AS taken_at
       FROM alert_case c JOIN patient p USING (patient_id)
       WHERE p.training AND {in_care_team} ORDER BY c.opened_at, c.case_id"""
).format(in_care_team=IN_CARE_TEAM)


async def courses(conn: Connection, account_id: UUID) -> list[Course]:
    """Those with patients in the account's care, the newest first."""
    parameters = {"account_id": account_id}
    async with conn.cursor(row_factory=class_row(Worked)) as cursor:
        await cursor.execute(_CASES, parameters)
        worked: dict[UUID, list[Worked]] = defaultdict(list)
        for case in await cursor.fetchall():
            worked[case.patient_id].append(case)
    found: dict[UUID, tuple[Any, Any, list[Learnt]]] = {}
    rows = await conn.execute(_PATIENTS, parameters)
    async for course_id, started_at, ended_at, patient_id, name, zone, kind, crisis, at in rows:
        told = Told(kind=Kind(kind), crisis=crisis, at=at) if kind is not None else None
        _, _, patients = found.setdefault(course_id, (started_at, ended_at, []))
        patients.append(
            Learnt(patient_id=patient_id, display_name=name, time_zone=zone, cases=worked[patient_id], told=told)
        )
    return [
        Course(course_id=course_id, started_at=began, ended_at=ended, patients=patients)
        for course_id, (began, ended, patients) in found.items()
    ]
