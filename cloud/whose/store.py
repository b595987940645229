"""All SQL of "whose is it?"."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import CheckViolation, ExclusionViolation
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.whose.models import ANSWERABLE, Device, Item, Nearby, Person, Resolution

Connection = AsyncConnection[Any]
SHOWN: Final = 300

_ITEMS: Final = SQL(
    """SELECT q.quarantine_id, q.reading_id, q.received_at, q.gateway_id, q.device_id, q.reason_code, q.reason, q.seen,
              q.payload, q.effective_time, q.may_be, q.measured_after, q.measured_before,
              EXISTS (SELECT FROM reading_release r WHERE r.reading_id = q.reading_id AND r.settled_at IS NULL)
                  AS on_its_way,
              (SELECT r.refusal FROM reading_release r WHERE r.reading_id = q.reading_id AND r.outcome = 'refused'
               ORDER BY r.said_at DESC LIMIT 1) AS refusal
       FROM quarantine q
       WHERE q.resolved_at IS NULL AND q.reading_id IS NOT NULL AND q.device_id IS NOT NULL
         AND q.reason_code = ANY(%(codes)s)"""
)
_NEWEST: Final = SQL(" ORDER BY q.received_at DESC, q.quarantine_id LIMIT %(most)s")
# A nurse is asked about what is of a patient in their care, by the device or by the gateway's home; and about what is
# of nobody whom we know. What is another team's is not there.
_IN_REACH: Final = SQL(
    """ AND (EXISTS (SELECT FROM device_assignment a JOIN patient p USING (patient_id)
                     WHERE a.device_id = q.device_id AND {in_care_team})
             OR EXISTS (SELECT FROM device_assignment a JOIN patient p USING (patient_id)
                        JOIN device d USING (device_id)
                        WHERE d.complete_gateway_id = q.gateway_id AND {in_care_team})
             OR EXISTS (SELECT FROM device_assignment a JOIN patient p USING (patient_id)
                        JOIN gateway_device g USING (device_id)
                        WHERE g.gateway_id = q.gateway_id AND {in_care_team})
             OR NOT known_to_somebody(q.device_id, q.gateway_id))"""
).format(in_care_team=IN_CARE_TEAM)
_EVERYBODYS: Final = _ITEMS + _NEWEST
_WITHIN_REACH: Final = _ITEMS + _IN_REACH + _NEWEST
_THESE: Final = _ITEMS + _IN_REACH + SQL(" AND q.quarantine_id = ANY(%(these)s)")
# Locked first, and read after: what somebody else said of them while this waited is then seen.
_LOCK: Final = "SELECT FROM quarantine WHERE quarantine_id = ANY(%s) ORDER BY quarantine_id FOR UPDATE"

_DEVICES: Final = """SELECT device_id, manufacturer || ' ' || model AS name, serial_number FROM device
    WHERE device_id = ANY(%s)"""

_NEARBY: Final = SQL(
    """SELECT p.patient_id, p.display_name, p.time_zone, 'device' AS how, a.user_index, lower(a.valid) AS since,
              upper(a.valid) AS until
       FROM device_assignment a JOIN patient p USING (patient_id)
       WHERE a.device_id = %(device_id)s AND {in_care_team}
       UNION
       SELECT p.patient_id, p.display_name, p.time_zone, 'gateway', NULL, NULL, NULL
       FROM device_assignment a JOIN patient p USING (patient_id) JOIN device d USING (device_id)
       WHERE (d.complete_gateway_id = ANY(%(gateways)s)
              OR EXISTS (SELECT FROM gateway_device g WHERE g.device_id = a.device_id
                                                        AND g.gateway_id = ANY(%(gateways)s)))
         AND a.device_id <> %(device_id)s AND {in_care_team}
       ORDER BY how, display_name, patient_id, since"""
).format(in_care_team=IN_CARE_TEAM)

_PEOPLE: Final = SQL(
    "SELECT p.patient_id, p.display_name FROM patient p WHERE NOT p.training AND {in_care_team}"
    " ORDER BY p.display_name, p.patient_id"
).format(in_care_team=IN_CARE_TEAM)

# The patient's own assignment of this device (and memory) next to these readings. Across a longer gap a new one is
# made: what lies between would become theirs as well, and nobody has said so. The day is a proposal.
_WIDEN: Final = """UPDATE device_assignment a
    SET valid = tstzrange(least(lower(a.valid), %(oldest)s),
                          CASE WHEN upper(a.valid) IS NULL THEN NULL
                               ELSE greatest(upper(a.valid), %(newest)s + interval '1 second') END, '[)')
    WHERE a.assignment_id = (
        SELECT assignment_id FROM device_assignment
        WHERE device_id = %(device_id)s AND patient_id = %(patient_id)s
          AND user_index IS NOT DISTINCT FROM %(user_index)s
          AND valid && tstzrange(%(oldest)s - interval '1 day', %(newest)s + interval '1 day', '[]')
        ORDER BY lower(valid) LIMIT 1)"""


async def items(conn: Connection, account_id: UUID | None) -> list[Item]:
    """What waits, newest first: within this account's reach, or all of it (None)."""
    return await _items(conn, _EVERYBODYS if account_id is None else _WITHIN_REACH, {"account_id": account_id})


async def these(conn: Connection, account_id: UUID, quarantine_ids: Sequence[UUID]) -> list[Item]:
    """Those of these that wait and are within reach, locked until the commit."""
    await conn.execute(_LOCK, (list(quarantine_ids),))
    return await _items(conn, _THESE, {"account_id": account_id, "these": list(quarantine_ids)})


async def _items(conn: Connection, query: Any, parameters: dict[str, object]) -> list[Item]:
    async with conn.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(query, {"codes": list(ANSWERABLE), "most": SHOWN, **parameters})
        return await cursor.fetchall()


async def devices(conn: Connection, device_ids: Sequence[str]) -> dict[str, Device]:
    """The devices that introduced themselves."""
    async with conn.cursor(row_factory=class_row(Device)) as cursor:
        await cursor.execute(_DEVICES, (list(device_ids),))
        return {device.device_id: device for device in await cursor.fetchall()}


async def nearby(conn: Connection, account_id: UUID, device_id: str, gateways: Sequence[str]) -> list[Nearby]:
    """Patients in the account's care who have or had the device, and those who have one at these gateways."""
    async with conn.cursor(row_factory=class_row(Nearby)) as cursor:
        await cursor.execute(_NEARBY, {"account_id": account_id, "device_id": device_id, "gateways": list(gateways)})
        return await cursor.fetchall()


async def people(conn: Connection, account_id: UUID) -> list[Person]:
    """All patients in the account's care; what a real device measured is no training patient's."""
    async with conn.cursor(row_factory=class_row(Person)) as cursor:
        await cursor.execute(_PEOPLE, {"account_id": account_id})
        return await cursor.fetchall()


async def covered(conn: Connection, device_id: str, patient_id: UUID, user_index: int | None, at: datetime) -> bool:
    """Whether the patient had the device (in this memory, or as a whole) at that time already."""
    cursor = await conn.execute(
        "SELECT FROM device_assignment WHERE device_id = %s AND patient_id = %s AND valid @> %s"
        " AND (user_index IS NULL OR user_index = %s)",
        (device_id, patient_id, at, user_index),
    )
    return await cursor.fetchone() is not None


async def assign(
    conn: Connection,
    device_id: str,
    patient_id: UUID,
    user_index: int | None,
    oldest: datetime,
    newest: datetime,
    *,
    and_after: bool,
) -> str | None:
    """Widen the patient's assignment of this device over these times, or make one; ``and_after``: and from then on.

    ``widened`` or ``made``; None where somebody else had the device (or this memory) within these times, or where one
    of the two is of training and the other is not.
    """
    parameters = {
        "device_id": device_id,
        "patient_id": patient_id,
        "user_index": user_index,
        "oldest": oldest,
        "newest": newest,
        "and_after": and_after,
    }
    try:
        async with conn.transaction():
            if (await conn.execute(_WIDEN, parameters)).rowcount:
                return "widened"
            await conn.execute(
                """INSERT INTO device_assignment (device_id, user_index, patient_id, valid)
                   VALUES (%(device_id)s, %(user_index)s, %(patient_id)s,
                           tstzrange(%(oldest)s, CASE WHEN %(and_after)s THEN NULL
                                                      ELSE %(newest)s + interval '1 second' END, '[)'))""",
                parameters,
            )
            return "made"
    except (ExclusionViolation, CheckViolation):
        return None


async def release(
    conn: Connection, item: Item, patient_id: UUID, stated: datetime | None, why: str, account_id: UUID, now: datetime
) -> None:
    """Ask the ingest to let it through as this patient's."""
    await conn.execute(
        "INSERT INTO reading_release (reading_id, origin, patient_id, stated_time, why, said_by, said_at)"
        " VALUES (%s, 'quarantine', %s, %s, %s, %s, %s)",
        (item.reading_id, patient_id, stated, why, account_id, now),
    )


async def resolve(
    conn: Connection, quarantine_ids: Sequence[UUID], how: Resolution, why: str, account_id: UUID, now: datetime
) -> None:
    """It is no patient's; it stays, with who said so and why."""
    await conn.execute(
        "UPDATE quarantine SET resolved_at = %s, resolved_by = %s, resolution = %s, resolution_why = %s"
        " WHERE quarantine_id = ANY(%s) AND resolved_at IS NULL",
        (now, account_id, how.value, why, list(quarantine_ids)),
    )
