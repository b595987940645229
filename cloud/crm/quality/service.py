"""Quality audits: drawing, auditing, answering and acting, each with its audit row, which has ids and codes alone.

None: there is nothing of the kind for this account. Refused: what was typed cannot be taken.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, errors

from cloud.audit import store as audit_trail
from cloud.auth.models import Session
from cloud.crm.quality import definitions, entries, rates, sampling, store
from cloud.crm.quality.models import (
    AUDITING,
    Action,
    Agreement,
    Audit,
    Checklist,
    Closed,
    Finding,
    Item,
    ItemRate,
    PersonRate,
    Reply,
    Sample,
    Sampled,
    Seen,
    WalkSeen,
)
from cloud.crm.spreadsheets import csv_of
from cloud.plans.fields import Form, Refusal, Refused
from cloud.triage import service as triage
from cloud.triage.models import Script, Walk
from cloud.triage.scripts import all_versions, script_for, version_of

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What somebody sees of audits: all samples, or what was found in their own work; and what is to be done."""

    samples: Sequence[Sample]
    own: Sequence[Audit]
    actions: Sequence[Action]
    versions: Mapping[str, Sequence[int]]
    today: date
    newest: date
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePage:
    """A sample with what was found; ``again``: it was drawn once more just now, and these are the same cases."""

    sample: Sample
    cases: Sequence[Sampled]
    audits: Mapping[UUID, Sequence[Audit]]
    people: Sequence[PersonRate]
    items: Sequence[tuple[Item, ItemRate]]
    agreement: Agreement
    again: bool
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """An audit. ``seen``: the case, to whoever is auditing it; ``may_write``: it is theirs, and not finished.

    ``themes``: what its findings are about, to whoever audits.
    """

    audit: Audit
    checklist: Checklist
    items: Sequence[Item]
    findings: Mapping[str, Finding]
    seen: Seen | None
    replies: Sequence[Reply]
    actions: Sequence[Action]
    themes: Sequence[str]
    staff: Mapping[UUID, str]
    versions: Mapping[str, Sequence[int]]
    may_write: bool
    may_act: bool
    may_reply: bool
    today: date
    zone: str


async def overview(conn: Connection, session: Session, now: datetime) -> Overview:
    """The page that all of this begins on."""
    await audit_trail.record_reading_on(
        conn, at=now, account_id=session.account_id, action="quality_list.read", subject="quality:all"
    )
    _, _, today, zone = await store.month(conn, now.date().replace(day=1), now)
    return Overview(
        samples=await store.samples(conn) if session.role in AUDITING else (),
        own=await store.own_audits(conn, session.account_id),
        actions=await store.actions(conn),
        versions=_versions(),
        today=today,
        newest=_month_before(today),
        zone=zone,
    )


async def draw(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """The sample of a month that is over. Nobody chooses the seed, and nobody draws twice."""
    first, percent = entries.month(form), entries.percent(form)
    starts, ends, _, _ = await store.month(conn, first, now)
    if ends > now:
        raise Refused("draw", {"month": Refusal("month_runs")}, form)
    closed = await store.closed(conn, starts, ends)
    seed = secrets.token_hex(16)
    cases = sampling.draw(closed, seed, percent)
    try:
        async with conn.transaction():
            sample_id = await store.draw(
                conn,
                first=first,
                span=(starts, ends),
                rule=sampling.RULE,
                percent=percent,
                seed=seed,
                many=len(closed),
                frame=sampling.frame_of(closed),
                by=session.account_id,
                at=now,
                cases=cases,
            )
    except errors.UniqueViolation:
        raise Refused("draw", {"month": Refusal("drawn_already")}, form) from None
    detail = {"month": first.isoformat(), "closed": len(closed), "cases": len(cases)}
    await audit_trail.record_by(conn, session, now, "quality.draw", f"quality_sample:{sample_id}", None, detail)
    return sample_id


async def sample(conn: Connection, session: Session, sample_id: UUID, now: datetime) -> SamplePage | None:
    """The sample, drawn again, and what was found in it."""
    found = await store.sample(conn, sample_id)
    if found is None:
        return None
    await audit_trail.record_reading_on(
        conn, at=now, account_id=session.account_id, action="quality_sample.read", subject=f"quality_sample:{sample_id}"
    )
    cases = await store.cases(conn, sample_id, session.account_id)
    audits: dict[UUID, list[Audit]] = {}
    for one in await store.audits_of(conn, sample_id):
        audits.setdefault(one.case_id, []).append(one)
    judged = await store.judged(conn, sample_id)
    by_item = {one.item: one for one in rates.by_item(judged)}
    known = {item.item_id: item for each in definitions.all_versions() for item in each.items}
    _, _, _, zone = await store.month(conn, found.month, now)
    return SamplePage(
        sample=found,
        cases=cases,
        audits=audits,
        people=rates.by_person(judged),
        items=[(known[name], by_item[name]) for name in known if name in by_item],
        agreement=rates.agreement(judged),
        again=is_the_same(found, cases, await store.closed(conn, found.starts, found.ends)),
        zone=zone,
    )


def is_the_same(of: Sample, cases: Sequence[Sampled], closed: Sequence[Closed]) -> bool:
    """Whether the draw, made again of what was closed in the month, is this sample."""
    drawn = {(one.case_id, one.closed_by, one.stratum, one.place) for one in sampling.draw(closed, of.seed, of.percent)}
    kept = {(one.case_id, one.closed_by, one.stratum, one.place) for one in cases}
    return of.rule == sampling.RULE and of.frame == sampling.frame_of(closed) and drawn == kept


async def frame(conn: Connection, session: Session, sample_id: UUID, now: datetime) -> tuple[Sample, str] | None:
    """All that a sample was drawn from, as CSV: with it anybody draws it again."""
    found = await store.sample(conn, sample_id)
    if found is None:
        return None
    closed = sorted(await store.closed(conn, found.starts, found.ends), key=lambda one: str(one.case_id))
    subject = f"quality_sample:{sample_id}"
    await audit_trail.record_by(conn, session, now, "quality.frame", subject, None, {"rows": len(closed)})
    rows = [(str(one.case_id), str(one.closed_by or ""), one.tier) for one in closed]
    return found, csv_of(("case_id", "closed_by", "tier"), rows)


class NotToBeAudited(Exception):
    """The case is this person's own work, or they have begun its audit before."""


async def begin(conn: Connection, session: Session, sample_id: UUID, case_id: UUID, now: datetime) -> UUID | None:
    """Begin to audit a case of the sample: from now on, until it is finished, it can be read. NotToBeAudited.

    Nobody audits what they had a hand in: the database refuses it.
    """
    found = await store.script_of(conn, sample_id, case_id)
    if found is None:
        return None
    condition, name, version = found
    now_in_force = script_for(condition)
    script = (name, version) if name is not None and version is not None else None
    if script is None and now_in_force is not None:
        script = now_in_force.script_id, now_in_force.version
    checklist = definitions.used_on(now.date())
    try:
        async with conn.transaction():
            begun = await store.begin(
                conn,
                sample_id,
                case_id,
                by=session.account_id,
                checklist=checklist.version,
                script=script,
                at=now,
            )
    except errors.InsufficientPrivilege:
        raise NotToBeAudited from None
    if begun is None:
        raise NotToBeAudited
    audit_id, patient_id = begun
    detail = {"sample": str(sample_id), "audit": str(audit_id), "checklist": checklist.version}
    await audit_trail.record_by(conn, session, now, "quality.begin", f"case:{case_id}", patient_id, detail)
    return audit_id


async def audit(conn: Connection, session: Session, audit_id: UUID, now: datetime) -> AuditPage | None:
    """The page of an audit; who looks at it is in "who looked at my data?" of the patient."""
    found = await store.audit(conn, audit_id)
    if found is None:
        return None
    await audit_trail.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="quality_audit.read",
        subject=f"quality_audit:{audit_id}",
        patient_id=found.patient_id,
    )
    checklist = definitions.version_of(found.checklist)
    may_audit = session.role in AUDITING
    _, _, today, zone = await store.month(conn, found.month, now)
    return AuditPage(
        audit=found,
        checklist=checklist,
        items=checklist.items_of(found.stratum),
        findings=await store.findings(conn, audit_id),
        seen=await _seen(conn, audit_id),
        replies=await store.replies(conn, audit_id),
        actions=await store.actions_of(conn, audit_id),
        themes=await store.themes_of(conn, audit_id),
        staff=await store.staff(conn) if may_audit else {},
        versions=_versions(),
        may_write=found.auditor == session.account_id and found.finished_at is None,
        may_act=may_audit and found.finished_at is not None,
        may_reply=found.closed_by == session.account_id and found.finished_at is not None,
        today=today,
        zone=zone,
    )


async def write(conn: Connection, session: Session, of: AuditPage, form: Form, now: datetime) -> bool:
    """Keep what was said so far, and finish where ``finish`` is sent. False: not this person's to write."""
    if not of.may_write:
        return False
    finish = bool(form.get("finish"))
    found, remark = entries.findings(form, of.items, finish=finish)
    if not await store.write(conn, of.audit, found, remark, now if finish else None):
        return False
    action = "quality.finish" if finish else "quality.write"
    detail = {"findings": sum(one.answer == "no" for one in found)} if finish else {}
    await audit_trail.record_by(
        conn, session, now, action, f"quality_audit:{of.audit.audit_id}", of.audit.patient_id, detail
    )
    return True


async def reply(conn: Connection, session: Session, of: AuditPage, form: Form, now: datetime) -> bool:
    """What the person whose work it was says. False: it was not theirs."""
    if not of.may_reply:
        return False
    await store.reply(conn, of.audit, session.account_id, entries.reply(form), now)
    subject = f"quality_audit:{of.audit.audit_id}"
    await audit_trail.record_by(conn, session, now, "quality.reply", subject, of.audit.patient_id)
    return True


async def act(conn: Connection, session: Session, of: AuditPage, form: Form, now: datetime) -> bool:
    """Something is to be done about it. False: not for this person, or the audit goes on."""
    if not of.may_act:
        return False
    name, version = of.audit.script, of.audit.script_version
    script = (name, version) if name is not None and version is not None else None
    asked = entries.asked(form, of.today, of.staff, has_script=script is not None)
    action_id = await store.act(conn, of.audit, asked, script, session.account_id, now)
    await audit_trail.record_by(
        conn, session, now, "quality.act", f"quality_action:{action_id}", of.audit.patient_id, {"kind": asked.kind}
    )
    return True


async def done(conn: Connection, session: Session, action_id: UUID, form: Form, now: datetime) -> bool | None:
    """What came of an action, by its owner. None: there is none; False: not theirs, or done."""
    found = await store.action(conn, action_id)
    if found is None:
        return None
    if found.owner != session.account_id or found.done_at is not None:
        return False
    outcome, answered_by = entries.outcome(form, found, later_versions(found))
    if not await store.done(conn, action_id, outcome, answered_by, session.account_id, now):
        return False
    detail = {"kind": found.kind, **({"version": answered_by} if answered_by is not None else {})}
    subject = f"quality_action:{action_id}"
    await audit_trail.record_by(conn, session, now, "quality.done", subject, found.patient_id, detail)
    return True


async def check(conn: Connection, session: Session, action_id: UUID, form: Form, now: datetime) -> bool | None:
    """Whether it helped, by somebody else. None: there is none; False: not done yet, looked at, or one's own."""
    found = await store.action(conn, action_id)
    if found is None:
        return None
    if found.done_at is None or found.checked_at is not None or found.done_by == session.account_id:
        return False
    effective, note = entries.checked(form)
    if not await store.check(conn, action_id, effective, note, session.account_id, now):
        return False
    detail = {"effective": effective}
    subject = f"quality_action:{action_id}"
    await audit_trail.record_by(conn, session, now, "quality.check", subject, found.patient_id, detail)
    return True


def later_versions(of: Action) -> list[int]:
    """Of the action's script those that came after the one that was in force; the newest first."""
    return [one for one in _versions().get(of.script or "", ()) if one > (of.script_version or 0)]


def titles() -> dict[str, str]:
    """What each script is called, in English."""
    return {script.script_id: script.title for script in reversed(all_versions())}


async def scripts(conn: Connection, session: Session, now: datetime) -> list[tuple[Script, list[Action]]]:
    """Every version of every script, and which actions led to it, of those that this person may see."""
    await audit_trail.record_reading_on(
        conn, at=now, account_id=session.account_id, action="quality_scripts.read", subject="quality:scripts"
    )
    actions = await store.answered_by_scripts(conn)
    return [
        (script, [one for one in actions if (one.script, one.answered_by) == (script.script_id, script.version)])
        for script in all_versions()
    ]


async def _seen(conn: Connection, audit_id: UUID) -> Seen | None:
    case = await store.seen_case(conn, audit_id)
    if case is None:
        return None
    return Seen(
        case=case,
        alerts=await store.seen_alerts(conn, audit_id),
        history=await store.seen_history(conn, audit_id),
        calls=await store.seen_calls(conn, audit_id),
        walks=[_walk(one) for one in await store.seen_walks(conn, audit_id)],
    )


def _walk(walk: Walk) -> WalkSeen:
    script = version_of(walk.script, walk.version)
    if script is None:
        answered: Sequence[tuple[str, str]] = [(step["question"], step["answer"]) for step in walk.path]
        return WalkSeen(
            walker=walk.walker,
            script=walk.script,
            version=walk.version,
            title=None,
            answered=answered,
            end=walk.end_state,
        )
    standing = triage.standing(script, walk)
    return WalkSeen(
        walker=walk.walker,
        script=walk.script,
        version=walk.version,
        title=script.title,
        answered=standing.answered,
        end=standing.end.text if standing.end is not None else None,
    )


def _versions() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for script in all_versions():
        found.setdefault(script.script_id, []).append(script.version)
    return found


def _month_before(day: date) -> date:
    whole = day.year * 12 + day.month - 2
    return date(whole // 12, whole % 12 + 1, 1)
