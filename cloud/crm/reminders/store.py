"""All SQL of reminders; the caller has checked who asks."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import dict_row

from cloud.crm.reminders.models import ON_UNLESS_SAID, Choice, Dose, Kind
from cloud.db.connect import Connection
from cloud.fleet.schedules import LAST_MEASURED, SCHEDULES, Row

AsyncConn = AsyncConnection[Any]

# Of whom anything reminds: who takes part, and is not in hospital.
_AWAKE: Final = """
    NOT EXISTS (SELECT FROM participation w WHERE w.patient_id = {0}.patient_id AND w.is_newest
                AND w.watched_from IS NULL)
    AND NOT EXISTS (SELECT FROM hospital_stay h WHERE h.patient_id = {0}.patient_id AND h.until IS NULL)
"""


# The console ----------------------------------------------------------------------------------------------------------


async def choices(conn: AsyncConn, patient_id: UUID) -> list[Choice]:
    """What holds, of each kind."""
    cursor = await conn.execute(
        """SELECT DISTINCT ON (c.what) c.what, c.is_on, a.display_name, c.set_at
           FROM reminder_choice c JOIN account a ON a.account_id = c.set_by
           WHERE c.patient_id = %s ORDER BY c.what, c.choice_no DESC""",
        (patient_id,),
    )
    said = {what: (is_on, name, at) for what, is_on, name, at in await cursor.fetchall()}
    return [
        Choice(kind=kind, is_on=said[kind][0], set_by=said[kind][1], set_at=said[kind][2])
        if kind in said
        else Choice(kind=kind, is_on=kind in ON_UNLESS_SAID)
        for kind in Kind
    ]


async def choose(conn: AsyncConn, patient_id: UUID, kind: Kind, is_on: bool, by: UUID, at: datetime) -> None:
    await conn.execute(
        "INSERT INTO reminder_choice (patient_id, what, is_on, set_by, set_at) VALUES (%s, %s, %s, %s, %s)",
        (patient_id, kind, is_on, by, at),
    )


async def medication(conn: AsyncConn, patient_id: UUID, today: date) -> list[tuple[UUID, str]]:
    """What is taken today or will be: id, name with dose."""
    cursor = await conn.execute(
        "SELECT medication_id, drug || ', ' || dose FROM medication"
        " WHERE patient_id = %s AND (until IS NULL OR until >= %s) ORDER BY drug, medication_id",
        (patient_id, today),
    )
    return list(await cursor.fetchall())


async def doses(conn: AsyncConn, patient_id: UUID, since: date, today: date) -> list[Dose]:
    """The times of what is taken today or will be, with the days since then for which the patient said that it was
    taken.
    """
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """SELECT t.time_id, t.medication_id, m.drug, m.dose, t.at,
                      ARRAY(SELECT x.day FROM medication_taken x WHERE x.time_id = t.time_id AND x.day >= %s)
                          AS taken_days
               FROM medication_time t JOIN medication m USING (medication_id)
               WHERE t.patient_id = %s AND t.ended_at IS NULL AND (m.until IS NULL OR m.until >= %s)
               ORDER BY t.at, m.drug""",
            (since, patient_id, today),
        )
        return [Dose(**row) for row in await cursor.fetchall()]


async def add_dose(conn: AsyncConn, patient_id: UUID, medication_id: UUID, at: time, by: UUID, now: datetime) -> None:
    """One that is there already stays as it is."""
    await conn.execute(
        "INSERT INTO medication_time (patient_id, medication_id, at, set_by, set_at) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (medication_id, at) WHERE ended_at IS NULL DO NOTHING",
        (patient_id, medication_id, at, by, now),
    )


async def end_dose(conn: AsyncConn, patient_id: UUID, time_id: UUID, at: datetime) -> bool:
    """False: there is none."""
    cursor = await conn.execute(
        "UPDATE medication_time SET ended_at = %s WHERE time_id = %s AND patient_id = %s AND ended_at IS NULL",
        (at, time_id, patient_id),
    )
    return cursor.rowcount == 1


async def time_of(conn: AsyncConn, patient_id: UUID, time_id: UUID) -> time | None:
    """On the patient's clock; None: there is no such time any more."""
    cursor = await conn.execute(
        "SELECT at FROM medication_time WHERE time_id = %s AND patient_id = %s AND ended_at IS NULL",
        (time_id, patient_id),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def take(conn: AsyncConn, patient_id: UUID, time_id: UUID, day: date, at: datetime) -> bool:
    """The patient says so; False: there is no such time, or it was said already."""
    cursor = await conn.execute(
        """INSERT INTO medication_taken (time_id, patient_id, day, taken_at)
           SELECT time_id, patient_id, %s, %s FROM medication_time
           WHERE time_id = %s AND patient_id = %s AND ended_at IS NULL ON CONFLICT DO NOTHING""",
        (day, at, time_id, patient_id),
    )
    return cursor.rowcount == 1


# The jobs -------------------------------------------------------------------------------------------------------------


class DoseRow(NamedTuple):
    """A time at which somebody who is to be reminded takes something; set first at ``set_at``."""

    patient_id: UUID
    at: time
    time_zone: str
    set_at: datetime


def schedules(connection: Connection, now: datetime) -> list[Row]:
    """Of whoever is reminded to measure, and is not in hospital."""
    on = {
        patient_id
        for (patient_id,) in connection.execute(
            f"""SELECT patient_id FROM (SELECT DISTINCT ON (patient_id) patient_id, is_on FROM reminder_choice
                                        WHERE what = 'measure' ORDER BY patient_id, choice_no DESC) c
                WHERE c.is_on AND {_AWAKE.format("c")}"""  # noqa: S608 -- constants of this file
        )
    }
    if not on:
        return []
    rows = [Row(*row) for row in connection.execute(SCHEDULES, {"now": now, "patient_id": None})]
    return [row for row in rows if row.patient_id in on]


def doses_of_all(connection: Connection) -> list[DoseRow]:
    """Of whoever is reminded of medication, and is not in hospital."""
    rows = connection.execute(
        f"""SELECT t.patient_id, t.at, p.time_zone, min(t.set_at)
            FROM medication_time t JOIN patient p USING (patient_id)
            JOIN LATERAL (SELECT c.is_on FROM reminder_choice c WHERE c.patient_id = t.patient_id
                          AND c.what = 'medication' ORDER BY c.choice_no DESC LIMIT 1) said ON said.is_on
            WHERE t.ended_at IS NULL AND {_AWAKE.format("t")}
            GROUP BY t.patient_id, t.at, p.time_zone"""  # noqa: S608 -- as above
    )
    return [DoseRow(*row) for row in rows]


def missed(connection: Connection, since: datetime) -> Sequence[tuple[UUID, str, datetime]]:
    """Silences that have come as far as reminding the patient: whose, of what, missed since when."""
    return connection.execute(
        f"""SELECT s.patient_id, s.kind, s.missed_since FROM measurement_silence s
            WHERE s.step = 'remind_patient' AND s.reached_at > %s AND {_AWAKE.format("s")}
              AND coalesce((SELECT c.is_on FROM reminder_choice c WHERE c.patient_id = s.patient_id AND c.what = 'nudge'
                            ORDER BY c.choice_no DESC LIMIT 1), true)""",  # noqa: S608 -- as above
        (since,),
    ).fetchall()


def last_measured(
    connection: Connection, patient_id: UUID, kind: str, floor: datetime, now: datetime
) -> datetime | None:
    """The patient's newest reading of this kind since then."""
    asked = {"patients": [patient_id], "floor": floor, "now": now}
    row = connection.execute(LAST_MEASURED[kind], asked).fetchone()
    return row[1] if row else None


def may_be_reminded(connection: Connection, patient_id: UUID, now: datetime) -> bool:
    """Takes part, is not in hospital, and measures: no pause holds."""
    row = connection.execute(
        f"""SELECT FROM patient p WHERE p.patient_id = %s AND {_AWAKE.format("p")}
            AND NOT EXISTS (SELECT FROM measurement_pause q WHERE q.patient_id = p.patient_id AND q.valid @> %s)""",  # noqa: S608 -- as above
        (patient_id, now),
    ).fetchone()
    return row is not None


def is_awake(connection: Connection, patient_id: UUID) -> bool:
    """Takes part, and is not in hospital."""
    row = connection.execute(
        f"SELECT FROM patient p WHERE p.patient_id = %s AND {_AWAKE.format('p')}",
        (patient_id,),
    ).fetchone()
    return row is not None


def is_wanted(connection: Connection, patient_id: UUID, kind: Kind) -> bool:
    """Whether the patient is reminded of this kind."""
    row = connection.execute(
        "SELECT is_on FROM reminder_choice WHERE patient_id = %s AND what = %s ORDER BY choice_no DESC LIMIT 1",
        (patient_id, kind),
    ).fetchone()
    return kind in ON_UNLESS_SAID if row is None else bool(row[0])


def is_due(connection: Connection, patient_id: UUID, at: time, day: date) -> bool:
    """Whether something is to be taken at this time of that day: the time holds, the medication has begun and not ended
    (its last day included), and the patient did not say that it was taken.
    """
    row = connection.execute(
        """SELECT FROM medication_time t JOIN medication m USING (medication_id)
           WHERE t.patient_id = %(patient)s AND t.at = %(at)s AND t.ended_at IS NULL
             AND (m.since IS NULL OR m.since <= %(day)s) AND (m.until IS NULL OR m.until >= %(day)s)
             AND NOT EXISTS (SELECT FROM medication_taken x WHERE x.time_id = t.time_id AND x.day = %(day)s)""",
        {"patient": patient_id, "at": at, "day": day},
    ).fetchone()
    return row is not None
