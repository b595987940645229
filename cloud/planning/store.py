"""All SQL of a patient's plan as people read and change it. Without the account's right to see the patient: no row."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg.types.range import Range

from cloud.auth.care_team import IN_CARE
from cloud.db.connect import one
from cloud.planning.models import LimitVersion, Membership, Patient, Pause, PauseEntry, Slot, SlotEntry
from cloud.plans import rules
from cloud.plans.rules import ProgrammeRow
from cloud.plans.store import INSERT_LIMIT, LOCK_LIMIT, PROGRAMMES, SUPERSEDE_LIMIT

Connection = AsyncConnection[Any]

_PATIENT: Final = SQL(
    "SELECT p.patient_id, p.display_name, p.time_zone FROM patient p WHERE p.patient_id = %(patient_id)s AND {in_care}"
).format(in_care=IN_CARE)

_VERSIONS: Final = """
SELECT l.limit_id, l.condition, l.unit, l.value, l.priority, l.reason, a.display_name AS set_by, l.set_at, l.expires_at,
       l.version, l.superseded_at
FROM alarm_limit l JOIN account a ON a.account_id = l.set_by
WHERE l.patient_id = %s ORDER BY l.set_at DESC, l.version DESC, l.condition
"""

_MEMBERSHIP: Final = """
SELECT m.programme_id, lower(m.valid) AS since, m.heightened_until, a.display_name AS set_by, m.reason
FROM patient_programme m LEFT JOIN account a ON a.account_id = m.set_by
WHERE m.patient_id = %s AND m.valid @> %s::timestamptz
"""

_MEMBERSHIPS: Final = """
SELECT m.programme_id, lower(m.valid) AS since, m.heightened_until, a.display_name AS set_by, m.reason
FROM patient_programme m LEFT JOIN account a ON a.account_id = m.set_by
WHERE m.patient_id = %s AND NOT isempty(m.valid) ORDER BY lower(m.valid) DESC NULLS LAST
"""

_SLOTS: Final = """
SELECT s.slot_id, s.kind, s.at, s.weekdays, s.before, s.after, lower(s.valid) AS since, a.display_name AS set_by
FROM measurement_slot s LEFT JOIN account a ON a.account_id = s.set_by
WHERE s.patient_id = %s AND (upper_inf(s.valid) OR upper(s.valid) > %s)
ORDER BY s.kind, s.at, s.weekdays
"""

_PAUSES: Final = """
SELECT p.pause_id, lower(p.valid) AS since, upper(p.valid) AS until, p.reason, a.display_name AS set_by
FROM measurement_pause p LEFT JOIN account a ON a.account_id = p.set_by
WHERE p.patient_id = %s AND (upper_inf(p.valid) OR upper(p.valid) > %s)
ORDER BY lower(p.valid)
"""


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def programmes(conn: Connection) -> list[ProgrammeRow]:
    """All programmes, by their id."""
    cursor = await conn.execute(PROGRAMMES)
    return list(rules.by_id(await cursor.fetchall()).values())


async def programme(conn: Connection, programme_id: str) -> ProgrammeRow:
    """The programme of this id, which somebody is in."""
    return next(row for row in await programmes(conn) if row.programme_id == programme_id)


async def membership(conn: Connection, patient_id: UUID, now: datetime) -> Membership:
    """The patient's programme; the standard one where nobody chose."""
    async with conn.cursor(row_factory=class_row(Membership)) as cursor:
        await cursor.execute(_MEMBERSHIP, (patient_id, now))
        return await cursor.fetchone() or Membership(programme_id=rules.STANDARD)


async def memberships(conn: Connection, patient_id: UUID) -> list[Membership]:
    """All programmes that the patient has been in, the latest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Membership)) as cursor:
        await cursor.execute(_MEMBERSHIPS, (patient_id,))
        return await cursor.fetchall()


async def limit_versions(conn: Connection, patient_id: UUID) -> list[LimitVersion]:
    """All that doctors ever set for the patient, the newest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(LimitVersion)) as cursor:
        await cursor.execute(_VERSIONS, (patient_id,))
        return await cursor.fetchall()


async def slots(conn: Connection, patient_id: UUID, now: datetime) -> list[Slot]:
    """When the patient measures, from now on."""
    async with conn.cursor(row_factory=class_row(Slot)) as cursor:
        await cursor.execute(_SLOTS, (patient_id, now))
        return await cursor.fetchall()


async def pauses(conn: Connection, patient_id: UUID, now: datetime) -> list[Pause]:
    """The pauses that are not over."""
    async with conn.cursor(row_factory=class_row(Pause)) as cursor:
        await cursor.execute(_PAUSES, (patient_id, now))
        return await cursor.fetchall()


async def set_limit(
    conn: Connection,
    *,
    patient_id: UUID,
    condition: str,
    unit: str,
    value: object,
    priority: str,
    reason: str,
    set_by: UUID,
    at: datetime,
    expires_at: datetime | None,
) -> UUID:
    """The next version of a doctor's limit, in place of the former; gives its limit_id."""
    parameters = {
        "patient_id": patient_id,
        "condition": condition,
        "unit": unit,
        "value": value,
        "priority": priority,
        "reason": reason,
        "set_by": set_by,
        "at": at,
        "expires_at": expires_at,
    }
    await conn.execute(LOCK_LIMIT, parameters)
    await conn.execute(SUPERSEDE_LIMIT, parameters)
    cursor = await conn.execute(INSERT_LIMIT, parameters)
    limit_id: UUID = one(await cursor.fetchone())[0]
    return limit_id


async def join(
    conn: Connection,
    *,
    patient_id: UUID,
    programme_id: str,
    heightened_until: datetime | None,
    set_by: UUID,
    at: datetime,
    reason: str,
) -> None:
    """From now on the patient is in this programme, watched closely until then. A change of the same instant is one."""
    chosen = {
        "patient_id": patient_id,
        "programme_id": programme_id,
        "heightened_until": heightened_until,
        "set_by": set_by,
        "at": at,
        "reason": reason,
    }
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('patient_programme' || %(patient_id)s::text, 0))", chosen
    )
    cursor = await conn.execute(
        "UPDATE patient_programme SET programme_id = %(programme_id)s, heightened_until = %(heightened_until)s,"
        " set_by = %(set_by)s, reason = %(reason)s WHERE patient_id = %(patient_id)s AND lower(valid) = %(at)s",
        chosen,
    )
    if cursor.rowcount:
        return
    await conn.execute(
        "UPDATE patient_programme SET valid = tstzrange(lower(valid), %(at)s)"
        " WHERE patient_id = %(patient_id)s AND valid @> %(at)s::timestamptz",
        chosen,
    )
    await conn.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until, set_by, reason)"
        " VALUES (%(patient_id)s, %(programme_id)s, tstzrange(%(at)s, NULL), %(heightened_until)s, %(set_by)s,"
        " %(reason)s)",
        chosen,
    )


async def add_slot(conn: Connection, patient_id: UUID, entry: SlotEntry, set_by: UUID, at: datetime) -> UUID:
    """The patient measures at this time from now on."""
    cursor = await conn.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, weekdays, before, after, valid, set_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING slot_id",
        (
            patient_id,
            entry.kind.value,
            entry.at,
            list(entry.weekdays),
            entry.before,
            entry.after,
            Range(at, None, "[)"),
            set_by,
        ),
    )
    slot_id: UUID = one(await cursor.fetchone())[0]
    return slot_id


async def end_slot(conn: Connection, patient_id: UUID, slot_id: UUID, at: datetime) -> bool:
    """Nothing is expected at this time any more; what was due before stays due. False: there is no such time."""
    return await _ended(
        conn,
        (
            "DELETE FROM measurement_slot WHERE patient_id = %(patient_id)s AND slot_id = %(id)s"
            " AND lower(valid) >= %(at)s",
            "UPDATE measurement_slot SET valid = tstzrange(lower(valid), %(at)s)"
            " WHERE patient_id = %(patient_id)s AND slot_id = %(id)s AND valid @> %(at)s::timestamptz",
        ),
        {"patient_id": patient_id, "id": slot_id, "at": at},
    )


async def add_pause(conn: Connection, patient_id: UUID, entry: PauseEntry, set_by: UUID) -> UUID:
    """Nothing is due meanwhile."""
    cursor = await conn.execute(
        "INSERT INTO measurement_pause (patient_id, valid, reason, set_by) VALUES (%s, %s, %s, %s) RETURNING pause_id",
        (patient_id, Range(entry.since, entry.until, "[)"), entry.reason, set_by),
    )
    pause_id: UUID = one(await cursor.fetchone())[0]
    return pause_id


async def end_pause(conn: Connection, patient_id: UUID, pause_id: UUID, at: datetime) -> bool:
    """The pause is over now, or does not begin. False: there is no such pause, or it is over."""
    return await _ended(
        conn,
        (
            "DELETE FROM measurement_pause WHERE patient_id = %(patient_id)s AND pause_id = %(id)s"
            " AND lower(valid) >= %(at)s",
            "UPDATE measurement_pause SET valid = tstzrange(lower(valid), %(at)s)"
            " WHERE patient_id = %(patient_id)s AND pause_id = %(id)s AND valid @> %(at)s::timestamptz",
        ),
        {"patient_id": patient_id, "id": pause_id, "at": at},
    )


async def _ended(conn: Connection, statements: tuple[Any, ...], which: dict[str, object]) -> bool:
    """What has not begun leaves no trace but the audit's; what has begun ends."""
    for statement in statements:
        if (await conn.execute(statement, which)).rowcount:
            return True
    return False
