"""`make demo CHECK=1`: watch one whole journey through the console's own live stream, and say what failed."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from cloud.db.connect import open_connection
from deploy.demo import clock, watch
from gateway.outbox import Outbox

# The promise: within this long of the services being up, everything has been read and the case is on the screen.
PROMISE_S = 30.0

CASE_ID = re.compile(r'data-case-id="([^"]+)"')
OPEN = 'data-open="true"'


class CheckFailed(Exception):
    """What did not hold, in one sentence."""


@dataclass(slots=True)
class Seen:
    """What the live stream has shown so far."""

    readings: dict[str, datetime] = field(default_factory=dict)  # reading_id → on the screen at
    cases: dict[str, datetime] = field(default_factory=dict)  # case_id → on the screen at
    receiving: asyncio.Event = field(default_factory=asyncio.Event)
    changed: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def following(client: httpx.AsyncClient) -> AsyncIterator[Seen]:
    """What the live stream shows from now on; begins once the stream has said its first word. CheckFailed."""
    seen = Seen()
    task = asyncio.create_task(_follow(client, seen))
    try:
        await _first_word(seen)
        yield seen
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, httpx.HTTPError):
            await task


async def _first_word(seen: Seen) -> None:
    try:
        async with asyncio.timeout(10):
            await seen.receiving.wait()
    except TimeoutError:
        raise CheckFailed("the console's live stream said nothing for 10 s") from None


async def _follow(client: httpx.AsyncClient, seen: Seen) -> None:
    async for event in watch.live(client, clock.now):
        match event.name:
            case "beat":
                seen.receiving.set()
            case "reading":
                seen.readings.setdefault(json.loads(event.data)["reading_id"], event.at)
            case "case" if OPEN in event.data and (found := CASE_ID.search(event.data)):
                seen.cases.setdefault(found[1], event.at)
        seen.changed.set()


async def arrived(seen: Seen, readings: int, until: float) -> None:
    """Wait until so many readings and the one case were seen; CheckFailed at the monotonic time ``until``."""
    while len(seen.readings) < readings or not seen.cases:
        seen.changed.clear()
        try:
            async with asyncio.timeout(until - clock.monotonic()):
                await seen.changed.wait()
        except TimeoutError:
            raise CheckFailed(
                f"after {PROMISE_S:g} s the live stream had shown {len(seen.readings)} of {readings} readings"
                f" and {len(seen.cases)} of 1 cases"
            ) from None
    if len(seen.cases) > 1:
        raise CheckFailed(f"one reading is beyond its limit, but {len(seen.cases)} cases were opened")


async def acknowledged(client: httpx.AsyncClient, seen: Seen, admin_url: str, login: str) -> None:
    """Acknowledge the case as the nurse; CheckFailed where the database does not say so afterwards."""
    (case_id,) = seen.cases
    await watch.acknowledge(client, case_id)
    with open_connection(admin_url, "pulsepost-demo-check") as connection:
        row = connection.execute(
            "SELECT state, login FROM alert_case LEFT JOIN account ON account_id = owner WHERE case_id = %s", (case_id,)
        ).fetchone()
    if row != ("acknowledged", login):
        raise CheckFailed(f"after the acknowledgement the case is {row}, not acknowledged and owned by {login}")


async def all_freed(outbox: Path, readings: int, until: float) -> Mapping[str, int]:
    """Wait until a receipt has freed every row; gives how many readings met which fate. CheckFailed."""
    box = Outbox.read_only(outbox)
    try:
        while (depth := box.depth().rows) or sum(box.freed().values()) < readings:
            if clock.monotonic() > until:
                raise CheckFailed(f"{depth} outbox rows have no receipt; {sum(box.freed().values())} were freed")
            await asyncio.sleep(0.05)
        return box.freed()
    finally:
        box.close()


def byte_to_screen(admin_url: str, seen: Seen) -> list[dict[str, object]]:
    """For each reading: from its last byte at the gateway to the live stream, in milliseconds."""
    with open_connection(admin_url, "pulsepost-demo-check") as connection:
        rows = connection.execute(
            "SELECT replace(reading_id::text, '-', ''), kind, device_id, read_at FROM ledger ORDER BY read_at"
        ).fetchall()
    return [
        {
            "reading_id": reading_id,
            "kind": kind,
            "device": device_id,
            "byte_to_screen_ms": round((seen.readings[reading_id] - read_at).total_seconds() * 1000, 1),
        }
        for reading_id, kind, device_id, read_at in rows
        if reading_id in seen.readings
    ]
