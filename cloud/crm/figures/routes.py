"""Figures of the centre, for lead nurses and administrators.

GET /figures?since=2026-08&until=2026-10          whole months of the site's calendar, both included
GET /figures.csv, GET /figures.parquet            the same as a file, without names
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from cloud.auth.access import only
from cloud.auth.models import Session
from cloud.console.edge import Connection, Now, Tx
from cloud.console.pages import page
from cloud.crm.figures import service
from cloud.crm.figures.models import LEADING

router = APIRouter()

Leading = Annotated[Session, Depends(only(LEADING))]
Text = Annotated[str, Query(max_length=20)]


@router.get("/figures")
async def figures(
    request: Request, conn: Tx, now: Now, session: Leading, since: Text = "", until: Text = ""
) -> Response:
    of = await service.period(conn, since, until, now)
    newest = await service.period(conn, "", "", now)
    return page(
        request, "figures.html", figures=await service.read(conn, session, of, now), newest=newest.last, now=now
    )


@router.get("/figures.csv")
async def as_csv(conn: Tx, now: Now, session: Leading, since: Text = "", until: Text = "") -> Response:
    return await _file(conn, now, session, (since, until), "csv", "text/csv")


@router.get("/figures.parquet")
async def as_parquet(conn: Tx, now: Now, session: Leading, since: Text = "", until: Text = "") -> Response:
    return await _file(conn, now, session, (since, until), "parquet", "application/vnd.apache.parquet")


async def _file(
    conn: Connection, now: Now, session: Session, asked: tuple[str, str], form: str, media_type: str
) -> Response:
    of = await service.period(conn, *asked, now)
    octets = await service.exported(conn, session, of, form, now)
    name = f"pulsepost-figures-{of.first:%Y-%m}-{of.last:%Y-%m}.{form}"
    return Response(octets, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
