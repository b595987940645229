"""Follow-ups: made from plans, discharge summaries and by hand, ended with a word, each with its audit row."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import Spoken, zone_of
from cloud.contacts.models import Patient
from cloud.crm.followups import entries, store
from cloud.crm.followups.models import FollowUp, Lists, Step
from cloud.crm.followups.templates import plan
from cloud.crm.followups.times import begins
from cloud.crm.questionnaires.definitions import asked_on
from cloud.crm.questionnaires.models import Questionnaire
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

# How far ahead the list looks.
AHEAD: Final = timedelta(days=14)
# That somebody is in hospital is often heard, and entered, when they are about to leave or have left (a proposal).
ENTERED_LATE: Final = timedelta(days=7)


def day_there(now: datetime, zone: str) -> date:
    """The day on the patient's calendar."""
    return now.astimezone(zone_of(zone)).date()


def questionnaires(of: Patient, now: datetime) -> Mapping[str, Questionnaire]:
    """Which can be asked."""
    return asked_on(day_there(now, of.time_zone))


async def lists(conn: Connection, session: Session, now: datetime) -> Lists:
    """What is open of the account's patients; each by the calendar of its patient."""
    found = await store.in_care(conn, session.account_id, now.date() + AHEAD)
    by: dict[str, list[FollowUp]] = {"overdue": [], "due": [], "open": []}
    for one in found:
        by[one.standing(day_there(now, one.time_zone))].append(one)
    return Lists(overdue=by["overdue"], due=by["due"], coming=by["open"], is_all=len(found) < store.SHOWN)


async def take_summary(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """What a hospital asks for becomes follow-ups; the patient is at home since. Refused."""
    typed = entries.discharge(form, day_there(now, of.time_zone), questionnaires(of, now))
    steps = _dated(typed.steps, typed.discharged_on)
    summary_id = await store.add_summary(conn, of.patient_id, typed.discharged_on, typed.about, session.account_id, now)
    await store.add(conn, of.patient_id, steps, session.account_id, now, summary_id=summary_id)
    await come_home(conn, of, typed.discharged_on, session.account_id, now)
    await audit.record_by(
        conn, session, now, "discharge.take", f"discharge_summary:{summary_id}", of.patient_id, {"steps": len(steps)}
    )


async def come_home(conn: Connection, of: Patient, left_on: date, by: UUID, now: datetime) -> None:
    """A stay that was entered long after that day is another one, of which nothing was written yet: it goes on."""
    another = begins(left_on + ENTERED_LATE, zone_of(of.time_zone))
    await store.end_stay(conn, of.patient_id, by, now, begun_before=another)


async def begin_plan(
    conn: Connection, session: Session, of: Patient, form: Form, now: datetime, spoken: Spoken
) -> None:
    """The steps of a plan, dated; its notes in the language of whoever chose it. Refused."""
    plan_id, day = entries.plan(form, day_there(now, of.time_zone))
    chosen = plan(plan_id)
    if chosen is None:
        raise Refused("plan", {"plan": Refusal("choose")}, form)
    steps = [
        Step(
            what=step.what,
            after_days=step.after_days,
            questionnaire=step.questionnaire,
            note=spoken.words.gettext(step.note) if step.note else "",
        )
        for step in chosen.steps
    ]
    await store.add(
        conn, of.patient_id, _dated(steps, day), session.account_id, now, template=f"{plan_id}:{chosen.version}"
    )
    await audit.record_by(conn, session, now, "follow_up.plan", f"follow_up_plan:{plan_id}", of.patient_id)


async def add(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """One by hand. Refused."""
    team = await store.team(conn, of.patient_id)
    step, due_on, owner = entries.one(form, day_there(now, of.time_zone), questionnaires(of, now), team)
    await store.add(conn, of.patient_id, [(step, due_on)], session.account_id, now, owner=owner)
    await audit.record_by(conn, session, now, "follow_up.add", f"patient:{of.patient_id}", of.patient_id)


async def end(
    conn: Connection, session: Session, patient_id: UUID, follow_up_id: UUID, form: Form, now: datetime
) -> bool:
    """Done, or skipped with the reason. Refused; False: there is none that is open."""
    state, why = entries.end(form)
    if not await store.end(conn, patient_id, follow_up_id, state, why, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, f"follow_up.{state}", f"follow_up:{follow_up_id}", patient_id)
    return True


async def stay(conn: Connection, session: Session, patient_id: UUID, is_there: bool, now: datetime) -> None:
    """In hospital from now on, or at home again."""
    changed = store.begin_stay if is_there else store.end_stay
    if await changed(conn, patient_id, session.account_id, now):
        action = "hospital.begin" if is_there else "hospital.end"
        await audit.record_by(conn, session, now, action, f"patient:{patient_id}", patient_id)


async def record_reading(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """Somebody read the patient's follow-ups."""
    await audit.record_by(conn, session, now, "follow_ups.read", f"patient:{patient_id}", patient_id)


def _dated(steps: Sequence[Step], day: date) -> list[tuple[Step, date]]:
    return [(step, day + timedelta(days=step.after_days)) for step in steps]
