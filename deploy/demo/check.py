"""`make demo CHECK=1`: watch the journeys through the console's own live stream, act as the nurse, say what failed."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from cloud.db.connect import one, open_connection
from deploy.demo import clock, watch
from gateway.outbox import Outbox

# The promise: within this long of the services being up, everything has been read and the case is on the screen.
PROMISE_S = 30.0
# What comes after it is not promised within a time: so long is waited for each step, on a busy machine too.
PATIENCE_S = 60.0

PAGE = "page to "
# What the nurse says became of the case.
OUTCOME = "advice_given"
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


@dataclass(slots=True)
class Pages:
    """What the jobs process has printed: a line for each person who was told of something."""

    lines: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, line: str) -> None:
        """A line of its standard output."""
        if line.startswith(PAGE):
            self.lines.append(line)
            self.changed.set()

    def of(self, case_id: str) -> list[str]:
        """To whom, for each page of this case."""
        return [line.removeprefix(PAGE).partition(":")[0] for line in self.lines if case_id in line]


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


async def arrived(seen: Seen, readings: int, until: float) -> str:
    """Wait until so many readings and the one case were seen; gives its case_id. CheckFailed at ``until``."""

    def words() -> str:
        return (
            f"after {PROMISE_S:g} s the live stream had shown {len(seen.readings)} of {readings} readings"
            f" and {len(seen.cases)} of 1 cases"
        )

    await _until(seen, lambda: len(seen.readings) >= readings and bool(seen.cases), until, words)
    if len(seen.cases) > 1:
        raise CheckFailed(f"one reading calls somebody, but {len(seen.cases)} cases were opened")
    (case_id,) = seen.cases
    return case_id


async def confirmed(seen: Seen, known: str, until: float) -> str:
    """Wait for the case of what was measured again; gives its case_id. CheckFailed at ``until`` (monotonic)."""
    await _until(seen, lambda: len(seen.cases) > 1, until, lambda: "measuring again has opened no case")
    (case_id,) = seen.cases.keys() - {known}
    return case_id


async def paged(pages: Pages, case_id: str, until: float) -> None:
    """Wait until somebody was told of the case. CheckFailed at the monotonic time ``until``."""
    await _until(pages, lambda: bool(pages.of(case_id)), until, lambda: f"nobody was paged for the case {case_id}")


async def acknowledged(
    client: httpx.AsyncClient, pages: Pages, case_id: str, admin_url: str, login: str
) -> Sequence[str]:
    """Acknowledge it as the nurse; gives who was paged. CheckFailed where it is not hers, or pages may yet leave."""
    await watch.acknowledge(client, case_id)
    state, owner, _, waiting = _case(admin_url, case_id)
    if (state, owner) != ("acknowledged", login):
        raise CheckFailed(f"after the acknowledgement the case is {state} of {owner}, not acknowledged by {login}")
    if waiting:
        raise CheckFailed(f"the case is acknowledged, and {waiting} of its pages may yet leave")
    return pages.of(case_id)


async def resolved(client: httpx.AsyncClient, pages: Pages, case_id: str, admin_url: str, told: Sequence[str]) -> None:
    """Close the case with what became of it; CheckFailed where that is not kept, or others than ``told`` were paged."""
    await watch.resolve(client, case_id, OUTCOME)
    state, _, disposition, _ = _case(admin_url, case_id)
    if (state, disposition) != ("resolved", OUTCOME):
        raise CheckFailed(f"the case is {state} with the outcome {disposition}, not resolved with {OUTCOME}")
    if pages.of(case_id) != told or len(told) != len(set(told)):
        raise CheckFailed(f"paged were {pages.of(case_id)}: each once, and only {told} before the acknowledgement")


async def _until(told: Seen | Pages, is_so: Callable[[], bool], until: float, words: Callable[[], str]) -> None:
    while not is_so():
        told.changed.clear()
        try:
            async with asyncio.timeout(until - clock.monotonic()):
                await told.changed.wait()
        except TimeoutError:
            raise CheckFailed(words()) from None


def _case(admin_url: str, case_id: str) -> tuple[str, str | None, str | None, int]:
    """Its state, its owner's login, its outcome, and how many of its pages may yet leave."""
    with open_connection(admin_url, "pulsepost-demo-check") as connection:
        state, owner, disposition, waiting = one(
            connection.execute(
                "SELECT c.state, a.login, c.disposition,"
                " (SELECT count(*) FROM notification n WHERE n.case_id = c.case_id AND n.state IN ('waiting', 'sent'))"
                " FROM alert_case c LEFT JOIN account a ON a.account_id = c.owner WHERE c.case_id = %s",
                (case_id,),
            ).fetchone()
        )
    return state, owner, disposition, waiting


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
