"""Makes a document: reads what it is made of, fills the wording in force, draws it, and keeps the octets.

Octets are kept rather than made again: fonts, the drawing library and translations change with each release, and a
patient must be shown what they were given. DECISIONS has the reasons.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from alerting.windows import DAY_STARTS
from cloud.auth.models import Session
from cloud.consent import documents as consent_texts
from cloud.consent import service as consent
from cloud.console.spoken import Spoken, spoken_in, zone_of
from cloud.crm.documents import store, templates, values
from cloud.crm.documents.entries import Wanted
from cloud.crm.documents.models import Kind, Made, Paper, Patient, Template, Unknown, Values, number
from cloud.crm.documents.paper import draw
from cloud.planning import store as planning
from cloud.plans import rules
from cloud.programmes import service as programmes
from cloud.programmes.models import Shown
from cloud.review import service as review
from cloud.review.figures import day_of
from cloud.review.models import Patient as Reviewed
from cloud.treatment import service as treatment

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """What one document is made with."""

    conn: Connection
    session: Session
    wanted: Wanted
    frame: values.Frame
    spoken: Spoken


async def make(conn: Connection, session: Session, of: Patient | None, wanted: Wanted, now: datetime) -> Made:
    """A document, kept. Unknown: what it cannot be without is not there. FontMissing."""
    zone, phone = await store.zone_and_phone(conn)
    frame = values.Frame(
        clinic=await store.clinic(conn),
        centre_phone=phone,
        patient=of,
        by=session.display_name,
        now=now,
        zone=of.time_zone if of else zone,
    )
    spoken = spoken_in(wanted.language, session.units)
    template = await in_force(conn, wanted.kind)
    own = await _values(_Work(conn=conn, session=session, wanted=wanted, frame=frame, spoken=spoken))
    document_id = uuid4()
    paper = paper_of(template, wanted.language, {**values.common(frame, spoken), **own}, now, document_id)
    octets = await asyncio.to_thread(draw, paper)
    made = Made(
        document_id=document_id,
        patient_id=of.patient_id if of else None,
        template=template,
        language=wanted.language,
        octets=octets,
    )
    await store.add(conn, made, session.account_id, now)
    return made


async def in_force(conn: Connection, kind: Kind) -> Template:
    """The clinic's newest wording that is approved, else the software's. Unknown: the clinic's cannot be used now."""
    for one in await store.versions(conn, kind):
        if one.standing == "approved":
            try:
                return replace(templates.template(kind, one.version, one.texts), template_id=one.template_id)
            except templates.BadTemplate as bad:
                raise Unknown("wording") from bad
    return templates.shipped()[kind]


def paper_of(
    template: Template, language: str, filled_with: Values, made_at: datetime, document_id: UUID | None = None
) -> Paper:
    """A template with its values; without an id it is a draft, and says so on each page."""
    spoken = spoken_in(language)
    wording = template.wordings[language]
    origin = (
        spoken.words.gettext("the clinic’s wording {version}")
        if template.is_own
        else spoken.words.gettext("wording {version} of Pulsepost")
    )
    foot = [wording.title, origin.format(version=template.version), number(document_id) if document_id else ""]
    return Paper(
        title=wording.title,
        language=spoken.words.facts.tag,
        blocks=templates.filled(wording.parts, filled_with),
        foot=" · ".join(filter(None, foot)),
        made_at=made_at,
        is_draft=document_id is None,
        draft_word=spoken.words.gettext("A preview with the names of its fields: not to be handed out."),
    )


async def preview(template: Template, language: str, now: datetime) -> bytes:
    """A wording as it would look, with the names of its fields in their places. FontMissing."""
    paper = paper_of(template, language, values.names(template.kind), now)
    return await asyncio.to_thread(draw, paper)


async def _values(work: _Work) -> Values:
    match work.wanted.kind:
        case Kind.CONSENT:
            return await _consent(work, _patient(work))
        case Kind.HAND_OVER:
            of = _patient(work)
            held = await store.devices(work.conn, of.patient_id)
            return values.hand_over(held, work.wanted.typed, of.time_zone, work.spoken)
        case Kind.REPORT:
            return await _report(work, _patient(work))
        case Kind.PRIVACY:
            if work.frame.clinic.lacks:
                raise Unknown("clinic")
            return values.privacy(work.frame.clinic, work.spoken)
        case Kind.SOP_PROGRAMME:
            return values.programmes(await _programmes(work), work.spoken)
        case Kind.SOP_ESCALATION:
            return values.deadlines(await _programmes(work), work.spoken)
        case Kind.SOP_ROLES:
            return values.roles(work.spoken)


async def _programmes(work: _Work) -> list[Shown]:
    """Those of patients who are real."""
    found = await programmes.programmes(work.conn, work.frame.now)
    return [one for one in found if one.row.programme_id != rules.TRAINING]


def _patient(work: _Work) -> Patient:
    if work.frame.patient is None:
        raise ValueError(work.wanted.kind)  # the entries ask of the centre only for what is about nobody
    return work.frame.patient


async def _consent(work: _Work, of: Patient) -> Values:
    """The text that was agreed to, while that holds; else the one in use, which is there to be signed."""
    own = await consent.own(work.conn, of.patient_id, work.wanted.language)
    decided = own.newest
    if decided is None or not own.holds or (work.wanted.in_use and own.has_newer_text):
        return values.consent(own.text, None, of.time_zone, work.spoken)
    agreed = consent_texts.one(decided.text_id, decided.version, decided.language)
    if agreed is None or agreed.sha256 != await store.text_sha256(work.conn, decided.consent_id):
        raise Unknown("consent_text")
    text = consent_texts.one(decided.text_id, decided.version, work.wanted.language)
    if text is None:
        raise Unknown("consent_text")
    return values.consent(text, decided, of.time_zone, work.spoken)


async def _report(work: _Work, of: Patient) -> Values:
    conn, (first, last) = work.conn, work.wanted.period or (work.frame.today, work.frame.today)
    # At three in the morning the patient's day before goes on, and there is nothing of this one.
    last = min(last, day_of(work.frame.now, zone_of(of.time_zone)))
    until = min(work.frame.now, _end(last, of.time_zone))
    since = _moment(first, of.time_zone)
    reviewed = Reviewed(
        patient_id=of.patient_id, display_name=of.display_name, birth_date=of.birth_date, time_zone=of.time_zone
    )
    shown = await review.review(conn, reviewed, work.frame.now, until=until, days=(last - first).days + 1)
    membership = await planning.membership(conn, of.patient_id, until)
    programme = await planning.programme(conn, membership.programme_id)
    taken = (await treatment.treatment(conn, of.patient_id, of.time_zone, until)).now
    watched = values.Watched(
        first=first,
        last=last,
        programme=programme.display_name,
        slots=[
            one for one in await planning.slots(conn, of.patient_id, until) if one.since is None or one.since <= until
        ],
        pauses=[
            one for one in await planning.pauses(conn, of.patient_id, since) if one.since is None or one.since < until
        ],
        limits=shown.limits,
        changes=_within(await treatment.changes_since(conn, of.patient_id, first), last),
        medication=[one for one in taken if one.since is None or one.since <= last],
    )
    page = await review.content(conn, work.session, shown, work.spoken)
    return values.report(page, watched, of.time_zone, work.spoken)


def _within(changes: Sequence[Any], last: date) -> list[Any]:
    return [one for one in changes if one.changed_on <= last]


def _moment(day: date, zone: str) -> datetime:
    """Its first one, on the patient's clock."""
    return datetime.combine(day, time(), tzinfo=zone_of(zone)).astimezone(UTC)


def _end(day: date, zone: str) -> datetime:
    """The last moment of the patient's day: what is measured in the night after it belongs to its evening.

    A moment later the review would be of the next day, in which there is nothing.
    """
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone_of(zone))
    return (midnight + DAY_STARTS - datetime.resolution).astimezone(UTC)
