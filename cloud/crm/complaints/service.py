"""Complaints: written, worked on, answered, exported; each act with its line in the history and its audit row.

The audit has no word of what was said. Who may see one at all the database says; what may be done next, models.STATES.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth import codes
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.spoken import Spoken, zone_of
from cloud.crm.complaints import casefile, entries, store
from cloud.crm.complaints.models import (
    OWNING,
    STATES,
    Act,
    CaseFile,
    Complaint,
    Done,
    Lists,
    Own,
    State,
    Tally,
    Waiting,
    Whole,
)
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.crm.surveys import service as surveys
from cloud.crm.surveys import store as survey_store
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

# How long somebody can write by a link, and how far back a case file looks. Proposals of this project.
OPEN_FOR: Final = timedelta(days=14)
LOOK_BACK: Final = timedelta(days=30)
# Whoever writes more in a day has something that belongs on the telephone, or hides what others wrote (a proposal).
MOST_A_DAY: Final = 5
DAY: Final = timedelta(days=1)
# Whoever sends a second link so soon pressed twice.
PRESSED_TWICE: Final = timedelta(minutes=10)


class NotPossible(Exception):
    """``code``: of texts.COMPLAINT_CONFLICTS; nothing was changed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Reading --------------------------------------------------------------------------------------------------------------


async def lists(conn: Connection, session: Session, now: datetime) -> Lists:
    """Those that this person handles. To lead nurses those are all, but what is about themselves."""
    found = await store.complaints(conn)
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="complaint_list.read", subject="complaints:all"
    )
    return Lists(
        overdue=[one for one in found if one.is_overdue(now)],
        open=[one for one in found if one.is_open and not one.is_overdue(now)],
        over=[one for one in found if not one.is_open],
    )


async def waiting(conn: Connection, session: Session, now: datetime) -> Waiting:
    """What one's first page says of them."""
    complaints, overdue = await store.waiting(conn, session.account_id, now)
    comments = await survey_store.unread(conn) if session.role in CLINICAL else 0
    return Waiting(complaints=complaints, overdue=overdue, comments=comments)


async def whole(conn: Connection, session: Session, complaint_id: UUID, now: datetime) -> Whole | None:
    """None: there is none that this person handles."""
    found = await _one(conn, complaint_id)
    if found is None:
        return None
    await audit.record_by(conn, session, now, "complaint.read", f"complaint:{complaint_id}", found.patient_id)
    return Whole(
        complaint=found,
        history=await store.history(conn, complaint_id),
        subjects=await store.subjects(conn, complaint_id),
        staff=await store.staff(conn),
    )


async def of_patient(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> list[Complaint]:
    """The patient's, as far as this person handles them."""
    await audit.record_by(conn, session, now, "complaints.read", f"patient:{patient_id}", patient_id)
    return await store.complaints(conn, patient_id=patient_id)


async def own(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> list[Own]:
    """The patient's own."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="own_complaints.read", subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )  # fmt: skip
    return await store.own(conn, patient_id)


# Written --------------------------------------------------------------------------------------------------------------


async def file(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> UUID | None:
    """By the patient, or as they said on the telephone. Refused; None: not theirs to write."""
    said = entries.written(form, await store.team(conn, patient_id))
    if session.role is Role.PATIENT and await store.written_since(conn, patient_id, now - DAY) >= MOST_A_DAY:
        raise Refused("complaint", {"body": Refusal("asked_enough")}, form)
    due = await surveys.complaint_terms(conn, said.harm, now)
    complaint_id = await store.file(conn, patient_id, said, due, now)
    if complaint_id is not None:
        detail: dict[str, object] = {"kind": said.kind, "harm": said.harm}
        await audit.record_by(conn, session, now, "complaint.write", f"complaint:{complaint_id}", patient_id, detail)
    return complaint_id


async def send_link(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """The patient is told outside that there is something: a link by which to write to us; pressed twice, one."""
    until = now + OPEN_FOR
    ask_id = await store.ask(conn, patient_id, session.account_id, now, until, PRESSED_TWICE)
    if ask_id is None:
        return
    await reach.tell_from_page(
        conn, patient_id, What.COMPLAINT, f"complaint:ask:{ask_id}", now, subject_id=ask_id, until=until
    )
    await audit.record_by(conn, session, now, "complaint.ask", f"complaint_ask:{ask_id}", patient_id)


async def by_link(conn: Connection, token: str, source: str, now: datetime) -> str:
    """How a link to write by stands."""
    return await store.link_standing(conn, codes.token_hash(token), source, now)


async def file_by_link(conn: Connection, token: str, source: str, form: Form, now: datetime) -> str:
    """'taken', or how the link stands otherwise. Refused. The audit has no person: nobody is signed in."""
    said = entries.written(form)
    due = await surveys.complaint_terms(conn, said.harm, now)
    standing = await store.file_by_link(conn, codes.token_hash(token), source, said, due, now)
    if standing == "taken":
        await audit.record(conn, at=now, account_id=None, action="complaint.link", subject="complaint:link")
    return standing


async def reopen_own(conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime) -> bool:
    """The patient is not content; said twice it is said once. Refused; False: there is none of theirs."""
    note = entries.note(form, f"reopen-{complaint_id}", needed=True)
    harm = await store.names_harm(conn, complaint_id)
    if harm is None:
        return False
    due = await surveys.complaint_terms(conn, harm, now)
    if await store.reopen_own(conn, complaint_id, note, due, now):
        await audit.record_by(conn, session, now, "complaint.reopen", f"complaint:{complaint_id}", session.patient_id)
    return True


# Worked on ------------------------------------------------------------------------------------------------------------


async def act(
    conn: Connection, session: Session, complaint_id: UUID, act: Act, form: Form, now: datetime
) -> Complaint | None:
    """What the table allows. Refused, NotPossible; None: nothing that this person handles."""
    found = await _locked(conn, complaint_id)
    if found is None:
        return None
    if act is not Act.ACKNOWLEDGE and not found.leads and found.owner_id != session.account_id:
        raise NotPossible("not_yours")
    state = STATES.get((found.state, act))
    if state is None:
        raise NotPossible("not_now")
    note = await _follow(conn, session, found, act, state, form, now)
    await store.add_event(conn, found, act, state, session.account_id, now, note)
    await _audit(conn, session, found, act, now)
    return found


async def _follow(
    conn: Connection, session: Session, found: Complaint, act: Act, state: State, form: Form, now: datetime
) -> str:
    complaint_id = found.complaint_id
    match act:
        case Act.ACKNOWLEDGE | Act.BEGIN:
            note = entries.note(form, act, needed=False)
            # Whoever tells the patient that it is here has it, until it is given to somebody else.
            if found.owner_id is None:
                await store.set_owner(conn, complaint_id, session.account_id, now)
            await store.set_state(conn, found, state, now)
            return note
        case Act.ANSWER:
            outcome, words = entries.answer(form, found.kind)
            await store.set_answer(conn, complaint_id, outcome, words, session.account_id, now)
            return words
        case Act.CLOSE:
            note = entries.note(form, act, needed=False)
            await store.close(conn, complaint_id, session.account_id, now)
            return note
        case Act.REOPEN:
            note = entries.note(form, act, needed=True)
            await store.reopen(conn, complaint_id, await surveys.complaint_terms(conn, found.harm, now), now)
            return note


async def give(conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime) -> Complaint | None:
    """To ``account_id``, by whoever answers for it. Refused, NotPossible; None: nothing that this person handles."""
    found = await _led(conn, complaint_id)
    if found is None:
        return None
    people = {one: name for one, (name, role) in (await store.staff(conn)).items() if role in OWNING}
    owner = entries.somebody(form, "give", people)
    if owner in {one.account_id for one in await store.subjects(conn, complaint_id)}:
        raise Refused("give", {"account_id": Refusal("complaint_is_about_them")}, form)
    await store.set_owner(conn, complaint_id, owner, now)
    await store.add_event(conn, found, "give", found.state, session.account_id, now, people[owner])
    await _audit(conn, session, found, "give", now)
    return found


async def name_subject(
    conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime
) -> Complaint | None:
    """It is about ``account_id``, who from now on does not see it. Refused; None as above."""
    found = await _led(conn, complaint_id)
    if found is None:
        return None
    account_id = entries.somebody(form, "subject", await store.staff(conn))
    if account_id == session.account_id:
        # Somebody else has to take it over before it is gone from one's own page.
        await store.add_event(conn, found, "subject", found.state, session.account_id, now)
        await _audit(conn, session, found, "subject", now)
        await store.add_subject(conn, found, account_id, session.account_id, now)
        return found
    await store.add_subject(conn, found, account_id, session.account_id, now)
    await store.add_event(conn, found, "subject", found.state, session.account_id, now)
    await _audit(conn, session, found, "subject", now)
    return found


async def mark_harm(
    conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime
) -> Complaint | None:
    """That it names harm, or does not: terms are counted anew, from when it was received or opened again.

    Refused; None as above.
    """
    found = await _locked(conn, complaint_id)
    if found is None:
        return None
    if not found.is_open:
        raise NotPossible("not_now")
    harm = form.get("harm") == "yes"
    if not harm and not found.leads:
        raise NotPossible("lead_alone")
    note = entries.note(form, "harm", needed=True)
    due = await surveys.complaint_terms(conn, harm, await store.counted_from(conn, found))
    await store.set_harm(conn, complaint_id, harm, due, now)
    event = "harm" if harm else "no_harm"
    await store.add_event(conn, found, event, found.state, session.account_id, now, note)
    await _audit(conn, session, found, event, now)
    return found


async def add_note(
    conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime
) -> Complaint | None:
    """A line of the history. Refused; None as above."""
    found = await _locked(conn, complaint_id)
    if found is None:
        return None
    note = entries.note(form, "note", needed=True)
    await store.add_event(conn, found, "note", found.state, session.account_id, now, note)
    await _audit(conn, session, found, "note", now)
    return found


async def tag(conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime) -> Complaint | None:
    """What it is about. Refused; None as above."""
    found = await _one(conn, complaint_id)
    if found is not None:
        await surveys.tag(conn, session, "complaint", complaint_id, found.patient_id, found.received_at, form, now)
    return found


async def export(
    conn: Connection, session: Session, complaint_id: UUID, form: Form, now: datetime, spoken: Spoken
) -> CaseFile | None:
    """The case file, whole days of the patient's calendar. Refused; None: not for this person."""
    found = await _led(conn, complaint_id)
    if found is None:
        return None
    zone = zone_of(found.time_zone)
    first, last = entries.span(
        form, (found.received_at - LOOK_BACK).astimezone(zone).date(), now.astimezone(zone).date()
    )
    since = datetime.combine(first, datetime.min.time(), zone)
    until = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    parts = await store.file_parts(conn, complaint_id, since, until)
    octets = casefile.case_file(parts, (first, last), now, spoken)
    rows = {part: len(of) for part, of in parts.items()}
    await store.add_event(conn, found, "export", found.state, session.account_id, now, f"{first} – {last}")
    detail: dict[str, object] = {"first": first.isoformat(), "last": last.isoformat(), "rows": rows}
    await audit.record_by(conn, session, now, "complaint.export", f"complaint:{complaint_id}", found.patient_id, detail)
    return CaseFile(name=f"pulsepost-complaint-{found.number}.zip", octets=octets, parts=rows)


# Themes ---------------------------------------------------------------------------------------------------------------


async def themes(
    conn: Connection, session: Session, since: datetime, until: datetime, now: datetime
) -> tuple[list[Tally], list[Done]]:
    """Counts by theme and month, the newest month first; and what was done."""
    found: dict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    for theme, what, month, n in await store.themes(conn, since, until):
        found[month, theme][what] = n
    tallies = [Tally(theme=theme, month=month, counts=counts) for (month, theme), counts in found.items()]
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="themes.read", subject="themes:all"
    )
    return sorted(tallies, key=lambda one: (-one.month.toordinal(), -one.n, one.theme)), await store.done(conn)


async def tag_finding(conn: Connection, session: Session, audit_id: UUID, form: Form, now: datetime) -> bool:
    """What a quality audit found is about. Refused; False: there is none for them."""
    found = await store.finding(conn, audit_id)
    if found is None:
        return False
    await surveys.tag(conn, session, "finding", audit_id, *found, form, now)
    return True


async def write_done(conn: Connection, session: Session, form: Form, today: date, now: datetime) -> None:
    """What was done about a theme. Refused."""
    theme, body, day = entries.done(form, today)
    await store.add_done(conn, theme, body, day, session.account_id, now)
    detail: Mapping[str, object] = {"theme": theme}
    await audit.record_by(conn, session, now, "theme.done", f"theme:{theme}", None, detail)


async def _one(conn: Connection, complaint_id: UUID) -> Complaint | None:
    return next(iter(await store.complaints(conn, complaint_id=complaint_id)), None)


async def _locked(conn: Connection, complaint_id: UUID) -> Complaint | None:
    return await _one(conn, complaint_id) if await store.lock(conn, complaint_id) else None


async def _led(conn: Connection, complaint_id: UUID) -> Complaint | None:
    found = await _locked(conn, complaint_id)
    return found if found is not None and found.leads else None


async def _audit(conn: Connection, session: Session, found: Complaint, what: str, now: datetime) -> None:
    await audit.record_by(conn, session, now, f"complaint.{what}", f"complaint:{found.complaint_id}", found.patient_id)
