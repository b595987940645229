"""All SQL of appointments that pages ask for; the caller has checked who asks, and row security asks again.

What the jobs ask for is in ``due``; the statements of the plan are the same for both.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import DeadlockDetected, ExclusionViolation
from psycopg.rows import TupleRow, class_row
from psycopg.sql import SQL

from cloud.contacts.models import Patient
from cloud.crm.appointments.models import (
    Appointment,
    Booking,
    Closure,
    Dated,
    Gathering,
    Hours,
    NewHours,
    Plan,
    State,
    Taken,
    Untold,
    Wanted,
    Wish,
)
from cloud.db.connect import one
from cloud.duty.models import Staff
from cloud.zones.store import zone

Connection = AsyncConnection[Any]

# A shift of another zone may have begun the day before.
LOOK_BACK: Final = timedelta(days=2)

PLAN: Final = (
    "SELECT time_zone FROM duty_site",
    """SELECT hours_id, account_id, ways, place, link, weekday, starts, ends, slot_minutes, for_patients, first_day,
              last_day
       FROM appointment_hours
       WHERE withdrawn_at IS NULL AND (last_day IS NULL OR last_day >= %(since)s)
       ORDER BY account_id, weekday NULLS LAST, starts, hours_id""",
    """SELECT closure_id, account_id, starts, ends FROM appointment_closure
       WHERE withdrawn_at IS NULL AND ends > %(since)s
       UNION ALL
       SELECT absence_id, account_id, starts, ends FROM duty_absence WHERE withdrawn_at IS NULL AND ends > %(since)s
       ORDER BY starts, closure_id""",
    "SELECT day, name FROM duty_holiday WHERE day >= %(since)s",
    """SELECT account_id, display_name, role FROM account
       WHERE role IN ('nurse', 'lead_nurse', 'doctor') AND disabled_at IS NULL ORDER BY display_name, account_id""",
)


async def plan(conn: Connection, at: datetime) -> Plan:
    """As it stands, from two days before ``at`` on."""
    since = {"since": (at - LOOK_BACK).date()}
    return plan_of([await (await conn.execute(query, since)).fetchall() for query in PLAN])


def plan_of(rows: Sequence[Sequence[TupleRow]]) -> Plan:
    """The rows of ``PLAN``. Hours of whoever has left are none; in a zone that nobody knows there are none at all."""
    [(zone_name,)], hours, closures, holidays, staff = rows
    site = zone(zone_name)
    people = {row[0]: Staff(account_id=row[0], display_name=row[1], role=row[2]) for row in staff}
    return Plan(
        zone=site or UTC,
        zone_name=zone_name if site else "UTC",
        hours=[_hours(row) for row in hours if row[1] in people and site],
        closures=[Closure(closure_id=row[0], account_id=row[1], starts=row[2], ends=row[3]) for row in closures],
        holidays=dict(holidays),
        people=people,
    )


def _hours(row: TupleRow) -> Hours:
    names = (
        "hours_id", "account_id", "ways", "place", "link", "weekday", "starts", "ends", "slot_minutes", "for_patients",
        "first_day", "last_day",
    )  # fmt: skip
    return Hours(**dict(zip(names, row, strict=True)))


async def people(conn: Connection, ids: Collection[UUID]) -> list[Staff]:
    """Of these accounts, whether they still see patients or not, by name."""
    async with conn.cursor(row_factory=class_row(Staff)) as cursor:
        await cursor.execute(
            "SELECT account_id, display_name, role FROM account WHERE account_id = ANY (%s)"
            " ORDER BY display_name, account_id",
            (list(ids),),
        )
        return await cursor.fetchall()


async def taken(conn: Connection, since: datetime, until: datetime, now: datetime) -> list[Taken]:
    """When people have no time, whoever has it; ``now`` for what was freed just now."""
    async with conn.cursor(row_factory=class_row(Taken)) as cursor:
        await cursor.execute("SELECT * FROM appointments_taken(%s, %s, %s)", (since, until, now))
        return await cursor.fetchall()


async def own_closures(conn: Connection, at: datetime) -> list[Closure]:
    """Those that were entered here and are not over."""
    async with conn.cursor(row_factory=class_row(Closure)) as cursor:
        await cursor.execute(
            """SELECT closure_id, account_id, starts, ends FROM appointment_closure
               WHERE withdrawn_at IS NULL AND ends > %s ORDER BY starts, closure_id""",
            (at,),
        )
        return await cursor.fetchall()


async def one_after_the_other(conn: Connection) -> None:
    """Whoever enters hours or exceptions waits for whoever else does: of two presses the second sees the first."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('appointment_hours', 0))")


async def add_hours(conn: Connection, new: NewHours, weekday: int | None, by: UUID, at: datetime) -> UUID | None:
    """None: the very same ones are kept already."""
    cursor = await conn.execute(
        """INSERT INTO appointment_hours (account_id, ways, place, link, weekday, starts, ends, slot_minutes,
                                          for_patients, first_day, last_day, set_by, set_at)
           SELECT %(account)s, %(ways)s, %(place)s, %(link)s, %(weekday)s, %(starts)s, %(ends)s, %(minutes)s,
                  %(for_patients)s, %(first_day)s, %(last_day)s, %(by)s, %(at)s
           WHERE NOT EXISTS (
               SELECT FROM appointment_hours h
               WHERE h.withdrawn_at IS NULL
                 AND (h.account_id, h.ways, h.place, h.link, h.starts, h.ends, h.slot_minutes, h.for_patients)
                   = (%(account)s, %(ways)s, %(place)s, %(link)s, %(starts)s, %(ends)s, %(minutes)s, %(for_patients)s)
                 AND h.first_day = %(first_day)s
                 AND (h.weekday, h.last_day) IS NOT DISTINCT FROM (%(weekday)s::smallint, %(last_day)s::date))
           RETURNING hours_id""",
        {
            "account": new.account_id, "ways": [way.value for way in new.ways], "place": new.place, "link": new.link,
            "weekday": weekday, "starts": new.starts, "ends": new.ends, "minutes": new.slot_minutes,
            "for_patients": new.for_patients, "first_day": new.first_day,
            "last_day": new.first_day if weekday is None else new.last_day, "by": by, "at": at,
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    return row[0] if row else None


async def end_hours(conn: Connection, hours_id: UUID, last_day: date, at: datetime) -> bool:
    """They are kept until then; such as have not begun never counted. False: there are none that go on."""
    cursor = await conn.execute(
        """UPDATE appointment_hours
           SET last_day = CASE WHEN first_day <= %(day)s THEN %(day)s ELSE last_day END,
               withdrawn_at = CASE WHEN first_day > %(day)s THEN %(at)s END
           WHERE hours_id = %(hours)s AND withdrawn_at IS NULL AND (last_day IS NULL OR last_day > %(day)s)""",
        {"hours": hours_id, "day": last_day, "at": at},
    )
    return cursor.rowcount == 1


async def add_closure(
    conn: Connection, account_id: UUID | None, starts: datetime, ends: datetime, by: UUID, at: datetime
) -> UUID | None:
    """None: the very same one is there already."""
    cursor = await conn.execute(
        """INSERT INTO appointment_closure (account_id, starts, ends, set_by, set_at)
           SELECT %(account)s, %(starts)s, %(ends)s, %(by)s, %(at)s
           WHERE NOT EXISTS (SELECT FROM appointment_closure c
                             WHERE c.withdrawn_at IS NULL AND (c.starts, c.ends) = (%(starts)s, %(ends)s)
                               AND c.account_id IS NOT DISTINCT FROM %(account)s::uuid)
           RETURNING closure_id""",
        {"account": account_id, "starts": starts, "ends": ends, "by": by, "at": at},
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def withdraw_closure(conn: Connection, closure_id: UUID, at: datetime) -> bool:
    cursor = await conn.execute(
        "UPDATE appointment_closure SET withdrawn_at = %s WHERE closure_id = %s AND withdrawn_at IS NULL",
        (at, closure_id),
    )
    return cursor.rowcount == 1


# What is booked -----------------------------------------------------------------------------------------------------

_APPOINTMENTS: Final = SQL("""
SELECT t.appointment_id, t.patient_id, p.display_name AS patient_name, p.time_zone, t.seen_by,
       s.display_name AS seen_by_name, t.way, t.place, t.link, t.starts_at, t.ends_at, t.state, t.visit_id, v.why,
       t.answer_by, b.display_name AS booked_by, t.booked_at, t.changed_at, t.sequence, t.remind_at, t.reminded_at,
       t.confirmed_at
FROM appointment t
JOIN patient p USING (patient_id)
JOIN account s ON s.account_id = t.seen_by
LEFT JOIN account b ON b.account_id = t.booked_by
LEFT JOIN visit v ON v.visit_id = t.visit_id
""")
_OF_PATIENT: Final = SQL("{appointments} WHERE t.patient_id = %s ORDER BY t.starts_at, t.appointment_id").format(
    appointments=_APPOINTMENTS
)
_OF_ID: Final = SQL("{appointments} WHERE t.patient_id = %s AND t.appointment_id = %s").format(
    appointments=_APPOINTMENTS
)
_BETWEEN: Final = SQL(
    "{appointments} WHERE t.starts_at < %(until)s AND t.ends_at > %(since)s"
    # None is longer: an index finds them.
    " AND t.starts_at > %(since)s - interval '8 hours' AND t.state IN ('offered', 'booked', 'took_place', 'no_show')"
    " ORDER BY t.starts_at, t.appointment_id"
).format(appointments=_APPOINTMENTS)


_UNATTENDED: Final = SQL("""{appointments}
WHERE t.state = 'booked' AND t.starts_at > %(now)s
  AND (s.disabled_at IS NOT NULL OR s.role NOT IN ('nurse', 'lead_nurse', 'doctor')
       OR EXISTS (SELECT FROM appointment_closure c
                  WHERE c.withdrawn_at IS NULL AND coalesce(c.account_id, t.seen_by) = t.seen_by
                    AND c.starts < t.ends_at AND t.starts_at < c.ends)
       OR EXISTS (SELECT FROM duty_absence c
                  WHERE c.withdrawn_at IS NULL AND c.account_id = t.seen_by
                    AND c.starts < t.ends_at AND t.starts_at < c.ends))
ORDER BY t.starts_at, t.appointment_id LIMIT %(most)s
""").format(appointments=_APPOINTMENTS)
# Whoever has more to move begins with these.
UNATTENDED: Final = 100


async def unattended(conn: Connection, now: datetime) -> list[Appointment]:
    """Booked with somebody who is away then, or has left, of the patients whom the account sees: the soonest first."""
    return await _appointments(conn, _UNATTENDED, {"now": now, "most": UNATTENDED})


async def untold(conn: Connection, now: datetime) -> list[Untold]:
    """Of the patients whom the account sees: who is not told in time, the soonest first.

    No way is open, or their quiet hours last longer; and they neither said that they come, nor were reached by
    telephone since.
    """
    async with conn.cursor(row_factory=class_row(Untold)) as cursor:
        await cursor.execute(
            """SELECT m.patient_id, p.display_name AS patient_name, m.until
               FROM outside_message m JOIN patient p USING (patient_id)
               JOIN appointment t ON t.appointment_id = m.subject_id
               WHERE m.what = 'visit' AND m.reason LIKE 'appointment:%%:change:%%' AND m.until > %(now)s
                 AND (m.state IN ('failed', 'page') OR m.next_at >= m.until) AND t.confirmed_at IS NULL
                 AND NOT EXISTS (SELECT FROM call k WHERE k.patient_id = m.patient_id AND k.outcome = 'reached'
                                 AND k.started_at > m.created_at)
               ORDER BY m.until, m.message_id LIMIT %(most)s""",
            {"now": now, "most": UNATTENDED},
        )
        return await cursor.fetchall()


async def of_patient(conn: Connection, patient_id: UUID) -> list[Appointment]:
    """All there ever were, the earliest first."""
    return await _appointments(conn, _OF_PATIENT, (patient_id,))


async def of_id(conn: Connection, patient_id: UUID, appointment_id: UUID) -> Appointment | None:
    """One of this patient's."""
    return next(iter(await _appointments(conn, _OF_ID, (patient_id, appointment_id))), None)


async def between(conn: Connection, since: datetime, until: datetime) -> list[Appointment]:
    """Of the patients whom the account sees: what is offered or booked, or was, and touches the span."""
    return await _appointments(conn, _BETWEEN, {"since": since, "until": until})


async def _appointments(conn: Connection, query: Any, values: tuple[Any, ...] | dict[str, Any]) -> list[Appointment]:
    async with conn.cursor(row_factory=class_row(Appointment)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()


async def book(
    conn: Connection, patient_id: UUID, booking: Booking, remind_at: datetime | None, by: UUID, at: datetime
) -> UUID | None:
    """Its id; None: the person or the patient has another appointment then, which the database alone can know.

    Where two book at once, the second waits for the first and is told; neither dies of the other.
    """
    cursor = await conn.execute(
        """INSERT INTO appointment (patient_id, seen_by, way, place, link, starts_at, ends_at, state, visit_id,
                                    booked_by, booked_at, changed_at, remind_at)
           VALUES (%(patient)s, %(seen_by)s, %(way)s, %(place)s, %(link)s, %(starts)s, %(ends)s, 'booked', %(visit)s,
                   %(by)s, %(at)s, %(at)s, %(remind)s)
           ON CONFLICT DO NOTHING RETURNING appointment_id""",
        {
            "patient": patient_id, "seen_by": booking.seen_by, "way": booking.way, "place": booking.place,
            "link": booking.link, "starts": booking.starts_at, "ends": booking.ends_at, "visit": booking.visit_id,
            "by": by, "at": at, "remind": remind_at,
        },
    )  # fmt: skip
    row = await cursor.fetchone()
    return row[0] if row else None


async def one_at_a_time(conn: Connection, patient_id: UUID) -> None:
    """Whoever books for this patient waits for whoever else does just now: what is counted stays so until the end."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('appointments:' || %s, 0))", (str(patient_id),))


async def is_elsewhere(conn: Connection, patient_id: UUID, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether the patient has an appointment in this span."""
    cursor = await conn.execute(
        """SELECT FROM appointment WHERE patient_id = %s AND state IN ('offered', 'booked')
           AND tstzrange(starts_at, ends_at) && tstzrange(%s, %s)""",
        (patient_id, starts_at, ends_at),
    )
    return cursor.rowcount > 0


async def move(
    conn: Connection, appointment_id: UUID, to: Booking, remind_at: datetime | None, at: datetime
) -> bool | None:
    """Another time for what is booked. None: somebody has it already. False: it is booked no longer."""
    try:
        async with conn.transaction():
            cursor = await conn.execute(
                """UPDATE appointment SET seen_by = %(seen_by)s, way = %(way)s, place = %(place)s, link = %(link)s,
                          starts_at = %(starts)s, ends_at = %(ends)s, changed_at = %(at)s, sequence = sequence + 1,
                          remind_at = %(remind)s, reminded_at = NULL, confirmed_at = NULL
                   WHERE appointment_id = %(appointment)s AND state = 'booked'""",
                {
                    "appointment": appointment_id, "seen_by": to.seen_by, "way": to.way, "place": to.place,
                    "link": to.link, "starts": to.starts_at, "ends": to.ends_at, "at": at, "remind": remind_at,
                },
            )  # fmt: skip
            return cursor.rowcount == 1
    except (ExclusionViolation, DeadlockDetected):
        # Two who move to where the other books wait for each other: the database lets one of them go.
        return None


async def end(conn: Connection, appointment_id: UUID, state: State, by: UUID, at: datetime) -> bool:
    """It was cancelled, or is over. False: somebody has said so already."""
    cursor = await conn.execute(
        """UPDATE appointment SET state = %s, ended_by = %s, changed_at = %s, sequence = sequence + 1
           WHERE appointment_id = %s AND state = 'booked'""",
        (state, by, at, appointment_id),
    )
    return cursor.rowcount == 1


async def set_link(conn: Connection, appointment_id: UUID, link: str, at: datetime) -> bool:
    cursor = await conn.execute(
        """UPDATE appointment SET link = %s, changed_at = %s, sequence = sequence + 1
           WHERE appointment_id = %s AND state = 'booked' AND way = 'video'""",
        (link, at, appointment_id),
    )
    return cursor.rowcount == 1


async def confirm(conn: Connection, appointment_id: UUID, at: datetime) -> bool:
    """The patient will come. False: it is over, cancelled, or they have said so."""
    cursor = await conn.execute(
        """UPDATE appointment SET confirmed_at = %(at)s, changed_at = %(at)s
           WHERE appointment_id = %(appointment)s AND state = 'booked' AND ends_at > %(at)s AND confirmed_at IS NULL""",
        {"appointment": appointment_id, "at": at},
    )
    return cursor.rowcount == 1


async def take_offer(
    conn: Connection, appointment_id: UUID, remind_at: datetime | None, by: UUID, at: datetime
) -> bool:
    """What was offered is booked, and what it was wished by has ended. False: it was too late."""
    cursor = await conn.execute(
        """UPDATE appointment SET state = 'booked', booked_by = %(by)s, booked_at = %(at)s, changed_at = %(at)s,
                  remind_at = %(remind)s
           WHERE appointment_id = %(appointment)s AND state = 'offered' AND answer_by > %(at)s RETURNING wish_id""",
        {"appointment": appointment_id, "by": by, "at": at, "remind": remind_at},
    )
    row = await cursor.fetchone()
    if row is None:
        return False
    await conn.execute("UPDATE appointment_wish SET ended_at = %s WHERE wish_id = %s", (at, row[0]))
    return True


async def decline_offer(conn: Connection, appointment_id: UUID, at: datetime) -> bool:
    cursor = await conn.execute(
        "UPDATE appointment SET state = 'declined', changed_at = %s WHERE appointment_id = %s AND state = 'offered'",
        (at, appointment_id),
    )
    return cursor.rowcount == 1


async def oneself(conn: Connection, patient_id: UUID) -> Patient | None:
    """The patient behind a patient's own account; the caller takes the id from the session."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(
            "SELECT patient_id, display_name, time_zone FROM patient WHERE patient_id = %s", (patient_id,)
        )
        return await cursor.fetchone()


# Who waits ------------------------------------------------------------------------------------------------------------

WISHES: Final = """
SELECT w.wish_id, w.patient_id, p.time_zone, w.way, w.seen_by, w.first_day, w.last_day, w.visit_id, w.asked_at
FROM appointment_wish w JOIN patient p USING (patient_id)
WHERE w.ended_at IS NULL"""


async def wishes(conn: Connection, patient_id: UUID, today: date) -> list[Wish]:
    """What the patient still waits for."""
    async with conn.cursor(row_factory=class_row(Wish)) as cursor:
        await cursor.execute(
            WISHES + " AND w.patient_id = %s AND w.last_day >= %s ORDER BY w.asked_at", (patient_id, today)
        )
        return await cursor.fetchall()


async def add_wish(
    conn: Connection, patient_id: UUID, wanted: Wanted, visit_id: UUID | None, by: UUID, at: datetime
) -> UUID:
    cursor = await conn.execute(
        """INSERT INTO appointment_wish (patient_id, way, seen_by, first_day, last_day, visit_id, asked_by, asked_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING wish_id""",
        (patient_id, wanted.way, wanted.seen_by, wanted.first_day, wanted.last_day, visit_id, by, at),
    )
    wish_id: UUID = one(await cursor.fetchone())[0]
    return wish_id


async def end_wish(conn: Connection, patient_id: UUID, wish_id: UUID, at: datetime) -> bool:
    """Nobody waits any more; what was offered for it goes to the next."""
    cursor = await conn.execute(
        "UPDATE appointment_wish SET ended_at = %s WHERE wish_id = %s AND patient_id = %s AND ended_at IS NULL",
        (at, wish_id, patient_id),
    )
    if cursor.rowcount != 1:
        return False
    await conn.execute(
        "UPDATE appointment SET state = 'declined', changed_at = %s WHERE wish_id = %s AND state = 'offered'",
        (at, wish_id),
    )
    return True


# Calendars of one's own -----------------------------------------------------------------------------------------------


async def set_address(conn: Connection, account_id: UUID, token_hash: bytes, at: datetime) -> None:
    """A new address; the former opens nothing from now on."""
    await conn.execute(
        """INSERT INTO calendar_address (account_id, token_hash, made_at) VALUES (%s, %s, %s)
           ON CONFLICT (account_id) DO UPDATE SET token_hash = EXCLUDED.token_hash, made_at = EXCLUDED.made_at""",
        (account_id, token_hash, at),
    )


async def end_address(conn: Connection, account_id: UUID) -> bool:
    cursor = await conn.execute("DELETE FROM calendar_address WHERE account_id = %s", (account_id,))
    return cursor.rowcount == 1


async def address_made_at(conn: Connection, account_id: UUID) -> datetime | None:
    row = await (
        await conn.execute("SELECT made_at FROM calendar_address WHERE account_id = %s", (account_id,))
    ).fetchone()
    return row[0] if row else None


async def owner_of_address(conn: Connection, token_hash: bytes) -> tuple[UUID, str, str | None] | None:
    """Whose calendar it is, their role and language; nobody needs to be signed in."""
    row = await (await conn.execute("SELECT * FROM account_of_calendar(%s)", (token_hash,))).fetchone()
    return (row[0], row[1], row[2]) if row else None


async def own(conn: Connection, since: datetime) -> list[Dated]:
    """What whoever asks has with patients from then on, whoever cares for them; of no patient anything."""
    async with conn.cursor(row_factory=class_row(Dated)) as cursor:
        await cursor.execute("SELECT * FROM own_appointments(%s) ORDER BY starts_at, appointment_id", (since,))
        return await cursor.fetchall()


async def gatherings(conn: Connection, patient_id: UUID, since: datetime) -> list[Gathering]:
    """The lectures and activities from then on to which the patient said that they come."""
    async with conn.cursor(row_factory=class_row(Gathering)) as cursor:
        await cursor.execute(
            """SELECT e.event_id, e.kind, e.place, e.link, e.starts_at, e.ends_at, e.changed_at, e.sequence,
                      e.cancelled_at IS NOT NULL AS is_cancelled
               FROM event_seat s JOIN learning_event e USING (event_id)
               WHERE s.patient_id = %s AND s.state IN ('coming', 'attended') AND e.starts_at > %s
               ORDER BY e.starts_at, e.event_id""",
            (patient_id, since),
        )
        return await cursor.fetchall()


async def own_patient_id(conn: Connection, account_id: UUID) -> UUID | None:
    row = await (await conn.execute("SELECT patient_id FROM account WHERE account_id = %s", (account_id,))).fetchone()
    return row[0] if row else None
