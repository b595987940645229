"""GET /live and /live/technical: server-sent events for one signed-in person.

``worklist``  first of all, for clinical roles: all rows of the worklist as HTML; id = the newest case event
``case``      a case was opened or changed: its row as HTML (``data-open="false"``: it does not belong to this list, or
              no more: take it out); id = the case event
``reading``   JSON {"reading_id", "patient_id", "kind"}
``messages``  "new": the other side wrote; "changed": one was sent, opened or settled; never what it says
``our_side``  for clinical roles, first and at each change: HTML of what our own side cannot do now; empty: all is well
``page``      the person was paged, or a page of theirs was called off: POST /me/pages tells which
``call``      the person's telephone rings or has stopped: GET /me/calls tells who
``technical`` of /live/technical, first of all and at each change: the technical queue as HTML
``beat``      right after the subscription and then every 3 s; no event for 8 s means: not receiving
``signed_out`` the session has ended, or nobody is signed in; nothing follows

With ``?patient_id=`` only what concerns that patient, else ``?show=`` says which worklist it is for. A stream that
comes back starts with the whole truth again, so a lost event is never missed; Last-Event-ID decides nothing, since an
event's id is taken before its transaction commits.
503 while we do not hear from the database ourselves; 404 for a role that has nothing to see here, and for a patient
whom the person may not see.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from cloud.auth.access import Anyone
from cloud.console.edge import Tx
from cloud.live.hub import Hub
from cloud.live.service import CareViewer, TechnicalViewer, Viewer
from cloud.live.stream import events
from cloud.worklist.models import Show

router = APIRouter()


@router.get("/live")
async def live(
    request: Request,
    conn: Tx,
    session: Anyone,
    patient_id: Annotated[UUID | None, Query()] = None,
    show: Annotated[Show, Query()] = Show.OPEN,
) -> Response:
    state = request.app.state
    viewer = CareViewer(state.pool, state.now, session, patient_id, show)
    if viewer.sees_anything and not await viewer.may_open(conn):
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return _stream(request, viewer)


@router.get("/live/technical")
async def live_technical(request: Request, session: Anyone) -> Response:
    state = request.app.state
    return _stream(request, TechnicalViewer(state.pool, state.now, session))


def _stream(request: Request, viewer: Viewer) -> Response:
    hub: Hub = request.app.state.hub
    if not viewer.sees_anything:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    if not hub.is_listening:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE)
    return StreamingResponse(events(hub, viewer), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
