"""The jobs process: a procrastinate worker that outlives the database's absences, and says that it is there."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from procrastinate import App
from procrastinate.exceptions import ConnectorException
from psycopg import AsyncConnection

from cloud import clock
from cloud.config import JobsSettings
from cloud.db import presence
from cloud.db.connect import CONNECT_TIMEOUT_S, noticing, session_options
from cloud.db.presence import present
from cloud.jobs.desk import Desk
from cloud.jobs.dispatching import Dispatching
from cloud.jobs.judge import Judge
from cloud.jobs.tasks import make_app

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.2
LAST_RETRY_S = 5.0
# Jobs of one process that run at the same time: the judgement, and those that wait for somebody outside.
CONCURRENCY = 4
# procrastinate waits half a minute for a database that is away, and whoever would stop us waits with it.
OPEN_WITHIN_S = 6.0
# What is not done by then is done again by another worker.
STOP_WITHIN_S = 5.0
AWAY = (ConnectorException, *presence.AWAY)


def run(settings: JobsSettings, ready: Callable[[], None]) -> int:
    """The jobs process: until SIGTERM or SIGINT."""
    # It tells of each turn of each job; what failed in a way that nobody foresaw is told, without its message.
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    asyncio.run(Jobs(settings, clock.now).run(ready))
    return 0


class Jobs:
    """The worker with all that is around it."""

    def __init__(self, settings: JobsSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._since = now()
        self._stop = asyncio.Event()
        self._ready: Callable[[], None] | None = None
        self._dispatching = Dispatching(settings, now)
        self._judge = Judge(settings.database_url, settings.name, settings.limits, now)

    async def run(self, ready: Callable[[], None]) -> None:
        """Until asked to stop. ``ready`` is called once, when the database answered."""
        self._ready = ready
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        delay_s = FIRST_RETRY_S
        settings = self._settings
        self._dispatching.start()
        async with present(self._connect, settings.name, "jobs", settings.beat_every_s, self._now, self._detail):
            while not self._stop.is_set():
                try:
                    await self._work()
                    delay_s = FIRST_RETRY_S
                except AWAY as error:
                    log.error("the database is away (%s)", type(error).__name__)
                await self._wait(delay_s)
                delay_s = min(delay_s * 2, LAST_RETRY_S)
            self._dispatching.stop()
        await asyncio.to_thread(self._judge.close)

    async def _work(self) -> None:
        """One worker, until it is asked to stop or loses the database. AWAY."""
        desk = Desk(self._settings, self._now)
        app = make_app(desk, self._judge)
        try:
            desk.pool.open()
            async with asyncio.timeout(OPEN_WITHIN_S):
                await app.open_async()
            self._say_ready()
            working = asyncio.create_task(self._worker(app), name="worker")
            stopping = asyncio.create_task(self._stop.wait(), name="stop")
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
        finally:
            await app.close_async()
            await asyncio.to_thread(desk.pool.close)

    def _say_ready(self) -> None:
        if self._ready is not None:
            self._ready()
            self._ready = None

    async def _worker(self, app: App) -> None:
        await app.run_worker_async(
            name=self._settings.name,
            concurrency=CONCURRENCY,
            delete_jobs="successful",
            install_signal_handlers=False,
            shutdown_graceful_timeout=STOP_WITHIN_S,
        )

    def _detail(self) -> Mapping[str, object]:
        judged_at = self._judge.judged_at
        return {"since": self._since.isoformat(), "judged_at": judged_at.isoformat() if judged_at else None}

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[AsyncConnection[Any]]:
        connecting = AsyncConnection.connect(
            noticing(self._settings.database_url),
            application_name=f"pulsepost {self._settings.name} presence",
            connect_timeout=CONNECT_TIMEOUT_S,
            options=session_options(),
        )
        async with await connecting as connection:
            yield connection

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
