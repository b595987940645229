"""All SQL of the figures' page: a handful of grouped queries over everybody, by functions that name nobody."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row, class_row

from alerting.tiers import Tier
from cloud.crm.figures.models import MonthCounts, Period, Wait, Work
from cloud.plans import rules
from cloud.plans.rules import ProgrammeRow
from cloud.plans.store import PROGRAMMES

Connection = AsyncConnection[Any]

_PERIOD: Final = """
SELECT zone, %(first)s::date::timestamp AT TIME ZONE zone,
       (%(last)s::date + interval '1 month')::timestamp AT TIME ZONE zone
FROM (SELECT known_zone(time_zone) AS zone FROM duty_site) site
"""


_TIERS: Final[Mapping[str, Tier]] = {tier.value: tier for tier in Tier}


def _wait(programme_id: str, tier: str, *moments: datetime | None) -> Wait:
    return Wait(programme_id, _TIERS[tier], *moments)  # type: ignore[arg-type]  # as the function has them


async def period(conn: Connection, first: date, last: date) -> Period:
    """Whole months on the site's wall clock."""
    cursor = await conn.execute(_PERIOD, {"first": first, "last": last})
    [(zone, starts, ends)] = await cursor.fetchall()
    return Period(first=first, last=last, starts=starts, ends=ends, zone=zone)


async def today(conn: Connection, at: datetime) -> date:
    """The day on the site's calendar."""
    cursor = await conn.execute(
        "SELECT (%s::timestamptz AT TIME ZONE known_zone(time_zone))::date FROM duty_site", (at,)
    )
    [(day,)] = await cursor.fetchall()
    found: date = day
    return found


async def waits(conn: Connection, of: Period) -> list[Wait]:
    """Each time that people were to be told of a case; nothing says of whose."""
    async with conn.cursor(binary=True, row_factory=args_row(_wait)) as cursor:
        await cursor.execute(
            """SELECT programme_id, tier, started_at, acknowledged_at, contacted_at, closed_at
               FROM figures_of_waits(%s, %s)""",
            (of.starts, of.ends),
        )
        return await cursor.fetchall()


async def work(conn: Connection, of: Period) -> list[Work]:
    """What people did, by quarters of an hour."""
    async with conn.cursor(binary=True, row_factory=args_row(Work)) as cursor:
        await cursor.execute(
            """SELECT account_id, quarter, acts, taken, closed, calls, messages, seconds
               FROM figures_of_work(%s, %s)""",
            (of.starts, of.ends),
        )
        return await cursor.fetchall()


async def appointments(conn: Connection, of: Period) -> list[tuple[str, int, int]]:
    """How many took place, and to how many nobody came, by how they were to be."""
    cursor = await conn.execute(
        "SELECT way, took_place, no_show FROM figures_of_appointments(%s, %s) ORDER BY way", (of.starts, of.ends)
    )
    return [tuple(row) for row in await cursor.fetchall()]


async def months(conn: Connection, of: Period) -> list[MonthCounts]:
    """What the jobs counted, the newest month first."""
    async with conn.cursor(row_factory=class_row(MonthCounts)) as cursor:
        await cursor.execute(
            """SELECT m.*, p.display_name FROM figures_month m JOIN programme p USING (programme_id)
               WHERE m.month BETWEEN %s AND %s AND may_see_figures() ORDER BY m.month DESC, m.programme_id""",
            (of.first, of.last),
        )
        return await cursor.fetchall()


async def programmes(conn: Connection) -> Sequence[ProgrammeRow]:
    """What each promises, as it stands now."""
    cursor = await conn.execute(PROGRAMMES)
    return list(rules.by_id(await cursor.fetchall()).values())


async def staff(conn: Connection) -> Mapping[UUID, tuple[str, str]]:
    """Name and role of those who act on cases, whether they still may or not."""
    cursor = await conn.execute(
        "SELECT account_id, display_name, role FROM account WHERE role IN ('nurse', 'lead_nurse', 'doctor')"
    )
    return {account_id: (name, role) for account_id, name, role in await cursor.fetchall()}
