"""The enrolment service as an ASGI application, and serving it over TLS."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from socket import socket
from typing import Any, Final

import psycopg
import uvicorn
from fastapi import FastAPI, Request, Response, status
from fastapi.responses import PlainTextResponse
from psycopg_pool import PoolTimeout
from uvicorn.protocols.http.h11_impl import H11Protocol

from cloud import clock
from cloud.config import EnrolmentSettings
from cloud.db.pool import Pool, make_pool
from cloud.db.presence import present
from cloud.enrolment.certificate_ends import CertificateEnds
from cloud.enrolment.revocations import BrokerFiles, Revocations
from cloud.enrolment.routes import router
from cloud.enrolment.store import Connection
from cloud.pki import authority

log = logging.getLogger(__name__)

NOT_IN_FORCE: Final = "the list of revoked certificates is not in force"
POOL_SIZE: Final = 5
FIRST_CONTACT_WITHIN_S: Final = 15.0
STOP_WITHIN_S: Final = 3
# Beyond so many at once, further ones are told to come again.
CONNECTIONS_AT_ONCE: Final = 500
# And none of them for longer: whoever sends slowly, or nothing at all, does not keep the others out.
CONNECTION_WITHIN_S: Final = 20.0


def create_app(settings: EnrolmentSettings, now: Callable[[], datetime] = clock.now) -> FastAPI:
    """The service. AuthorityError, at once, where the authority's folder cannot be used."""
    signer = authority.load(settings.authority_dir)
    files = BrokerFiles(
        revocation_list=settings.revocation_list or settings.authority_dir / "crl.pem",
        reload=settings.broker_reload,
        address=settings.broker,
    )
    app = FastAPI(
        title="Pulsepost enrolment", lifespan=_lifespan(settings), docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.now = now
    app.state.authority = signer
    app.state.validity = settings.validity
    app.state.revocations = Revocations(signer, files, now)
    app.include_router(router)
    app.add_api_route("/healthz", _health)
    return app


def server(
    app: FastAPI, settings: EnrolmentSettings, host: str, port: int, ready: Callable[[str], None]
) -> uvicorn.Server:
    """A server whose ``run()`` serves until SIGINT or SIGTERM. ``ready`` gets ``https://host:port``."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the rate limit counts by address: nobody may name another
        limit_concurrency=CONNECTIONS_AT_ONCE,
        http=_Connection,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=str(settings.tls_key),
        timeout_graceful_shutdown=STOP_WITHIN_S,
    )
    return _Server(config, ready)


class _Connection(H11Protocol):
    """Ended when its time is over: uvicorn itself waits for a request's head for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._end = self.loop.call_later(CONNECTION_WITHIN_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._ready(f"https://{host}:{port}")


def _lifespan(settings: EnrolmentSettings) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with make_pool(settings.database_url, "pulsepost-enrolment", min_size=1, max_size=POOL_SIZE) as pool:
            await pool.wait(FIRST_CONTACT_WITHIN_S)
            app.state.pool = pool
            keeping = asyncio.create_task(app.state.revocations.run(pool), name="revocations")
            try:
                name, every_s = settings.name, settings.beat_every_s
                detail = CertificateEnds(app.state.authority, settings)
                async with present(_while_in_force(app, pool), name, "enrolment", every_s, app.state.now, detail):
                    yield
            finally:
                keeping.cancel()
                with suppress(asyncio.CancelledError):
                    await keeping

    return lifespan


def _while_in_force(app: FastAPI, pool: Pool) -> Callable[[], AbstractAsyncContextManager[Connection]]:
    """Connections for saying that we are there: a service that cannot shut the revoked out is to be missed."""
    revocations: Revocations = app.state.revocations

    @asynccontextmanager
    async def connection() -> AsyncIterator[Connection]:
        if not revocations.is_in_force():
            log.error("%s, hence we do not say that we are there", NOT_IN_FORCE)
            raise OSError(NOT_IN_FORCE)
        async with pool.connection() as conn:
            yield conn

    return connection


async def _health(request: Request) -> Response:
    """200 while the database answers and whoever is revoked is shut out; no data."""
    if not request.app.state.revocations.is_in_force():
        return PlainTextResponse(f"{NOT_IN_FORCE}\n", status.HTTP_503_SERVICE_UNAVAILABLE)
    pool: Pool = request.app.state.pool
    try:
        async with pool.connection(timeout=1) as conn:
            await conn.execute("SELECT 1")
    except (psycopg.OperationalError, PoolTimeout):
        return PlainTextResponse("database does not answer\n", status.HTTP_503_SERVICE_UNAVAILABLE)
    return PlainTextResponse("ok\n")
