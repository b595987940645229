"""How somebody reads the console.

GET  /me/settings   the units in which figures are shown, with an example
POST /me/settings   glucose, pressure: UCUM codes, "device" or nothing; 303 when done, 422 for what is none of these
"""

from decimal import Decimal

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.responses import RedirectResponse

from cloud.auth import store
from cloud.auth.access import Anyone, signed_in
from cloud.console.edge import Tx, form
from cloud.console.pages import page
from cloud.plans.fields import Refused
from cloud.preferences import entries
from cloud.preferences.models import GLUCOSE, PRESSURE

router = APIRouter()

HERE = "/me/settings"
# What the page shows of the choice: figures that nobody would worry about.
EXAMPLES = {"glucose": ((Decimal(108), "mg/dL"), (Decimal("6.0"), "mmol/L")), "pressure": (Decimal(120), Decimal(75))}


@router.get(HERE, dependencies=[Depends(signed_in)])
async def settings(request: Request) -> Response:
    return _page(request)


@router.post(HERE)
async def choose(request: Request, conn: Tx, session: Anyone) -> Response:
    try:
        chosen = entries.choice(await form(request))
    except Refused:
        return _page(request, is_refused=True)
    await store.choose_units(conn, session.account_id, chosen.glucose, chosen.pressure)
    return RedirectResponse(f"{HERE}?done=1", status.HTTP_303_SEE_OTHER)


def _page(request: Request, *, is_refused: bool = False) -> Response:
    return page(
        request,
        "settings.html",
        status_code=status.HTTP_422_UNPROCESSABLE_CONTENT if is_refused else status.HTTP_200_OK,
        glucose_units=GLUCOSE,
        pressure_units=PRESSURE,
        examples=EXAMPLES,
        is_refused=is_refused,
        is_done=request.query_params.get("done") == "1" and not is_refused,
    )
