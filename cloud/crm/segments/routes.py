"""Segments of one's own patients, and the strata that they make.

GET  /segments                              those that one may use, with counts; the strata in force
GET  /segments/new?of=                      the form; of: of which segment it begins as a copy
GET  /segments/{segment_id}/edit            the form of the next version
POST /segments/form                         do: add, remove-0, count or save; all that was typed comes back
GET  /segments/{segment_id}?page=           whom it finds, and why
GET  /segments/{segment_id}/people.csv      the same as a file, for lead nurses and doctors
POST /segments/{segment_id}/invite          to: events/… or groups/…, all whom it finds
POST /segments/{segment_id}/retire
POST /strata                                stratum_0, segment_0 and so on: the next set, a proposal
GET  /strata/{stratum}?page=                whom the set in force puts there, and why
POST /strata/{set_no}/sign                  a doctor who did not write it
POST /patients/{patient_id}/tags            tag
POST /patients/{patient_id}/tags/{tag_id}/remove
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Clinical, only
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.contacts import service as contacts
from cloud.crm.segments import entries, service
from cloud.crm.segments.models import (
    EXPORTING,
    MOST_CONDITIONS,
    MOST_STRATA,
    PROPOSING,
    SHOWN,
    Counted,
    Kind,
    Segment,
    Stratum,
)
from cloud.crm.segments.vocabulary import FIELDS
from cloud.duty import store as duty
from cloud.plans import fields
from cloud.plans.fields import Form, Refused

router = APIRouter()

Exporting = Annotated[Session, Depends(only(EXPORTING))]
Proposing = Annotated[Session, Depends(only(PROPOSING))]
Doctor = Annotated[Session, Depends(only(frozenset({Role.DOCTOR})))]

_REMOVE: Final = re.compile(r"remove-([0-7])")


@router.get("/segments")
async def segments(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    return await _list(request, conn, session, now)


@router.get("/segments/new")
async def new(request: Request, conn: Tx, session: Clinical, of: Annotated[str, Query(max_length=40)] = "") -> Response:
    typed: dict[str, str] = {}
    if of:
        known = await service.versions(conn, session, found_or_404(fields.id_of(of)))
        typed = entries.form_of(found_or_404(known[0] if known else None).conditions)
    return await _form(request, conn, session, typed)


@router.post("/segments/form")
async def build(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    typed = await form(request)
    do = typed.pop("do", "")
    if removed := _REMOVE.fullmatch(do):
        return await _form(request, conn, session, entries.without(typed, int(removed[1])))
    if do == "add":
        return await _form(request, conn, session, entries.with_another(typed, typed.get("kind", "")))
    try:
        if do == "save":
            segment_id = await service.save(conn, session, typed, now)
            return RedirectResponse(f"/segments/{segment_id}", status.HTTP_303_SEE_OTHER)
        return await _form(request, conn, session, typed, counted=await service.preview(conn, session, typed, now))
    except Refused as refused:
        return await _form(request, conn, session, typed, refused)


@router.get("/segments/{segment_id}")
async def people(
    request: Request,
    segment_id: UUID,
    conn: Tx,
    now: Now,
    session: Clinical,
    page_no: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    return await _people(request, conn, session, segment_id, now, page_no)


@router.post("/segments/{segment_id}/invite")
async def invite(request: Request, segment_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    versions = await service.versions(conn, session, segment_id)
    of = found_or_404(versions[0] if versions and versions[0].retired_at is None else None)
    try:
        leads_to = await service.invite(conn, session, of, await form(request), now)
    except Refused as refused:
        return await _people(request, conn, session, segment_id, now, 1, refused)
    return RedirectResponse(leads_to, status.HTTP_303_SEE_OTHER)


@router.get("/segments/{segment_id}/people.csv")
async def export(segment_id: UUID, conn: Tx, now: Now, session: Exporting) -> Response:
    versions = await service.versions(conn, session, segment_id)
    of = found_or_404(versions[0] if versions else None)
    text = await service.exported(conn, session, of, now)
    name = f"pulsepost-segment-{of.segment_id}-{of.version}.csv"
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/segments/{segment_id}/edit")
async def edit(request: Request, segment_id: UUID, conn: Tx, session: Clinical) -> Response:
    versions = await service.versions(conn, session, segment_id)
    of = found_or_404(versions[0] if versions else None)
    if of.owner != session.account_id or of.retired_at is not None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return await _form(request, conn, session, _typed(of))


@router.post("/segments/{segment_id}/retire")
async def retire(segment_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    if not await service.retire(conn, session, segment_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse("/segments", status.HTTP_303_SEE_OTHER)


@router.post("/strata")
async def set_strata(request: Request, conn: Tx, now: Now, session: Proposing) -> Response:
    try:
        await service.set_strata(conn, session, await form(request), now)
    except Refused as refused:
        return await _list(request, conn, session, now, refused)
    return RedirectResponse("/segments#strata", status.HTTP_303_SEE_OTHER)


@router.get("/strata/{stratum}")
async def stratum(
    request: Request,
    stratum: str,
    conn: Tx,
    now: Now,
    session: Clinical,
    page_no: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    of = found_or_404(Stratum(stratum) if stratum in tuple(Stratum) else None)
    strata, counted, many, members = await service.stratum(conn, session, of, now, page_no)
    told = await service.saying(conn, session)
    return page(
        request,
        "stratum.html",
        stratum=of,
        strata=strata,
        counted=counted,
        many=many,
        members=[(one, place.segment, service.why(one, place.segment, told)) for place, one in members],
        told=told,
        page_no=page_no,
        pages=-(-many // SHOWN),
    )


@router.post("/strata/{set_no}/sign")
async def sign(set_no: Annotated[int, Path(ge=1, le=2**62)], conn: Tx, now: Now, session: Doctor) -> Response:
    if not await service.sign_strata(conn, session, set_no, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return RedirectResponse("/segments#strata", status.HTTP_303_SEE_OTHER)


@router.post("/patients/{patient_id}/tags")
async def add_tag(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    of = found_or_404(await contacts.patient(conn, session, patient_id))
    try:
        await service.add_tag(conn, session, patient_id, await form(request), now)
    except Refused as refused:
        return page(request, "tags.html", patient=of, tags=await service.tags(conn, patient_id), refused=refused)
    return _back(patient_id)


@router.post("/patients/{patient_id}/tags/{tag_id}/remove")
async def remove_tag(patient_id: UUID, tag_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found_or_404(await contacts.patient(conn, session, patient_id))
    if not await service.remove_tag(conn, session, patient_id, tag_id, now):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _back(patient_id)


async def _people(
    request: Request,
    conn: Connection,
    session: Session,
    segment_id: UUID,
    now: datetime,
    page_no: int,
    refused: Refused | None = None,
) -> Response:
    versions = await service.versions(conn, session, segment_id)
    of = found_or_404(versions[0] if versions else None)
    counted, members = await service.people(conn, session, of, now, page_no)
    told = await service.saying(conn, session)
    return page(
        request,
        "segment.html",
        segment=of,
        versions=versions,
        counted=counted,
        members=[(one, service.why(one, of, told)) for one in members],
        told=told,
        page_no=page_no,
        pages=-(-counted.many[0] // SHOWN),
        is_own=of.owner == session.account_id,
        may_export=session.role in EXPORTING,
        occasions=await service.occasions(conn, now),
        zone=await duty.site_zone(conn),
        refused=refused,
    )


async def _list(
    request: Request, conn: Connection, session: Session, now: datetime, refused: Refused | None = None
) -> Response:
    found, strata, counted = await service.listed(conn, session, now)
    return page(
        request,
        "segments.html",
        segments=list(zip(found, counted.many, strict=True)),
        counted=counted,
        strata=strata,
        told=await service.saying(conn, session),
        names=tuple(Stratum),
        shared=[one for one in found if one.shared],
        most=min(MOST_STRATA, len(strata.places) + 3),
        may_propose=session.role in PROPOSING,
        may_sign=session.role is Role.DOCTOR and strata.signed_at is None and strata.author_id != session.account_id,
        refused=refused,
    )


async def _form(
    request: Request,
    conn: Connection,
    session: Session,
    typed: Form,
    refused: Refused | None = None,
    counted: Counted | None = None,
) -> Response:
    kinds = entries.typed_kinds(typed)
    context: Mapping[str, Any] = {
        "typed": typed,
        "conditions": kinds,
        "fields": FIELDS,
        "choices": (await service.choices(conn, session)).of,
        "kinds": tuple(Kind),
        "has_room": len(kinds) < MOST_CONDITIONS,
        "counted": counted,
        "refused": refused,
    }
    return page(request, "segment_form.html", **context)


def _typed(of: Segment) -> dict[str, str]:
    """The form of a segment as it stands."""
    return {
        "segment_id": str(of.segment_id),
        "version": str(of.version),
        "name": of.name,
        "description": of.description,
        "shared": "yes" if of.shared else "",
        **entries.form_of(of.conditions),
    }


def _back(patient_id: UUID) -> Response:
    return RedirectResponse(f"/patients/{patient_id}#segments", status.HTTP_303_SEE_OTHER)
