"""All SQL of what leaves and of what comes back. The first half is the jobs process's, the second the console's."""

from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row, scalar_row

from cloud.alerts.store import StoredEvent
from cloud.crm.outbox.course import LEASE
from cloud.crm.outbox.models import (
    DeadLetter,
    Destination,
    Down,
    Found,
    Health,
    Heard,
    Known,
    Letter,
    Outcome,
    Standing,
    What,
)
from cloud.crm.outbox.work import ENDS, OF_PATIENT, OPENS, PREFIX
from cloud.crm.port import RemoteKind
from cloud.db.connect import Connection, one

# Of a case that a person over there says is done: a line on its timeline, and nothing else.
OUTSIDE_DONE: Final = "outside_done"
_ENDS: Final = [f"{PREFIX}{of_type}" for of_type in ENDS]
_STANDS: Final = [*(f"{PREFIX}{of_type}" for of_type in (*OPENS, *OF_PATIENT)), *_ENDS]
_COLUMNS: Final = "destination_id, name, kind, settings, sealed, max_age, active, added_at"

# For the dispatcher -------------------------------------------------------------------------------------------------


def destinations(connection: Connection) -> list[Destination]:
    """Those that are in use."""
    with connection.cursor(row_factory=class_row(Destination)) as cursor:
        return cursor.execute(
            f"SELECT {_COLUMNS} FROM crm_destination WHERE active ORDER BY name"  # noqa: S608 -- our own words
        ).fetchall()


def claim(connection: Connection, destination_id: UUID, now: datetime) -> Letter | None:
    """The next event that may leave, in our hands until its lease ends; the caller commits. None: nothing may now.

    Of each patient only the earliest: what follows waits for it, and holds nobody else up. Where the destination is
    down, one at a time is tried, whichever waits shortest for its turn.
    """
    health = _health(connection, destination_id)
    if health is None or (health.not_before is not None and health.not_before > now):
        return None
    probing = health.down_since is not None
    given = {"destination": destination_id, "now": now, "until": now + LEASE, "probing": probing}
    with connection.cursor(row_factory=class_row(Letter)) as cursor:
        letter = cursor.execute(_CLAIM, given).fetchone()
    if letter is not None and probing:
        connection.execute(
            "UPDATE crm_destination SET not_before = %s WHERE destination_id = %s", (now + LEASE, destination_id)
        )
    return letter


def known(connection: Connection, letter: Letter) -> Known:
    """What stands over there already."""
    rows = connection.execute(
        "SELECT kind, remote_id, theirs, completed_at FROM crm_remote WHERE destination_id = %s"
        " AND ((kind = 'contact' AND reference = %s) OR (kind IN ('todo', 'call', 'ticket') AND reference = %s)"
        "      OR (kind = 'note' AND reference = %s))",
        (letter.destination_id, letter.subject, letter.reference, letter.event_id),
    ).fetchall()
    found: dict[str, str] = {kind: remote_id for kind, remote_id, *_ in rows}
    stands = "todo" in found if letter.what is not What.PATIENT else "contact" in found
    is_over = any(kind == "todo" and completed_at is not None for kind, *_, completed_at in rows)
    # What follows a complaint is a note of its own beside the ticket.
    alone = {"note", "call", "ticket"} if letter.type.endswith("complaint.received.v1") else {"note", "call"}
    return Known(
        contact=found.get("contact"),
        is_theirs=any(theirs for _, _, theirs, _ in rows),
        todo=found.get("todo"),
        is_there=bool(found.keys() & alone),
        is_past=stands and _is_past(connection, letter, is_over=is_over),
    )


def _is_past(connection: Connection, letter: Letter, *, is_over: bool) -> bool:
    """Whether it says how something stands of which a later event was taken, or which is over by a later event."""
    if letter.type not in _STANDS:
        return False
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM crm_outbox WHERE destination_id = %s AND reference = %s AND seq > %s"
        " AND ((state = 'done' AND type = ANY(%s)) OR (%s AND type = ANY(%s))))",
        (letter.destination_id, letter.reference, letter.seq, _STANDS, is_over, _ENDS),
    ).fetchone()
    return bool(one(row)[0])


def is_of_patient(connection: Connection, letter: Letter, remote_id: str, name: str) -> bool:
    """Whether a contact of theirs with the patient's number has the patient's name, and is no other patient of ours."""
    row = connection.execute(
        "SELECT crm_has_name(%(patient)s, %(name)s) AND NOT EXISTS (SELECT FROM crm_remote r"
        " WHERE r.destination_id = %(destination)s AND r.kind = 'contact' AND r.remote_id = %(remote)s"
        "   AND r.patient_id <> %(patient)s)",
        {"patient": letter.patient_id, "name": name, "destination": letter.destination_id, "remote": remote_id},
    ).fetchone()
    return bool(one(row)[0])


def remember(
    connection: Connection,
    letter: Letter,
    kind: RemoteKind,
    reference: UUID,
    thing_id: UUID,
    remote_id: str,
    *,
    completed_at: datetime | None,
    now: datetime,
    theirs: bool = False,
) -> None:
    """What it is called over there; that we completed it ourselves; that it was there before us."""
    connection.execute(
        "INSERT INTO crm_remote AS r (destination_id, kind, reference, patient_id, thing_id, remote_id, made_at,"
        " completed_at, theirs) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (destination_id, kind, reference) DO UPDATE SET"
        " remote_id = CASE WHEN excluded.remote_id = '' THEN r.remote_id ELSE excluded.remote_id END,"
        " completed_at = excluded.completed_at, theirs = excluded.theirs",
        (letter.destination_id, kind, reference, letter.patient_id, thing_id, remote_id, now, completed_at, theirs),
    )


def done(connection: Connection, letter: Letter, now: datetime, *, asked: bool = True) -> bool:
    """It is there. False: it is not in our hands any longer; whoever has it finds it done over there.

    ``asked``: they were, and so they answer; where there was nothing to ask, the next event tries them at once.
    """
    ended = _still_ours(connection, letter, "state = 'done', ended_at = %(now)s, last_error = NULL", {"now": now})
    if asked:
        _answers(connection, letter.destination_id, now)
    else:
        connection.execute(
            "UPDATE crm_destination SET not_before = %s WHERE destination_id = %s AND down_since IS NOT NULL",
            (now, letter.destination_id),
        )
    return ended


def again(connection: Connection, letter: Letter, at: datetime, what: str, *, unclear_at: datetime | None) -> None:
    """It is tried again then. ``unclear_at``: this try may have been carried out."""
    _still_ours(
        connection,
        letter,
        "next_at = %(at)s, last_error = %(what)s, unclear_since = coalesce(%(unclear)s, unclear_since)",
        {"at": at, "what": what[:200], "unclear": unclear_at},
    )


def bury(connection: Connection, letter: Letter, why: str, now: datetime) -> None:
    """Nobody tries it again by themselves."""
    _still_ours(
        connection,
        letter,
        "state = 'dead', ended_at = %(now)s, last_error = %(why)s",
        {"now": now, "why": why[:200]},
    )


def forget(connection: Connection, before: datetime, at_once: int) -> int:
    """Delete what was taken or settled before; how many events, ``at_once`` at most.

    Kept is what belongs to something of which an event waits or was not taken: a replay needs what followed it. By what
    a contact and a todo are known stays; by what a note and a call were goes with their event.
    """
    return int(one(connection.execute(_FORGET, {"before": before, "at_once": at_once}).fetchone())[0])


def forget_hints(connection: Connection, before: datetime, at_once: int) -> int:
    """Delete what they told us and was settled before; how many, ``at_once`` at most.

    A signed one is refused as stale long before; of one without a signature it is only looked again.
    """
    return connection.execute(
        "DELETE FROM crm_inbox i USING (SELECT destination_id, event_id FROM crm_inbox WHERE settled_at < %s"
        " ORDER BY settled_at LIMIT %s FOR UPDATE SKIP LOCKED) over"
        " WHERE i.destination_id = over.destination_id AND i.event_id = over.event_id",
        (before, at_once),
    ).rowcount


def health(connection: Connection, destination_id: UUID) -> Health:
    """Locked until the commit: of two that fail at once, both count.

    Not against what refers to it: a case that is raised meanwhile writes its event, and waits for nobody.
    """
    connection.execute("SELECT FROM crm_destination WHERE destination_id = %s FOR NO KEY UPDATE", (destination_id,))
    return _health(connection, destination_id) or Health()


def set_health(connection: Connection, destination_id: UUID, health: Health) -> None:
    """How it stands from now on."""
    connection.execute(
        "UPDATE crm_destination SET failures = %s, failing = %s, down_since = %s, down_why = %s, not_before = %s,"
        " probes = %s WHERE destination_id = %s",
        (
            health.failures,
            health.failing,
            health.down_since,
            health.down_why,
            health.not_before,
            health.probes,
            destination_id,
        ),
    )


def answers(connection: Connection, destination_id: UUID) -> None:
    """It answers, whatever it says: what waited for that may leave now."""
    was_down = connection.execute(
        "UPDATE crm_destination d SET failures = 0, failing = NULL, down_since = NULL, down_why = NULL,"
        " not_before = NULL, probes = 0 FROM crm_destination was"
        " WHERE d.destination_id = %s AND was.destination_id = d.destination_id"
        " AND (d.failures > 0 OR d.down_since IS NOT NULL OR d.not_before IS NOT NULL)"
        " RETURNING was.down_since IS NOT NULL",
        (destination_id,),
    ).fetchone()
    if was_down is not None and was_down[0]:
        # Each at the time when it was told: what was postponed last is not sent last.
        connection.execute(
            "UPDATE crm_outbox SET next_at = at WHERE destination_id = %s AND state = 'waiting'"
            " AND leased_until IS NULL",
            (destination_id,),
        )


def _answers(connection: Connection, destination_id: UUID, now: datetime) -> None:
    answers(connection, destination_id)
    connection.execute("UPDATE crm_destination SET last_done_at = %s WHERE destination_id = %s", (now, destination_id))


def _health(connection: Connection, destination_id: UUID) -> Health | None:
    with connection.cursor(row_factory=class_row(Health)) as cursor:
        return cursor.execute(
            "SELECT failures, failing, down_since, down_why, not_before, probes FROM crm_destination"
            " WHERE destination_id = %s AND active",
            (destination_id,),
        ).fetchone()


def _still_ours(connection: Connection, letter: Letter, changes: LiteralString, values: dict[str, object]) -> bool:
    cursor = connection.execute(
        f"UPDATE crm_outbox SET leased_until = NULL, {changes}"  # noqa: S608 -- our own words
        " WHERE seq = %(seq)s AND state = 'waiting' AND leased_until = %(lease)s",
        {**values, "seq": letter.seq, "lease": letter.leased_until},
    )
    return cursor.rowcount == 1


_CLAIM: Final = """
WITH head AS (
    SELECT o.seq FROM crm_outbox o
    WHERE o.destination_id = %(destination)s AND o.state = 'waiting'
      AND (%(probing)s OR o.next_at <= %(now)s) AND (o.leased_until IS NULL OR o.leased_until <= %(now)s)
      AND NOT EXISTS (SELECT FROM crm_outbox e
                      WHERE e.destination_id = o.destination_id AND e.subject = o.subject AND e.state = 'waiting'
                        AND e.seq < o.seq)
    ORDER BY o.next_at, o.seq
    LIMIT 1
    FOR UPDATE OF o SKIP LOCKED
)
UPDATE crm_outbox o SET
    attempts = o.attempts + 1,
    leased_until = %(until)s,
    -- Whoever had it is dead, and nobody knows how far they came.
    unclear_since = coalesce(o.leased_until, o.unclear_since)
FROM head WHERE o.seq = head.seq
RETURNING o.seq, o.event_id, o.destination_id, o.patient_id, o.subject, o.type, o.at, o.what, o.thing_id, o.reference,
          o.data, o.attempts, o.unclear_since, o.since, o.leased_until
"""

_FORGET: Final = """
WITH gone AS (
    DELETE FROM crm_outbox WHERE seq IN (
        SELECT o.seq FROM crm_outbox o
        WHERE o.state IN ('done', 'settled') AND o.ended_at < %(before)s
          AND NOT EXISTS (SELECT FROM crm_outbox e WHERE e.destination_id = o.destination_id
                          AND e.reference = o.reference AND e.state IN ('waiting', 'dead'))
        ORDER BY o.ended_at LIMIT %(at_once)s
        FOR UPDATE SKIP LOCKED)
    RETURNING destination_id, event_id, reference
), known AS (
    DELETE FROM crm_remote r USING gone
    WHERE r.destination_id = gone.destination_id
      AND ((r.kind = 'note' AND r.reference = gone.event_id) OR (r.kind = 'call' AND r.reference = gone.reference))
)
SELECT count(*) FROM gone
"""

# What was heard -----------------------------------------------------------------------------------------------------


def answers_now(connection: Connection, destination_id: UUID, now: datetime) -> bool:
    """Whether it may be asked: it is not down, and did not ask us to wait."""
    standing = _health(connection, destination_id)
    return (
        standing is not None
        and standing.down_since is None
        and (standing.not_before is None or standing.not_before <= now)
    )


def hints(connection: Connection, destination_id: UUID, now: datetime, limit: int) -> list[Heard]:
    """Those that wait; ``take`` them before anything follows."""
    with connection.cursor(row_factory=class_row(Heard)) as cursor:
        return cursor.execute(
            "SELECT i.destination_id, i.event_id, i.kind, i.remote_id, i.echo_of, i.heard_at, i.tries FROM crm_inbox i"
            " WHERE i.destination_id = %s AND i.settled_at IS NULL AND i.next_at <= %s ORDER BY i.next_at LIMIT %s",
            (destination_id, now, limit),
        ).fetchall()


def take(connection: Connection, heard: Heard) -> bool:
    """Until the commit it is ours. False: somebody else settles it, or has."""
    row = connection.execute(
        "SELECT FROM crm_inbox WHERE destination_id = %s AND event_id = %s AND settled_at IS NULL"
        " FOR UPDATE SKIP LOCKED",
        (heard.destination_id, heard.event_id),
    ).fetchone()
    return row is not None


def todo_of(connection: Connection, destination_id: UUID, remote_id: str) -> Found | None:
    """Which of ours that is."""
    with connection.cursor(row_factory=class_row(Found)) as cursor:
        return cursor.execute(
            "SELECT patient_id, reference, thing_id, completed_at FROM crm_remote"
            " WHERE destination_id = %s AND kind = 'todo' AND remote_id = %s",
            (destination_id, remote_id),
        ).fetchone()


def events_of(connection: Connection, destination_id: UUID, reference: UUID) -> list[UUID]:
    """What this destination was told of it, or is being told."""
    with connection.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(
            "SELECT event_id FROM crm_outbox WHERE reference = %s AND destination_id = %s", (reference, destination_id)
        ).fetchall()


def note(connection: Connection, case_id: UUID, destination: str, now: datetime) -> StoredEvent | None:
    """A line on the timeline of an open case; its state is what it was. None: it is closed, or the line is there."""
    row = connection.execute(_NOTE, {"case_id": case_id, "name": destination, "now": now}).fetchone()
    return StoredEvent(event_id=row[0], case_id=case_id, patient_id=row[1]) if row is not None else None


def settle(connection: Connection, heard: Heard, outcome: Outcome, patient_id: UUID | None, now: datetime) -> None:
    """What became of it."""
    connection.execute(
        "UPDATE crm_inbox SET outcome = %s, settled_at = %s, patient_id = %s"
        " WHERE destination_id = %s AND event_id = %s",
        (outcome, now, patient_id, heard.destination_id, heard.event_id),
    )


def hear_later(connection: Connection, heard: Heard, at: datetime) -> None:
    """Nobody can say yet what it is about."""
    connection.execute(
        "UPDATE crm_inbox SET tries = tries + 1, next_at = %s WHERE destination_id = %s AND event_id = %s",
        (at, heard.destination_id, heard.event_id),
    )


_NOTE: Final = """
WITH found AS (
    SELECT case_id, patient_id, state FROM alert_case
    WHERE case_id = %(case_id)s AND state NOT IN ('resolved', 'expired')
      -- Who changes afterwards what they have ticked says nothing new; until there is more to do.
      AND NOT EXISTS (SELECT FROM case_event e WHERE e.case_id = alert_case.case_id AND e.event = 'outside_done'
                      AND e.data ->> 'destination' = %(name)s
                      AND e.event_id > (SELECT max(m.event_id) FROM case_event m WHERE m.case_id = e.case_id
                                        AND m.event IN ('raise', 'worsen', 'escalate')))
    FOR UPDATE
), written AS (
    INSERT INTO case_event (case_id, at, event, from_state, to_state, data)
    SELECT case_id, %(now)s, 'outside_done', state, state, jsonb_build_object('destination', %(name)s::text) FROM found
    RETURNING event_id
)
SELECT written.event_id, found.patient_id FROM written, found
"""

# For the console ----------------------------------------------------------------------------------------------------

Console = AsyncConnection[Any]


async def down(conn: Console) -> list[Down]:
    """Destinations that nothing goes through to."""
    async with conn.cursor(row_factory=class_row(Down)) as cursor:
        await cursor.execute(
            "SELECT name, down_since AS since FROM crm_destination WHERE active AND down_since IS NOT NULL ORDER BY 2"
        )
        return await cursor.fetchall()


async def standings(conn: Console) -> list[Standing]:
    """Every destination, for administrators and support."""
    async with conn.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(
            "SELECT d.destination_id, d.name, d.kind, d.settings, d.active, d.down_since, d.down_why, d.not_before,"
            " d.last_done_at, s.waiting, s.oldest, s.dead"
            " FROM crm_destination d JOIN crm_standing s USING (destination_id) ORDER BY d.name"
        )
        return await cursor.fetchall()


async def dead_letters(conn: Console, destination_id: UUID, limit: int) -> list[DeadLetter]:
    """The latest first."""
    async with conn.cursor(row_factory=class_row(DeadLetter)) as cursor:
        await cursor.execute(
            "SELECT seq, destination_id, type, at, attempts, last_error, ended_at, replay_why FROM crm_dead_letter"
            " WHERE destination_id = %s ORDER BY seq DESC LIMIT %s",
            (destination_id, limit),
        )
        return await cursor.fetchall()


async def destination(conn: Console, destination_id: UUID) -> Destination | None:
    """One that is in use."""
    async with conn.cursor(row_factory=class_row(Destination)) as cursor:
        await cursor.execute(
            f"SELECT {_COLUMNS} FROM crm_destination WHERE destination_id = %s AND active",  # noqa: S608 -- our own
            (destination_id,),
        )
        return await cursor.fetchone()


async def replay(conn: Console, destination_id: UUID, seq: int | None, why: str, now: datetime) -> int:
    """Try dead letters again: one, or all. How many."""
    cursor = await conn.execute("SELECT crm_replay(%s, %s, %s, %s)", (destination_id, seq, why, now))
    many: int = one(await cursor.fetchone())[0]
    return many


async def settle_letter(conn: Console, destination_id: UUID, seq: int, why: str, now: datetime) -> bool:
    """Nobody needs this dead letter any more. False: there is none."""
    cursor = await conn.execute("SELECT crm_settle(%s, %s, %s, %s)", (destination_id, seq, why, now))
    return bool(one(await cursor.fetchone())[0])


async def try_now(conn: Console, destination_id: UUID, now: datetime) -> bool:
    """Nobody waits any longer before trying it. False: there is no such destination in use."""
    cursor = await conn.execute(
        "UPDATE crm_destination SET not_before = least(not_before, %s) WHERE destination_id = %s AND active",
        (now, destination_id),
    )
    return cursor.rowcount == 1


async def hear(
    conn: Console,
    destination_id: UUID,
    event_id: str,
    kind: str,
    remote_id: str,
    echo_of: str | None,
    said_at: datetime | None,
    signed_at: datetime | None,
    now: datetime,
) -> str:
    """Keep a hint. 'new', 'known' (said again), or 'replayed' (the very same request), as in 0023_crm_outbox.sql."""
    cursor = await conn.execute(
        "SELECT crm_hear(%s, %s, %s, %s, %s, %s, %s, %s)",
        (destination_id, event_id, kind, remote_id, echo_of, said_at, signed_at, now),
    )
    said: str = one(await cursor.fetchone())[0]
    return said


async def place_of(conn: Console, reference: UUID) -> tuple[str, UUID, UUID] | None:
    """What a reference stands for, of what this person may see: what, its id, its patient."""
    cursor = await conn.execute(_PLACE, {"reference": reference})
    return await cursor.fetchone()


# Of what was told long ago only its remote id is left.
_PLACE: Final = """
SELECT what, thing_id, patient_id FROM (
    SELECT 1 AS place, o.what, o.thing_id, o.patient_id FROM crm_outbox o WHERE o.reference = %(reference)s
    UNION ALL
    SELECT 2, 'patient', o.patient_id, o.patient_id FROM crm_outbox o WHERE o.subject = %(reference)s
    UNION ALL
    SELECT 3, CASE WHEN r.kind = 'ticket' THEN 'complaint'
                   WHEN EXISTS (SELECT FROM alert_case c WHERE c.case_id = r.thing_id) THEN 'case' ELSE 'patient' END,
           r.thing_id, r.patient_id
    FROM crm_remote r WHERE r.reference = %(reference)s AND r.kind IN ('contact', 'todo', 'ticket')
) found ORDER BY place LIMIT 1
"""
