"""The console as an ASGI application, put together; and serving it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import cache
from socket import socket
from typing import Any, Final

import psycopg
import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from cloud import clock, faults
from cloud.accounts.routes import router as accounts
from cloud.admission.routes import router as admission
from cloud.auth import cookies
from cloud.auth.access import SecondFactorNeeded, SignInNeeded
from cloud.auth.own_routes import SECOND_FACTOR
from cloud.auth.own_routes import router as own
from cloud.auth.routes import SIGN_INS_AT_ONCE
from cloud.auth.routes import router as auth
from cloud.break_glass.routes import notices
from cloud.break_glass.routes import router as break_glass
from cloud.centre.routes import router as centre
from cloud.config import ConsoleSettings
from cloud.consent.routes import router as consent
from cloud.console import assets
from cloud.console.edge import LINKS_AT_ONCE, closing, link_in_turn, same_origin, wants_fragment
from cloud.console.headers import HEADERS, SecurityHeaders
from cloud.console.pages import page
from cloud.console.shelf import Shelf
from cloud.contacts.routes import router as contacts
from cloud.crm.advice.routes import router as advice
from cloud.crm.appointments.routes import BOOKINGS_AT_ONCE
from cloud.crm.appointments.routes import in_turn as bookings_in_turn
from cloud.crm.appointments.routes import public as calendars
from cloud.crm.appointments.routes import router as appointments
from cloud.crm.billing.routes import router as billing
from cloud.crm.complaints.routes import open_router as complaints_by_link
from cloud.crm.complaints.routes import router as complaints
from cloud.crm.discharges.routes import router as discharges
from cloud.crm.documents.routes import router as documents
from cloud.crm.education.question_routes import router as patient_questions
from cloud.crm.education.routes import router as education
from cloud.crm.figures.routes import router as figures
from cloud.crm.followups.routes import router as followups
from cloud.crm.groups.routes import router as groups
from cloud.crm.households.routes import router as households
from cloud.crm.outbox.routes import HINTS_AT_ONCE, inbound
from cloud.crm.outbox.routes import notices as crm_notices
from cloud.crm.outbox.routes import router as crm
from cloud.crm.quality.routes import router as quality
from cloud.crm.questionnaires.routes import open_router as by_link
from cloud.crm.questionnaires.routes import router as questionnaires
from cloud.crm.reach.routes import router as reach
from cloud.crm.reminders.routes import router as reminders
from cloud.crm.segments.routes import router as segments
from cloud.crm.surveys.routes import open_router as surveys_by_link
from cloud.crm.surveys.routes import router as surveys
from cloud.crm.telephony.routes import EVENTS_AT_ONCE
from cloud.crm.telephony.routes import events as telephone_events
from cloud.crm.telephony.routes import notices as telephone_notices
from cloud.crm.telephony.routes import router as telephony
from cloud.crm_config import trusting
from cloud.db.pool import Pool, make_pool
from cloud.db.presence import present
from cloud.duty.routes import router as duty
from cloud.gateways.routes import router as gateways
from cloud.held.routes import router as held
from cloud.live.hub import Hub
from cloud.live.routes import router as live
from cloud.live.stream import SIGNED_OUT
from cloud.messages.routes import router as messages
from cloud.notifications.channels.offered import receipt_keys
from cloud.notifications.routes import receipt
from cloud.notifications.routes import router as notifications
from cloud.outside.routes import router as outside
from cloud.oversight.routes import router as oversight
from cloud.own.routes import router as own_page
from cloud.pairing.routes import router as pairing
from cloud.participation.routes import router as participation
from cloud.patients.routes import router as patients
from cloud.planning.routes import router as planning
from cloud.preferences.routes import router as preferences
from cloud.programmes.routes import router as programmes
from cloud.quarantine.routes import router as quarantine
from cloud.review.routes import router as review
from cloud.stock.routes import router as stock
from cloud.technical.routes import router as technical
from cloud.training.routes import router as training
from cloud.treatment.routes import router as treatment
from cloud.what_if.routes import router as what_if
from cloud.whose.routes import router as whose
from cloud.worklist.routes import router as worklist

_log = logging.getLogger(__name__)

POOL_SIZE: Final = 10
FIRST_CONTACT_WITHIN_S: Final = 15.0
# Live streams never end by themselves; whoever stops the console need not wait for them.
STOP_WITHIN_S: Final = 3
# Who closes an idle connection first must not be us: a proxy that sends the next request just then gets no answer, and
# does not repeat a POST. Caddy keeps one for 120 s, nginx for 60 s.
KEEP_ALIVE_S: Final = 150


def create_app(settings: ConsoleSettings, now: Callable[[], datetime] = clock.now) -> FastAPI:
    """The console. AssetsMissing, at once, where the front-end libraries have not been put in place."""
    assets.check()
    app = FastAPI(
        title="Pulsepost",
        lifespan=_lifespan(settings),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        routes=_routes(),
    )
    app.state.now = now
    app.state.notify, app.state.receipt_keys = settings.notify, receipt_keys(settings.notify)
    app.state.sign_in = settings.sign_in
    app.state.crm, app.state.crm_tls = settings.crm, trusting(settings.crm)
    app.state.sign_ins = asyncio.Semaphore(SIGN_INS_AT_ONCE)
    app.state.telephone_events = asyncio.Semaphore(EVENTS_AT_ONCE)
    app.state.crm_hints = asyncio.Semaphore(HINTS_AT_ONCE)
    app.state.bookings = asyncio.Semaphore(BOOKINGS_AT_ONCE)
    app.state.links = asyncio.Semaphore(LINKS_AT_ONCE)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(SecondFactorNeeded, _to_second_factor)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(PoolTimeout, _no_database)
    app.add_exception_handler(psycopg.OperationalError, _database_lost)
    app.add_exception_handler(Exception, _failed)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """All that can be asked for. FastAPI works a route out when somebody asks for it first, and keeps that with it."""
    everything = APIRouter(dependencies=[Depends(closing), Depends(same_origin)])
    before_signing_in = (auth, own, accounts, outside, live)
    everywhere = (notices, crm_notices, telephone_notices)
    for router in (
        auth,
        own,
        preferences,
        accounts,
        outside,
        break_glass,
        worklist,
        patients,
        own_page,
        messages,
        reach,
        questionnaires,
        surveys,
        complaints,
        followups,
        discharges,
        advice,
        education,
        patient_questions,
        groups,
        reminders,
        households,
        segments,
        telephony,
        review,
        admission,
        participation,
        consent,
        contacts,
        stock,
        pairing,
        treatment,
        billing,
        quality,
        documents,
        figures,
        centre,
        planning,
        programmes,
        duty,
        technical,
        crm,
        gateways,
        quarantine,
        whose,
        held,
        notifications,
        what_if,
        training,
        oversight,
        live,
    ):
        # On the pages of the others stands what their reader opened outside the care team, which CRM is down, and
        # whether they have a telephone that can be made to ring.
        above = [] if router in before_signing_in else [Depends(one) for one in everywhere]
        everything.include_router(router, dependencies=above)
    # Whoever books waits for their turn first, and takes a connection then.
    in_turn = Depends(bookings_in_turn, scope="function")
    everything.include_router(appointments, dependencies=[in_turn, *(Depends(one) for one in everywhere)])
    for router in (by_link, surveys_by_link, complaints_by_link, calendars):
        everything.include_router(router, dependencies=[Depends(link_in_turn, scope="function")])
    everything.add_api_route("/healthz", _health)
    # Not an API route: those are for pages of this origin.
    everything.add_route("/receipts/{channel}", receipt, methods=["POST"])
    everything.add_route("/crm/inbound/{destination_id}", inbound, methods=["POST"])
    everything.add_route("/telephone/{system_id}/events", telephone_events, methods=["POST"])
    everything.mount("/static", StaticFiles(directory=assets.STATIC))
    everything.mount("/manual", Shelf())
    return everything.routes


def server(app: FastAPI, host: str, port: int, ready: Callable[[str], None]) -> uvicorn.Server:
    """A server whose ``run()`` serves until SIGINT, SIGTERM or ``should_exit``.

    ``ready`` gets ``http://host:port`` once requests are answered; port 0 takes a free one.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    return _Server(config, app, ready)


class _Server(uvicorn.Server):
    """Says when it serves, and ends the live streams as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._app = app
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"http://{host}:{port}")

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        hub: Hub = self._app.state.hub
        hub.close()
        await super().shutdown(sockets)


def _lifespan(settings: ConsoleSettings) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with make_pool(settings.database_url, "pulsepost-console", min_size=2, max_size=POOL_SIZE) as pool:
            await pool.wait(FIRST_CONTACT_WITHIN_S)
            hub = Hub(settings.database_url)
            app.state.pool, app.state.hub = pool, hub
            listening = asyncio.create_task(hub.run(), name="live")
            try:
                async with asyncio.timeout(FIRST_CONTACT_WITHIN_S):
                    await hub.listening()
                async with present(pool.connection, settings.name, "console", settings.beat_every_s, app.state.now):
                    yield
            finally:
                hub.close()
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening

    return lifespan


async def _health(request: Request) -> Response:
    """200 while the database answers and live events arrive; no data."""
    pool: Pool = request.app.state.pool
    hub: Hub = request.app.state.hub
    try:
        async with pool.connection(timeout=1) as conn:
            await conn.execute("SELECT 1")
    except (psycopg.OperationalError, PoolTimeout):
        return PlainTextResponse("database does not answer\n", status.HTTP_503_SERVICE_UNAVAILABLE)
    if not hub.is_listening:
        return PlainTextResponse("not listening\n", status.HTTP_503_SERVICE_UNAVAILABLE)
    return PlainTextResponse("ok\n")


async def _to_sign_in(request: Request, _: Exception) -> Response:
    return _led_to("/login", request, status.HTTP_401_UNAUTHORIZED)


async def _to_second_factor(request: Request, _: Exception) -> Response:
    return _led_to(SECOND_FACTOR, request, status.HTTP_403_FORBIDDEN)


def _led_to(path: str, request: Request, otherwise: int) -> Response:
    accepted = request.headers.get("accept", "")
    if "text/event-stream" in accepted:
        # The browser's EventSource cannot see a status: it is told in its own language.
        return Response(SIGNED_OUT, media_type="text/event-stream")
    if wants_fragment(request):
        return Response(status_code=otherwise, headers={"HX-Redirect": path})
    if request.method == "GET" and "text/html" in accepted:
        response = RedirectResponse(path, status.HTTP_303_SEE_OTHER)
        cookies.keep_way(request, response)
        return response
    return Response(status_code=otherwise)


async def _refused(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else status.HTTP_500_INTERNAL_SERVER_ERROR
    return page(request, "error.html", status_code=code, code=code)


async def _no_database(request: Request, _: Exception) -> Response:
    """No connection to be had: the pool has logged why."""
    code = status.HTTP_503_SERVICE_UNAVAILABLE
    return page(request, "error.html", status_code=code, code=code)


async def _database_lost(request: Request, error: Exception) -> Response:
    """The database went away, or gave up waiting, in the middle: rolled back, unless the commit's answer was lost."""
    _log.error("a request was not answered: %s", faults.placed(error))
    return await _no_database(request, error)


async def _malformed(request: Request, _: Exception) -> Response:
    """An id that is none looks like one that does not exist."""
    return page(request, "error.html", status_code=status.HTTP_404_NOT_FOUND, code=status.HTTP_404_NOT_FOUND)


async def _failed(request: Request, _: Exception) -> Response:
    """The error itself is in the log; the answer says nothing of it. It is made outside of all middleware."""
    code = status.HTTP_500_INTERNAL_SERVER_ERROR
    response = page(request, "error.html", status_code=code, code=code)
    response.headers.update({**HEADERS, "Cache-Control": "no-store"})
    return response
