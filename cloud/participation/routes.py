"""What the care team is told of an end.

POST /patients/{patient_id}/participation/notice   somebody has taken notice that nobody watches any longer
"""

from uuid import UUID

from fastapi import APIRouter, HTTPException, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import Clinical
from cloud.auth.store import in_care_team
from cloud.console.edge import Now, Tx, form_field, own_path
from cloud.participation import service

router = APIRouter()


@router.post("/patients/{patient_id}/participation/notice")
async def notice(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Clinical) -> Response:
    if not await in_care_team(conn, session.account_id, patient_id):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    # Two who take notice at once: both know.
    await service.take_notice(conn, session, patient_id, now)
    return RedirectResponse(own_path(await form_field(request, "back")), status.HTTP_303_SEE_OTHER)
