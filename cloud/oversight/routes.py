"""The audit, for those who watch over it, and a patient's answer to "who looked at my data?".

GET /audit?person=&patient=&action=&since=&until=&after=  newest first, a page at a time; auditors and administrators
GET /audit.csv                                            the same rows as a file, at most service.MOST_EXPORTED
GET /me/access?after=                                     what others did with the patient's own data

``person`` and ``patient`` are ids, ``since`` and ``until`` days in UTC, both included, ``after`` the audit_id of
the last row that was seen. 422 with what is wrong where a field cannot be read.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status

from cloud.audit.models import LOOKS
from cloud.auth.access import Patient, only
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx
from cloud.console.pages import page
from cloud.oversight import service
from cloud.oversight.models import OVERSEEING, Asked

router = APIRouter()

LARGEST_ID: Final = 2**63 - 1

Overseeing = Annotated[Session, Depends(only(OVERSEEING))]
Text = Annotated[str, Query(max_length=100)]
After = Annotated[int, Query(ge=0, le=LARGEST_ID)]


def asked(person: Text = "", patient: Text = "", action: Text = "", since: Text = "", until: Text = "") -> Asked:
    """What was typed, without what no database takes."""
    typed = (text.replace("\0", "").strip() for text in (person, patient, action, since, until))
    return Asked(*typed)


Filter = Annotated[Asked, Depends(asked)]


@router.get("/audit")
async def audit(
    request: Request, conn: Tx, now: Now, session: Overseeing, filter_: Filter, after: After = 0
) -> Response:
    try:
        found = await service.looked_up(conn, session, filter_, after, now)
    except service.Refused as refused:
        return await _page(request, conn, filter_, refused=refused.fields)
    return await _page(request, conn, filter_, entries=found.entries, older=found.older)


@router.get("/audit.csv")
async def export(request: Request, conn: Tx, now: Now, session: Overseeing, filter_: Filter) -> Response:
    try:
        text = await service.exported(conn, session, filter_, now)
    except service.Refused as refused:
        return await _page(request, conn, filter_, refused=refused.fields)
    name = f"pulsepost-audit-{now:%Y%m%dT%H%M%SZ}.csv"
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.get("/me/access")
async def access(request: Request, conn: Tx, now: Now, session: Patient, after: After = 0) -> Response:
    if session.patient_id is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    found = await service.who_looked(conn, session, session.patient_id, after, now)
    return page(
        request,
        "access.html",
        entries=found.entries,
        older=f"/me/access?after={found.older}" if found.older else None,
        zone=await service.zone_of(conn, session.patient_id),
        is_first=not after,
    )


async def _page(
    request: Request,
    conn: Connection,
    filter_: Asked,
    *,
    entries: Any = (),
    older: int | None = None,
    refused: Mapping[str, str] | None = None,
) -> Response:
    typed = {name: text for name, text in filter_.typed().items() if text}
    return page(
        request,
        "audit.html",
        asked=filter_,
        entries=entries,
        refused=refused or {},
        people=await service.people(conn),
        looks=LOOKS,
        older=f"/audit?{urlencode({**typed, 'after': older})}" if older else None,
        export=f"/audit.csv?{urlencode(typed)}" if typed else "/audit.csv",
        of_patient=lambda patient_id: f"/audit?{urlencode({'patient': patient_id})}",
    )
