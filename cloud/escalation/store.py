"""All SQL of the escalation of cases."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.sql import SQL, Identifier
from psycopg.types.json import Jsonb

from alerting.duty import DutyRole
from alerting.escalate import Facts, Outcome, Told
from alerting.life import Life
from alerting.lifecycle import State
from alerting.tiers import Tier
from cloud.db.connect import Connection, one
from cloud.escalation.models import Watched

# How many cases one sweep takes up; the next one takes the rest.
SWEEP_AT_MOST: Final = 1000

_OF_LIFE: Final = [name for name in Life.__slots__ if name not in {"state", "tier"}]
_CASE: Final = SQL(
    """SELECT patient_id, is_training(patient_id), changed_at, state, tier, {of_life},
              (SELECT max(e.at) FROM case_event e WHERE e.case_id = c.case_id AND e.event = 'acknowledge')
       FROM alert_case c WHERE c.case_id = %s"""
).format(of_life=SQL(", ").join(map(Identifier, _OF_LIFE)))

# Whether it arrived is the notification's; a page without one (the channels' row was withdrawn) counts as on its way.
_TOLD: Final = """
SELECT p.step, p.account_id, p.role, p.at, n.state
FROM case_page p LEFT JOIN notification n USING (case_id, round, step, account_id)
WHERE p.case_id = %s AND p.round = %s ORDER BY p.at, p.step, p.account_id
"""

_OUTCOMES: Final[Mapping[str | None, Outcome]] = {"confirmed": Outcome.DELIVERED, "failed": Outcome.FAILED}

_IN_CARE_TEAM: Final = """
SELECT DISTINCT t.account_id FROM care_team t
WHERE t.patient_id = %s AND t.since <= now() AND (t.until IS NULL OR t.until > now())
"""

_WRITE: Final = """
UPDATE alert_case SET
    state = %(state)s, raised_at = %(raised_at)s, deadline = %(deadline)s, contact_by = %(contact_by)s,
    next_at = %(next_at)s, round = %(round)s, step = %(step)s, escalated_to = %(escalated_to)s, owner = %(owner)s,
    lease_until = %(lease_until)s, offered_to = %(offered_to)s, silenced_until = %(silenced_until)s,
    silenced_by = %(silenced_by)s, silenced_why = %(silenced_why)s, changed_at = %(changed_at)s
WHERE case_id = %(case_id)s
"""


def locked_case(connection: Connection, case_id: UUID) -> Watched | None:
    """The case with who was told in its round; nobody changes it until this transaction ends. None: there is none."""
    # Read afterwards: a statement that waits for a lock sees a new owner, and not yet when they acknowledged it.
    connection.execute("SELECT FROM alert_case WHERE case_id = %s FOR UPDATE", (case_id,))
    row = connection.execute(_CASE, (case_id,)).fetchone()
    if row is None:
        return None
    patient_id, training, changed_at, state, tier, *rest, acknowledged_at = row
    life = Life(state=State(state), tier=Tier(tier), **dict(zip(_OF_LIFE, rest, strict=True)))
    told = tuple(
        Told(
            step=step,
            account_id=account_id,
            role=DutyRole(role),
            at=at,
            outcome=_OUTCOMES.get(delivery, Outcome.WAITING),
        )
        for step, account_id, role, at, delivery in connection.execute(_TOLD, (case_id, life.round))
    )
    latest = max([changed_at, life.raised_at, *(one.at for one in told)])
    facts = Facts(life=life, told=told, acknowledged_at=acknowledged_at)
    return Watched(
        case_id=case_id, patient_id=patient_id, facts=facts, changed_at=changed_at, latest=latest, training=training
    )


def care_team(connection: Connection, patient_id: UUID) -> frozenset[UUID]:
    """Who may see the patient now, by the database's clock, as for every page of the console."""
    return frozenset(row[0] for row in connection.execute(_IN_CARE_TEAM, (patient_id,)))


def write(connection: Connection, case: Watched, life: Life, changed_at: datetime) -> None:
    """The case as it is from now on."""
    columns = {name: getattr(life, name) for name in Life.__slots__ if name not in {"tier", "contacted_at"}}
    connection.execute(_WRITE, {**columns, "changed_at": changed_at, "case_id": case.case_id})


def record_page(
    connection: Connection, case_id: UUID, round_: int, step: int, account_id: UUID, role: DutyRole, at: datetime
) -> None:
    """The path chose this person; once."""
    connection.execute(
        """INSERT INTO case_page (case_id, round, step, account_id, role, at) VALUES (%s, %s, %s, %s, %s, %s)
           ON CONFLICT DO NOTHING""",
        (case_id, round_, step, account_id, role, at),
    )


def add_event(
    connection: Connection,
    case: Watched,
    event: str,
    from_state: State,
    to_state: State,
    data: Mapping[str, object],
    at: datetime,
) -> None:
    """What happened to it, by nobody; whoever listens hears of it once this commits."""
    row = connection.execute(
        """INSERT INTO case_event (case_id, at, event, from_state, to_state, data) VALUES (%s, %s, %s, %s, %s, %s)
           RETURNING event_id""",
        (case.case_id, at, event, from_state, to_state, Jsonb(dict(data))),
    ).fetchone()
    connection.execute(
        """SELECT pg_notify('live', jsonb_build_object('type', 'case', 'case_id', %s::uuid, 'patient_id', %s::uuid,
                                                       'event_id', %s::bigint)::text)""",
        (case.case_id, case.patient_id, one(row)[0]),
    )


def wake(connection: Connection, case_id: UUID, at: datetime) -> None:
    """Look at the case again then, and not within a second: the database's clock may be ahead of ours."""
    connection.execute("SELECT wake_case(%s, greatest(%s, now() + interval '1 second'))", (case_id, at))


def lost(connection: Connection, at: datetime) -> Sequence[UUID]:
    """Cases that should have been looked at by then, and that no job waits for; the longest overdue first."""
    rows = connection.execute(
        """SELECT c.case_id FROM alert_case c
           WHERE c.next_at <= %s AND NOT EXISTS (
               SELECT FROM procrastinate_jobs j
               WHERE j.queueing_lock = 'look_at_case:' || c.case_id AND j.status = 'todo' AND j.scheduled_at <= now()
           )
           ORDER BY c.next_at, c.case_id LIMIT %s""",
        (at, SWEEP_AT_MOST),
    )
    return [row[0] for row in rows]


def wake_now(connection: Connection, case_id: UUID) -> None:
    """Look at the case at once."""
    connection.execute("SELECT wake_case(%s, now())", (case_id,))
