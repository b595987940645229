"""Nurses at the console: signed in, each with a live stream that writes down what came over it, and when."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx

from deploy.bench import clock
from deploy.bench.stage import Stage
from deploy.demo import processes, watch

_TIMING = re.compile(r"app;dur=([0-9.]+), cpu;dur=([0-9.]+)")
# A stream says that it is alive every 3 s.
_SILENT_S = 60.0


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer: what the server said that it took, and how long we waited for all of it."""

    app_ms: float
    cpu_ms: float
    waited_ms: float
    octets: int


@dataclass(slots=True)
class Nurse:
    """``heard``: when each event came first, by its id: of a case event a number, of a reading a UUID in hex.

    ``began`` is set once the stream has begun with all rows; ``ended`` counts streams that were lost.
    """

    login: str
    client: httpx.AsyncClient
    heard: dict[str, float] = field(default_factory=dict)
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: int = 0

    async def ask(self, path: str) -> Asked:
        """GET; httpx.HTTPStatusError where the page is not there."""
        begun = clock.monotonic()
        answer = await self.client.get(path)
        waited_ms = (clock.monotonic() - begun) * 1000
        if answer.is_error:
            answer.raise_for_status()
        found = _TIMING.search(answer.headers["server-timing"])
        if found is None:
            raise ValueError(f"{path} does not say how long it took")
        return Asked(float(found[1]), float(found[2]), waited_ms, len(answer.content))

    async def listen(self) -> None:
        """Follow the live stream for as long as nobody cancels this, again and again where it ends."""
        while True:
            async with self.client.stream("GET", "/live", timeout=httpx.Timeout(10, read=_SILENT_S)) as stream:
                stream.raise_for_status()
                await self._follow(stream)
            self.ended += 1

    async def _follow(self, stream: httpx.Response) -> None:
        name, event_id = "", ""
        async for line in stream.aiter_lines():
            field_name, _, value = line.partition(": ")
            if field_name == "event":
                name = value
            elif field_name == "id":
                event_id = value
            elif field_name == "data" and name == "reading":
                event_id = json.loads(value)["reading_id"]
            elif not line:
                if name == "worklist":
                    self.began.set()
                elif name in ("case", "reading"):
                    self.heard.setdefault(event_id, clock.monotonic())
                name = ""


@asynccontextmanager
async def console(ready: Stage) -> AsyncIterator[str]:
    """The console, which says how long each answer took (``timed_console``): its address."""
    child = await processes.start(
        "console", "-m", "deploy.bench.timed_console", log_dir=ready.road.logs,
        env={"PULSEPOST_DATABASE_URL": ready.database.console_url},
    )  # fmt: skip
    try:
        yield child.said[-1].split()[-1]
    finally:
        await child.stop()


@asynccontextmanager
async def at_work(console: str, logins: Sequence[str], password: str) -> AsyncIterator[Sequence[Nurse]]:
    """All of them signed in, each with an open stream that has begun."""
    async with AsyncExitStack() as stack:
        nurses = []
        for login in logins:
            client = await stack.enter_async_context(watch.signed_in(console, login, password))
            nurses.append(Nurse(login, client))
        began = [asyncio.create_task(nurse.began.wait()) for nurse in nurses]
        listening = [asyncio.create_task(nurse.listen()) for nurse in nurses]
        try:
            # A stream that has failed is not waited for.
            for stream, beginning in zip(listening, began, strict=True):
                await next(asyncio.as_completed([stream, beginning]))
            yield nurses
        finally:
            for task in (*listening, *began):
                task.cancel()
            await asyncio.gather(*listening, *began, return_exceptions=True)
