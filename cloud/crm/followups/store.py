"""All SQL of follow-ups; the caller has checked who asks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.crm.followups.models import Due, FollowUp, State, Step, Summary
from cloud.db.connect import Connection, one

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 500

_ROWS: Final = SQL("""
SELECT f.follow_up_id, f.patient_id, p.display_name AS patient_name, p.time_zone, f.what, f.questionnaire, f.note,
       f.due_on, o.display_name AS owner, f.owner AS owner_id, m.display_name AS made_by, f.state, f.why,
       e.display_name AS ended_by, f.ended_at, f.summary_id IS NOT NULL AS is_of_summary
FROM follow_up f
JOIN patient p USING (patient_id)
LEFT JOIN account m ON m.account_id = f.made_by
LEFT JOIN account o ON o.account_id = f.owner
LEFT JOIN account e ON e.account_id = f.ended_by
""")
# Nobody is asked to call somebody who has left, or died.
_TAKES_PART: Final = SQL(
    """NOT EXISTS (SELECT FROM participation w WHERE w.patient_id = f.patient_id AND w.is_newest
                   AND w.ended_at IS NOT NULL)"""
)
_OF_PATIENT: Final = SQL("{rows} WHERE f.patient_id = %s ORDER BY f.due_on, f.made_at, f.follow_up_id").format(
    rows=_ROWS
)
_IN_CARE: Final = SQL(
    """{rows} WHERE f.state = 'open' AND f.due_on <= %(until)s AND {in_care_team} AND {takes_part}
       ORDER BY f.due_on, f.follow_up_id LIMIT %(most)s"""
).format(rows=_ROWS, in_care_team=IN_CARE_TEAM, takes_part=_TAKES_PART)

# Wherever the patient is, tomorrow is the latest that it can be there.
_DUE: Final = SQL(
    """SELECT count(*) FILTER (WHERE f.due_on = there.today) AS today,
              count(*) FILTER (WHERE f.due_on < there.today) AS overdue
       FROM follow_up f JOIN patient p USING (patient_id)
       CROSS JOIN LATERAL (SELECT (%(now)s AT TIME ZONE p.time_zone)::date AS today) there
       WHERE f.state = 'open' AND f.due_on <= (%(now)s AT TIME ZONE 'UTC')::date + 1 AND {in_care_team}
         AND {takes_part}"""
).format(in_care_team=IN_CARE_TEAM, takes_part=_TAKES_PART)


async def of_patient(conn: AsyncConn, patient_id: UUID) -> list[FollowUp]:
    """All there ever were, the soonest first."""
    async with conn.cursor(row_factory=class_row(FollowUp)) as cursor:
        await cursor.execute(_OF_PATIENT, (patient_id,))
        return await cursor.fetchall()


async def due(conn: AsyncConn, account_id: UUID, now: datetime) -> Due:
    """How many of the account's patients are due, each on the patient's calendar."""
    cursor = await conn.execute(_DUE, {"account_id": account_id, "now": now})
    today, overdue = one(await cursor.fetchone())
    return Due(today=today, overdue=overdue)


async def in_care(conn: AsyncConn, account_id: UUID, until: date) -> list[FollowUp]:
    """Open ones of the patients in the account's care, due until then, the soonest first; at most SHOWN."""
    async with conn.cursor(row_factory=class_row(FollowUp)) as cursor:
        await cursor.execute(_IN_CARE, {"account_id": account_id, "until": until, "most": SHOWN})
        return await cursor.fetchall()


async def summaries(conn: AsyncConn, patient_id: UUID) -> list[Summary]:
    """What hospitals wrote, the newest first."""
    async with conn.cursor(row_factory=class_row(Summary)) as cursor:
        await cursor.execute(
            """SELECT s.discharged_on, s.about, a.display_name AS entered_by, s.entered_at
               FROM discharge_summary s JOIN account a ON a.account_id = s.entered_by
               WHERE s.patient_id = %s ORDER BY s.discharged_on DESC, s.entered_at DESC""",
            (patient_id,),
        )
        return await cursor.fetchall()


async def team(conn: AsyncConn, patient_id: UUID) -> Mapping[UUID, str]:
    """Who cares for the patient now: whom a follow-up can be given to."""
    cursor = await conn.execute(
        """SELECT a.account_id, a.display_name FROM care_team t JOIN account a USING (account_id)
           WHERE t.patient_id = %s AND t.since <= now() AND (t.until IS NULL OR t.until > now())
             AND a.disabled_at IS NULL
           ORDER BY a.display_name""",
        (patient_id,),
    )
    return dict(await cursor.fetchall())


async def in_hospital_since(conn: AsyncConn, patient_id: UUID) -> datetime | None:
    cursor = await conn.execute(
        "SELECT since FROM hospital_stay WHERE patient_id = %s AND until IS NULL", (patient_id,)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def begin_stay(conn: AsyncConn, patient_id: UUID, by: UUID, at: datetime) -> bool:
    """False: they are there already."""
    cursor = await conn.execute(
        "INSERT INTO hospital_stay (patient_id, since, entered_by) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (patient_id, at, by),
    )
    return cursor.rowcount == 1


async def end_stay(
    conn: AsyncConn, patient_id: UUID, by: UUID, at: datetime, *, begun_before: datetime | None = None
) -> bool:
    """``begun_before``: whoever was admitted later is there again. False: they are not there, or again."""
    cursor = await conn.execute(
        """UPDATE hospital_stay SET until = greatest(%(at)s, since + interval '1 second'), ended_by = %(by)s
           WHERE patient_id = %(patient)s AND until IS NULL
             AND since < coalesce(%(before)s::timestamptz, 'infinity')""",
        {"at": at, "by": by, "patient": patient_id, "before": begun_before},
    )
    return cursor.rowcount == 1


async def add_summary(
    conn: AsyncConn,
    patient_id: UUID,
    discharged_on: date,
    about: str,
    by: UUID,
    at: datetime,
) -> UUID:
    """The same one sent again is the one that is there."""
    await conn.execute(
        """INSERT INTO discharge_summary (patient_id, discharged_on, about, entered_by, entered_at)
           VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        (patient_id, discharged_on, about, by, at),
    )
    cursor = await conn.execute(
        "SELECT summary_id FROM discharge_summary WHERE patient_id = %s AND discharged_on = %s AND about = %s",
        (patient_id, discharged_on, about),
    )
    summary_id: UUID = one(await cursor.fetchone())[0]
    return summary_id


async def add(
    conn: AsyncConn,
    patient_id: UUID,
    steps: Sequence[tuple[Step, date]],
    by: UUID,
    at: datetime,
    *,
    summary_id: UUID | None = None,
    template: str | None = None,
    owner: UUID | None = None,
) -> None:
    """What is open already is not asked for twice."""
    for step, due_on in steps:
        await conn.execute(
            """INSERT INTO follow_up (patient_id, summary_id, template, what, questionnaire, note, due_on, owner,
                                      made_by, made_at)
               VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            (patient_id, summary_id, template, step.what, step.questionnaire, step.note, due_on, owner, by, at),
        )


async def end(
    conn: AsyncConn, patient_id: UUID, follow_up_id: UUID, state: State, why: str, by: UUID, at: datetime
) -> bool:
    """False: there is none that is open."""
    cursor = await conn.execute(
        """UPDATE follow_up SET state = %s, why = %s, ended_by = %s, ended_at = %s
           WHERE follow_up_id = %s AND patient_id = %s AND state = 'open'""",
        (state, why, by, at, follow_up_id, patient_id),
    )
    return cursor.rowcount == 1


# The jobs -------------------------------------------------------------------------------------------------------------


class Waiting(NamedTuple):
    """An open follow-up of which nothing has followed yet."""

    follow_up_id: UUID
    patient_id: UUID
    what: str
    questionnaire: str | None
    due_on: date
    time_zone: str


def waiting(connection: Connection, until: date) -> list[Waiting]:
    """Of patients who take part and are not in hospital, due by then; nobody else takes them meanwhile."""
    rows = connection.execute(
        """SELECT f.follow_up_id, f.patient_id, f.what, f.questionnaire, f.due_on, p.time_zone
           FROM follow_up f JOIN patient p USING (patient_id)
           WHERE f.state = 'open' AND f.reminded_at IS NULL AND f.due_on <= %s
             AND NOT EXISTS (SELECT FROM participation w WHERE w.patient_id = f.patient_id AND w.is_newest
                             AND w.ended_at IS NOT NULL)
             AND NOT EXISTS (SELECT FROM hospital_stay h WHERE h.patient_id = f.patient_id AND h.until IS NULL)
           ORDER BY f.due_on, f.follow_up_id LIMIT 500 FOR UPDATE OF f SKIP LOCKED""",
        (until,),
    )
    return [Waiting(*row) for row in rows]


def mark_reminded(connection: Connection, follow_up_id: UUID, sent_id: UUID | None, at: datetime) -> None:
    connection.execute(
        "UPDATE follow_up SET reminded_at = %s, sent_id = %s WHERE follow_up_id = %s", (at, sent_id, follow_up_id)
    )


class Owned(NamedTuple):
    """An open follow-up whose owner has not heard that it is due."""

    follow_up_id: UUID
    owner: UUID
    due_on: date
    time_zone: str


def owned(connection: Connection, until: date) -> list[Owned]:
    """Of patients who are real and take part, whose owner cares for them and has a way that rings nobody up.

    A questionnaire goes out by itself. Of whoever is not at work nobody is told, and nobody waits for that.
    """
    rows = connection.execute(
        """SELECT f.follow_up_id, f.owner, f.due_on, p.time_zone
           FROM follow_up f JOIN patient p USING (patient_id)
           WHERE f.state = 'open' AND f.owner_told_at IS NULL AND f.owner IS NOT NULL AND f.what <> 'questionnaire'
             AND f.due_on <= %s AND NOT is_training(f.patient_id)
             AND NOT EXISTS (SELECT FROM participation w WHERE w.patient_id = f.patient_id AND w.is_newest
                             AND w.ended_at IS NOT NULL)
             AND EXISTS (SELECT FROM care_team t WHERE t.patient_id = f.patient_id AND t.account_id = f.owner
                         AND t.since <= now() AND (t.until IS NULL OR t.until > now()))
             AND EXISTS (SELECT FROM staff_address s WHERE s.account_id = f.owner AND s.verified_at IS NOT NULL
                         AND s.removed_at IS NULL AND s.channel <> 'voice')
           ORDER BY f.owner, f.due_on, f.follow_up_id""",
        (until,),
    )
    return [Owned(*row) for row in rows]


def mark_owner_told(connection: Connection, follow_up_ids: Sequence[UUID], at: datetime) -> None:
    connection.execute(
        "UPDATE follow_up SET owner_told_at = %s WHERE follow_up_id = ANY(%s)", (at, list(follow_up_ids))
    )


def end_answered(connection: Connection, at: datetime) -> int:
    """Those whose questionnaire was answered are done."""
    return connection.execute(
        """UPDATE follow_up f SET state = 'done', ended_at = %s
           WHERE f.state = 'open' AND EXISTS (SELECT FROM questionnaire_answer a WHERE a.sent_id = f.sent_id)""",
        (at,),
    ).rowcount
