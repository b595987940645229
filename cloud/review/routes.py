"""The doctor's page of one patient.

GET /patients/{patient_id}/review              is there enough to act on, figures, charts
POST /patients/{patient_id}/review             the same, with both sides of a change that the form names
GET /patients/{patient_id}/review/report.pdf   one page to print or to send, in the reader's language

What is compared is asked for with a form: an address holds nothing of a patient but an id.
"""

import logging
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response, status

from cloud.auth.access import Clinical
from cloud.auth.models import Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.console.spoken import spoken_in
from cloud.plans.fields import Refused
from cloud.review import charts, pressure, service, sheet, versus
from cloud.review.models import LENGTHS, Compared, Patient, PressureFigures, Review
from cloud.review.report import FontMissing
from cloud.worklist import store as worklist

log = logging.getLogger(__name__)

router = APIRouter(prefix="/patients/{patient_id}/review")


@router.get("")
async def review(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record(conn, session, found, now, "review.read")
    return await _page(request, conn, session, await service.review(conn, found, now))


@router.post("")
async def compare(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    await service.record(conn, session, found, now, "review.read")
    shown = await service.review(conn, found, now)
    typed = await form(request)
    try:
        compared = await service.compared(conn, shown, typed)
    except Refused as refused:
        return await _page(request, conn, session, shown, refused=refused, typed=typed)
    return await _page(request, conn, session, shown, compared=compared, typed=typed)


@router.get("/report.pdf")
async def report(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    found = await _found(conn, session, patient_id)
    try:
        octets = await service.report(conn, session, found, now, spoken_in(session.language, session.units))
    except FontMissing as missing:
        log.error("no report: %s", str(missing))
        code = status.HTTP_503_SERVICE_UNAVAILABLE
        return page(request, "no_report.html", status_code=code, missing=str(missing))
    name = f"report-{patient_id}.pdf"
    return Response(octets, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'})


async def _page(
    request: Request,
    conn: Connection,
    session: Session,
    shown: Review,
    *,
    compared: Compared | None = None,
    refused: Refused | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    spoken = spoken_in(session.language, session.units)
    context: dict[str, Any] = {
        "review": shown,
        "patient": shown.patient,
        "parts": sheet.parts(shown, spoken),
        "charts": [charts.charts(one, shown, spoken) for one in shown.figures],
        "box": charts,
        "sessions": [
            pressure.session_table(one, shown.patient.time_zone, spoken)
            for one in shown.figures
            if isinstance(one, PressureFigures)
        ],
        "mixed": len(shown.figures) > len({type(one) for one in shown.figures}),
        "cases": await worklist.open_cases_of(conn, session.account_id, shown.patient.patient_id),
        "changes": await service.changes(conn, shown),
        "lengths": LENGTHS,
        "typed": typed or {},
        "asked": typed is not None and refused is None,
        "compared": versus.versus(compared, spoken) if compared else [],
        "refused": refused,
        "may_try": session.role in (Role.DOCTOR, Role.LEAD_NURSE),
        "now": shown.at,
    }
    return page(request, "review.html", **context)


async def _found(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
