"""All SQL of surveys: what the jobs ask, what is answered, and what is read of it. The caller has checked who asks."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from cloud.crm.surveys.definitions import version_of
from cloud.crm.surveys.models import DEFAULTS, Comment, Count, Kind, Occasion, Round, Rule, Said, Sent
from cloud.db.connect import Connection, one

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 200

_RULES: Final = """
SELECT DISTINCT ON (r.kind) r.kind, r.is_on, r.after_days, r.percent, r.apart_days, a.display_name AS set_by, r.set_at
FROM survey_rule r JOIN account a ON a.account_id = r.set_by ORDER BY r.kind, r.rule_no DESC
"""

_SWITCHED_ON: Final = """
SELECT r.kind, r.is_on, r.after_days, r.percent, r.apart_days,
       (SELECT min(x.set_at) FROM survey_rule x WHERE x.kind = r.kind
        AND x.rule_no > coalesce((SELECT max(o.rule_no) FROM survey_rule o WHERE o.kind = r.kind AND NOT o.is_on), 0)
       ) AS set_at
FROM (SELECT DISTINCT ON (kind) * FROM survey_rule ORDER BY kind, rule_no DESC) r WHERE r.is_on
"""

# What happened in the span and may be asked about: (about, patient_id, at, concerned). ``since`` is when it was
# switched on: nobody is asked about what was before that.
_OCCASIONS: Final[Mapping[Kind, str]] = {
    Kind.CONTACT: """
        SELECT c.call_id AS about, c.patient_id, c.ended_at AS at, c.account_id AS concerned FROM call c
        WHERE c.outcome = 'reached' AND c.contact_id IS NULL AND c.ended_at BETWEEN %(first)s AND %(last)s
          AND c.ended_at >= %(since)s
        UNION ALL
        SELECT x.appointment_id, x.patient_id, x.ends_at, x.seen_by FROM appointment x
        WHERE x.state = 'took_place' AND x.ends_at BETWEEN %(first)s AND %(last)s AND x.ends_at >= %(since)s""",
    Kind.DISCHARGE: """
        SELECT s.summary_id AS about, s.patient_id, s.discharged_on::timestamp AT TIME ZONE d.time_zone AS at,
               NULL::uuid AS concerned
        FROM discharge_summary s JOIN patient d USING (patient_id)
        WHERE s.discharged_on::timestamp AT TIME ZONE d.time_zone BETWEEN %(first)s AND %(last)s
          AND s.entered_at >= %(since)s""",
    Kind.ENROLMENT: """
        SELECT e.participation_id AS about, e.patient_id, e.activated_at AS at, NULL::uuid AS concerned
        FROM participation e
        WHERE e.activated_at BETWEEN %(first)s AND %(last)s AND e.activated_at >= %(since)s""",
}
# But not who does not want it, takes no part any more, is in hospital, or is nobody real.
_MAY_BE_ASKED: Final = """
SELECT o.about, o.patient_id, o.at, o.concerned FROM ({occasions}) o JOIN patient p USING (patient_id)
WHERE NOT p.training
  AND NOT EXISTS (SELECT FROM survey_sent s WHERE s.kind = %(kind)s AND s.about = o.about)
  AND NOT EXISTS (SELECT FROM participation w
                  WHERE w.patient_id = o.patient_id AND w.is_newest AND w.ended_at IS NOT NULL)
  AND NOT EXISTS (SELECT FROM hospital_stay h WHERE h.patient_id = o.patient_id AND h.until IS NULL)
  AND coalesce((SELECT c.wants FROM survey_choice c WHERE c.patient_id = o.patient_id
                ORDER BY c.choice_no DESC LIMIT 1), true)
ORDER BY o.at, o.about
"""
_SENT: Final = """
SELECT s.sent_id, s.survey, s.version, s.sent_at, s.until, a.answers, a.answered_at
FROM survey_sent s LEFT JOIN survey_answer a USING (sent_id)
WHERE s.patient_id = %(patient_id)s AND (%(sent_id)s::uuid IS NULL OR s.sent_id = %(sent_id)s)
ORDER BY s.sent_at DESC, s.sent_id LIMIT 50
"""
_COMMENTS: Final = """
SELECT c.comment_id, c.patient_id, p.display_name AS patient_name, p.time_zone, p.in_care, c.kind, c.body, c.written_at,
       b.display_name AS seen_by, c.seen_at,
       ARRAY(SELECT t.theme FROM voice_theme t
             WHERE t.what = 'comment' AND t.thing_id = c.comment_id AND t.removed_at IS NULL ORDER BY t.theme) AS themes
FROM survey_comment c JOIN voice_patient p USING (patient_id) LEFT JOIN account b ON b.account_id = c.seen_by
WHERE (%(comment_id)s::uuid IS NULL OR c.comment_id = %(comment_id)s)
ORDER BY c.seen_at IS NOT NULL, c.written_at DESC LIMIT %(most)s
"""


# The jobs -------------------------------------------------------------------------------------------------------------


def one_at_a_time(connection: Connection) -> None:
    """Until the transaction ends nobody else decides whom to ask."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('ask_surveys', 0))")


def rules(connection: Connection) -> list[Rule]:
    """Those that are switched on. ``set_at``: since when they are; other numbers are no new beginning."""
    with connection.cursor(row_factory=class_row(Rule)) as cursor:
        return cursor.execute(_SWITCHED_ON).fetchall()


def occasions(connection: Connection, rule: Rule, first: datetime, last: datetime) -> list[Occasion]:
    """What can be asked about and was not, of this time; the earliest first."""
    query = _MAY_BE_ASKED.format(occasions=_OCCASIONS[rule.kind])
    with connection.cursor(row_factory=class_row(Occasion)) as cursor:
        return cursor.execute(
            query.encode(), {"kind": rule.kind, "first": first, "last": last, "since": rule.set_at}
        ).fetchall()


def send(
    connection: Connection, kind: Kind, of: Occasion, survey: str, version: int, apart: timedelta, at: datetime,
    until: datetime,
) -> UUID | None:  # fmt: skip
    """Once about each thing. None: it was asked already, or the patient was asked something too short a while ago."""
    row = connection.execute(
        """INSERT INTO survey_sent (patient_id, kind, about, concerned, survey, version, sent_at, until)
           SELECT %(patient)s, %(kind)s, %(about)s, %(concerned)s, %(survey)s, %(version)s, %(at)s, %(until)s
           WHERE NOT EXISTS (SELECT FROM survey_sent s WHERE s.patient_id = %(patient)s AND s.sent_at > %(soonest)s)
           ON CONFLICT (kind, about) DO NOTHING RETURNING sent_id""",
        {
            "patient": of.patient_id,
            "kind": kind,
            "about": of.about,
            "concerned": of.concerned,
            "survey": survey,
            "version": version,
            "at": at,
            "until": until,
            "soonest": at - apart,
        },
    ).fetchone()
    return row[0] if row else None


def begin_round(connection: Connection, survey: str, version: int, day: date, until: datetime, after_days: int) -> bool:
    """Ask the staff again, where the last round is so many days ago. False: it is not."""
    made = connection.execute(
        """INSERT INTO staff_round (survey, version, begins_on, until)
           SELECT %(survey)s, %(version)s, %(day)s, %(until)s
           WHERE NOT EXISTS (SELECT FROM staff_round r WHERE r.begins_on > %(day)s::date - %(after)s::integer)
           ON CONFLICT (begins_on) DO NOTHING""",
        {"survey": survey, "version": version, "day": day, "until": until, "after": after_days},
    )
    return made.rowcount == 1


def is_open(connection: Connection, sent_id: UUID | None, at: datetime) -> bool:
    """Whether somebody still wants it answered: it can be, and the patient did not say no meanwhile."""
    row = connection.execute(
        """SELECT FROM survey_sent s WHERE s.sent_id = %s AND s.until > %s
           AND NOT EXISTS (SELECT FROM survey_answer a WHERE a.sent_id = s.sent_id)
           AND coalesce((SELECT c.wants FROM survey_choice c WHERE c.patient_id = s.patient_id
                         ORDER BY c.choice_no DESC LIMIT 1), true)""",
        (sent_id, at),
    ).fetchone()
    return row is not None


def make_link(connection: Connection, sent_id: UUID, patient_id: UUID, token_hash: bytes, at: datetime) -> None:
    connection.execute(
        "INSERT INTO survey_link (token_hash, sent_id, patient_id, made_at) VALUES (%s, %s, %s, %s)",
        (token_hash, sent_id, patient_id, at),
    )


# Answering ------------------------------------------------------------------------------------------------------------


async def of_patient(conn: AsyncConn, patient_id: UUID, sent_id: UUID | None = None) -> list[Sent]:
    """The patient's own, the newest first, or the one with this id. To the staff answers are not there."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SENT, {"patient_id": patient_id, "sent_id": sent_id})
        rows = await cursor.fetchall()
    found = ((row, version_of(row["survey"], row["version"])) for row in rows)
    return [Sent(**row, form=survey.form if survey else None) for row, survey in found]


async def answer_own(conn: AsyncConn, sent_id: UUID, said: Said, terms: Sequence[datetime], at: datetime) -> str | None:
    """'taken', or how it stands otherwise; None: it is not theirs."""
    cursor = await conn.execute(
        "SELECT answer_own_survey(%s, %s, %s, %s, %s, %s, %s, %s)", (sent_id, *_said(said, terms, at))
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def opened(conn: AsyncConn, token_hash: bytes, source: str, at: datetime) -> tuple[str, str | None, int | None]:
    """How what the link leads to stands, and which version of which survey it is."""
    cursor = await conn.execute("SELECT * FROM open_survey(%s, %s, %s)", (token_hash, source, at))
    standing, survey, version = one(await cursor.fetchone())
    return standing, survey, version


async def answer_by_link(
    conn: AsyncConn, token_hash: bytes, source: str, said: Said, terms: Sequence[datetime], at: datetime
) -> str:
    """'taken', or how it stands otherwise."""
    cursor = await conn.execute(
        "SELECT answer_survey(%s, %s, %s, %s, %s, %s, %s, %s, %s)", (token_hash, source, *_said(said, terms, at))
    )
    return str(one(await cursor.fetchone())[0])


async def stop_by_link(conn: AsyncConn, token_hash: bytes, source: str, at: datetime) -> str:
    """'stopped', or that the link leads to nothing."""
    cursor = await conn.execute("SELECT stop_surveys(%s, %s, %s)", (token_hash, source, at))
    return str(one(await cursor.fetchone())[0])


def _said(said: Said, terms: Sequence[datetime], at: datetime) -> tuple[object, ...]:
    return Jsonb(dict(said.answers)), said.body, said.wants.value, said.call_me, said.harm, list(terms), at


async def wants(conn: AsyncConn, patient_id: UUID) -> bool:
    """Whether the patient may be asked."""
    cursor = await conn.execute(
        "SELECT wants FROM survey_choice WHERE patient_id = %s ORDER BY choice_no DESC LIMIT 1", (patient_id,)
    )
    row = await cursor.fetchone()
    return row is None or bool(row[0])


async def choose(conn: AsyncConn, patient_id: UUID, wanted: bool, method: str, by: UUID, at: datetime) -> None:
    await conn.execute(
        "INSERT INTO survey_choice (patient_id, wants, method, set_by, set_at) VALUES (%s, %s, %s, %s, %s)",
        (patient_id, wanted, method, by, at),
    )


async def open_round(conn: AsyncConn, at: datetime) -> Round | None:
    """In which whoever is signed in has not answered."""
    async with conn.cursor(row_factory=class_row(Round)) as cursor:
        await cursor.execute("SELECT * FROM open_staff_round(%s)", (at,))
        return await cursor.fetchone()


async def answer_round(conn: AsyncConn, round_id: UUID, said: Said, at: datetime) -> bool:
    """False: they have answered, or it is over."""
    cursor = await conn.execute(
        "SELECT answer_staff_round(%s, %s, %s, %s)", (round_id, Jsonb(dict(said.answers)), said.body, at)
    )
    return bool(one(await cursor.fetchone())[0])


# Reading --------------------------------------------------------------------------------------------------------------


async def all_rules(conn: AsyncConn) -> list[Rule]:
    """Of each kind what holds."""
    async with conn.cursor(row_factory=class_row(Rule)) as cursor:
        await cursor.execute(_RULES)
        found = {rule.kind: rule for rule in await cursor.fetchall()}
    return [found.get(kind, DEFAULTS[kind]) for kind in Kind]


async def set_rule(conn: AsyncConn, rule: Rule, by: UUID, at: datetime) -> None:
    await conn.execute(
        "INSERT INTO survey_rule (kind, is_on, after_days, percent, apart_days, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (rule.kind, rule.is_on, rule.after_days, rule.percent, rule.apart_days, by, at),
    )


async def comments(conn: AsyncConn, comment_id: UUID | None = None) -> list[Comment]:
    """Those that this person may read, unseen ones first; or the one with this id."""
    async with conn.cursor(row_factory=class_row(Comment)) as cursor:
        await cursor.execute(_COMMENTS, {"comment_id": comment_id, "most": SHOWN})
        return await cursor.fetchall()


async def unread(conn: AsyncConn) -> int:
    """How many comments that this person may read nobody has read."""
    cursor = await conn.execute("SELECT count(*) FROM survey_comment WHERE seen_at IS NULL")
    return int(one(await cursor.fetchone())[0])


async def see(conn: AsyncConn, comment_id: UUID, by: UUID, at: datetime) -> bool:
    """Somebody has read it. False: it is not there, or somebody has already."""
    cursor = await conn.execute(
        "UPDATE survey_comment SET seen_by = %s, seen_at = %s WHERE comment_id = %s AND seen_at IS NULL",
        (by, at, comment_id),
    )
    return cursor.rowcount == 1


async def counts(conn: AsyncConn, since: datetime, until: datetime, at: datetime) -> list[Count]:
    """Of patients and of the staff, by month; to whoever may not see figures there are none."""
    async with conn.cursor(row_factory=class_row(Count)) as cursor:
        await cursor.execute(
            "SELECT * FROM survey_marks(%(since)s, %(until)s)"
            " UNION ALL SELECT * FROM staff_marks(%(since)s, %(until)s, %(at)s)",
            {"since": since, "until": until, "at": at},
        )
        return await cursor.fetchall()


async def remarks(conn: AsyncConn, at: datetime) -> list[tuple[date, str]]:
    """What the staff wrote in rounds that are over, in no order."""
    cursor = await conn.execute("SELECT begins_on, remark FROM staff_remarks(%s)", (at,))
    return [(day, remark) for day, remark in await cursor.fetchall()]


# Themes ---------------------------------------------------------------------------------------------------------------


async def tag(
    conn: AsyncConn,
    what: str,
    thing_id: UUID,
    theme: str,
    patient_id: UUID,
    happened_at: datetime,
    by: UUID,
    at: datetime,
) -> bool:
    """``what``: 'complaint', 'comment' or 'finding'. False: it is tagged so already."""
    cursor = await conn.execute(
        """INSERT INTO voice_theme (theme, what, thing_id, patient_id, happened_at, tagged_by, tagged_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        (theme, what, thing_id, patient_id, happened_at, by, at),
    )
    return cursor.rowcount == 1


async def untag(conn: AsyncConn, what: str, thing_id: UUID, theme: str, by: UUID, at: datetime) -> bool:
    """False: it is not tagged so."""
    cursor = await conn.execute(
        "UPDATE voice_theme SET removed_by = %s, removed_at = %s"
        " WHERE what = %s AND thing_id = %s AND theme = %s AND removed_at IS NULL",
        (by, at, what, thing_id, theme),
    )
    return cursor.rowcount == 1
