"""The endless answer of GET /live."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Final

import psycopg
from fastapi.sse import format_sse_event
from psycopg_pool import PoolTimeout

from cloud.live.hub import Hub, NotListening, Queue
from cloud.live.models import Ended, Notice
from cloud.live.service import Viewer

BEAT_EVERY_S: Final = 3.0
RETRY_AFTER_MS: Final = 2000
SIGNED_OUT: Final = format_sse_event(event="signed_out", data_str="")


async def events(hub: Hub, viewer: Viewer) -> AsyncGenerator[bytes]:
    """Everything, then what changes, with a sign of life in between; ends when any of it can no longer be promised."""
    try:
        # Subscribed before everything is read: what happens in between comes twice rather than not at all.
        async with hub.subscription(viewer.session.account_id) as queue:
            yield _beat(viewer.now())
            async with hub.turns:
                everything = await viewer.everything()
            if everything:
                yield everything
            async for chunk in _follow(hub, queue, viewer):
                yield chunk
    except (NotListening, psycopg.OperationalError, PoolTimeout):
        return  # the page sees the end of the stream, says so, and comes again


async def _follow(hub: Hub, queue: Queue, viewer: Viewer) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    beat_at = loop.time() + BEAT_EVERY_S
    while True:
        item = await _next(queue, beat_at - loop.time())
        if isinstance(item, Ended):
            return
        if item is not None:
            async with hub.turns:
                event = await viewer.event(item)
            if event:
                yield event
        if loop.time() >= beat_at:
            async with hub.turns:
                is_signed_in = await viewer.is_signed_in()
                news = await viewer.news_at_beat() if is_signed_in else b""
            if not is_signed_in:
                yield SIGNED_OUT
                return
            if news:
                yield news
            yield _beat(viewer.now())
            beat_at = loop.time() + BEAT_EVERY_S


async def _next(queue: Queue, within_s: float) -> Notice | Ended | None:
    try:
        async with asyncio.timeout(max(0.0, within_s)):
            return await queue.get()
    except TimeoutError:
        return None


def _beat(now: datetime) -> bytes:
    return format_sse_event(event="beat", data_str=now.isoformat(), retry=RETRY_AFTER_MS)
