"""All SQL of what the jobs do about appointments: reminders, and slots that came free. Sync, for all patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from cloud.crm.appointments.models import Plan, Slot, Wish
from cloud.crm.appointments.store import LOOK_BACK, PLAN, WISHES, plan_of
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.db.connect import Connection

# What is due in one sweep; what is left is the next one's.
AT_MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """A slot that came free, locked until the end of the transaction."""

    freed_id: UUID
    seen_by: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An offer of this slot that is open."""

    appointment_id: UUID
    answer_by: datetime


def plan(connection: Connection, at: datetime) -> Plan:
    """Who sees patients when, from two days before ``at`` on."""
    since = {"since": (at - LOOK_BACK).date()}
    return plan_of([connection.execute(query, since).fetchall() for query in PLAN])


def mark_reminded(connection: Connection, appointment_id: UUID, at: datetime) -> bool:
    """The patient's page reminds them from now on, and what reaches them outside is on its way; once for each time.

    False: there is nothing to be reminded of: it was cancelled, moved to later, is over, or they know.
    """
    cursor = connection.execute(
        """UPDATE appointment SET reminded_at = %(at)s
           WHERE appointment_id = %(appointment)s AND state = 'booked' AND reminded_at IS NULL
             AND remind_at <= %(at)s AND starts_at > %(at)s
           RETURNING patient_id, starts_at""",
        {"appointment": appointment_id, "at": at},
    )
    row = cursor.fetchone()
    if row is None:
        return False
    patient_id, starts_at = row
    tell_outside(connection, patient_id, appointment_id, f"reminder:{starts_at:%Y-%m-%dT%H:%M:%SZ}", at, starts_at)
    return True


def tell_outside(
    connection: Connection, patient_id: UUID, appointment_id: UUID, what: str, at: datetime, until: datetime
) -> None:
    """That there is something on their page, by whatever way they agreed to; once for each reason."""
    row = connection.execute("SELECT is_training(%s)", (patient_id,)).fetchone()
    if row is not None and row[0]:
        return  # nobody real
    reason = f"appointment:{appointment_id}:{what}"
    reach.tell(connection, patient_id, What.VISIT, reason, at, subject_id=appointment_id, until=until)


def reminders(connection: Connection, at: datetime) -> Sequence[UUID]:
    """Of what nobody was reminded yet."""
    rows = connection.execute(
        """SELECT appointment_id FROM appointment
           WHERE state = 'booked' AND reminded_at IS NULL AND remind_at <= %(at)s AND starts_at > %(at)s
           ORDER BY remind_at LIMIT %(most)s""",
        {"at": at, "most": AT_MOST},
    )
    return [row[0] for row in rows]


def open_freed(connection: Connection) -> Sequence[UUID]:
    """What came free and is not settled, the oldest first."""
    rows = connection.execute(
        "SELECT freed_id FROM appointment_freed WHERE settled_at IS NULL ORDER BY freed_at LIMIT %s", (AT_MOST,)
    )
    return [row[0] for row in rows]


def locked_freed(connection: Connection, freed_id: UUID) -> Freed | None:
    """None: it is settled, or somebody else looks at it just now."""
    with connection.cursor(row_factory=class_row(Freed)) as cursor:
        return cursor.execute(
            """SELECT freed_id, seen_by, starts_at, ends_at FROM appointment_freed
               WHERE freed_id = %s AND settled_at IS NULL FOR UPDATE SKIP LOCKED""",
            (freed_id,),
        ).fetchone()


def settle(connection: Connection, freed_id: UUID, at: datetime) -> None:
    connection.execute("UPDATE appointment_freed SET settled_at = %s WHERE freed_id = %s", (at, freed_id))


def open_offer(connection: Connection, freed: Freed) -> Offer | None:
    """Whom it is kept for."""
    with connection.cursor(row_factory=class_row(Offer)) as cursor:
        return cursor.execute(
            """SELECT appointment_id, answer_by FROM appointment
               WHERE state = 'offered' AND seen_by = %s AND starts_at = %s""",
            (freed.seen_by, freed.starts_at),
        ).fetchone()


def lapse(connection: Connection, appointment_id: UUID, at: datetime) -> None:
    """Nobody answered in time."""
    connection.execute(
        "UPDATE appointment SET state = 'lapsed', changed_at = %s WHERE appointment_id = %s AND state = 'offered'",
        (at, appointment_id),
    )


# A day more on either side: the patient's calendar may be a day from the clock's (``Wish.fits`` has the last word).
_MAY_BE_OFFERED: Final = """
AND (%(starts)s::timestamptz AT TIME ZONE 'UTC')::date BETWEEN w.first_day - 1 AND w.last_day + 1
AND NOT is_training(w.patient_id)
AND NOT EXISTS (SELECT FROM participation x
                WHERE x.patient_id = w.patient_id AND x.is_newest AND x.ended_at IS NOT NULL)
AND NOT EXISTS (SELECT FROM appointment t WHERE t.wish_id = w.wish_id AND t.seen_by = %(seen_by)s
                AND t.starts_at = %(starts)s)
ORDER BY w.asked_at, w.wish_id"""


def waiting(connection: Connection, freed: Freed) -> Sequence[Wish]:
    """Who waits for about this day, the longest first, takes part still, and was not offered this slot before."""
    with connection.cursor(row_factory=class_row(Wish)) as cursor:
        return cursor.execute(
            WISHES + _MAY_BE_OFFERED,
            {"seen_by": freed.seen_by, "starts": freed.starts_at},
        ).fetchall()


def offer(connection: Connection, wish: Wish, slot: Slot, answer_by: datetime, at: datetime) -> UUID | None:
    """Keep it for whoever wished for it; None: it is taken, or they have another appointment then."""
    row = connection.execute(
        """INSERT INTO appointment (patient_id, seen_by, way, place, link, starts_at, ends_at, state, visit_id, wish_id,
                                    answer_by, booked_at, changed_at)
           VALUES (%(patient)s, %(seen_by)s, %(way)s, %(place)s, %(link)s, %(starts)s, %(ends)s, 'offered', %(visit)s,
                   %(wish)s, %(answer_by)s, %(at)s, %(at)s)
           ON CONFLICT DO NOTHING RETURNING appointment_id""",
        {
            "patient": wish.patient_id, "seen_by": slot.seen_by, "way": wish.way,
            "place": slot.place if wish.way == "clinic" else "", "link": slot.link if wish.way == "video" else "",
            "starts": slot.starts_at, "ends": slot.ends_at, "visit": wish.visit_id, "wish": wish.wish_id,
            "answer_by": answer_by, "at": at,
        },
    ).fetchone()  # fmt: skip
    return row[0] if row else None


def wake(connection: Connection, freed_id: UUID, at: datetime) -> None:
    """The jobs look at it again then."""
    connection.execute(
        "SELECT wake('offer_freed_slot', %s, jsonb_build_object('freed_id', %s::uuid), %s)",
        (f"offer_freed_slot:{freed_id}", freed_id, at),
    )
