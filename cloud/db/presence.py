"""That a process with an event loop is there: said at intervals, and goodbye at the end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from cloud.db.components import Kind, beat_async, gone_async

log = logging.getLogger(__name__)

AWAY = (psycopg.Error, PoolTimeout, OSError)

# Gives a connection whose block commits, such as ``pool.connection``.
Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection[Any]]]


@asynccontextmanager
async def present(
    connect: Connect,
    name: str,
    kind: Kind,
    every_s: float,
    now: Callable[[], datetime],
    detail: Callable[[], Mapping[str, object]] = dict,
) -> AsyncIterator[None]:
    """Inside this block the process ``name`` says that it is there; a database that is away is no error."""

    async def say() -> None:
        while True:
            try:
                async with connect() as connection:
                    await beat_async(connection, name, kind, now(), detail())
            except AWAY as error:
                log.warning("could not say that we are there (%s)", type(error).__name__)
            await asyncio.sleep(every_s)

    saying = asyncio.create_task(say(), name="presence")
    try:
        yield
    finally:
        saying.cancel()
        with suppress(asyncio.CancelledError):
            await saying
        with suppress(*AWAY):
            async with connect() as connection:
                await gone_async(connection, name)
