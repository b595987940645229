"""All SQL of notifications: what the jobs process does, and what the console shows and takes."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from alerting.tiers import Tier
from cloud.db.connect import Connection, one
from cloud.notifications.models import (
    Address,
    Attempt,
    ChannelName,
    ConfirmedBy,
    Notification,
    Outcome,
    Page,
    Route,
    State,
    Told,
    WaitingCase,
)

AsyncConn = AsyncConnection[Any]

# The jobs process -----------------------------------------------------------------------------------------------------


def add_for_case(
    connection: Connection, case_id: UUID, round_: int, step: int, account_id: UUID, at: datetime
) -> UUID | None:
    """The id of a new notification; None where this person has one for this round and step."""
    row = connection.execute(
        """INSERT INTO notification (subject, account_id, case_id, round, step, created_at, next_at)
           VALUES ('case', %s, %s, %s, %s, %s, %s)
           ON CONFLICT (case_id, round, step, account_id) DO NOTHING RETURNING notification_id""",
        (account_id, case_id, round_, step, at, at),
    ).fetchone()
    return row[0] if row else None


def add_for_gap(connection: Connection, gap: str, account_id: UUID, at: datetime) -> UUID | None:
    """The id of a new notification; None where this person was told of this gap."""
    row = connection.execute(
        """INSERT INTO notification (subject, account_id, gap, created_at, next_at) VALUES ('duty_gap', %s, %s, %s, %s)
           ON CONFLICT (gap, account_id) DO NOTHING RETURNING notification_id""",
        (account_id, gap, at, at),
    ).fetchone()
    return row[0] if row else None


def add_for_follow_ups(connection: Connection, day: date, account_id: UUID, at: datetime) -> UUID | None:
    """The id of a new notification; None where this person was told on this day."""
    row = connection.execute(
        """INSERT INTO notification (subject, account_id, day, created_at, next_at) VALUES ('follow_up', %s, %s, %s, %s)
           ON CONFLICT (day, account_id) DO NOTHING RETURNING notification_id""",
        (account_id, day, at, at),
    ).fetchone()
    return row[0] if row else None


def wake(connection: Connection, notification_id: UUID, at: datetime) -> None:
    """The delivery looks at it then, or earlier where somebody asked for it."""
    connection.execute("SELECT wake_delivery(%s, %s)", (notification_id, at))


def due(connection: Connection, now: datetime) -> Sequence[UUID]:
    """Notifications that somebody should have looked at."""
    rows = connection.execute("SELECT notification_id FROM notification WHERE next_at <= %s", (now,))
    return [notification_id for (notification_id,) in rows]


def locked(connection: Connection, notification_id: UUID) -> Notification | None:
    """The notification, and nobody else changes it until this transaction ends; None once it has ended."""
    connection.execute("SELECT FROM notification WHERE notification_id = %s FOR UPDATE", (notification_id,))
    return open_notification(connection, notification_id)


def open_notification(connection: Connection, notification_id: UUID) -> Notification | None:
    """The same, without a lock: while something leaves, its receipt may come."""
    with connection.cursor(row_factory=class_row(Notification)) as cursor:
        return cursor.execute(
            """SELECT n.notification_id, n.subject, n.account_id, coalesce(a.language, 'en') AS language, n.created_at,
                      n.state, n.case_id, n.round, n.address_id, s.code, n.gap,
                      coalesce((SELECT time_zone FROM duty_site), 'UTC') AS zone
               FROM notification n
               JOIN account a USING (account_id)
               LEFT JOIN staff_address s ON s.address_id = n.address_id
               WHERE n.notification_id = %s AND n.next_at IS NOT NULL""",
            (notification_id,),
        ).fetchone()


def waiting_case(connection: Connection, case_id: UUID, round_: int, now: datetime) -> WaitingCase | None:
    """The case while it waits for somebody in this round, and nobody has silenced it."""
    row = connection.execute(
        """SELECT tier, raised_at, (SELECT time_zone FROM duty_site) FROM alert_case
           WHERE case_id = %s AND round = %s AND state IN ('raised', 'escalated')
             AND (silenced_until IS NULL OR silenced_until <= %s)""",
        (case_id, round_, now),
    ).fetchone()
    return WaitingCase(tier=Tier(row[0]), raised_at=row[1], zone=row[2] or "UTC") if row else None


def may_page(connection: Connection, case_id: UUID) -> bool:
    """Take the paging lock for this transaction; False while somebody is just taking the case."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock_shared(paging_lock(%s))", (case_id,)).fetchone()
    return bool(one(row)[0])


def hold_at_most(connection: Connection, seconds: float) -> None:
    """The database ends this transaction, and gives its locks back, where it rests for longer."""
    connection.execute(
        "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", (f"{int(seconds * 1000)}ms",)
    )


def routes_of(connection: Connection, account_id: UUID) -> Sequence[Route]:
    """A person's verified addresses in their order; none of somebody who has left."""
    rows = connection.execute(
        """SELECT s.channel, s.address_id, s.address FROM staff_address s JOIN account a USING (account_id)
           WHERE s.account_id = %s AND s.verified_at IS NOT NULL AND s.removed_at IS NULL AND a.disabled_at IS NULL
           ORDER BY s.position, s.added_at""",
        (account_id,),
    )
    return [Route(channel=ChannelName(channel), address_id=i, address=address) for channel, i, address in rows]


def is_training(connection: Connection, case_id: UUID) -> bool:
    """Whether the case is a training patient's: of such a one nobody is told but at the console."""
    row = connection.execute("SELECT is_training(patient_id) FROM alert_case WHERE case_id = %s", (case_id,)).fetchone()
    return row is not None and bool(row[0])


def route_under_test(connection: Connection, address_id: UUID) -> Sequence[Route]:
    """The address itself, while it has not been removed."""
    rows = connection.execute(
        "SELECT channel, address_id, address FROM staff_address WHERE address_id = %s AND removed_at IS NULL",
        (address_id,),
    )
    return [Route(channel=ChannelName(channel), address_id=i, address=address) for channel, i, address in rows]


def attempts_of(connection: Connection, notification_id: UUID) -> Sequence[Attempt]:
    """All tries, the first first."""
    rows = connection.execute(
        """SELECT channel, address_id, began_at, ended_at, outcome FROM notification_attempt
           WHERE notification_id = %s ORDER BY attempt_id""",
        (notification_id,),
    )
    return [
        Attempt(channel=ChannelName(channel), address_id=i, began_at=began, ended_at=ended, outcome=Outcome(outcome))
        for channel, i, began, ended, outcome in rows
    ]


def give_up_the_dead(connection: Connection, notification_id: UUID, at: datetime) -> None:
    """Tries that nobody is at any more; the caller is the only one who looks."""
    connection.execute(
        """UPDATE notification_attempt SET outcome = 'lost', ended_at = %s
           WHERE notification_id = %s AND outcome = 'sending'""",
        (at, notification_id),
    )


def begin_attempt(connection: Connection, notification_id: UUID, route: Route, at: datetime) -> int:
    """Write down that we try; the id of the try."""
    row = connection.execute(
        """INSERT INTO notification_attempt (notification_id, channel, address_id, idempotency_key, began_at)
           VALUES (%s, %s, %s, %s, %s) RETURNING attempt_id""",
        (notification_id, route.channel, route.address_id, route.key(notification_id), at),
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
    """How the try ended. A receipt that was faster than the answer stands."""
    connection.execute(
        """UPDATE notification_attempt SET ended_at = %s, provider_id = coalesce(%s, provider_id), detail = %s,
                  outcome = CASE WHEN outcome IN ('sending', 'lost') THEN %s ELSE outcome END
           WHERE attempt_id = %s""",
        (at, provider_id, detail, outcome, attempt_id),
    )


def mark_sent(connection: Connection, notification_id: UUID, at: datetime) -> None:
    """Something has left."""
    connection.execute(
        """UPDATE notification SET state = CASE state WHEN 'waiting' THEN 'sent' ELSE state END,
                  sent_at = coalesce(sent_at, %s) WHERE notification_id = %s""",
        (at, notification_id),
    )


def confirm(connection: Connection, notification_id: UUID, by: ConfirmedBy, at: datetime) -> None:
    """It has arrived; nothing where it has ended otherwise."""
    connection.execute(_CONFIRM, (at, by, notification_id))


def end(connection: Connection, notification_id: UUID, state: State) -> bool:
    """FAILED or WITHDRAWN; False where it has ended otherwise."""
    ended = connection.execute(
        "UPDATE notification SET state = %s, next_at = NULL WHERE notification_id = %s AND next_at IS NOT NULL",
        (state, notification_id),
    )
    return ended.rowcount == 1


def lock_case(connection: Connection, case_id: UUID) -> None:
    """Nobody else changes the case until this transaction ends."""
    connection.execute("SELECT FROM alert_case WHERE case_id = %s FOR UPDATE", (case_id,))


def look_again(connection: Connection, notification_id: UUID, at: datetime) -> None:
    """Somebody looks at it then, unless it has ended."""
    found = connection.execute(
        "UPDATE notification SET next_at = %s WHERE notification_id = %s AND next_at IS NOT NULL",
        (at, notification_id),
    )
    if found.rowcount:
        wake(connection, notification_id, at)


def move_case_on(connection: Connection, case_id: UUID, round_: int, at: datetime) -> None:
    """Somebody could not be told: the escalation looks at the case now."""
    found = connection.execute(
        """UPDATE alert_case SET next_at = least(next_at, %s)
           WHERE case_id = %s AND round = %s AND state IN ('raised', 'escalated')""",
        (at, case_id, round_),
    )
    if found.rowcount:
        connection.execute("SELECT wake_case(%s, %s)", (case_id, at))


def tell_open_pages(connection: Connection, account_id: UUID) -> None:
    """The person's open pages fetch what they were paged with, once this commits."""
    connection.execute("SELECT pg_notify('live', %s::jsonb::text)", (_notice(account_id),))


def _notice(account_id: UUID) -> Jsonb:
    return Jsonb({"type": "page", "account_id": str(account_id)})


_CONFIRM = """
UPDATE notification SET state = 'confirmed', confirmed_at = %s, confirmed_by = %s, next_at = NULL
WHERE notification_id = %s AND state IN ('waiting', 'sent')
"""

# The console ----------------------------------------------------------------------------------------------------------


async def pages_of(conn: AsyncConn, account_id: UUID) -> list[Page]:
    """What the person was paged with and nobody has taken yet, the most urgent first."""
    async with conn.cursor(row_factory=class_row(Page)) as cursor:
        await cursor.execute(
            """SELECT n.notification_id, n.subject, n.case_id, c.tier, coalesce(c.raised_at, n.created_at) AS since,
                      coalesce((SELECT p.training FROM patient p WHERE p.patient_id = c.patient_id), false) AS training
               FROM notification n LEFT JOIN alert_case c USING (case_id)
               WHERE n.account_id = %s AND n.state <> 'withdrawn' AND n.subject <> 'test'
                 AND (c.round = n.round AND c.state IN ('raised', 'escalated')
                      OR n.subject = 'duty_gap' AND EXISTS (
                          SELECT FROM duty_gap g
                          WHERE g.acknowledged_at IS NULL AND g.resolved_at IS NULL AND g.opened_at <= n.created_at))
               ORDER BY array_position(ARRAY['emergency', 'urgent', 'same_shift'], c.tier), n.created_at DESC
               LIMIT 20""",
            (account_id,),
        )
        return await cursor.fetchall()


async def confirm_at_console(conn: AsyncConn, notification_id: UUID, account_id: UUID, at: datetime) -> None:
    """The person's open page has it. The console is told behind the first address: no telephone stays silent for it."""
    await conn.execute(
        """UPDATE notification n SET state = 'confirmed', confirmed_at = %s, confirmed_by = 'console', next_at = NULL
           WHERE n.notification_id = %s AND n.account_id = %s AND n.state IN ('waiting', 'sent')
             AND EXISTS (SELECT FROM notification_attempt a
                         WHERE a.notification_id = n.notification_id
                           AND a.channel = 'console' AND a.outcome = 'sent')""",
        (at, notification_id, account_id),
    )


async def told_of(conn: AsyncConn, case_id: UUID) -> list[Told]:
    """Who was told of the case, in order. The caller has seen to it that the person may see the case."""
    cursor = await conn.execute(
        """SELECT n.notification_id, a.display_name, n.round, n.step, n.created_at, n.state, n.confirmed_at,
                  n.confirmed_by,
                  coalesce((SELECT array_agg(t.channel ORDER BY t.attempt_id) FROM notification_attempt t
                            WHERE t.notification_id = n.notification_id), '{}'),
                  coalesce((SELECT array_agg(t.began_at ORDER BY t.attempt_id) FROM notification_attempt t
                            WHERE t.notification_id = n.notification_id), '{}'),
                  coalesce((SELECT array_agg(t.outcome ORDER BY t.attempt_id) FROM notification_attempt t
                            WHERE t.notification_id = n.notification_id), '{}')
           FROM notification n JOIN account a USING (account_id)
           WHERE n.case_id = %s ORDER BY n.created_at, n.step, a.display_name""",
        (case_id,),
    )
    return [
        Told(
            notification_id=i,
            name=name,
            round=round_,
            step=step,
            created_at=created_at,
            state=state,
            confirmed_at=confirmed_at,
            confirmed_by=confirmed_by,
            tries=tuple(zip(channels, times, outcomes, strict=True)),
        )
        for i, name, round_, step, created_at, state, confirmed_at, confirmed_by, channels, times, outcomes in (
            await cursor.fetchall()
        )
    ]


async def addresses_of(conn: AsyncConn, account_id: UUID) -> list[Address]:
    """A person's own addresses in their order."""
    async with conn.cursor(row_factory=class_row(Address)) as cursor:
        await cursor.execute(
            """SELECT address_id, channel, address, position, verified_at, code_until FROM staff_address
               WHERE account_id = %s AND removed_at IS NULL ORDER BY position, added_at""",
            (account_id,),
        )
        return await cursor.fetchall()


async def add_address(
    conn: AsyncConn, account_id: UUID, channel: ChannelName, address: str, most: int, at: datetime
) -> UUID | None:
    """A new address behind the others; None where there are ``most`` of them. Again the same: the one that there is."""
    # Two requests at once must not both find room.
    await conn.execute("SELECT FROM account WHERE account_id = %s FOR NO KEY UPDATE", (account_id,))
    mine = await addresses_of(conn, account_id)
    for known in mine:
        if (known.channel, known.address) == (channel, address):
            return known.address_id
    if len(mine) >= most:
        return None
    cursor = await conn.execute(
        """INSERT INTO staff_address (account_id, channel, address, position, added_at) VALUES (%s, %s, %s, %s, %s)
           RETURNING address_id""",
        (account_id, channel, address, max((a.position for a in mine), default=0) + 1, at),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def remove_address(conn: AsyncConn, account_id: UUID, address_id: UUID, at: datetime) -> bool:
    """Whether it was the person's own; the others move up."""
    cursor = await conn.execute(
        """UPDATE staff_address SET removed_at = %s, code = NULL, code_until = NULL
           WHERE address_id = %s AND account_id = %s AND removed_at IS NULL""",
        (at, address_id, account_id),
    )
    await conn.execute(
        """UPDATE staff_address s SET position = r.position
           FROM (SELECT address_id, row_number() OVER (ORDER BY position, added_at) AS position
                 FROM staff_address WHERE account_id = %s AND removed_at IS NULL) r
           WHERE s.address_id = r.address_id""",
        (account_id,),
    )
    return cursor.rowcount == 1


async def put_first(conn: AsyncConn, account_id: UUID, address_id: UUID) -> bool:
    """Whether it was the person's own; it is tried before the others from now on."""
    await conn.execute(
        """UPDATE staff_address s SET position = r.position
           FROM (SELECT address_id, row_number() OVER (ORDER BY address_id <> %(first)s, position, added_at) AS position
                 FROM staff_address WHERE account_id = %(account)s AND removed_at IS NULL) r
           WHERE s.address_id = r.address_id""",
        {"first": address_id, "account": account_id},
    )
    found = await conn.execute(
        "SELECT FROM staff_address WHERE address_id = %s AND account_id = %s AND removed_at IS NULL",
        (address_id, account_id),
    )
    return await found.fetchone() is not None


async def tests_since(conn: AsyncConn, account_id: UUID, address_id: UUID, since: datetime) -> tuple[int, int]:
    """Test pages after that time: those that this person had sent anywhere, and those that anybody had sent there.

    Whoever asks at the same time waits until the caller's transaction ends.
    """
    await conn.execute("SELECT FROM account WHERE account_id = %s FOR NO KEY UPDATE", (account_id,))
    cursor = await conn.execute(
        """SELECT count(*) FILTER (WHERE n.account_id = %s),
                  count(*) FILTER (WHERE (s.channel, s.address) = (h.channel, h.address))
           FROM notification n JOIN staff_address s USING (address_id), staff_address h
           WHERE n.subject = 'test' AND n.created_at > %s AND h.address_id = %s""",
        (account_id, since, address_id),
    )
    row = await cursor.fetchone()
    return row if row else (0, 0)


async def begin_test(
    conn: AsyncConn, account_id: UUID, address_id: UUID, code: str, until: datetime, at: datetime
) -> bool:
    """Keep the code and have the test page sent; False where it is not theirs, or a test is under way."""
    cursor = await conn.execute(
        """UPDATE staff_address SET code = %s, code_until = %s, code_tries = 0
           WHERE address_id = %s AND account_id = %s AND removed_at IS NULL
             AND (code_until IS NULL OR code_until <= %s)""",
        (code, until, address_id, account_id, at),
    )
    if cursor.rowcount != 1:
        return False
    added = await conn.execute(
        """INSERT INTO notification (subject, account_id, address_id, created_at, next_at)
           VALUES ('test', %s, %s, %s, %s) RETURNING notification_id""",
        (account_id, address_id, at, at),
    )
    row = await added.fetchone()
    await conn.execute("SELECT wake_delivery(%s, %s)", (row[0] if row else None, at))
    return True


async def take_code(conn: AsyncConn, account_id: UUID, address_id: UUID, most_tries: int, at: datetime) -> str | None:
    """The code that is expected now, and one try counted; None where none is, or the tries are used up."""
    cursor = await conn.execute(
        """UPDATE staff_address SET code_tries = code_tries + 1
           WHERE address_id = %s AND account_id = %s AND removed_at IS NULL AND code_until > %s AND code_tries < %s
           RETURNING code""",
        (address_id, account_id, at, most_tries),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def verify(conn: AsyncConn, address_id: UUID, at: datetime) -> None:
    """The test page arrived: its code came back."""
    await conn.execute(
        "UPDATE staff_address SET verified_at = %s, code = NULL, code_until = NULL WHERE address_id = %s",
        (at, address_id),
    )
    await conn.execute(
        """UPDATE notification SET state = 'confirmed', confirmed_at = %s, confirmed_by = 'code', next_at = NULL
           WHERE address_id = %s AND subject = 'test' AND state IN ('waiting', 'sent')""",
        (at, address_id),
    )


async def settle(conn: AsyncConn, name: str, channel: ChannelName, *, arrived: bool, at: datetime) -> bool:
    """What a receipt says of the message with this id of the provider's, or this key of ours. Whether there is one.

    Nobody is signed in for it: the database's own function sees the message (sql/0016_access.sql).
    """
    cursor = await conn.execute("SELECT settle_attempt(%s, %s, %s, %s)", (channel, name, arrived, at))
    row = await cursor.fetchone()
    return bool(row and row[0])
