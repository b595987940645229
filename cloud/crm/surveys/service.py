"""Surveys: rules, answers, and what is read of them, each with its audit row, which has no mark and no word."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth import codes
from cloud.auth.models import Session
from cloud.crm.questionnaires.models import Questionnaire
from cloud.crm.surveys import entries, store
from cloud.crm.surveys.definitions import version_of
from cloud.crm.surveys.models import Comment, Kind, Round, Sent
from cloud.crm.surveys.terms import terms
from cloud.crm.surveys.themes import THEMES
from cloud.duty import store as duty
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

SHOWN_FOR: Final = timedelta(days=366)


def a_year(now: datetime) -> tuple[datetime, datetime]:
    """Of which results are shown."""
    return now - SHOWN_FOR, now + timedelta(days=1)


async def complaint_terms(conn: Connection, harm: bool, now: datetime) -> list[datetime]:
    """By when a complaint of now is acknowledged and answered."""
    return terms(now, harm, (await duty.read_plan(conn, now)).working)


async def set_rule(conn: Connection, session: Session, kind: Kind, form: Form, now: datetime) -> None:
    """Refused."""
    rule = entries.rule(form, kind)
    await store.set_rule(conn, rule, session.account_id, now)
    detail: dict[str, object] = {
        "on": rule.is_on, "days": rule.after_days, "percent": rule.percent, "apart": rule.apart_days
    }  # fmt: skip
    await audit.record_by(conn, session, now, "survey.rule", f"survey_rule:{kind}", None, detail)


async def one(conn: Connection, patient_id: UUID, sent_id: UUID) -> Sent | None:
    """The patient's own with this id."""
    return next(iter(await store.of_patient(conn, patient_id, sent_id)), None)


async def open_of(conn: Connection, patient_id: UUID, now: datetime) -> list[Sent]:
    """Those that wait for the patient's answer, unless they want none."""
    if not await store.wants(conn, patient_id):
        return []
    found = await store.of_patient(conn, patient_id)
    return [sent for sent in found if sent.standing(now) == "open" and sent.form is not None]


async def answer(conn: Connection, session: Session, sent: Sent, form: Form, now: datetime) -> bool:
    """By the patient themselves. Refused; False: it cannot be answered any more."""
    if sent.form is None or sent.standing(now) != "open":
        return False
    said = entries.answered(form, sent.form)
    due = await complaint_terms(conn, said.harm, now)
    if await store.answer_own(conn, sent.sent_id, said, due, now) != "taken":
        return False
    await audit.record_by(conn, session, now, "survey.answer", f"survey:{sent.sent_id}", session.patient_id)
    return True


async def by_link(conn: Connection, token: str, source: str, now: datetime) -> tuple[str, Questionnaire | None]:
    """How what this link leads to stands, and its questions."""
    standing, name, version = await store.opened(conn, codes.token_hash(token), source, now)
    found = version_of(name, version) if name is not None and version is not None else None
    return standing, found.form if found else None


async def answer_by_link(
    conn: Connection, token: str, source: str, asked: Questionnaire, form: Form, now: datetime
) -> str:
    """'taken', or how it stands otherwise. Refused. The audit has no person: nobody is signed in."""
    said = entries.answered(form, asked)
    due = await complaint_terms(conn, said.harm, now)
    standing = await store.answer_by_link(conn, codes.token_hash(token), source, said, due, now)
    if standing == "taken":
        await audit.record(conn, at=now, account_id=None, action="survey.link", subject="survey:link")
    return standing


async def stop_by_link(conn: Connection, token: str, source: str, now: datetime) -> str:
    """Whoever has the link is asked no more: 'stopped', or that it leads to nothing."""
    standing = await store.stop_by_link(conn, codes.token_hash(token), source, now)
    if standing == "stopped":
        await audit.record(conn, at=now, account_id=None, action="survey.stop", subject="survey:link")
    return standing


async def choose(
    conn: Connection, session: Session, patient_id: UUID, wanted: bool, method: str, now: datetime
) -> None:
    """Whether the patient is asked at all: by themselves ('screen'), or as they said ('told')."""
    await store.choose(conn, patient_id, wanted, method, session.account_id, now)
    action = "survey.allow" if wanted else "survey.stop"
    await audit.record_by(conn, session, now, action, f"patient:{patient_id}", patient_id)


async def staff_round(conn: Connection, now: datetime) -> tuple[Round, Questionnaire] | None:
    """What whoever is signed in has not answered yet."""
    found = await store.open_round(conn, now)
    survey = version_of(found.survey, found.version) if found else None
    return (found, survey.form) if found and survey else None


async def answer_round(
    conn: Connection, session: Session, found: Round, asked: Questionnaire, form: Form, now: datetime
) -> bool:
    """Refused; False: it was answered, or is over. That somebody answered is in the audit, as in who has."""
    if not await store.answer_round(conn, found.round_id, entries.remark(form, asked), now):
        return False
    await audit.record_by(conn, session, now, "survey.staff", f"staff_round:{found.round_id}")
    return True


async def comments(conn: Connection, session: Session, now: datetime) -> list[Comment]:
    """What patients wrote beside their marks, as far as this person may read it; a look at each patient's."""
    found = await store.comments(conn)
    for patient_id in {one.patient_id for one in found}:
        await audit.record_reading_on(
            conn, at=now, account_id=session.account_id, action="survey_comments.read",
            subject=f"patient:{patient_id}", patient_id=patient_id,
        )  # fmt: skip
    return found


async def see(conn: Connection, session: Session, comment_id: UUID, now: datetime) -> bool:
    """Somebody has read it; who was first stands beside it. False: it is not there for them."""
    found = await _comment(conn, comment_id)
    if found is None:
        return False
    if await store.see(conn, comment_id, session.account_id, now):
        subject = f"survey_comment:{comment_id}"
        await audit.record_by(conn, session, now, "survey_comment.seen", subject, found.patient_id)
    return True


async def tag_comment(conn: Connection, session: Session, comment_id: UUID, form: Form, now: datetime) -> bool:
    """``theme``; with ``remove`` it is taken away. Refused; False: there is no such comment for them."""
    found = await _comment(conn, comment_id)
    if found is None:
        return False
    await tag(conn, session, "comment", comment_id, found.patient_id, found.written_at, form, now)
    return True


async def tag(
    conn: Connection, session: Session, what: str, thing_id: UUID, patient_id: UUID, happened_at: datetime, form: Form,
    now: datetime,
) -> None:  # fmt: skip
    """Say what a complaint, a comment or a finding ('finding': of an audit) is about. Refused."""
    theme = form.get("theme", "")
    if theme not in THEMES:
        raise Refused("tag", {"theme": Refusal("choose")}, form)
    if form.get("remove"):
        changed = await store.untag(conn, what, thing_id, theme, session.account_id, now)
    else:
        changed = await store.tag(conn, what, thing_id, theme, patient_id, happened_at, session.account_id, now)
    if changed:
        detail: dict[str, object] = {"theme": theme, "removed": bool(form.get("remove"))}
        await audit.record_by(conn, session, now, "voice.tag", f"{what}:{thing_id}", patient_id, detail)


async def record_results(conn: Connection, session: Session, now: datetime) -> None:
    """Somebody read the results."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="surveys.read", subject="surveys:all"
    )


async def _comment(conn: Connection, comment_id: UUID) -> Comment | None:
    found: Sequence[Comment] = await store.comments(conn, comment_id)
    return next(iter(found), None)
