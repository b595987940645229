"""The library, for the staff and for patients.

GET  /library                              all articles, and proposals that nobody has taken up
POST /library                              name, topic, condition, link, sources, title_en, body_en …: a draft
POST /library/proposals/{name}             take a proposal up as a draft
GET  /library/{article_id}                 one version as patients read it, and what can be done with it
POST /library/{article_id}/approve         review_on: a doctor who did not write it
POST /library/{article_id}/review          review_on: a doctor has read it again
POST /library/{article_id}/retire          why
GET  /patients/{patient_id}/library        what the patient was given and has opened
POST /patients/{patient_id}/library        article: give it
GET  /cases/{case_id}/library              the same as a part of the case's page
POST /cases/{case_id}/library              article
GET  /me/library                           what one was given first, then everything else
GET  /me/library/{article_id}              opening it reads it

303 back to the page when it is done; 422 with what was typed and what is wrong with it.
"""

from datetime import date
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.audit import store as audit
from cloud.auth.access import Clinical, Patient, only
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404, takes
from cloud.console.pages import page
from cloud.console.spoken import zone_of
from cloud.contacts import models as people
from cloud.contacts import service as contacts
from cloud.crm.education import service, store
from cloud.crm.education.models import (
    LONGEST_BODY,
    LONGEST_SOURCES,
    LONGEST_TITLE,
    READ_AGAIN_AFTER,
    Article,
    Condition,
    Topic,
)
from cloud.duty import store as duty
from cloud.plans.fields import Refused

router = APIRouter()

Caring = Annotated[Session, Depends(only(CLINICAL | {Role.COORDINATOR}))]
Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]

LIBRARY: Final = "/library"
OF_PATIENT: Final = "/patients/{patient_id}/library"
OF_CASE: Final = "/cases/{case_id}/library"
MINE: Final = "/me/library"
# An article is written in three languages, and an encoded letter of two of them takes up to nine octets.
LARGEST_TEXTS: Final = 98_304


# The library ----------------------------------------------------------------------------------------------------------


@router.get(LIBRARY)
async def library(request: Request, conn: Tx, now: Now, session: Caring) -> Response:
    return await _page(request, conn, session, now)


@router.post(LIBRARY)
@takes(LARGEST_TEXTS)
async def write(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    try:
        article_id = await service.write(conn, session, await form(request), now)
    except Refused as refused:
        return await _page(request, conn, session, now, refused)
    return _see(f"{LIBRARY}/{article_id}")


@router.post(f"{LIBRARY}/proposals/{{name}}")
async def take_up(name: str, conn: Tx, now: Now, session: Clinical) -> Response:
    article_id = found_or_404(await service.take_up(conn, session, name, now))
    return _see(f"{LIBRARY}/{article_id}")


@router.get(f"{LIBRARY}/{{article_id}}")
async def article(request: Request, article_id: UUID, conn: Tx, now: Now, session: Caring) -> Response:
    return await _article_page(request, conn, session, now, article_id)


@router.post(f"{LIBRARY}/{{article_id}}/approve")
async def approve(request: Request, article_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    try:
        known = await service.approve(conn, session, article_id, await form(request), await _today(conn, now), now)
    except Refused as refused:
        return await _article_page(request, conn, session, now, article_id, refused)
    return _done(article_id, known)


@router.post(f"{LIBRARY}/{{article_id}}/review")
async def look_again(request: Request, article_id: UUID, conn: Tx, now: Now, session: Doctor) -> Response:
    try:
        today = await _today(conn, now)
        known = await service.look_again(conn, session, article_id, await form(request), today, now)
    except Refused as refused:
        return await _article_page(request, conn, session, now, article_id, refused)
    return _done(article_id, known)


@router.post(f"{LIBRARY}/{{article_id}}/retire")
async def retire(request: Request, article_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    try:
        known = await service.retire(conn, session, article_id, await form(request), now)
    except Refused as refused:
        return await _article_page(request, conn, session, now, article_id, refused)
    return _done(article_id, known)


async def _page(
    request: Request, conn: Connection, session: Session, now: Now, refused: Refused | None = None
) -> Response:
    found = await service.articles(conn, session, now)
    return page(
        request,
        "library.html",
        articles=found,
        proposals=service.untaken(found),
        today=await _today(conn, now),
        may_write=session.role in CLINICAL,
        refused=refused,
        reader=session.language or "en",
        **form_facts(),
    )


async def _today(conn: Connection, now: Now) -> date:
    """On the clinic's calendar."""
    return now.astimezone(zone_of(await duty.site_zone(conn))).date()


async def _article_page(
    request: Request, conn: Connection, session: Session, now: Now, article_id: UUID, refused: Refused | None = None
) -> Response:
    found = found_or_404(await store.article(conn, article_id))
    today = await _today(conn, now)
    return page(
        request,
        "article.html",
        article=found,
        versions=await store.versions(conn, found.name),
        zone=await duty.site_zone(conn),
        read_again=today + READ_AGAIN_AFTER,
        may_write=session.role in CLINICAL,
        may_approve=session.role is Role.DOCTOR,
        is_own=found.author_id == session.account_id,
        refused=refused,
        reader=session.language or "en",
        **form_facts(),
    )


def form_facts() -> dict[str, Any]:
    """What the form of an article needs."""
    return {
        "topics": tuple(Topic),
        "conditions": tuple(Condition),
        "longest": {"title": LONGEST_TITLE, "body": LONGEST_BODY, "sources": LONGEST_SOURCES},
    }


# Giving ---------------------------------------------------------------------------------------------------------------


@router.get(OF_PATIENT)
async def of_patient(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _patient_page(request, conn, session, await _found(conn, session, patient_id), now)


@router.post(OF_PATIENT)
async def give(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = await _found(conn, session, patient_id)
    try:
        await service.give(conn, session, patient_id, await form(request), now)
    except Refused as refused:
        return await _patient_page(request, conn, session, of, now, refused)
    return _see(f"/patients/{patient_id}/library")


@router.get(OF_CASE)
async def of_case(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    patient_id = found_or_404(await store.patient_of_case(conn, case_id))
    return page(
        request,
        "case_library.html",
        case_id=case_id,
        **await _giving(conn, session, await _found(conn, session, patient_id), now),
    )


@router.post(OF_CASE)
async def give_in_case(request: Request, case_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    patient_id = found_or_404(await store.patient_of_case(conn, case_id))
    of = await _found(conn, session, patient_id)
    try:
        await service.give(conn, session, patient_id, await form(request), now, case_id)
    except Refused as refused:
        return await _patient_page(request, conn, session, of, now, refused)
    return _see(f"/cases/{case_id}#to-read")


async def _patient_page(
    request: Request, conn: Connection, session: Session, of: people.Patient, now: Now, refused: Refused | None = None
) -> Response:
    return page(request, "patient_library.html", refused=refused, **await _giving(conn, session, of, now))


async def _giving(conn: Connection, session: Session, of: people.Patient, now: Now) -> dict[str, Any]:
    return {
        "patient": of,
        "given": await service.given(conn, session, of.patient_id, now),
        "choices": await store.in_force(conn),
        "reader": session.language or "en",
        "now": now,
    }


# The patient ----------------------------------------------------------------------------------------------------------


@router.get(MINE)
async def mine(request: Request, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id = found_or_404(session.patient_id)
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="own_library.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
    return page(
        request,
        "my_library.html",
        given=await store.given(conn, patient_id),
        topics=_by_topic(await store.in_force(conn)),
        zone=await audit.zone_of(conn, patient_id),
        reader=session.language or "en",
    )


@router.get(f"{MINE}/{{article_id}}")
async def read(request: Request, article_id: UUID, conn: Tx, now: Now, session: Patient) -> Response:
    patient_id = found_or_404(session.patient_id)
    found = found_or_404(await service.opened(conn, session, patient_id, article_id, now))
    zone = await audit.zone_of(conn, patient_id)
    return page(request, "my_article.html", article=found, zone=zone, reader=session.language or "en")


def _by_topic(found: list[Article]) -> list[tuple[Topic, list[Article]]]:
    """Those that have articles, in the order of the topics."""
    by = {topic: [one for one in found if one.topic is topic] for topic in Topic}
    return [(topic, articles) for topic, articles in by.items() if articles]


async def _found(conn: Connection, session: Session, patient_id: UUID) -> people.Patient:
    return found_or_404(await contacts.patient(conn, session, patient_id))


def _done(article_id: UUID, known: bool) -> Response:
    if not known:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _see(f"{LIBRARY}/{article_id}")


def _see(path: str) -> Response:
    return RedirectResponse(path, status.HTTP_303_SEE_OTHER)
