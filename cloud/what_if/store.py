"""All SQL of the what-if pages: runs of the person who asks, whom they may see, and what programmes asked of people."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.plans import rules
from cloud.plans.rules import LimitRow, ProgrammeRow
from cloud.plans.store import PROGRAMMES
from cloud.what_if.membership import PROGRAMME_OF
from cloud.what_if.models import COLUMNS, Found, Load, Proposal, Run, Subject

Connection = AsyncConnection[Any]
SHOWN: Final = 20


async def programmes(conn: Connection) -> Sequence[ProgrammeRow]:
    """All of them, by id."""
    cursor = await conn.execute(PROGRAMMES)
    return list(rules.by_id(await cursor.fetchall()).values())


async def subject(conn: Connection, account_id: UUID, patient_id: UUID) -> Subject | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Subject)) as cursor:
        await cursor.execute(
            SQL(
                "SELECT p.patient_id, p.display_name, p.time_zone FROM patient p"
                " WHERE p.patient_id = %(patient_id)s AND {in_care_team}"
            ).format(in_care_team=IN_CARE_TEAM),
            {"patient_id": patient_id, "account_id": account_id},
        )
        return await cursor.fetchone()


async def programme_of(conn: Connection, patient_id: UUID, at: datetime) -> str:
    """The id of the programme that a patient is in."""
    cursor = await conn.execute(
        SQL("SELECT {of} FROM patient p WHERE p.patient_id = %(patient_id)s").format(of=PROGRAMME_OF),
        {"patient_id": patient_id, "at": at},
    )
    row = await cursor.fetchone()
    return str(row[0]) if row else rules.STANDARD


async def own_limits(conn: Connection, patient_id: UUID) -> Sequence[LimitRow]:
    """What doctors have set for the patient; expiry is the rules' business."""
    cursor = await conn.execute(
        "SELECT l.limit_id, l.condition, l.unit, l.value, l.priority, l.reason, a.display_name, l.set_at, l.expires_at,"
        " l.version FROM alarm_limit l JOIN account a ON a.account_id = l.set_by"
        " WHERE l.patient_id = %s AND l.superseded_at IS NULL",
        (patient_id,),
    )
    return [LimitRow(*row) for row in await cursor.fetchall()]


async def unfinished(conn: Connection, account_id: UUID) -> int:
    """How many runs this person waits for."""
    cursor = await conn.execute(
        "SELECT count(*) FROM what_if_run WHERE asked_by = %s AND ended_at IS NULL", (account_id,)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def ask(
    conn: Connection,
    *,
    account_id: UUID,
    at: datetime,
    programme_id: str | None,
    patient_id: UUID | None,
    days: int,
    proposal: Proposal,
) -> UUID:
    """A new run, and the jobs process hears of it when this transaction commits; gives its run_id."""
    cursor = await conn.execute(
        "INSERT INTO what_if_run (asked_by, asked_at, programme_id, patient_id, days, proposal)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING run_id",
        (account_id, at, programme_id, patient_id, days, msgspec.json.encode(proposal).decode()),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("a run that was inserted has no id")
    await conn.execute("SELECT try_limits()")
    run_id: UUID = row[0]
    return run_id


async def run(conn: Connection, account_id: UUID, run_id: UUID) -> Run | None:
    """The run, if this person asked for it."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            SQL("SELECT {} FROM what_if_run WHERE run_id = %s AND asked_by = %s").format(SQL(COLUMNS)),
            (run_id, account_id),
        )
        row = await cursor.fetchone()
    return Run.of_row(row) if row is not None else None


async def runs_of(conn: Connection, account_id: UUID) -> Sequence[Run]:
    """The person's last runs, newest first."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            SQL("SELECT {} FROM what_if_run WHERE asked_by = %s ORDER BY asked_at DESC, run_id LIMIT %s").format(
                SQL(COLUMNS)
            ),
            (account_id, SHOWN),
        )
        return [Run.of_row(row) for row in await cursor.fetchall()]


async def cancel(conn: Connection, account_id: UUID, run_id: UUID, at: datetime) -> bool:
    """False where there is no such run of this person that goes on."""
    cursor = await conn.execute(
        "UPDATE what_if_run SET state = 'cancelled', ended_at = %s"
        " WHERE run_id = %s AND asked_by = %s AND ended_at IS NULL",
        (at, run_id, account_id),
    )
    return cursor.rowcount == 1


async def subjects(conn: Connection, account_id: UUID, patient_ids: Sequence[UUID]) -> dict[UUID, Subject]:
    """Of these patients those whom the account may see."""
    async with conn.cursor(row_factory=class_row(Subject)) as cursor:
        await cursor.execute(
            SQL(
                "SELECT p.patient_id, p.display_name, p.time_zone FROM patient p"
                " WHERE p.patient_id = ANY(%(patient_ids)s) AND {in_care_team}"
            ).format(in_care_team=IN_CARE_TEAM),
            {"patient_ids": list(patient_ids), "account_id": account_id},
        )
        return {one.patient_id: one for one in await cursor.fetchall()}


async def cases_of(conn: Connection, found: Sequence[Found]) -> dict[Found, UUID]:
    """The case that was really worked about a reading of each, where there is one."""
    asked = [
        {"n": n, "patient_id": str(one.patient_id), "condition": one.condition, "at": at.isoformat()}
        for n, one in enumerate(found)
        for at in one.about
    ]
    cursor = await conn.execute(
        """SELECT DISTINCT ON (asked.n) asked.n, a.case_id
           FROM jsonb_to_recordset(%s::jsonb) AS asked(n int, patient_id uuid, condition text, at timestamptz)
           JOIN alert a ON a.patient_id = asked.patient_id AND a.condition = asked.condition
                       AND a.effective_time = asked.at
           ORDER BY asked.n, a.raised_at""",
        (msgspec.json.encode(asked).decode(),),
    )
    return {found[n]: case_id for n, case_id in await cursor.fetchall()}


async def loads(conn: Connection) -> Sequence[Load]:
    """What each programme asked of people, over each span, as the jobs process last counted it."""
    async with conn.cursor(row_factory=class_row(Load)) as cursor:
        await cursor.execute(
            "SELECT programme_id, display_name, alert_budget AS budget, days, cases, patient_days, counted_at"
            " FROM alert_budget_spent JOIN programme USING (programme_id) ORDER BY programme_id, days"
        )
        return await cursor.fetchall()
