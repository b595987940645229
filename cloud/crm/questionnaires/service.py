"""Questionnaires: sent, withdrawn, answered, each with its audit row, which has no answer."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth import codes
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.contacts.models import Patient
from cloud.crm.questionnaires import entries, store
from cloud.crm.questionnaires.definitions import asked_on, version_of
from cloud.crm.questionnaires.models import Questionnaire, Sent, Standing
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import Outside, What
from cloud.db.connect import Connection as Plain
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

# How long it can be answered: what somebody says later is of another time. A proposal of this project.
OPEN_FOR: Final = timedelta(days=14)


async def send(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Ask the patient; they are told outside that there is something. Refused."""
    found = asked_on(now.astimezone(zone_of(of.time_zone)).date()).get(form.get("questionnaire", ""))
    if found is None:
        raise Refused("send", {"questionnaire": Refusal("choose")}, form)
    name, until = found.questionnaire_id, now + OPEN_FOR
    sent_id = await store.send(conn, of.patient_id, name, found.version, session.account_id, now, until)
    if sent_id is None:
        raise Refused("send", {"questionnaire": Refusal("asked_already")}, form)
    await reach.tell_from_page(
        conn, of.patient_id, What.QUESTIONNAIRE, reason(sent_id), now, subject_id=sent_id, until=until
    )
    await audit.record_by(
        conn,
        session,
        now,
        "questionnaire.send",
        f"questionnaire:{sent_id}",
        of.patient_id,
        {"questionnaire": name, "version": found.version},
    )


def send_as_due(connection: Plain, patient_id: UUID, found: Questionnaire, now: datetime) -> UUID:
    """The same, of a follow-up that is due; nobody is asked, or told, twice at a time. The caller commits."""
    until = now + OPEN_FOR
    sent_id = store.send_as_due(connection, patient_id, found.questionnaire_id, found.version, now, until)
    reach.tell(connection, patient_id, What.QUESTIONNAIRE, reason(sent_id), now, subject_id=sent_id, until=until)
    return sent_id


def reason(sent_id: UUID) -> str:
    """For which a patient is told once."""
    return f"questionnaire:{sent_id}"


async def withdraw(conn: Connection, session: Session, patient_id: UUID, sent_id: UUID, now: datetime) -> bool:
    """It need not be answered any more. False: there is none that is open."""
    if not await store.withdraw(conn, patient_id, sent_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "questionnaire.withdraw", f"questionnaire:{sent_id}", patient_id)
    return True


async def one(conn: Connection, patient_id: UUID, sent_id: UUID) -> Sent | None:
    """The patient's with this id."""
    return next(iter(await store.of_patient(conn, patient_id, sent_id)), None)


async def open_of(conn: Connection, patient_id: UUID, now: datetime) -> list[Sent]:
    """Those that wait for the patient's answer."""
    found = await store.of_patient(conn, patient_id)
    return [sent for sent in found if sent.standing(now) is Standing.OPEN and sent.form is not None]


async def answer(conn: Connection, session: Session, sent: Sent, form: Form, now: datetime) -> bool:
    """By the patient themselves, or as they said on the telephone. Refused; False: it cannot be answered any more."""
    if sent.form is None or sent.standing(now) is not Standing.OPEN:
        return False
    said = entries.answers(form, sent.form)
    if not await store.answer(conn, sent.patient_id, sent.sent_id, said, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "questionnaire.answer", f"questionnaire:{sent.sent_id}", sent.patient_id)
    return True


async def by_link(conn: Connection, token: str, source: str, now: datetime) -> tuple[str, Questionnaire | None]:
    """How what this link leads to stands, and its questions."""
    standing, name, version = await store.opened(conn, codes.token_hash(token), source, now)
    return standing, version_of(name, version) if name is not None and version is not None else None


async def answer_by_link(
    conn: Connection, token: str, source: str, questionnaire: Questionnaire, form: Form, now: datetime
) -> str:
    """'taken', or how it stands otherwise. Refused. The audit has no person: nobody is signed in."""
    said = entries.answers(form, questionnaire)
    standing = await store.answer_by_link(conn, codes.token_hash(token), source, said, now)
    if standing == "taken":
        await audit.record(conn, at=now, account_id=None, action="questionnaire.link", subject="questionnaire:link")
    return standing


def path_of(connection: Plain, outside: Outside, now: datetime) -> str:
    """A new link to the questionnaire that a message is about: of each try its own, and none is stored."""
    if outside.subject_id is None:
        raise LookupError("a message about a questionnaire names it")
    token = codes.new_token()
    store.make_link(connection, outside.subject_id, outside.patient_id, codes.token_hash(token), now)
    return f"/q/{token}?language={outside.language}"


def is_needed(connection: Plain, outside: Outside, now: datetime) -> bool:
    """Whether it waits for an answer."""
    return store.is_open(connection, outside.subject_id, now)


async def record_reading(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """Somebody read the patient's answers."""
    await audit.record_by(conn, session, now, "questionnaires.read", f"patient:{patient_id}", patient_id)
