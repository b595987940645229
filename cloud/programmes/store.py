"""All SQL of the programmes as people read and change them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.plans import rules
from cloud.plans.rules import OwnTerms, ProgrammeRow
from cloud.plans.store import PROGRAMMES
from cloud.programmes.models import ProgrammeEntry

Connection = AsyncConnection[Any]


async def programmes(conn: Connection) -> list[ProgrammeRow]:
    """All programmes, by their id."""
    cursor = await conn.execute(PROGRAMMES)
    return list(rules.by_id(await cursor.fetchall()).values())


async def patients(conn: Connection, now: datetime) -> Mapping[str, int]:
    """How many patients each programme has, whoever cares for them; who is in none is in the standard one."""
    cursor = await conn.execute("SELECT programme_id, patients FROM patients_of_programmes(%s)", (now,))
    return dict(await cursor.fetchall())


async def add(conn: Connection, programme_id: str, entry: ProgrammeEntry, by: UUID, at: datetime) -> bool:
    """A new programme. False: there is one of this id."""
    cursor = await conn.execute(
        "INSERT INTO programme (programme_id, display_name, regimes, late_after, heightened_for, automatic_closing,"
        " alert_budget, changed_at, changed_by) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (programme_id, *_values(entry), at, by),
    )
    return cursor.rowcount == 1


async def change(conn: Connection, programme_id: str, entry: ProgrammeEntry, by: UUID, at: datetime) -> bool:
    """False: there is no such programme."""
    cursor = await conn.execute(
        "UPDATE programme SET display_name = %s, regimes = %s, late_after = %s, heightened_for = %s,"
        " automatic_closing = %s, alert_budget = %s, changed_at = %s, changed_by = %s WHERE programme_id = %s",
        (*_values(entry), at, by, programme_id),
    )
    return cursor.rowcount == 1


async def change_terms(conn: Connection, programme_id: str, terms: OwnTerms, by: UUID, at: datetime) -> bool:
    """The programme's own promises of one tier; none of its own: the default's. False: there is no such programme."""
    cursor = await conn.execute(
        "UPDATE programme SET changed_at = %s, changed_by = %s WHERE programme_id = %s", (at, by, programme_id)
    )
    if not cursor.rowcount:
        return False
    await conn.execute("DELETE FROM programme_terms WHERE programme_id = %s AND tier = %s", (programme_id, terms.tier))
    if any(terms[1:]):
        await conn.execute(
            "INSERT INTO programme_terms (programme_id, tier, acknowledge_within, contact_within, escalate_after,"
            " lease) VALUES (%s, %s, %s, %s, %s, %s)",
            (programme_id, *terms),
        )
    return True


def _values(entry: ProgrammeEntry) -> tuple[object, ...]:
    return (
        entry.display_name,
        list(entry.regimes),
        entry.late_after,
        entry.heightened_for,
        list(entry.automatic_closing),
        entry.alert_budget,
    )
