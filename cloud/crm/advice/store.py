"""All SQL of advice; the caller has checked who asks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from cloud.console.spoken import zone_of
from cloud.crm.advice.models import Given, Measure, Relation, Rule, Snippet
from cloud.crm.advice.rules import Mean
from cloud.crm.reach.models import Outside
from cloud.db.connect import Connection

AsyncConn = AsyncConnection[Any]

_SNIPPET: Final = """
SELECT s.snippet_id, s.name, s.version, s.measure, s.relation, s.bound, s.unit, s.texts, s.article, w.display_name,
       s.written_by, s.written_at, a.display_name, s.approved_at, x.display_name, s.withdrawn_at
"""
_FROM: Final = """
FROM advice_snippet s JOIN account w ON w.account_id = s.written_by
LEFT JOIN account a ON a.account_id = s.approved_by LEFT JOIN account x ON x.account_id = s.withdrawn_by
"""


def _snippet(row: Sequence[Any]) -> Snippet:
    (snippet_id, name, version, measure, relation, bound, unit, texts, article, by, author_id, at, approver,
     approved_at, withdrawer, withdrawn_at) = row  # fmt: skip
    rule = Rule(measure=Measure(measure), relation=Relation(relation), bound=bound, unit=unit)
    return Snippet(
        snippet_id=snippet_id,
        name=name,
        version=version,
        rule=rule,
        texts=texts,
        article=article,
        written_by=by,
        author_id=author_id,
        written_at=at,
        approved_by=approver,
        approved_at=approved_at,
        withdrawn_by=withdrawer,
        withdrawn_at=withdrawn_at,
    )


async def snippets(conn: AsyncConn) -> list[Snippet]:
    """All there ever were, by name, the newest version first."""
    cursor = await conn.execute(f"{_SNIPPET} {_FROM} ORDER BY s.name, s.version DESC")
    return [_snippet(row) for row in await cursor.fetchall()]


async def add(
    conn: AsyncConn,
    name: str,
    rule: Rule,
    texts: Mapping[str, str],
    by: UUID,
    at: datetime,
    *,
    article: str | None = None,
) -> int:
    """The next version of this name; gives its number."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('advice ' || %s, 0))", (name,))
    cursor = await conn.execute(
        """INSERT INTO advice_snippet (name, version, measure, relation, bound, unit, texts, article, written_by,
                                       written_at)
           SELECT %(name)s, coalesce(max(version), 0) + 1, %(measure)s, %(relation)s, %(bound)s, %(unit)s,
                  %(texts)s, %(article)s, %(by)s, %(at)s FROM advice_snippet WHERE name = %(name)s RETURNING version""",
        {
            "name": name,
            "measure": rule.measure,
            "relation": rule.relation,
            "bound": rule.bound,
            "unit": rule.unit,
            "texts": Jsonb(dict(texts)),
            "article": article,
            "by": by,
            "at": at,
        },
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def approve(conn: AsyncConn, snippet_id: UUID, by: UUID, at: datetime) -> bool:
    """What was approved before under this name is given no more. False: not there, not a draft, or one's own."""
    cursor = await conn.execute(
        """UPDATE advice_snippet SET approved_by = %s, approved_at = %s
           WHERE snippet_id = %s AND approved_at IS NULL AND withdrawn_at IS NULL AND written_by <> %s
           RETURNING name, version""",
        (by, at, snippet_id, by),
    )
    row = await cursor.fetchone()
    if row is not None:
        await conn.execute(
            """UPDATE advice_snippet SET withdrawn_by = %s, withdrawn_at = %s
               WHERE name = %s AND version < %s AND withdrawn_at IS NULL""",
            (by, at, *row),
        )
    return row is not None


async def withdraw(conn: AsyncConn, snippet_id: UUID, by: UUID, at: datetime) -> bool:
    """False: not there, or withdrawn already."""
    cursor = await conn.execute(
        "UPDATE advice_snippet SET withdrawn_by = %s, withdrawn_at = %s WHERE snippet_id = %s AND withdrawn_at IS NULL",
        (by, at, snippet_id),
    )
    return cursor.rowcount == 1


async def given(conn: AsyncConn, patient_id: UUID) -> list[Given]:
    """To one patient, the newest first."""
    cursor = await conn.execute(
        f"""{_SNIPPET}, g.mean, g.unit, g.readings, g.given_at, g.read_at {_FROM}
            JOIN advice_given g ON g.snippet_id = s.snippet_id WHERE g.patient_id = %s
            ORDER BY g.given_at DESC, g.given_id LIMIT 50""",
        (patient_id,),
    )
    return [
        Given(snippet=_snippet(facts), mean=mean, unit=unit, readings=readings, given_at=at, read_at=read_at)
        for *facts, mean, unit, readings, at, read_at in await cursor.fetchall()
    ]


async def read(conn: AsyncConn, patient_id: UUID, at: datetime) -> int:
    """All of it is on the patient's screen; how many that were not before."""
    cursor = await conn.execute(
        "UPDATE advice_given SET read_at = %s WHERE patient_id = %s AND read_at IS NULL", (at, patient_id)
    )
    return cursor.rowcount


# The jobs -------------------------------------------------------------------------------------------------------------

# The column, and the view.
_VALUES: Final[Mapping[Measure, tuple[LiteralString, LiteralString]]] = {
    Measure.GLUCOSE: ("value", "glucose"),
    Measure.SYSTOLIC: ("systolic", "blood_pressure"),
    Measure.DIASTOLIC: ("diastolic", "blood_pressure"),
}


def in_force(connection: Connection) -> list[tuple[UUID, str, Rule]]:
    """Approved and not withdrawn: id, name, rule."""
    rows = connection.execute(
        """SELECT snippet_id, name, measure, relation, bound, unit FROM advice_snippet
           WHERE approved_at IS NOT NULL AND withdrawn_at IS NULL ORDER BY name"""
    )
    return [
        (snippet_id, name, Rule(measure=Measure(measure), relation=Relation(relation), bound=bound, unit=unit))
        for snippet_id, name, measure, relation, bound, unit in rows
    ]


Week = Mapping[str, Sequence[tuple[date, Decimal]]]
"""Readings by their unit: the day on the patient's calendar, and the value."""


def weeks(
    connection: Connection, name: str, measure: Measure, since: datetime, now: datetime, rest_since: datetime
) -> Mapping[UUID, Week]:
    """Readings since then, of whoever takes part, is at home, and was not given this advice lately."""
    column, view = _VALUES[measure]
    rows = connection.execute(
        f"""SELECT o.patient_id, p.time_zone, o.effective_time, o.unit, o.{column}
            FROM {view} o JOIN patient p USING (patient_id)
            WHERE o.sample = 'patient' AND o.effective_time > %(since)s AND o.effective_time <= %(now)s
              AND NOT EXISTS (SELECT FROM participation w WHERE w.patient_id = o.patient_id AND w.is_newest
                              AND (w.watched_from IS NULL OR w.watched_from > o.effective_time))
              AND NOT EXISTS (SELECT FROM hospital_stay h WHERE h.patient_id = o.patient_id AND h.until IS NULL)
              AND NOT EXISTS (SELECT FROM advice_given g JOIN advice_snippet s USING (snippet_id)
                              WHERE g.patient_id = o.patient_id AND s.name = %(name)s AND g.given_at > %(rest)s)""",  # noqa: S608 -- constants of this file
        {"since": since, "now": now, "name": name, "rest": rest_since},
    )
    found: dict[UUID, dict[str, list[tuple[date, Decimal]]]] = {}
    off_scale = set()
    for patient_id, zone, at, unit, value in rows:
        if value is None:  # HI or LO: no mean speaks of such a week, and a case does
            off_scale.add(patient_id)
        else:
            day = at.astimezone(zone_of(zone)).date()
            found.setdefault(patient_id, {}).setdefault(unit, []).append((day, value))
    return {patient_id: week for patient_id, week in found.items() if patient_id not in off_scale}


def give(connection: Connection, patient_id: UUID, snippet_id: UUID, mean: Mean, unit: str, at: datetime) -> None:
    connection.execute(
        """INSERT INTO advice_given (patient_id, snippet_id, mean, unit, readings, given_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        (patient_id, snippet_id, mean.value, unit, mean.readings, at),
    )


def is_unread(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a message about advice: whether the patient has not read it yet."""
    del now
    row = connection.execute(
        "SELECT FROM advice_given WHERE patient_id = %s AND snippet_id = %s AND read_at IS NULL LIMIT 1",
        (outside.patient_id, outside.subject_id),
    ).fetchone()
    return row is not None
