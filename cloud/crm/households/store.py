"""All SQL of households. Row security shows whoever asks those members whom they care for; the others are not there.

Contact persons are those of the emergency card (``cloud.contacts``): nothing of them is kept twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.crm.households.models import MOST_FOUND, Consent, ConsentEntry, Housemate, Suggested
from cloud.db.connect import one

Connection = AsyncConnection[Any]

# Devices that both have now.
_SHARED: Final = """
SELECT coalesce(array_agg(DISTINCT d.manufacturer || ' ' || d.model ORDER BY d.manufacturer || ' ' || d.model), '{}')
FROM device_assignment mine JOIN device_assignment theirs USING (device_id) JOIN device d USING (device_id)
WHERE mine.patient_id = %(patient_id)s AND theirs.patient_id = p.patient_id
  AND mine.valid @> %(now)s AND theirs.valid @> %(now)s
"""
_HOUSEMATES: Final = SQL(
    """SELECT m.member_id, m.patient_id, p.display_name, p.birth_date, m.relation, a.display_name AS added_by,
              m.added_at, ({shared}) AS devices
       FROM household_member own JOIN household_member m USING (household_id)
       JOIN patient p ON p.patient_id = m.patient_id
       JOIN account a ON a.account_id = m.added_by
       WHERE own.patient_id = %(patient_id)s AND own.left_at IS NULL AND m.left_at IS NULL
         AND m.patient_id <> own.patient_id AND {in_care_team}
       ORDER BY p.display_name, p.patient_id"""
).format(shared=SQL(_SHARED), in_care_team=IN_CARE_TEAM)

_NUMBERS: Final = """
SELECT n FROM emergency_card c CROSS JOIN unnest(c.phones) n WHERE c.superseded_at IS NULL AND c.patient_id = {whose}
UNION SELECT n FROM contact_person c CROSS JOIN unnest(c.phones) n WHERE c.removed_at IS NULL AND c.patient_id = {whose}
"""
_CANDIDATES: Final = SQL(
    """SELECT * FROM (
           SELECT p.patient_id, p.display_name, p.birth_date, ({shared}) AS devices,
                  ARRAY(({theirs}) INTERSECT ({mine}) ORDER BY 1) AS numbers
           FROM patient p
           WHERE p.patient_id <> %(patient_id)s AND NOT p.training AND {in_care_team} AND {which}
             AND NOT EXISTS (SELECT FROM household_member h JOIN household_member own USING (household_id)
                             WHERE h.patient_id = p.patient_id AND h.left_at IS NULL
                               AND own.patient_id = %(patient_id)s AND own.left_at IS NULL)) found
       ORDER BY display_name, patient_id LIMIT {most}"""
)
# Only those who can share something are looked at closely.
_SHARING: Final = SQL(
    """p.patient_id IN (
           SELECT theirs.patient_id FROM device_assignment mine JOIN device_assignment theirs USING (device_id)
           WHERE mine.patient_id = %(patient_id)s AND mine.valid @> %(now)s AND theirs.valid @> %(now)s
           UNION SELECT c.patient_id FROM emergency_card c
           WHERE c.superseded_at IS NULL AND c.phones && ARRAY({mine})
           UNION SELECT c.patient_id FROM contact_person c
           WHERE c.removed_at IS NULL AND c.phones && ARRAY({mine}))"""
).format(mine=SQL(_NUMBERS).format(whose=SQL("%(patient_id)s")))

_CONSENTS: Final = """
SELECT DISTINCT ON (c.contact_id) c.contact_id, c.topics, c.said_on, c.method, a.display_name AS entered_by,
       c.entered_at
FROM contact_consent c JOIN account a ON a.account_id = c.entered_by
WHERE c.patient_id = ANY(%s) ORDER BY c.contact_id, c.consent_no DESC
"""


async def own(conn: Connection, patient_id: UUID) -> tuple[UUID, UUID, str] | None:
    """(household_id, member_id, relation) of a patient now; None: in no household."""
    cursor = await conn.execute(
        "SELECT household_id, member_id, relation FROM household_member WHERE patient_id = %s AND left_at IS NULL",
        (patient_id,),
    )
    return await cursor.fetchone()


async def housemates(conn: Connection, account_id: UUID, patient_id: UUID, now: datetime) -> list[Housemate]:
    """The others of the household whom the account cares for; the caller has checked who asks about the patient."""
    async with conn.cursor(row_factory=class_row(Housemate)) as cursor:
        await cursor.execute(_HOUSEMATES, {"account_id": account_id, "patient_id": patient_id, "now": now})
        return await cursor.fetchall()


async def suggested(conn: Connection, account_id: UUID, patient_id: UUID, now: datetime) -> list[Suggested]:
    """Who shares a device or a number with the patient, of the account's patients, and is not one of the household."""
    return await _candidates(conn, _SHARING, {"account_id": account_id, "patient_id": patient_id, "now": now})


async def named(conn: Connection, account_id: UUID, patient_id: UUID, name: str, now: datetime) -> list[Suggested]:
    """The same by a part of the name."""
    which = SQL("p.display_name ILIKE '%%' || %(name)s || '%%'")
    escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await _candidates(
        conn, which, {"account_id": account_id, "patient_id": patient_id, "name": escaped, "now": now}
    )


async def _candidates(conn: Connection, which: Any, parameters: Mapping[str, Any]) -> list[Suggested]:
    query = _CANDIDATES.format(
        shared=SQL(_SHARED),
        theirs=SQL(_NUMBERS).format(whose=SQL("p.patient_id")),
        mine=SQL(_NUMBERS).format(whose=SQL("%(patient_id)s")),
        in_care_team=IN_CARE_TEAM,
        which=which,
        most=MOST_FOUND,
    )
    async with conn.cursor(row_factory=class_row(Suggested)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()


async def lock(conn: Connection, patients: Sequence[UUID]) -> None:
    """Two who put the same people together at once: the second sees what the first did."""
    for patient_id in sorted(patients):
        await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('household:' || %s, 0))", (str(patient_id),))


async def begin(conn: Connection) -> UUID:
    """The id of a household that nobody is in yet."""
    household_id: UUID = one(await (await conn.execute("SELECT gen_random_uuid()")).fetchone())[0]
    return household_id


async def join(conn: Connection, household_id: UUID, patient_id: UUID, relation: str, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO household_member (household_id, patient_id, relation, added_by, added_at)
           VALUES (%s, %s, %s, %s, %s) RETURNING member_id""",
        (household_id, patient_id, relation, by, at),
    )
    member_id: UUID = one(await cursor.fetchone())[0]
    return member_id


async def is_last(conn: Connection, patient_id: UUID) -> bool:
    """Whether nobody else is left in the patient's household, cared for by the account or not."""
    return bool(one(await (await conn.execute("SELECT last_of_household(%s)", (patient_id,))).fetchone())[0])


async def leave(conn: Connection, member_id: UUID, by: UUID, at: datetime) -> UUID | None:
    """Whose it was; None: there is no such member, or not any more."""
    cursor = await conn.execute(
        """UPDATE household_member SET left_by = %s, left_at = %s WHERE member_id = %s AND left_at IS NULL
           RETURNING patient_id""",
        (by, at, member_id),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def consents(conn: Connection, patients: Sequence[UUID]) -> Mapping[UUID, Consent]:
    """The newest word about each contact person of these patients; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        await cursor.execute(_CONSENTS, (list(patients),))
        return {found.contact_id: found for found in await cursor.fetchall()}


async def consent_history(conn: Connection, patient_id: UUID) -> list[Consent]:
    """All that was ever written, the newest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        await cursor.execute(
            """SELECT c.contact_id, c.topics, c.said_on, c.method, a.display_name AS entered_by, c.entered_at
               FROM contact_consent c JOIN account a ON a.account_id = c.entered_by
               WHERE c.patient_id = %s ORDER BY c.consent_no DESC LIMIT 100""",
            (patient_id,),
        )
        return await cursor.fetchall()


async def add_consent(
    conn: Connection, patient_id: UUID, contact_id: UUID, entry: ConsentEntry, by: UUID, at: datetime
) -> int | None:
    """Its number; None: the patient has no such contact person now."""
    cursor = await conn.execute(
        """INSERT INTO contact_consent (patient_id, contact_id, topics, said_on, method, entered_by, entered_at)
           SELECT c.patient_id, c.contact_id, %s, %s, %s, %s, %s FROM contact_person c
           WHERE c.contact_id = %s AND c.patient_id = %s AND c.removed_at IS NULL RETURNING consent_no""",
        ([topic.value for topic in entry.topics], entry.said_on, entry.method.value, by, at, contact_id, patient_id),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else None
