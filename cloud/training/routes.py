"""GET /training: the courses of whoever asks, and what is true of their patients once a course has ended."""

from fastapi import APIRouter, Request, Response

from cloud.audit import store as audit
from cloud.auth.access import Clinical
from cloud.console.edge import Now, Tx
from cloud.console.pages import page
from cloud.training import store

router = APIRouter()


@router.get("/training")
async def training(request: Request, conn: Tx, now: Now, session: Clinical) -> Response:
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="training.read", subject="training:own"
    )
    return page(request, "training.html", courses=await store.courses(conn, session.account_id), now=now)
