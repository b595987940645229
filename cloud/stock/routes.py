"""The stock of devices, and what one patient has of it.

GET /stock?q=&state=&lease=&page=              what there is; a scanner types into q and presses Enter
POST /stock                                    one more device
GET /stock/{item_id}
POST /stock/{item_id}/{take-back|wipe|lose|find|retire|lease}
GET /patients/{patient_id}/devices             what the patient has
POST /patients/{patient_id}/devices            hand one out

Whoever keeps stock sees devices; who has them, only whoever cares for the patient. 303 back to the page when it is
done; 422 with the page and what is wrong, when it is not.
"""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth.access import only
from cloud.auth.models import NURSING, SUPPORTING, Role, Session
from cloud.console.edge import Connection, Now, Tx, form, found_or_404
from cloud.console.pages import page
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.stock import service
from cloud.stock.makes import makes
from cloud.stock.models import OWNERS, Filter, Patient
from cloud.stock.states import Act, NotPossible, State

router = APIRouter()

HANDING: Final = NURSING | {Role.COORDINATOR}
KEEPING: Final = HANDING | SUPPORTING
Handing = Annotated[Session, Depends(only(HANDING))]
Keeping = Annotated[Session, Depends(only(KEEPING))]

A_PAGE: Final = 50
LONGEST_SEARCH: Final = 200
LAST_PAGE: Final = 100_000


@router.get("/stock")
async def stock(
    request: Request,
    conn: Tx,
    now: Now,
    session: Keeping,
    q: str = "",
    state: str = "",
    lease: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    typed = q.replace("\0", "").strip()[:LONGEST_SEARCH]
    wanted = Filter(
        text=typed, state=state if state in set(State) else "", lease=lease if lease in ("soon", "over") else ""
    )
    new: Form = {}
    refused: Refused | None = None
    if typed and not (wanted.state or wanted.lease):
        try:
            found, new = await service.scanned(conn, session, typed)
            if len(found) == 1:
                return RedirectResponse(f"/stock/{found[0].item_id}", status.HTTP_303_SEE_OTHER)
        except Refused as error:
            refused = error
    return await _stock(request, conn, session, now, wanted, number, new=new, refused=refused)


@router.post("/stock")
async def add(request: Request, conn: Tx, now: Now, session: Keeping) -> Response:
    typed = await form(request)
    try:
        item_id = await service.add(conn, session, typed, now)
    except Refused as refused:
        return await _stock(request, conn, session, now, Filter(), 1, refused=refused)
    return RedirectResponse(f"/stock/{item_id}", status.HTTP_303_SEE_OTHER)


@router.get("/stock/{item_id}")
async def item(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return await _item(request, item_id, conn, now, session)


@router.post("/stock/{item_id}/lease")
async def lease(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    try:
        await service.prolong(conn, session, item_id, await form(request), now)
    except LookupError:
        raise HTTPException(status.HTTP_404_NOT_FOUND) from None
    except Refused as refused:
        return await _item(request, item_id, conn, now, session, refused)
    return RedirectResponse(f"/stock/{item_id}", status.HTTP_303_SEE_OTHER)


@router.post("/stock/{item_id}/take-back")
async def take_back(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return await _done(request, item_id, conn, now, session, Act.TAKE_BACK)


@router.post("/stock/{item_id}/wipe")
async def wipe(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return await _done(request, item_id, conn, now, session, Act.WIPE)


@router.post("/stock/{item_id}/lose")
async def lose(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return await _done(request, item_id, conn, now, session, Act.LOSE)


@router.post("/stock/{item_id}/find")
async def find(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return await _done(request, item_id, conn, now, session, Act.FIND)


@router.post("/stock/{item_id}/retire")
async def retire(request: Request, item_id: UUID, conn: Tx, now: Now, session: Keeping) -> Response:
    return await _done(request, item_id, conn, now, session, Act.RETIRE)


@router.get("/patients/{patient_id}/devices")
async def devices(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Handing, q: str = "") -> Response:
    of = await _patient(conn, session, patient_id)
    return await _devices(request, conn, session, of, now, chosen=q)


@router.post("/patients/{patient_id}/devices")
async def hand_out(request: Request, patient_id: UUID, conn: Tx, now: Now, session: Handing) -> Response:
    """``item_id``, or what was scanned in ``scan``."""
    of = await _patient(conn, session, patient_id)
    typed = await form(request)
    try:
        await service.hand_out(conn, session, of, await _meant(conn, session, typed), typed, now)
    except Refused as refused:
        return await _devices(request, conn, session, of, now, refused=refused)
    except LookupError:
        wrong = Refused("hand_out", {"item_id": Refusal("unknown_device")}, typed)
        return await _devices(request, conn, session, of, now, refused=wrong)
    except NotPossible as error:
        wrong = Refused("hand_out", {"scan": Refusal(f"is_{error.state.value}")}, typed)
        return await _devices(request, conn, session, of, now, refused=wrong)
    return RedirectResponse(f"/patients/{patient_id}/devices", status.HTTP_303_SEE_OTHER)


async def _meant(conn: Connection, session: Session, typed: Form) -> UUID:
    """The device that was chosen or scanned. Refused."""
    scan = typed.get("scan", "").strip()
    if not scan:
        item_id = fields.id_of(typed.get("item_id", ""))
        if item_id is None:
            raise Refused("hand_out", {"scan": Refusal("choose")}, typed)
        return item_id
    try:
        found, _ = await service.scanned(conn, session, scan[:LONGEST_SEARCH])
    except Refused as error:
        raise Refused("hand_out", error.refusals, typed) from None
    if len(found) != 1:
        raise Refused("hand_out", {"scan": Refusal("unknown_device" if not found else "several_devices")}, typed)
    return found[0].item_id


async def _done(
    request: Request, item_id: UUID, conn: Connection, now: datetime, session: Session, act: Act
) -> Response:
    try:
        await service.do(conn, session, item_id, act, await form(request), now)
    except LookupError:
        raise HTTPException(status.HTTP_404_NOT_FOUND) from None
    except NotPossible:  # somebody else was faster, or the page is old: it shows what may be done now
        pass
    except Refused as refused:
        return await _item(request, item_id, conn, now, session, refused)
    return RedirectResponse(f"/stock/{item_id}", status.HTTP_303_SEE_OTHER)


async def _stock(
    request: Request,
    conn: Connection,
    session: Session,
    now: datetime,
    wanted: Filter,
    number: int,
    *,
    new: Form | None = None,
    refused: Refused | None = None,
) -> Response:
    found = await service.overview(conn, session, wanted, now, A_PAGE, (number - 1) * A_PAGE)
    return page(
        request,
        "stock.html",
        found=found,
        wanted=wanted,
        new=new or {},
        makes=list(makes().values()),
        owners=OWNERS,
        states=list(State),
        number=number,
        page_length=A_PAGE,
        first=(number - 1) * A_PAGE + 1,
        refused=refused,
        today=now.date(),
        now=now,
    )


async def _item(
    request: Request,
    item_id: UUID,
    conn: Connection,
    now: datetime,
    session: Session,
    refused: Refused | None = None,
) -> Response:
    found = await service.item(conn, session, item_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    one, events = found
    return page(
        request,
        "stock_item.html",
        item=one,
        events=events,
        make=makes().get(one.profile or ""),
        refused=refused,
        today=now.date(),
        now=now,
        may_hand_out=session.role in HANDING,
    )


async def _devices(
    request: Request,
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    *,
    chosen: str = "",
    refused: Refused | None = None,
) -> Response:
    return page(
        request,
        "patient_stock.html",
        patient=of,
        holdings=await service.holdings(conn, of.patient_id),
        free=await service.free_items(conn, session),
        chosen=chosen,
        refused=refused,
        today=now.date(),
        now=now,
    )


async def _patient(conn: Connection, session: Session, patient_id: UUID) -> Patient:
    return found_or_404(await service.patient(conn, session, patient_id))
