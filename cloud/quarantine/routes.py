"""GET /quarantine?gateway_id= and /quarantine/{quarantine_id}."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query, Request, Response, status

from cloud.audit import store as audit
from cloud.auth.access import Technical
from cloud.console.edge import Now, Tx
from cloud.console.pages import page
from cloud.quarantine import service, store

router = APIRouter()


@router.get("/quarantine")
async def quarantine(
    request: Request, conn: Tx, now: Now, _session: Technical, gateway_id: Annotated[str | None, Query()] = None
) -> Response:
    of = gateway_id.replace("\0", "") if gateway_id else None
    items = await store.open_items(conn, of)
    return page(request, "quarantine.html", items=items, count=await store.count_open(conn, of), gateway_id=of, now=now)


@router.get("/quarantine/{quarantine_id}")
async def item(request: Request, quarantine_id: UUID, conn: Tx, now: Now, session: Technical) -> Response:
    found = await store.item(conn, quarantine_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="quarantine.read",
        subject=f"quarantine:{quarantine_id}",
    )
    return page(request, "quarantine_item.html", item=found, readable=service.readable(found.payload), now=now)
