"""GET /gateways?q=&page= and /gateways/{gateway_id}."""

from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, Request, Response, status

from cloud.auth.access import Technical
from cloud.console.edge import Now, Tx
from cloud.console.pages import page
from cloud.gateways import store
from cloud.technical import store as technical
from cloud.technical.views import may

router = APIRouter()

A_PAGE: Final = 50
LONGEST_SEARCH: Final = 64  # no gateway's id is longer
LAST_PAGE: Final = 100_000


@router.get("/gateways")
async def gateways(
    request: Request,
    conn: Tx,
    now: Now,
    _session: Technical,
    q: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=LAST_PAGE)] = 1,
) -> Response:
    search = q.replace("\0", "").strip()[:LONGEST_SEARCH]
    found = await store.gateways(conn, search, A_PAGE, (number - 1) * A_PAGE)
    return page(
        request,
        "gateways.html",
        found=found,
        search=search,
        number=number,
        page_length=A_PAGE,
        first=(number - 1) * A_PAGE + 1,
        now=now,
    )


@router.get("/gateways/{gateway_id}")
async def gateway(request: Request, gateway_id: str, conn: Tx, now: Now, session: Technical) -> Response:
    found = None if "\0" in gateway_id else await store.gateway(conn, gateway_id)
    if found is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND)
    return page(
        request,
        "gateway.html",
        gateway=found,
        certificates=await store.certificates(conn, gateway_id),
        devices=await store.devices(conn, gateway_id),
        alarms=await technical.open_alarms_of(conn, gateway_id),
        may_acknowledge=may(session),
        now=now,
    )
