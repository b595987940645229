"""A patient's review: what is read for it, and each reading of it with its audit row."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import Spoken
from cloud.planning import store as planning
from cloud.plans import rules
from cloud.plans.fields import Form
from cloud.review import charts, entries, figures, sheet, store
from cloud.review.models import SHOWN_DAYS, Compared, Patient, Review
from cloud.review.report import Content
from cloud.review.report import report as draw
from cloud.treatment import service as treatment
from cloud.treatment.models import TreatmentChange
from cloud.worklist import store as worklist

Connection = AsyncConnection[Any]

# The first day of what is shown begins somewhere in this time.
_MARGIN: Final = timedelta(days=2)


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id)


async def review(
    conn: Connection, of: Patient, now: datetime, *, until: datetime | None = None, days: int = SHOWN_DAYS
) -> Review:
    """The figures of the last weeks, or of so many days until a moment of the past, held against what held then.

    The caller has checked who asks.
    """
    at = until or now
    membership = await planning.membership(conn, of.patient_id, at)
    programme = await planning.programme(conn, membership.programme_id)
    spoke = [
        one.row()
        for one in await planning.limit_versions(conn, of.patient_id)
        if one.set_at <= at and (one.superseded_at is None or one.superseded_at > at)
    ]
    regime = rules.regime(programme.regimes)
    stored = await store.stored(conn, of.patient_id, at - timedelta(days=max(days, SHOWN_DAYS)) - _MARGIN, at)
    return Review(
        patient=of,
        at=at,
        made_at=now,
        days=days,
        today=figures.day_of(at, stored.zone),
        regime=regime,
        limits=rules.own(programme, spoke, membership.heightened_until, at).limits,
        figures=figures.figures_of(stored, regime, at),
    )


async def compared(conn: Connection, of: Review, form: Form) -> Compared | None:
    """Both sides of the change that the form names; None where the time after it has not begun. Refused."""
    change = entries.change(form, of.today)
    since = of.at - (of.today - change.changed_on) - timedelta(days=change.days) - _MARGIN
    stored = await store.stored(conn, of.patient.patient_id, since, of.at)
    return figures.compared(stored, of.regime, change, of.at)


async def changes(conn: Connection, of: Review) -> list[TreatmentChange]:
    """The noted changes of treatment that can be looked at, the newest first."""
    found = await treatment.changes_since(conn, of.patient.patient_id, of.today - entries.LONGEST_AGO)
    return [one for one in reversed(found) if one.changed_on <= of.today]


async def report(conn: Connection, session: Session, of: Patient, now: datetime, spoken: Spoken) -> bytes:
    """The one-page report as PDF. FontMissing. It is drawn in a thread: it takes as long as a hundred pages of ours."""
    said = await content(conn, session, await review(conn, of, now), spoken)
    await record(conn, session, of, now, "review.report")
    return await asyncio.to_thread(draw, said)


async def content(conn: Connection, session: Session, shown: Review, spoken: Spoken) -> Content:
    """What the report says in words; the caller has checked who asks, and writes down that they did."""
    of, words = shown.patient, spoken.words
    open_cases = await worklist.open_cases_of(conn, session.account_id, of.patient_id)
    return Content(
        language=words.facts.tag,
        heading=of.display_name,
        facts=sheet.facts(shown, spoken, session.display_name),
        question=words.gettext("Is there enough data to act?"),
        parts=sheet.parts(shown, spoken),
        charts=[charts.charts(one, shown, spoken)[0] for one in shown.figures],
        nothing=words.gettext("No, there is nothing to judge: no reading in the last 13 weeks."),
        limits_heading=words.gettext("Alarm limits in force"),
        limits=sheet.limits(shown, spoken),
        left_out=words.gettext("There is no room for the limits here: they are on the page of the plan."),
        cases_heading=words.gettext("Open cases"),
        cases=sheet.cases(open_cases, of.time_zone, spoken) or [words.gettext("No open cases.")],
        foot=words.gettext("Figures of readings taken at home. No figure here is a diagnosis."),
    )


async def record(conn: Connection, session: Session, of: Patient, now: datetime, action: str) -> None:
    """Somebody read the review, or took its report."""
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action=action,
        subject=f"patient:{of.patient_id}",
        patient_id=of.patient_id,
    )
