"""All SQL of emergency cards and contact persons. Without the account's right to see the patient there is no row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE, IN_CARE_TEAM
from cloud.contacts.models import Card, CardEntry, ContactEntry, ContactPerson, Patient
from cloud.db.connect import one

Connection = AsyncConnection[Any]

_PATIENT: Final = SQL(
    "SELECT p.patient_id, p.display_name, p.time_zone FROM patient p WHERE p.patient_id = %(patient_id)s AND {in_care}"
).format(in_care=IN_CARE)

_CARDS: Final = """
SELECT c.card_id, c.address, c.door_notes, c.emergency_number, c.speaks, c.phones, c.notes, a.display_name AS set_by,
       c.set_at, c.superseded_at
FROM emergency_card c JOIN account a ON a.account_id = c.set_by
WHERE c.patient_id = %s ORDER BY c.superseded_at IS NULL DESC, c.set_at DESC LIMIT %s
"""

_CONTACTS: Final = """
SELECT c.contact_id, c.place, c.name, c.relation, c.phones, c.may_be_told, a.display_name AS added_by, c.added_at,
       r.display_name AS removed_by, c.removed_at
FROM contact_person c JOIN account a ON a.account_id = c.added_by LEFT JOIN account r ON r.account_id = c.removed_by
WHERE c.patient_id = %s ORDER BY c.removed_at IS NULL DESC, c.removed_at DESC, c.place, c.added_at, c.contact_id
"""

_ZONES: Final = SQL("SELECT DISTINCT p.time_zone FROM patient p WHERE {in_care_team}").format(in_care_team=IN_CARE_TEAM)

_OF_NUMBERS: Final = SQL(
    """SELECT found.patient_id, found.name, found.relation FROM (
           SELECT c.patient_id, NULL AS name, NULL AS relation, 0 AS place FROM emergency_card c
           WHERE c.superseded_at IS NULL AND c.phones && %(numbers)s::text[]
           UNION ALL
           SELECT c.patient_id, c.name, c.relation, c.place FROM contact_person c
           WHERE c.removed_at IS NULL AND c.phones && %(numbers)s::text[]) found
       JOIN patient p USING (patient_id) WHERE {in_care_team} ORDER BY p.display_name, p.patient_id, found.place"""
).format(in_care_team=IN_CARE_TEAM)


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def cards(conn: Connection, patient_id: UUID, most: int) -> list[Card]:
    """The versions of the card, the one in force first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Card)) as cursor:
        await cursor.execute(_CARDS, (patient_id, most))
        return await cursor.fetchall()


async def contacts(conn: Connection, patient_id: UUID) -> list[ContactPerson]:
    """All that there ever were, those of now first, in order; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(ContactPerson)) as cursor:
        await cursor.execute(_CONTACTS, (patient_id,))
        return await cursor.fetchall()


async def supersede(conn: Connection, patient_id: UUID, former: UUID | None, at: datetime) -> bool:
    """End the version that somebody has seen. False: another is in force by now."""
    # Two first cards at once: the second sees the first.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('emergency_card:' || %s, 0))", (str(patient_id),))
    if former is None:
        cursor = await conn.execute(
            "SELECT count(*) FROM emergency_card WHERE patient_id = %s AND superseded_at IS NULL", (patient_id,)
        )
        return int(one(await cursor.fetchone())[0]) == 0
    cursor = await conn.execute(
        "UPDATE emergency_card SET superseded_at = %s WHERE card_id = %s AND patient_id = %s AND superseded_at IS NULL",
        (at, former, patient_id),
    )
    return cursor.rowcount == 1


async def add_card(conn: Connection, patient_id: UUID, entry: CardEntry, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO emergency_card (patient_id, address, door_notes, emergency_number, speaks, phones, notes, set_by,
                                       set_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING card_id""",
        (
            patient_id,
            entry.address,
            entry.door_notes,
            entry.emergency_number,
            entry.speaks,
            list(entry.phones),
            entry.notes,
            by,
            at,
        ),
    )
    card_id: UUID = one(await cursor.fetchone())[0]
    return card_id


async def add_contact(conn: Connection, patient_id: UUID, entry: ContactEntry, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO contact_person (patient_id, place, name, relation, phones, may_be_told, added_by, added_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING contact_id""",
        (patient_id, entry.place, entry.name, entry.relation, list(entry.phones), entry.may_be_told, by, at),
    )
    contact_id: UUID = one(await cursor.fetchone())[0]
    return contact_id


async def remove_contact(conn: Connection, patient_id: UUID, contact_id: UUID, by: UUID, at: datetime) -> bool:
    """False: there is no such contact person, or not any more."""
    cursor = await conn.execute(
        """UPDATE contact_person SET removed_by = %s, removed_at = %s
           WHERE contact_id = %s AND patient_id = %s AND removed_at IS NULL""",
        (by, at, contact_id, patient_id),
    )
    return cursor.rowcount == 1


async def zones(conn: Connection, account_id: UUID) -> list[str]:
    """Where the account's patients live."""
    cursor = await conn.execute(_ZONES, {"account_id": account_id})
    return [zone for (zone,) in await cursor.fetchall()]


async def of_numbers(
    conn: Connection, account_id: UUID, numbers: Sequence[str]
) -> list[tuple[UUID, str | None, str | None]]:
    """Whose number one of these is, of the account's patients: the patient, and the contact person's name and relation.

    Without a name it is the patient's own.
    """
    cursor = await conn.execute(_OF_NUMBERS, {"account_id": account_id, "numbers": list(numbers)})
    return await cursor.fetchall()
