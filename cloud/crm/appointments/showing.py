"""What the pages show of appointments: of one patient, and of the site day by day. The caller has checked who asks."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.duty import instant_of
from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.crm.appointments import entries, store
from cloud.crm.appointments.models import (
    ENDS,
    Appointment,
    Column,
    Day,
    Entry,
    Free,
    PatientPage,
    Plan,
    Slot,
    State,
)
from cloud.crm.appointments.slots import by_day, free, slots
from cloud.duty.models import Staff
from cloud.plans import fields
from cloud.plans.fields import Form
from cloud.visits import service as visits
from cloud.visits.models import Visit, Way

Connection = AsyncConnection[Any]

# How far ahead free times are looked for, and how many are shown at once; nothing later than LATEST is booked by hours.
HORIZON: Final = timedelta(days=62)
LATEST: Final = 2 * HORIZON
SHOWN: Final = 24
DAYS_AT_ONCE: Final = 7
NO_SHOWS_WITHIN: Final = timedelta(days=365)


async def patient_page(conn: Connection, session: Session, of: Patient, asked: Form, now: datetime) -> PatientPage:
    """All of a patient, with free times for a way (and a person) from a day on; the caller has checked who asks."""
    plan = await store.plan(conn, now)
    found = await store.of_patient(conn, of.patient_id)
    invitations = await visits.to_come_of(conn, of.patient_id)
    visit = visit_in(invitations, fields.id_of(asked.get("visit", "")))
    is_patient = session.role is Role.PATIENT
    ways = _ways(plan, is_patient=is_patient)
    way = entries.way_in(asked) or (visit.way if visit else None) or _first(ways)
    seen_by = fields.id_of(asked.get("seen_by", ""))
    zone = zone_of(of.time_zone)
    today = now.astimezone(zone).date()
    days, more_from = await _free_days(
        conn, plan, way, seen_by, max(entries.day_in(asked.get("from", ""), today), today), zone, now,
        is_patient=is_patient,
    )  # fmt: skip
    return PatientPage(
        invitations=[one for one in invitations if one.starts_at is None],
        to_come=[one for one in found if one.is_to_come(now)],
        offers=[one for one in found if one.state is State.OFFERED and one.answer_by and one.answer_by > now],
        open_ends=[one for one in found if one.wants_an_end(now)],
        past=[one for one in reversed(found) if one.state in ENDS],
        no_shows=sum(one.state is State.NO_SHOW and one.starts_at > now - NO_SHOWS_WITHIN for one in found),
        wishes=await store.wishes(conn, of.patient_id, today),
        free=days,
        people=_people(plan, is_patient=is_patient),
        ways=ways,
        way=way,
        seen_by=seen_by,
        more_from=more_from,
        site_zone=plan.zone_name,
    )


async def own_to_come(conn: Connection, patient_id: UUID, now: datetime) -> list[Appointment]:
    """For the patient's first page: what is booked or offered, the soonest first."""
    found = await store.of_patient(conn, patient_id)
    return [
        one
        for one in found
        if one.is_to_come(now) or (one.state is State.OFFERED and one.answer_by and one.answer_by > now)
    ]


async def days(
    conn: Connection, session: Session, first: date, count: int, whom: UUID | None, now: datetime
) -> tuple[Plan, Sequence[Day]]:
    """What each who sees patients has on these days of the site: free, booked, or taken, by whomever."""
    plan = await store.plan(conn, min(now, _midnight(first, now)))
    since, until = (instant_of(day, time(), plan.zone) for day in (first, first + timedelta(days=count)))
    taken = await store.taken(conn, since, until, now)
    known = await store.between(conn, since, until)
    found = free(slots_of(plan, first, count), taken, now)
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="appointments.read", subject="appointments:site"
    )
    # What is booked with somebody who has left has a column, too.
    gone = await store.people(conn, {one.seen_by for one in known} - plan.people.keys())
    people = [person for person in (*plan.people.values(), *gone) if whom is None or person.account_id == whom]
    made = []
    for day in (first + timedelta(days=n) for n in range(count)):
        begin, end = instant_of(day, time(), plan.zone), instant_of(day + timedelta(days=1), time(), plan.zone)
        columns = [_column(person, begin, end, found, taken, known) for person in people]
        made.append(
            Day(day=day, holiday=plan.holidays.get(day), columns=[column for column in columns if column.entries])
        )
    return plan, made


def _column(
    person: Staff,
    begin: datetime,
    end: datetime,
    found: Sequence[Slot],
    taken: Sequence[Any],
    known: Sequence[Appointment],
) -> Column:
    """One person's day: what is seen of a patient in one's care hides that the time is taken."""
    mine = [one for one in known if one.seen_by == person.account_id and begin <= one.starts_at < end]
    seen = {one.starts_at for one in mine}
    lines = [Entry(starts_at=one.starts_at, ends_at=one.ends_at, appointment=one) for one in mine]
    lines += [
        Entry(starts_at=one.starts_at, ends_at=one.ends_at)
        for one in taken
        if one.seen_by == person.account_id and begin <= one.starts_at < end and one.starts_at not in seen
    ]
    lines += [
        Entry(starts_at=slot.starts_at, ends_at=slot.ends_at, slot=slot)
        for slot in found
        if slot.seen_by == person.account_id and begin <= slot.starts_at < end
    ]
    return Column(person=person, entries=sorted(lines, key=lambda line: (line.starts_at, line.ends_at)))


async def _free_days(
    conn: Connection,
    plan: Plan,
    way: Way,
    seen_by: UUID | None,
    start: date,
    zone: tzinfo,
    now: datetime,
    *,
    is_patient: bool,
) -> tuple[Sequence[Free], date | None]:
    """Free times by the day on this zone's calendar, from ``start`` on, and from where there may be more."""
    # The site's day may have begun before the patient's.
    first, days_ahead = start - timedelta(days=1), HORIZON.days
    wanted = [
        slot
        for slot in slots_of(plan, first, days_ahead)
        if way in slot.ways and (seen_by is None or slot.seen_by == seen_by) and (slot.for_patients or not is_patient)
        if slot.starts_at < now + LATEST
    ]
    if not wanted:
        return [], None
    taken = await store.taken(conn, wanted[0].starts_at, wanted[-1].ends_at, now)
    shown: list[Free] = []
    for day, found in by_day(free(wanted, taken, now), zone).items():
        if day < start:
            continue
        if sum(len(each.slots) for each in shown) >= SHOWN or len(shown) >= DAYS_AT_ONCE:
            return shown, day
        shown.append(Free(day=day, slots=_each_once(found)))
    return shown, None


def _each_once(found: Sequence[Slot]) -> Sequence[Slot]:
    """Of hours that overlap, one slot of a person at a time."""
    by_key = {slot.key: slot for slot in reversed(found)}
    return [by_key[key] for key in dict.fromkeys(slot.key for slot in found)]


def slots_of(plan: Plan, first: date, count: int) -> Sequence[Slot]:
    return slots(plan.hours, plan.zone, first, count, holidays=plan.holidays.keys(), closures=plan.closures)


def _ways(plan: Plan, *, is_patient: bool) -> Sequence[Way]:
    """Those in which anybody sees patients, in the order of ``Way``."""
    offered = {way for hours in plan.hours if hours.for_patients or not is_patient for way in hours.ways}
    return [way for way in Way if way in offered]


def _first(ways: Collection[Way]) -> Way:
    return next(iter(ways), Way.CLINIC)


def _people(plan: Plan, *, is_patient: bool) -> Sequence[Staff]:
    """Who has hours; for the staff, who may have a patient."""
    if not is_patient:
        return list(plan.people.values())
    with_hours = {hours.account_id for hours in plan.hours if hours.for_patients}
    return [person for account_id, person in plan.people.items() if account_id in with_hours]


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(), now.tzinfo)


def visit_in(invitations: Sequence[Visit], visit_id: UUID | None) -> Visit | None:
    return next((one for one in invitations if one.visit_id == visit_id and one.starts_at is None), None)


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody read the patient's appointments."""
    own = session.role is Role.PATIENT
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="own_appointments.read" if own else "appointments.read_of",
        subject=f"patient:{of.patient_id}",
        patient_id=of.patient_id,
    )
