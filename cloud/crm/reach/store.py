"""All SQL of reaching a patient: what the console shows and takes, and what the delivery does for all patients."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row

from cloud.crm.reach.models import (
    QUIET_FROM,
    QUIET_UNTIL,
    Address,
    Consent,
    Outside,
    OwnWords,
    Reach,
    State,
    Told,
    What,
)
from cloud.db.connect import Connection, one
from cloud.notifications.models import Attempt, ChannelName, Outcome, Route

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 50

_TELL: Final = """
INSERT INTO outside_message (patient_id, what, reason, subject_id, created_at, until, next_at)
VALUES (%(patient_id)s, %(what)s, %(reason)s, %(subject_id)s, %(at)s, %(until)s, %(at)s)
ON CONFLICT (patient_id, reason) DO NOTHING RETURNING message_id
"""
_TELL_ALL: Final = """
INSERT INTO outside_message (patient_id, what, reason, subject_id, created_at, until, next_at)
SELECT patient_id, %(what)s, reason, subject_id, %(at)s, %(until)s, %(at)s
FROM unnest(%(patients)s::uuid[], %(reasons)s::text[], %(subjects)s::uuid[]) AS t(patient_id, reason, subject_id)
ON CONFLICT (patient_id, reason) DO NOTHING RETURNING message_id
"""
_WAKE: Final = "SELECT wake_outside(%s, %s)"

_REACH: Final = """
SELECT coalesce(r.quiet_from, %(from)s) AS quiet_from, coalesce(r.quiet_until, %(until)s) AS quiet_until,
       coalesce(r.language, p.language) AS language, a.display_name AS set_by, r.set_at
FROM patient p
LEFT JOIN LATERAL (SELECT * FROM patient_reach x WHERE x.patient_id = p.patient_id ORDER BY x.reach_no DESC LIMIT 1) r
    ON true
LEFT JOIN account a ON a.account_id = r.set_by
WHERE p.patient_id = %(patient_id)s
"""

_CONSENTS: Final = """
SELECT DISTINCT ON (c.channel) c.channel, c.decision, c.method, a.display_name AS entered_by, c.entered_at
FROM channel_consent c JOIN account a ON a.account_id = c.entered_by
WHERE c.patient_id = %s ORDER BY c.channel, c.decision_no DESC
"""

_TOLD: Final = """
SELECT m.message_id, m.what, m.created_at, m.state, m.why, t.channel, t.began_at, t.outcome
FROM (SELECT * FROM outside_message WHERE patient_id = %s ORDER BY created_at DESC, message_id LIMIT %s) m
LEFT JOIN outside_attempt t USING (message_id)
ORDER BY m.created_at DESC, m.message_id, t.attempt_id
"""

_OUTSIDE: Final = """
SELECT m.message_id, m.patient_id, m.what, m.reason, m.subject_id, m.created_at, m.until, p.time_zone AS zone,
       coalesce(r.quiet_from, %(from)s) AS quiet_from, coalesce(r.quiet_until, %(until)s) AS quiet_until,
       coalesce(r.language, p.language) AS language,
       EXISTS (SELECT FROM account a WHERE a.patient_id = m.patient_id AND a.disabled_at IS NULL) AS has_page,
       p.training
FROM outside_message m
JOIN patient p USING (patient_id)
LEFT JOIN LATERAL (SELECT * FROM patient_reach x WHERE x.patient_id = p.patient_id ORDER BY x.reach_no DESC LIMIT 1) r
    ON true
WHERE m.message_id = %(message_id)s AND m.next_at IS NOT NULL
"""

# Those that the patient agreed to, in their order.
_ROUTES: Final = """
SELECT c.channel, c.channel_id, c.address FROM patient_channel c
WHERE c.patient_id = %s AND c.removed_at IS NULL
  AND (SELECT d.decision FROM channel_consent d WHERE d.patient_id = c.patient_id AND d.channel = c.channel
       ORDER BY d.decision_no DESC LIMIT 1) = 'given'
ORDER BY c.place, c.added_at
"""


# For everybody --------------------------------------------------------------------------------------------------------


def tell(
    connection: Connection,
    patient_id: UUID,
    what: What,
    reason: str,
    at: datetime,
    *,
    subject_id: UUID | None = None,
    until: datetime | None = None,
) -> UUID | None:
    """That there is something, once for this reason; None: they were told. Commits nothing."""
    row = connection.execute(_TELL, _telling(patient_id, what, reason, at, subject_id, until)).fetchone()
    if row is None:
        return None
    connection.execute(_WAKE, (row[0], at))
    made: UUID = row[0]
    return made


async def tell_from_page(
    conn: AsyncConn, patient_id: UUID, what: What, reason: str, at: datetime, *, subject_id: UUID, until: datetime
) -> None:
    """The same, of somebody who is signed in and cares for the patient."""
    cursor = await conn.execute(_TELL, _telling(patient_id, what, reason, at, subject_id, until))
    if (row := await cursor.fetchone()) is not None:
        await conn.execute(_WAKE, (row[0], at))


async def tell_all_from_page(
    conn: AsyncConn, what: What, told: Sequence[tuple[UUID, str, UUID]], at: datetime, *, until: datetime
) -> None:
    """The same of many at once. ``told``: patient, reason, and what it is about."""
    cursor = await conn.execute(
        _TELL_ALL,
        {
            "patients": [patient_id for patient_id, _, _ in told],
            "reasons": [reason for _, reason, _ in told],
            "subjects": [subject_id for _, _, subject_id in told],
            "what": what,
            "at": at,
            "until": until,
        },
    )
    made = [message_id for (message_id,) in await cursor.fetchall()]
    await conn.execute("SELECT wake_outside(m, %s) FROM unnest(%s::uuid[]) m", (at, made))


def _telling(
    patient_id: UUID, what: What, reason: str, at: datetime, subject_id: UUID | None, until: datetime | None
) -> dict[str, object]:
    return {
        "patient_id": patient_id,
        "what": what,
        "reason": reason,
        "at": at,
        "subject_id": subject_id,
        "until": until,
    }


# The delivery ---------------------------------------------------------------------------------------------------------


def due(connection: Connection, now: datetime) -> Sequence[UUID]:
    """What somebody should have looked at."""
    rows = connection.execute("SELECT message_id FROM outside_message WHERE next_at <= %s ORDER BY next_at", (now,))
    return [message_id for (message_id,) in rows]


def wake(connection: Connection, message_id: UUID, at: datetime) -> None:
    """The delivery looks at it then, or earlier where somebody asked for it."""
    connection.execute(_WAKE, (message_id, at))


def locked(connection: Connection, message_id: UUID) -> Outside | None:
    """It, and nobody else changes it until this transaction ends; None once it has ended."""
    connection.execute("SELECT FROM outside_message WHERE message_id = %s FOR UPDATE", (message_id,))
    with connection.cursor(row_factory=class_row(Outside)) as cursor:
        return cursor.execute(_OUTSIDE, {"message_id": message_id, "from": QUIET_FROM, "until": QUIET_UNTIL}).fetchone()


def routes_of(connection: Connection, patient_id: UUID) -> Sequence[Route]:
    """The ways that the patient agreed to, in their order."""
    rows = connection.execute(_ROUTES, (patient_id,))
    return [Route(channel=ChannelName(channel), address_id=i, address=address) for channel, i, address in rows]


def attempts_of(connection: Connection, message_id: UUID) -> Sequence[Attempt]:
    """All tries, the first first."""
    rows = connection.execute(
        "SELECT channel, channel_id, began_at, ended_at, outcome FROM outside_attempt WHERE message_id = %s"
        " ORDER BY attempt_id",
        (message_id,),
    )
    return [
        Attempt(channel=ChannelName(channel), address_id=i, began_at=began, ended_at=ended, outcome=Outcome(outcome))
        for channel, i, began, ended, outcome in rows
    ]


def give_up_the_dead(connection: Connection, message_id: UUID, at: datetime) -> None:
    """Tries that nobody is at any more; the caller is the only one who looks."""
    connection.execute(
        "UPDATE outside_attempt SET outcome = 'lost', ended_at = %s WHERE message_id = %s AND outcome = 'sending'",
        (at, message_id),
    )


def begin_attempt(connection: Connection, outside: Outside, route: Route, at: datetime) -> int:
    """Write down that we try; the id of the try."""
    row = connection.execute(
        """INSERT INTO outside_attempt (message_id, patient_id, channel, channel_id, idempotency_key, began_at)
           VALUES (%s, %s, %s, %s, %s, %s) RETURNING attempt_id""",
        (
            outside.message_id,
            outside.patient_id,
            route.channel,
            route.address_id,
            route.key(outside.message_id),
            at,
        ),
    ).fetchone()
    return int(one(row)[0])


def end_attempt(
    connection: Connection,
    attempt_id: int,
    outcome: Outcome,
    at: datetime,
    *,
    provider_id: str | None = None,
    detail: str | None = None,
) -> None:
    """How the try ended."""
    connection.execute(
        "UPDATE outside_attempt SET ended_at = %s, outcome = %s, provider_id = %s, detail = %s WHERE attempt_id = %s",
        (at, outcome, provider_id, detail, attempt_id),
    )


def look_again(connection: Connection, message_id: UUID, at: datetime) -> None:
    """Somebody looks at it then."""
    connection.execute("UPDATE outside_message SET next_at = %s WHERE message_id = %s", (at, message_id))
    wake(connection, message_id, at)


def end(connection: Connection, message_id: UUID, state: State, why: str | None, at: datetime) -> None:
    """Nobody looks at it any more."""
    connection.execute(
        "UPDATE outside_message SET state = %s, why = %s, ended_at = %s, next_at = NULL"
        " WHERE message_id = %s AND next_at IS NOT NULL",
        (state, why, at, message_id),
    )


def own_words(connection: Connection, language: str) -> OwnWords | None:
    """The clinic's own words in this language, where it has some."""
    row = connection.execute(
        "SELECT subject, body FROM outside_text WHERE language = %s ORDER BY text_no DESC LIMIT 1", (language,)
    ).fetchone()
    return OwnWords(language=language, subject=row[0], body=row[1]) if row and row[0] is not None else None


def has_died(connection: Connection, patient_id: UUID) -> bool:
    """Nothing leaves for them any more."""
    return bool(one(connection.execute("SELECT has_died(%s)", (patient_id,)).fetchone())[0])


def has_left(connection: Connection, patient_id: UUID) -> bool:
    """Whether nobody watches them any longer."""
    row = connection.execute(
        "SELECT FROM participation WHERE patient_id = %s AND is_newest AND ended_at IS NOT NULL", (patient_id,)
    ).fetchone()
    return row is not None


def is_unread(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a message in the thread: whether the patient has not opened it yet."""
    del now
    row = connection.execute(
        "SELECT FROM patient_message WHERE message_id = %s AND read_at IS NULL", (outside.subject_id,)
    ).fetchone()
    return row is not None


# The console ----------------------------------------------------------------------------------------------------------


async def reach(conn: AsyncConn, patient_id: UUID) -> Reach:
    """What holds; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Reach)) as cursor:
        await cursor.execute(_REACH, {"patient_id": patient_id, "from": QUIET_FROM, "until": QUIET_UNTIL})
        found = await cursor.fetchone()
    if found is None:
        raise LookupError("the caller has checked that there is such a patient")
    return found


async def addresses(conn: AsyncConn, patient_id: UUID) -> list[Address]:
    """Those that nobody has removed, in their order."""
    async with conn.cursor(row_factory=class_row(Address)) as cursor:
        await cursor.execute(
            """SELECT c.channel_id, c.channel, c.address, c.place, a.display_name AS added_by, c.added_at
               FROM patient_channel c JOIN account a ON a.account_id = c.added_by
               WHERE c.patient_id = %s AND c.removed_at IS NULL ORDER BY c.place, c.added_at""",
            (patient_id,),
        )
        return await cursor.fetchall()


async def consents(conn: AsyncConn, patient_id: UUID) -> list[Consent]:
    """The newest word about each way."""
    async with conn.cursor(row_factory=class_row(Consent)) as cursor:
        await cursor.execute(_CONSENTS, (patient_id,))
        return await cursor.fetchall()


async def told(conn: AsyncConn, patient_id: UUID) -> list[Told]:
    """The newest SHOWN, the newest first, each with its tries."""
    rows: dict[UUID, tuple[Any, ...]] = {}
    tries: dict[UUID, list[tuple[str, datetime, str]]] = {}
    cursor = await conn.execute(_TOLD, (patient_id, SHOWN))
    for message_id, *facts, channel, began_at, outcome in await cursor.fetchall():
        rows[message_id] = tuple(facts)
        if channel is not None:
            tries.setdefault(message_id, []).append((channel, began_at, outcome))
    return [
        Told(
            message_id=message_id,
            what=what,
            created_at=at,
            state=state,
            why=why,
            tries=tuple(tries.get(message_id, ())),
        )
        for message_id, (what, at, state, why) in rows.items()
    ]


async def set_reach(
    conn: AsyncConn, patient_id: UUID, quiet_from: time, quiet_until: time, language: str, by: UUID, at: datetime
) -> None:
    await conn.execute(
        "INSERT INTO patient_reach (patient_id, quiet_from, quiet_until, language, set_by, set_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (patient_id, quiet_from, quiet_until, language, by, at),
    )


async def add_address(
    conn: AsyncConn, patient_id: UUID, channel: ChannelName, address: str, most: int, by: UUID, at: datetime
) -> UUID | None:
    """Behind the others; None: there are enough, or it is there already."""
    cursor = await conn.execute(
        """INSERT INTO patient_channel (patient_id, channel, address, place, added_by, added_at)
           SELECT %(patient)s, %(channel)s, %(address)s, coalesce(max(place), 0) + 1, %(by)s, %(at)s
           FROM patient_channel WHERE patient_id = %(patient)s AND removed_at IS NULL
           HAVING count(*) < %(most)s
           ON CONFLICT DO NOTHING RETURNING channel_id""",
        {"patient": patient_id, "channel": channel, "address": address, "by": by, "at": at, "most": most},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def in_team(conn: AsyncConn, patient_id: UUID) -> bool:
    """Whether whoever is signed in is in the patient's care team, and has not merely broken the glass."""
    cursor = await conn.execute("SELECT FROM acting_care WHERE patient_id = %s", (patient_id,))
    return cursor.rowcount > 0


async def put_first(conn: AsyncConn, patient_id: UUID, channel_id: UUID) -> bool:
    """It is tried before the others from now on. False: there is none."""
    cursor = await conn.execute(
        """UPDATE patient_channel SET place = (SELECT min(place) - 1 FROM patient_channel
                                               WHERE patient_id = %(patient)s AND removed_at IS NULL)
           WHERE channel_id = %(channel)s AND patient_id = %(patient)s AND removed_at IS NULL""",
        {"patient": patient_id, "channel": channel_id},
    )
    return cursor.rowcount == 1


async def remove_address(conn: AsyncConn, patient_id: UUID, channel_id: UUID, by: UUID, at: datetime) -> bool:
    """False: there is none."""
    cursor = await conn.execute(
        "UPDATE patient_channel SET removed_by = %s, removed_at = %s"
        " WHERE channel_id = %s AND patient_id = %s AND removed_at IS NULL",
        (by, at, channel_id, patient_id),
    )
    return cursor.rowcount == 1


async def consent(
    conn: AsyncConn, patient_id: UUID, channel: ChannelName, decision: str, method: str, by: UUID, at: datetime
) -> None:
    await conn.execute(
        "INSERT INTO channel_consent (patient_id, channel, decision, method, entered_by, entered_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (patient_id, channel, decision, method, by, at),
    )


async def all_own_words(conn: AsyncConn) -> list[OwnWords]:
    """The clinic's own words, of each language that it has some in."""
    async with conn.cursor(row_factory=class_row(OwnWords)) as cursor:
        await cursor.execute(
            """SELECT t.language, t.subject, t.body, a.display_name AS set_by, t.set_at
               FROM (SELECT DISTINCT ON (language) * FROM outside_text ORDER BY language, text_no DESC) t
               JOIN account a ON a.account_id = t.set_by WHERE t.subject IS NOT NULL ORDER BY t.language"""
        )
        return await cursor.fetchall()


async def set_own_words(
    conn: AsyncConn, language: str, subject: str | None, body: str | None, by: UUID, at: datetime
) -> None:
    """From now on; None: ours hold again."""
    await conn.execute(
        "INSERT INTO outside_text (language, subject, body, set_by, set_at) VALUES (%s, %s, %s, %s, %s)",
        (language, subject, body, by, at),
    )
