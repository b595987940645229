"""All SQL of events and groups; the caller has checked who asks, and row security asks again."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import CheckViolation
from psycopg.rows import class_row

from cloud.crm.groups.models import (
    Evaluation,
    Event,
    Group,
    Member,
    MemberState,
    NewEvent,
    NoPlace,
    OwnGroup,
    Said,
    Seat,
    SeatState,
)
from cloud.crm.reach.models import Outside
from cloud.db.connect import Connection

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 100
# How long what is over stays on the pages.
KEPT: Final = timedelta(days=90)

_EVENT: Final = """
SELECT e.event_id, e.kind, e.title, e.plan, e.language, e.place, e.link, e.starts_at, e.ends_at, e.capacity, e.audience,
       e.group_id, g.name AS group_name, b.display_name AS made_by, e.changed_at, e.sequence, e.cancelled_at,
       coalesce(n.coming, 0) AS coming, coalesce(n.invited, 0) AS invited, coalesce(n.attended, 0) AS attended,
       coalesce(n.answers, 0) AS answers, n.useful, n.clear
FROM learning_event e JOIN account b ON b.account_id = e.made_by LEFT JOIN patient_group g ON g.group_id = e.group_id
LEFT JOIN LATERAL event_counts(ARRAY[e.event_id]) n ON true
"""
# Of what is to come and of what is over the nearest, in the order in which they are.
_NEAR: Final = """
WHERE e.event_id IN ((SELECT n.event_id FROM learning_event n WHERE n.ends_at > %(now)s
                      ORDER BY n.starts_at, n.event_id LIMIT %(most)s)
                     UNION ALL
                     (SELECT l.event_id FROM learning_event l WHERE l.ends_at > %(first)s AND l.ends_at <= %(now)s
                      ORDER BY l.starts_at DESC, l.event_id LIMIT %(most)s))
ORDER BY e.starts_at, e.event_id
"""
_FOR: Final = """
WHERE e.ends_at > %(since)s
  AND (EXISTS (SELECT FROM event_seat s WHERE s.event_id = e.event_id AND s.patient_id = %(patient)s)
       OR e.starts_at > %(now)s AND e.cancelled_at IS NULL
          AND (e.audience = 'all'
               OR g.closed_at IS NULL AND EXISTS (SELECT FROM group_member m WHERE m.group_id = e.group_id
                                                  AND m.patient_id = %(patient)s AND m.state = 'in')))
ORDER BY e.starts_at, e.event_id LIMIT %(most)s
"""
_SEAT: Final = """
SELECT s.seat_id, s.event_id, s.patient_id, p.display_name AS patient_name, s.state, s.changed_at,
       EXISTS (SELECT FROM event_evaluation v WHERE v.seat_id = s.seat_id) AS is_evaluated
FROM event_seat s JOIN patient p USING (patient_id)
"""
_GROUP: Final = """
SELECT g.group_id, g.name, g.about, m.display_name AS programme, b.display_name AS made_by, g.made_at, g.closed_at,
       coalesce(n.members, 0) AS members
FROM patient_group g JOIN account b ON b.account_id = g.made_by LEFT JOIN programme m USING (programme_id)
LEFT JOIN group_counts() n ON n.group_id = g.group_id
"""

_SEATED: Final = """
INSERT INTO event_seat (event_id, patient_id, state, entered_by, entered_at, changed_by, changed_at)
VALUES (%(event)s, %(patient)s, %(state)s, %(by)s, %(at)s, %(by)s, %(at)s)
ON CONFLICT (event_id, patient_id) DO NOTHING RETURNING seat_id
"""
_SEATED_ANEW: Final = """
UPDATE event_seat SET state = %(state)s, changed_by = %(by)s, changed_at = %(at)s
WHERE event_id = %(event)s AND patient_id = %(patient)s AND state = ANY (%(before)s) RETURNING seat_id
"""


# Events ---------------------------------------------------------------------------------------------------------------


async def events(conn: AsyncConn, now: datetime) -> list[Event]:
    """What was lately, and what is to come, as it follows; of either the nearest."""
    async with conn.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(f"{_EVENT} {_NEAR}", {"now": now, "first": now - KEPT, "most": SHOWN})
        return await cursor.fetchall()


async def events_for(conn: AsyncConn, patient_id: UUID, now: datetime, since: datetime) -> list[Event]:
    """What the patient may still come to, or has said something about and is not over since then; the soonest first."""
    async with conn.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(f"{_EVENT} {_FOR}", {"patient": patient_id, "now": now, "since": since, "most": SHOWN})
        return await cursor.fetchall()


async def event(conn: AsyncConn, event_id: UUID) -> Event | None:
    async with conn.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(f"{_EVENT} WHERE e.event_id = %s", (event_id,))
        return await cursor.fetchone()


async def of_group(conn: AsyncConn, group_id: UUID) -> list[Event]:
    """The latest first."""
    async with conn.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(f"{_EVENT} WHERE e.group_id = %s ORDER BY e.starts_at DESC LIMIT %s", (group_id, SHOWN))
        return await cursor.fetchall()


async def add_event(conn: AsyncConn, new: NewEvent, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO learning_event (kind, title, plan, language, place, link, starts_at, ends_at, capacity, audience,
                                       group_id, made_by, made_at, changed_at)
           VALUES (%(kind)s, %(title)s, %(plan)s, %(language)s, %(place)s, %(link)s, %(starts)s, %(ends)s, %(capacity)s,
                   %(audience)s, %(group)s, %(by)s, %(at)s, %(at)s) RETURNING event_id""",
        {**_written(new), "kind": new.kind, "audience": new.audience, "group": new.group_id, "by": by, "at": at},
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an INSERT gives its row")
    made: UUID = row[0]
    return made


async def change_event(conn: AsyncConn, event_id: UUID, new: NewEvent, at: datetime) -> bool:
    """For whom it is stays. False: there is none to come. NoPlace: more come than it would have places."""
    try:
        async with conn.transaction():
            cursor = await conn.execute(
                """UPDATE learning_event SET title = %(title)s, plan = %(plan)s, language = %(language)s,
                       place = %(place)s, link = %(link)s, starts_at = %(starts)s, ends_at = %(ends)s,
                       capacity = %(capacity)s, changed_at = %(at)s, sequence = sequence + 1
                   WHERE event_id = %(event)s AND cancelled_at IS NULL AND starts_at > %(at)s""",
                {**_written(new), "event": event_id, "at": at},
            )
    except CheckViolation as error:
        raise NoPlace from error
    return cursor.rowcount == 1


async def cancel_event(conn: AsyncConn, event_id: UUID, at: datetime) -> bool:
    """False: there is none to come."""
    cursor = await conn.execute(
        """UPDATE learning_event SET cancelled_at = %(at)s, changed_at = %(at)s, sequence = sequence + 1
           WHERE event_id = %(event)s AND cancelled_at IS NULL AND starts_at > %(at)s""",
        {"event": event_id, "at": at},
    )
    return cursor.rowcount == 1


def _written(new: NewEvent) -> dict[str, object]:
    return {
        "title": new.title,
        "plan": new.plan,
        "language": new.language,
        "place": new.place,
        "link": new.link,
        "starts": new.starts_at,
        "ends": new.ends_at,
        "capacity": new.capacity,
    }


# Places ---------------------------------------------------------------------------------------------------------------


async def seats(conn: AsyncConn, event_id: UUID) -> list[Seat]:
    """Of the patients whom the account cares for."""
    async with conn.cursor(row_factory=class_row(Seat)) as cursor:
        await cursor.execute(f"{_SEAT} WHERE s.event_id = %s ORDER BY p.display_name, s.seat_id", (event_id,))
        return await cursor.fetchall()


async def seats_of(conn: AsyncConn, patient_id: UUID) -> list[Seat]:
    async with conn.cursor(row_factory=class_row(Seat)) as cursor:
        await cursor.execute(f"{_SEAT} WHERE s.patient_id = %s", (patient_id,))
        return await cursor.fetchall()


async def seat(
    conn: AsyncConn,
    event_id: UUID,
    patient_id: UUID,
    state: SeatState,
    before: Sequence[SeatState],
    by: UUID,
    at: datetime,
) -> UUID | None:
    """The patient's place is this from now on, where it was in a state of ``before``, or where there was none.

    None: there is one in another state; or there is none that somebody could give back. NoPlace.
    """
    said = {"event": event_id, "patient": patient_id, "state": state, "before": list(before), "by": by, "at": at}
    try:
        async with conn.transaction():
            row = await (await conn.execute(_SEATED_ANEW, said)).fetchone()
            if row is None and state is not SeatState.CANNOT:
                row = await (await conn.execute(_SEATED, said)).fetchone()
    except CheckViolation as error:
        raise NoPlace from error
    return row[0] if row else None


async def seat_all(
    conn: AsyncConn, event_id: UUID, patient_ids: Sequence[UUID], by: UUID, at: datetime
) -> list[tuple[UUID, UUID]]:
    """(seat, patient) of those who had none: they are invited. Whatever the others said stands."""
    cursor = await conn.execute(
        """INSERT INTO event_seat (event_id, patient_id, state, entered_by, entered_at, changed_by, changed_at)
           SELECT %(event)s, patient_id, 'invited', %(by)s, %(at)s, %(by)s, %(at)s
           FROM unnest(%(patients)s::uuid[]) patient_id
           ON CONFLICT (event_id, patient_id) DO NOTHING RETURNING seat_id, patient_id""",
        {"event": event_id, "patients": list(patient_ids), "by": by, "at": at},
    )
    return list(await cursor.fetchall())


async def evaluate(conn: AsyncConn, seat_id: UUID, patient_id: UUID, said: Evaluation, at: datetime) -> bool:
    """False: they said so before."""
    cursor = await conn.execute(
        """INSERT INTO event_evaluation (seat_id, patient_id, useful, clear, said, answered_at)
           VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
        (seat_id, patient_id, said.useful, said.clear, said.said, at),
    )
    return cursor.rowcount == 1


async def said_of(conn: AsyncConn, event_id: UUID) -> list[Said]:
    """By patients whom the account cares for."""
    async with conn.cursor(row_factory=class_row(Said)) as cursor:
        await cursor.execute(
            """SELECT p.display_name AS patient_name, v.useful, v.clear, v.said
               FROM event_evaluation v JOIN event_seat s USING (seat_id) JOIN patient p ON p.patient_id = v.patient_id
               WHERE s.event_id = %s ORDER BY v.answered_at""",
            (event_id,),
        )
        return await cursor.fetchall()


async def patients(conn: AsyncConn) -> list[tuple[UUID, str]]:
    """Whom the account cares for: id and name."""
    cursor = await conn.execute(
        """SELECT p.patient_id, p.display_name FROM patient p
           WHERE p.patient_id IN (SELECT c.patient_id FROM acting_care c) ORDER BY p.display_name, p.patient_id"""
    )
    return [(patient_id, name) for patient_id, name in await cursor.fetchall()]


async def programmes(conn: AsyncConn) -> list[tuple[str, str]]:
    """Id and name."""
    cursor = await conn.execute("SELECT programme_id, display_name FROM programme ORDER BY display_name")
    return [(programme_id, name) for programme_id, name in await cursor.fetchall()]


# Groups ---------------------------------------------------------------------------------------------------------------


async def groups(conn: AsyncConn) -> list[Group]:
    """Those that go on first."""
    async with conn.cursor(row_factory=class_row(Group)) as cursor:
        await cursor.execute(f"{_GROUP} ORDER BY g.closed_at IS NULL DESC, g.name, g.group_id")
        return await cursor.fetchall()


async def group(conn: AsyncConn, group_id: UUID) -> Group | None:
    async with conn.cursor(row_factory=class_row(Group)) as cursor:
        await cursor.execute(f"{_GROUP} WHERE g.group_id = %s", (group_id,))
        return await cursor.fetchone()


async def add_group(conn: AsyncConn, name: str, about: str, programme_id: str | None, by: UUID, at: datetime) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO patient_group (name, about, programme_id, made_by, made_at) VALUES (%s, %s, %s, %s, %s)
           RETURNING group_id""",
        (name, about, programme_id, by, at),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an INSERT gives its row")
    made: UUID = row[0]
    return made


async def close_group(conn: AsyncConn, group_id: UUID, at: datetime) -> bool:
    cursor = await conn.execute(
        "UPDATE patient_group SET closed_at = %s WHERE group_id = %s AND closed_at IS NULL", (at, group_id)
    )
    return cursor.rowcount == 1


async def members(conn: AsyncConn, group_id: UUID) -> list[Member]:
    """Those of them whom the account cares for."""
    async with conn.cursor(row_factory=class_row(Member)) as cursor:
        await cursor.execute(
            """SELECT m.member_id, m.patient_id, p.display_name AS patient_name, m.state, m.shown_as, m.asked_at,
                      a.display_name AS answered_by, m.answered_at
               FROM group_member m JOIN patient p USING (patient_id) LEFT JOIN account a ON a.account_id = m.answered_by
               WHERE m.group_id = %s ORDER BY p.display_name, m.member_id""",
            (group_id,),
        )
        return await cursor.fetchall()


async def own_groups(conn: AsyncConn, patient_id: UUID) -> list[OwnGroup]:
    """Those that the patient is in, or was asked to join and has not answered."""
    async with conn.cursor(row_factory=class_row(OwnGroup)) as cursor:
        await cursor.execute(
            """SELECT g.group_id, g.name, g.about, m.state, m.shown_as, coalesce(n.members, 0) AS members,
                      CASE WHEN m.state = 'in' THEN (SELECT coalesce(array_agg(c.shown_as), '{}')
                                                     FROM group_companions(g.group_id) c) ELSE '{}' END AS others
               FROM group_member m JOIN patient_group g USING (group_id)
               LEFT JOIN group_counts() n ON n.group_id = g.group_id
               WHERE m.patient_id = %s AND m.state IN ('asked', 'in') AND g.closed_at IS NULL ORDER BY g.name""",
            (patient_id,),
        )
        return await cursor.fetchall()


async def ask_to_join(conn: AsyncConn, group_id: UUID, patient_id: UUID, by: UUID, at: datetime) -> UUID | None:
    """Who declined or left may be asked again. None: they are in it, have not answered yet, or it is closed."""
    cursor = await conn.execute(
        """INSERT INTO group_member (group_id, patient_id, asked_by, asked_at)
           SELECT g.group_id, %(patient)s, %(by)s, %(at)s FROM patient_group g
           WHERE g.group_id = %(group)s AND g.closed_at IS NULL
           ON CONFLICT (group_id, patient_id) DO UPDATE SET state = 'asked', asked_by = excluded.asked_by,
               asked_at = excluded.asked_at, answered_by = NULL, answered_at = NULL, left_at = NULL
           WHERE group_member.state IN ('declined', 'left')
           RETURNING member_id""",
        {"group": group_id, "patient": patient_id, "by": by, "at": at},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def ask_all(
    conn: AsyncConn, group_id: UUID, patient_ids: Sequence[UUID], by: UUID, at: datetime
) -> list[tuple[UUID, UUID]]:
    """(member, patient) of those who were never asked. Whatever the others said stands."""
    cursor = await conn.execute(
        """INSERT INTO group_member (group_id, patient_id, asked_by, asked_at)
           SELECT g.group_id, patient_id, %(by)s, %(at)s
           FROM patient_group g, unnest(%(patients)s::uuid[]) patient_id
           WHERE g.group_id = %(group)s AND g.closed_at IS NULL
           ON CONFLICT (group_id, patient_id) DO NOTHING RETURNING member_id, patient_id""",
        {"group": group_id, "patients": list(patient_ids), "by": by, "at": at},
    )
    return list(await cursor.fetchall())


async def member_state(conn: AsyncConn, group_id: UUID, patient_id: UUID) -> MemberState | None:
    """How a patient stands to a group; None: nobody asked them."""
    cursor = await conn.execute(
        "SELECT state FROM group_member WHERE group_id = %s AND patient_id = %s", (group_id, patient_id)
    )
    row = await cursor.fetchone()
    return MemberState(row[0]) if row else None


async def answer(
    conn: AsyncConn, group_id: UUID, patient_id: UUID, state: MemberState, shown_as: str | None, by: UUID, at: datetime
) -> bool:
    """What the patient said; who is in it may change by which name they are seen. False: nobody asked them."""
    cursor = await conn.execute(
        """UPDATE group_member SET state = %(state)s, shown_as = %(shown_as)s, answered_by = %(by)s,
               answered_at = %(at)s, left_at = CASE WHEN %(state)s = 'left' THEN %(at)s END
           WHERE group_id = %(group)s AND patient_id = %(patient)s
             AND state = ANY (CASE WHEN %(state)s = 'left' THEN '{in}' ELSE '{asked,in}' END::text[])""",
        {"state": state, "shown_as": shown_as, "by": by, "at": at, "group": group_id, "patient": patient_id},
    )
    return cursor.rowcount == 1


# The jobs -------------------------------------------------------------------------------------------------------------


def to_remind(connection: Connection, now: datetime, before: timedelta) -> list[tuple[UUID, UUID, datetime]]:
    """(seat, patient, when it begins) of who comes to what begins soon and was not reminded; marked as reminded.

    Who said so later than that knows.
    """
    return connection.execute(
        """UPDATE event_seat s SET reminded_at = %(now)s FROM learning_event e
           WHERE e.event_id = s.event_id AND e.cancelled_at IS NULL AND s.state = 'coming' AND s.reminded_at IS NULL
             AND e.starts_at > %(now)s AND e.starts_at <= %(now)s + %(before)s::interval
             AND s.changed_at < e.starts_at - %(before)s::interval
           RETURNING s.seat_id, s.patient_id, e.starts_at""",
        {"now": now, "before": before},
    ).fetchall()


def to_ask(connection: Connection, now: datetime, within: timedelta) -> list[tuple[UUID, UUID, datetime]]:
    """(seat, patient, until when) of who was there, or meant to be, and was not asked how it was; marked as asked."""
    return connection.execute(
        """UPDATE event_seat s SET asked_at = %(now)s FROM learning_event e
           WHERE e.event_id = s.event_id AND e.cancelled_at IS NULL AND s.state IN ('coming', 'attended')
             AND s.asked_at IS NULL AND e.ends_at <= %(now)s AND e.ends_at + %(within)s::interval > %(now)s
           RETURNING s.seat_id, s.patient_id, e.ends_at + %(within)s::interval""",
        {"now": now, "within": within},
    ).fetchall()


def is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a reminder and an invitation: whether they still speak of something. Of a change: always."""
    if ":change:" in outside.reason:
        return True
    if outside.reason.startswith("group:"):
        asked = "SELECT FROM group_member WHERE member_id = %s AND state = 'asked'"
        return connection.execute(asked, (outside.subject_id,)).fetchone() is not None
    row = connection.execute(
        """SELECT s.state, e.starts_at > %s, e.cancelled_at IS NULL
           FROM event_seat s JOIN learning_event e USING (event_id) WHERE s.seat_id = %s""",
        (now, outside.subject_id),
    ).fetchone()
    if row is None:
        return False
    state, is_to_come, is_on = row
    if outside.reason.endswith(":invited"):
        return bool(is_on and is_to_come and state == "invited")
    if ":remind:" in outside.reason:
        return bool(is_on and is_to_come and state == "coming")
    return bool(is_on and state in ("coming", "attended"))
