"""All SQL of the worklist."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from alerting.life import Life
from alerting.tiers import PRIORITY_OF, TERMS, Terms, Tier
from cloud.auth.care_team import IN_CARE, IN_CARE_TEAM
from cloud.worklist.models import Alert, Case, Change, Colleague, Show

Connection = AsyncConnection[Any]

SHOWN: Final = 500
CLOSED_WITHIN: Final = timedelta(days=1)

_ALL_CASES: Final = SQL(
    """SELECT c.case_id, c.patient_id, p.display_name AS patient_name, p.time_zone, c.condition, c.priority, c.tier,
              c.state, c.round, c.step, c.escalated_to, c.owner, o.display_name AS owner_name, c.lease_until,
              c.offered_to, f.display_name AS offered_to_name, c.silenced_until, c.silenced_by,
              s.display_name AS silenced_by_name, c.silenced_why, c.sentence, c.reason, c.opened_at, c.raised_at,
              c.deadline, c.contact_by, c.contacted_at, c.next_at, c.changed_at, c.resolved_at, c.disposition,
              c.resolved_why, c.closed_automatically, latest.measured_at, latest.readings, p.training
       FROM alert_case c
       JOIN patient p USING (patient_id)
       LEFT JOIN account o ON o.account_id = c.owner
       LEFT JOIN account f ON f.account_id = c.offered_to
       LEFT JOIN account s ON s.account_id = c.silenced_by
       CROSS JOIN LATERAL (SELECT max(a.effective_time) AS measured_at, count(DISTINCT a.reading_id) AS readings
                           FROM alert a WHERE a.case_id = c.case_id AND a.told_by IS NULL) latest
       WHERE {whose}"""
)
_CASES: Final = _ALL_CASES.format(whose=IN_CARE_TEAM)
# Of one patient also those whom the account has opened by break-glass.
_CASES_IN_CARE: Final = _ALL_CASES.format(whose=IN_CARE)
_IS_OPEN: Final = SQL(" AND c.state NOT IN ('resolved', 'expired')")
_OPEN: Final = _CASES + _IS_OPEN
_SHOWN: Final[Mapping[Show, Any]] = {
    Show.OPEN: _OPEN + SQL(" AND c.tier <> 'retrospective' AND NOT p.training"),
    Show.RETROSPECT: _OPEN + SQL(" AND c.tier = 'retrospective' AND NOT p.training"),
    Show.TRAINING: _OPEN + SQL(" AND p.training"),
    Show.AUTOMATIC: _CASES
    + SQL(
        """ AND c.closed_automatically IS NOT NULL AND c.resolved_at > %(since)s AND NOT p.training
            ORDER BY c.resolved_at DESC, c.case_id LIMIT %(most)s"""
    ),
}
_OPEN_CASES_OF_PATIENT: Final = _CASES_IN_CARE + _IS_OPEN + SQL(" AND c.patient_id = %(patient_id)s")
_ONE: Final = _CASES_IN_CARE + SQL(" AND c.case_id = %(case_id)s")
_LISTED: Final = _CASES + SQL(" AND c.case_id = %(case_id)s")
_COUNTS: Final = SQL(
    """SELECT count(*) FILTER (WHERE c.state NOT IN ('resolved', 'expired') AND c.tier = 'retrospective'
                                     AND NOT p.training),
              count(*) FILTER (WHERE c.closed_automatically IS NOT NULL AND c.resolved_at > %(since)s
                                     AND NOT p.training),
              count(*) FILTER (WHERE c.state NOT IN ('resolved', 'expired') AND p.training)
       FROM alert_case c JOIN patient p USING (patient_id)
       WHERE (c.state NOT IN ('resolved', 'expired') OR c.changed_at > %(since)s) AND {in_care_team}"""
).format(in_care_team=IN_CARE_TEAM)


async def cases(conn: Connection, account_id: UUID, show: Show, now: datetime) -> list[Case]:
    """Cases of the account's patients: the open ones in the order of the worklist, the closed ones latest first."""
    parameters = {"account_id": account_id, "since": now - CLOSED_WITHIN, "most": SHOWN}
    found = await _cases(conn, _SHOWN[show], parameters)
    return found if show is Show.AUTOMATIC else sorted(found, key=lambda case: case.order)


async def aside(conn: Connection, account_id: UUID, now: datetime) -> Mapping[Show, int]:
    """How many there are that a worklist does not show by itself."""
    cursor = await conn.execute(_COUNTS, {"account_id": account_id, "since": now - CLOSED_WITHIN})
    row = await cursor.fetchone()
    retrospect, automatic, training = row or (0, 0, 0)
    return {Show.RETROSPECT: retrospect, Show.AUTOMATIC: automatic, Show.TRAINING: training}


async def open_cases_of(conn: Connection, account_id: UUID, patient_id: UUID) -> list[Case]:
    """All open cases of one patient, in the order of the worklist."""
    found = await _cases(conn, _OPEN_CASES_OF_PATIENT, {"account_id": account_id, "patient_id": patient_id})
    return sorted(found, key=lambda case: case.order)


async def case(conn: Connection, account_id: UUID, case_id: UUID) -> Case | None:
    """The case, open or not, if its patient is one of the account's."""
    found = await _cases(conn, _ONE, {"account_id": account_id, "case_id": case_id})
    return found[0] if found else None


async def listed_case(conn: Connection, account_id: UUID, case_id: UUID) -> Case | None:
    """The same, if it belongs to a list: what is open by break-glass alone stands in none."""
    found = await _cases(conn, _LISTED, {"account_id": account_id, "case_id": case_id})
    return found[0] if found else None


async def locked_case(conn: Connection, account_id: UUID, case_id: UUID) -> Case | None:
    """The same, and nobody else changes it until this transaction ends."""
    # Read afterwards: a statement that waits for a lock sees the new owner's id, and not yet their name.
    await conn.execute("SELECT FROM alert_case WHERE case_id = %s FOR UPDATE", (case_id,))
    return await case(conn, account_id, case_id)


async def case_to_take(conn: Connection, account_id: UUID, case_id: UUID) -> Case | None:
    """The same, once no page of it is just being sent. Nobody who needs the row waits for that, the ingest least."""
    await conn.execute("SELECT pg_advisory_xact_lock(paging_lock(%s))", (case_id,))
    return await locked_case(conn, account_id, case_id)


async def alerts(conn: Connection, case_id: UUID) -> list[Alert]:
    """What the case is made of, the latest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Alert)) as cursor:
        await cursor.execute(
            """SELECT tier, sentence, reason, effective_time, raised_at FROM alert WHERE case_id = %s
               ORDER BY effective_time DESC, raised_at DESC, alert_id LIMIT %s""",
            (case_id, SHOWN),
        )
        return await cursor.fetchall()


async def history(conn: Connection, case_id: UUID) -> list[Change]:
    """All that happened to the case, the latest first; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Change)) as cursor:
        await cursor.execute(
            """SELECT e.at, a.display_name AS actor_name, e.event, e.from_state, e.to_state, e.data,
                      t.display_name AS to_name
               FROM case_event e LEFT JOIN account a ON a.account_id = e.actor
               LEFT JOIN account t ON t.account_id::text = e.data->>'to'
               WHERE e.case_id = %s ORDER BY e.event_id DESC LIMIT %s""",
            (case_id, SHOWN),
        )
        return await cursor.fetchall()


async def colleagues(conn: Connection, account_id: UUID, patient_id: UUID) -> list[Colleague]:
    """Who else of the patient's care team may take a case."""
    async with conn.cursor(row_factory=class_row(Colleague)) as cursor:
        await cursor.execute(
            """SELECT DISTINCT a.account_id, a.display_name, a.role
               FROM care_team t JOIN account a USING (account_id)
               WHERE t.patient_id = %s AND a.account_id <> %s AND a.disabled_at IS NULL
                 AND a.role IN ('nurse', 'lead_nurse', 'doctor')
                 AND t.since <= now() AND (t.until IS NULL OR t.until > now())
               ORDER BY a.display_name, a.account_id""",
            (patient_id, account_id),
        )
        return await cursor.fetchall()


async def terms(conn: Connection, patient_id: UUID, tier: Tier, at: datetime) -> Terms:
    """What the patient's programme promises for this tier at this time; the defaults where it says nothing else."""
    cursor = await conn.execute(
        """SELECT t.acknowledge_within, t.contact_within, t.escalate_after, t.lease FROM programme_terms t
           WHERE t.tier = %s AND t.programme_id =
               coalesce((SELECT m.programme_id FROM patient_programme m WHERE m.patient_id = %s AND m.valid @> %s),
                        'standard')""",
        (tier, patient_id, at),
    )
    default = TERMS[tier]
    row = await cursor.fetchone()
    if row is None:
        return default
    acknowledge_within, contact_within, escalate_after, lease = row
    return replace(
        default,
        acknowledge_within=acknowledge_within or default.acknowledge_within,
        contact_within=contact_within or default.contact_within,
        escalate_after=escalate_after or default.escalate_after,
        lease=lease or default.lease,
    )


async def latest_event(conn: Connection) -> int:
    """An id that no case event is behind, whoever may see it; 0 before the first."""
    cursor = await conn.execute("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM case_event_event_id_seq")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def is_latest(conn: Connection, case_id: UUID, event: str, actor: UUID, since: datetime) -> bool:
    """Whether the newest entry of the case's history is this event, by this person, and not older."""
    cursor = await conn.execute(
        "SELECT event, actor, at FROM case_event WHERE case_id = %s ORDER BY event_id DESC LIMIT 1", (case_id,)
    )
    row = await cursor.fetchone()
    return row is not None and row[:2] == (event, actor) and row[2] > since


async def change(
    conn: Connection,
    case: Case,
    life: Life,
    *,
    event: str,
    actor: UUID | None,
    at: datetime,
    data: Mapping[str, object],
) -> None:
    """Write what the event made of the case, and the event; wake who looks at it, and tell whoever listens."""
    await conn.execute(
        """UPDATE alert_case SET state = %s, tier = %s, priority = %s, round = %s, step = %s, raised_at = %s,
               deadline = %s, contact_by = %s, contacted_at = %s, owner = %s, lease_until = %s, offered_to = %s,
               escalated_to = %s, silenced_until = %s, silenced_by = %s, silenced_why = %s, next_at = %s,
               changed_at = %s
           WHERE case_id = %s""",
        (
            life.state,
            life.tier,
            PRIORITY_OF[life.tier],
            life.round,
            life.step,
            life.raised_at,
            life.deadline,
            life.contact_by,
            life.contacted_at,
            life.owner,
            life.lease_until,
            life.offered_to,
            life.escalated_to,
            life.silenced_until,
            life.silenced_by,
            life.silenced_why,
            life.next_at,
            at,
            case.case_id,
        ),
    )
    cursor = await conn.execute(
        """INSERT INTO case_event (case_id, at, actor, event, from_state, to_state, data)
           VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING event_id""",
        (case.case_id, at, actor, event, case.state, life.state, Jsonb(dict(data))),
    )
    row = await cursor.fetchone()
    notice = {
        "type": "case",
        "case_id": str(case.case_id),
        "patient_id": str(case.patient_id),
        "event_id": row[0] if row else 0,
    }
    await conn.execute("SELECT wake_case(%s, %s)", (case.case_id, at))
    await conn.execute("SELECT pg_notify('live', %s)", (json.dumps(notice),))


async def close(conn: Connection, case_id: UUID, at: datetime, disposition: str, note: str | None) -> None:
    """How the case ended; ``change`` writes that it did."""
    await conn.execute(
        "UPDATE alert_case SET resolved_at = %s, disposition = %s, resolved_why = %s WHERE case_id = %s",
        (at, disposition, note, case_id),
    )


async def speak(conn: Connection, case_id: UUID, reason: Mapping[str, Any], sentence: str) -> None:
    """What the case says from now on."""
    await conn.execute(
        "UPDATE alert_case SET reason = %s, sentence = %s WHERE case_id = %s", (Jsonb(dict(reason)), sentence, case_id)
    )


async def tell(
    conn: Connection, case: Case, tier: Tier, reason: Mapping[str, Any], sentence: str, by: UUID, at: datetime
) -> None:
    """A finding that a person told of: no device measured it."""
    await conn.execute(
        """INSERT INTO alert (case_id, patient_id, condition, priority, tier, effective_time, reason, sentence,
                              raised_at, told_by)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            case.case_id,
            case.patient_id,
            case.condition,
            PRIORITY_OF[tier],
            tier,
            at,
            Jsonb(dict(reason)),
            sentence,
            at,
            by,
        ),
    )


async def _cases(conn: Connection, query: Any, parameters: Mapping[str, object]) -> list[Case]:
    async with conn.cursor(row_factory=class_row(Case)) as cursor:
        await cursor.execute(query, parameters)
        return await cursor.fetchall()
