"""All SQL of quality audits. Who asks is the database's to know: what row security does not show is not there."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import args_row, class_row

from cloud.crm.quality.models import (
    Action,
    Answer,
    Asked,
    Audit,
    Closed,
    Drawn,
    Finding,
    Judged,
    Reply,
    Sample,
    Sampled,
    SeenCall,
    SeenCase,
)
from cloud.db.connect import one
from cloud.triage.models import Walk
from cloud.worklist.models import Alert, Change

Connection = AsyncConnection[Any]

SHOWN: Final = 200

_MONTH: Final = """
SELECT %(month)s::date::timestamp AT TIME ZONE zone,
       (%(month)s::date + interval '1 month')::timestamp AT TIME ZONE zone,
       (%(at)s::timestamptz AT TIME ZONE zone)::date, zone
FROM (SELECT known_zone(time_zone) AS zone FROM duty_site) site
"""
_SAMPLES: Final = """
SELECT s.sample_id, s.month, s.starts, s.ends, s.rule, s.percent, s.seed, s.closed, s.frame, a.display_name AS drawn_by,
       s.drawn_at, (SELECT count(*) FROM quality_case x WHERE x.sample_id = s.sample_id) AS cases,
       (SELECT count(DISTINCT x.case_id) FROM quality_audit x
        WHERE x.sample_id = s.sample_id AND x.finished_at IS NOT NULL) AS audited
FROM quality_sample s JOIN account a ON a.account_id = s.drawn_by
"""
_AUDITS: Final = """
SELECT x.audit_id, x.sample_id, s.month, x.case_id, x.patient_id, q.stratum, q.closed_by,
       c.display_name AS closed_by_name, x.auditor, a.display_name AS auditor_name, x.checklist, x.script,
       x.script_version, x.begun_at, x.remark, x.finished_at
FROM quality_audit x JOIN quality_sample s USING (sample_id)
JOIN quality_case q ON q.sample_id = x.sample_id AND q.case_id = x.case_id
JOIN account a ON a.account_id = x.auditor LEFT JOIN account c ON c.account_id = q.closed_by
"""
_ACTIONS: Final = """
SELECT x.action_id, x.audit_id, x.patient_id, x.kind, x.what, x.owner, o.display_name AS owner_name, x.due_on,
       x.check_on, x.script, x.script_version, x.answered_by, m.display_name AS made_by, x.made_at, x.outcome,
       x.done_by, d.display_name AS done_name, x.done_at, x.effective, x.check_note, c.display_name AS checked_name,
       x.checked_at
FROM quality_action x JOIN account o ON o.account_id = x.owner JOIN account m ON m.account_id = x.made_by
LEFT JOIN account d ON d.account_id = x.done_by LEFT JOIN account c ON c.account_id = x.checked_by
"""


async def month(conn: Connection, first: date, at: datetime) -> tuple[datetime, datetime, date, str]:
    """When the month begins and ends on the site's wall clock, the day there, and its zone."""
    cursor = await conn.execute(_MONTH, {"month": first, "at": at})
    starts, ends, today, zone = one(await cursor.fetchone())
    return starts, ends, today, zone


async def closed(conn: Connection, starts: datetime, ends: datetime) -> list[Closed]:
    """All that was closed then, of nobody in particular."""
    async with conn.cursor(row_factory=args_row(Closed)) as cursor:
        await cursor.execute(
            "SELECT case_id, patient_id, closed_by, tier FROM quality_closed(%s, %s)", (starts, ends), prepare=False
        )
        return await cursor.fetchall()


async def draw(
    conn: Connection,
    *,
    first: date,
    span: tuple[datetime, datetime],
    rule: str,
    percent: int,
    seed: str,
    many: int,
    frame: str,
    by: UUID,
    at: datetime,
    cases: Sequence[Drawn],
) -> UUID:
    """A sample with its cases. UniqueViolation: somebody has drawn one of this month."""
    cursor = await conn.execute(
        """INSERT INTO quality_sample (month, starts, ends, rule, percent, seed, closed, frame, drawn_by, drawn_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING sample_id""",
        (first, *span, rule, percent, seed, many, frame, by, at),
    )
    sample_id: UUID = one(await cursor.fetchone())[0]
    async with conn.cursor() as many_rows:
        await many_rows.executemany(
            """INSERT INTO quality_case (sample_id, case_id, patient_id, closed_by, stratum, place)
               VALUES (%s, %s, %s, %s, %s, %s)""",
            [(sample_id, one_.case_id, one_.patient_id, one_.closed_by, one_.stratum, one_.place) for one_ in cases],
        )
    return sample_id


async def samples(conn: Connection) -> list[Sample]:
    """The newest month first."""
    async with conn.cursor(row_factory=class_row(Sample)) as cursor:
        await cursor.execute(f"{_SAMPLES} ORDER BY s.month DESC LIMIT %s", (SHOWN,))
        return await cursor.fetchall()


async def sample(conn: Connection, sample_id: UUID) -> Sample | None:
    async with conn.cursor(row_factory=class_row(Sample)) as cursor:
        await cursor.execute(f"{_SAMPLES} WHERE s.sample_id = %s", (sample_id,))
        return await cursor.fetchone()


async def cases(conn: Connection, sample_id: UUID, account_id: UUID) -> list[Sampled]:
    """By person, stratum and place; what nobody closed last."""
    async with conn.cursor(row_factory=class_row(Sampled)) as cursor:
        await cursor.execute(
            """SELECT q.case_id, q.patient_id, q.closed_by, a.display_name AS closed_by_name, q.stratum, q.place,
                      quality_own(q.case_id, %(account)s) AS own
               FROM quality_case q LEFT JOIN account a ON a.account_id = q.closed_by
               WHERE q.sample_id = %(sample)s
               ORDER BY a.display_name NULLS LAST, q.closed_by,
                        array_position('{emergency,urgent,other,automatic}'::text[], q.stratum), q.place""",
            {"sample": sample_id, "account": account_id},
        )
        return await cursor.fetchall()


async def script_of(conn: Connection, sample_id: UUID, case_id: UUID) -> tuple[str, str | None, int | None] | None:
    """The condition of a sampled case, and the script and version in force when it was closed, as far as walks tell.

    None: no such case.
    """
    cursor = await conn.execute("SELECT condition, script, version FROM quality_script(%s, %s)", (sample_id, case_id))
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1], row[2])


async def begin(
    conn: Connection,
    sample_id: UUID,
    case_id: UUID,
    *,
    by: UUID,
    checklist: int,
    script: tuple[str, int] | None,
    at: datetime,
) -> tuple[UUID, UUID] | None:
    """Its id and whose case it is; None: no such case in the sample. InsufficientPrivilege: one's own work."""
    name, version = script or (None, None)
    cursor = await conn.execute(
        """INSERT INTO quality_audit (sample_id, case_id, patient_id, auditor, checklist, script, script_version,
                                      begun_at)
           SELECT q.sample_id, q.case_id, q.patient_id, %s, %s, %s, %s, %s FROM quality_case q
           WHERE q.sample_id = %s AND q.case_id = %s
           ON CONFLICT (sample_id, case_id, auditor) DO NOTHING RETURNING audit_id, patient_id""",
        (by, checklist, name, version, at, sample_id, case_id),
    )
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


async def audit(conn: Connection, audit_id: UUID) -> Audit | None:
    async with conn.cursor(row_factory=class_row(Audit)) as cursor:
        await cursor.execute(f"{_AUDITS} WHERE x.audit_id = %s", (audit_id,))
        return await cursor.fetchone()


async def audits_of(conn: Connection, sample_id: UUID) -> list[Audit]:
    """Of a sample, in the order in which they were begun."""
    async with conn.cursor(row_factory=class_row(Audit)) as cursor:
        await cursor.execute(f"{_AUDITS} WHERE x.sample_id = %s ORDER BY x.begun_at, x.audit_id", (sample_id,))
        return await cursor.fetchall()


async def own_audits(conn: Connection, account_id: UUID) -> list[Audit]:
    """Finished ones of what this person closed, the newest first."""
    async with conn.cursor(row_factory=class_row(Audit)) as cursor:
        await cursor.execute(
            f"{_AUDITS} WHERE q.closed_by = %s AND x.finished_at IS NOT NULL ORDER BY x.finished_at DESC LIMIT %s",
            (account_id, SHOWN),
        )
        return await cursor.fetchall()


async def findings(conn: Connection, audit_id: UUID) -> Mapping[str, Finding]:
    """What was said, by item."""
    async with conn.cursor(row_factory=class_row(Finding)) as cursor:
        await cursor.execute("SELECT item, answer, remark FROM quality_finding WHERE audit_id = %s", (audit_id,))
        return {found.item: found for found in await cursor.fetchall()}


async def judged(conn: Connection, sample_id: UUID) -> list[Judged]:
    """The finished audits of a sample with their answers."""
    cursor = await conn.execute(
        """SELECT x.case_id, q.closed_by, a.display_name, x.auditor, x.finished_at,
                  (SELECT jsonb_object_agg(f.item, f.answer) FROM quality_finding f WHERE f.audit_id = x.audit_id)
           FROM quality_audit x JOIN quality_case q ON q.sample_id = x.sample_id AND q.case_id = x.case_id
           LEFT JOIN account a ON a.account_id = q.closed_by
           WHERE x.sample_id = %s AND x.finished_at IS NOT NULL""",
        (sample_id,),
    )
    return [
        Judged(
            case_id=case_id,
            closed_by=closed_by,
            name=name,
            auditor=auditor,
            finished_at=finished_at,
            answers={item: Answer(answer) for item, answer in (answers or {}).items()},
        )
        for case_id, closed_by, name, auditor, finished_at, answers in await cursor.fetchall()
    ]


async def write(
    conn: Connection, of: Audit, findings: Sequence[Finding], remark: str, finished_at: datetime | None
) -> bool:
    """What was said so far. False: it is somebody else's, or has ended."""
    cursor = await conn.execute("SELECT FROM quality_audit WHERE audit_id = %s FOR UPDATE", (of.audit_id,))
    if await cursor.fetchone() is None:
        return False
    async with conn.cursor() as many:
        await many.executemany(
            """INSERT INTO quality_finding (audit_id, patient_id, item, answer, remark) VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (audit_id, item) DO UPDATE SET answer = excluded.answer, remark = excluded.remark""",
            [(of.audit_id, of.patient_id, one_.item, one_.answer, one_.remark) for one_ in findings],
        )
    cursor = await conn.execute(
        "UPDATE quality_audit SET remark = %s, finished_at = %s WHERE audit_id = %s AND finished_at IS NULL",
        (remark, finished_at, of.audit_id),
    )
    return cursor.rowcount == 1


async def replies(conn: Connection, audit_id: UUID) -> list[Reply]:
    """In the order in which they were written."""
    async with conn.cursor(row_factory=class_row(Reply)) as cursor:
        await cursor.execute(
            """SELECT a.display_name AS name, r.written_at, r.body
               FROM quality_reply r JOIN account a ON a.account_id = r.written_by
               WHERE r.audit_id = %s ORDER BY r.written_at""",
            (audit_id,),
        )
        return await cursor.fetchall()


async def reply(conn: Connection, of: Audit, by: UUID, body: str, at: datetime) -> None:
    await conn.execute(
        "INSERT INTO quality_reply (audit_id, patient_id, written_by, written_at, body) VALUES (%s, %s, %s, %s, %s)",
        (of.audit_id, of.patient_id, by, at, body),
    )


async def staff(conn: Connection) -> Mapping[UUID, str]:
    """Who may be asked to do something about it, by name."""
    cursor = await conn.execute(
        """SELECT account_id, display_name FROM account
           WHERE role IN ('nurse', 'lead_nurse', 'doctor') AND disabled_at IS NULL ORDER BY display_name, account_id"""
    )
    return dict(await cursor.fetchall())


async def act(
    conn: Connection, of: Audit, asked: Asked, script: tuple[str, int] | None, by: UUID, at: datetime
) -> UUID:
    name, version = script or (None, None)
    cursor = await conn.execute(
        """INSERT INTO quality_action (audit_id, patient_id, kind, what, owner, due_on, check_on, script,
                                       script_version, made_by, made_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING action_id""",
        (of.audit_id, of.patient_id, asked.kind, asked.what, asked.owner, asked.due_on, asked.check_on, name, version,
         by, at),
    )  # fmt: skip
    action_id: UUID = one(await cursor.fetchone())[0]
    return action_id


async def actions(conn: Connection) -> list[Action]:
    """All that this person may see: what is to be done first, then what is to be looked at, then the others."""
    async with conn.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(
            f"""{_ACTIONS} ORDER BY x.done_at IS NOT NULL, x.checked_at IS NOT NULL,
                CASE WHEN x.done_at IS NULL THEN x.due_on ELSE x.check_on END, x.made_at, x.action_id LIMIT %s""",
            (SHOWN,),
        )
        return await cursor.fetchall()


async def answered_by_scripts(conn: Connection) -> list[Action]:
    """Those that led to a version of a script, of all that this person may see."""
    async with conn.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(f"{_ACTIONS} WHERE x.answered_by IS NOT NULL ORDER BY x.done_at, x.action_id")
        return await cursor.fetchall()


async def themes_of(conn: Connection, audit_id: UUID) -> list[str]:
    """What its findings are about (``cloud.crm.surveys.themes``), to whoever audits."""
    cursor = await conn.execute(
        "SELECT theme FROM voice_theme WHERE what = 'finding' AND thing_id = %s AND removed_at IS NULL ORDER BY theme",
        (audit_id,),
    )
    return [theme for (theme,) in await cursor.fetchall()]


async def actions_of(conn: Connection, audit_id: UUID) -> list[Action]:
    async with conn.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(f"{_ACTIONS} WHERE x.audit_id = %s ORDER BY x.made_at, x.action_id", (audit_id,))
        return await cursor.fetchall()


async def action(conn: Connection, action_id: UUID) -> Action | None:
    async with conn.cursor(row_factory=class_row(Action)) as cursor:
        await cursor.execute(f"{_ACTIONS} WHERE x.action_id = %s", (action_id,))
        return await cursor.fetchone()


async def done(
    conn: Connection, action_id: UUID, outcome: str, answered_by: int | None, by: UUID, at: datetime
) -> bool:
    """What came of it. False: it is not this person's, or is done."""
    cursor = await conn.execute(
        """UPDATE quality_action SET outcome = %s, answered_by = %s, done_by = %s, done_at = %s
           WHERE action_id = %s AND done_at IS NULL AND owner = %s""",
        (outcome, answered_by, by, at, action_id, by),
    )
    return cursor.rowcount == 1


async def check(conn: Connection, action_id: UUID, effective: bool, note: str, by: UUID, at: datetime) -> bool:
    """Whether it helped. False: it is not done, was looked at, or was this person's own doing."""
    cursor = await conn.execute(
        """UPDATE quality_action SET effective = %s, check_note = %s, checked_by = %s, checked_at = %s
           WHERE action_id = %s AND done_at IS NOT NULL AND checked_at IS NULL AND done_by <> %s""",
        (effective, note, by, at, action_id, by),
    )
    return cursor.rowcount == 1


# The case as it was, to whoever is auditing it ------------------------------------------------------------------------


async def seen_case(conn: Connection, audit_id: UUID) -> SeenCase | None:
    async with conn.cursor(row_factory=class_row(SeenCase)) as cursor:
        await cursor.execute("SELECT * FROM quality_seen_case(%s)", (audit_id,))
        return await cursor.fetchone()


async def seen_alerts(conn: Connection, audit_id: UUID) -> list[Alert]:
    async with conn.cursor(row_factory=class_row(Alert)) as cursor:
        await cursor.execute("SELECT * FROM quality_seen_alerts(%s)", (audit_id,))
        return await cursor.fetchall()


async def seen_history(conn: Connection, audit_id: UUID) -> list[Change]:
    async with conn.cursor(row_factory=class_row(Change)) as cursor:
        await cursor.execute("SELECT * FROM quality_seen_events(%s)", (audit_id,))
        return await cursor.fetchall()


async def seen_calls(conn: Connection, audit_id: UUID) -> list[SeenCall]:
    async with conn.cursor(row_factory=class_row(SeenCall)) as cursor:
        await cursor.execute("SELECT *, NULL AS contact_name FROM quality_seen_calls(%s)", (audit_id,))
        return await cursor.fetchall()


async def seen_walks(conn: Connection, audit_id: UUID) -> list[Walk]:
    async with conn.cursor(row_factory=class_row(Walk)) as cursor:
        await cursor.execute("SELECT * FROM quality_seen_walks(%s)", (audit_id,))
        return await cursor.fetchall()
