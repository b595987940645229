"""The settled end: everything mended, everything known in the cloud, nothing waiting at home."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import psycopg

from deploy.chaos import cast, clock, records
from deploy.chaos.stage import Stage
from deploy.chaos.truth import Truth
from gateway.outbox import Outbox, OutboxError

WITHIN_S = 120.0
LOOK_EVERY_S = 0.2
NOT_TOLD = -1

T = TypeVar("T")


class NotSettled(Exception):
    """The end that has to come did not; what was missing is in the message."""


async def settle(stage: Stage, truth: Truth) -> float:
    """Wait for it; how many seconds it took. NotSettled."""
    for part in stage.parts.values():
        async with part.lock:
            pass  # whoever mends it has done so
    began = clock.monotonic()
    known = waiting = NOT_TOLD
    while (took := clock.monotonic() - began) < WITHIN_S:
        known, waiting = await asyncio.to_thread(_known, stage), await asyncio.to_thread(_waiting, stage)
        if known >= len(truth.made) and waiting == 0:
            return took
        await asyncio.sleep(LOOK_EVERY_S)
    raise NotSettled(
        f"{WITHIN_S:g} s after the last fault {len(truth.made)} readings were made, {known} are known in the cloud, and"
        f" {waiting} wait in the outbox ({NOT_TOLD}: it could not be asked)"
    )


async def all_visited(stage: Stage, since: datetime) -> None:
    """Wait until every device was visited to its end since then. NotSettled."""
    began = clock.monotonic()
    while clock.monotonic() - began < WITHIN_S:
        late = await asyncio.to_thread(_not_visited, stage, since)
        if not late:
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise NotSettled(f"{WITHIN_S:g} s after the last fault {', '.join(late)} were not visited to their end")


def _known(stage: Stage) -> int:
    try:
        return records.known(stage.admin_url)
    except psycopg.OperationalError:
        return NOT_TOLD


def _waiting(stage: Stage) -> int:
    return _asked(stage, lambda outbox: outbox.depth().rows, NOT_TOLD)


def _not_visited(stage: Stage, since: datetime) -> list[str]:
    names = [device.name for device in cast.DEVICES]

    def late(outbox: Outbox) -> list[str]:
        visits = outbox.visits()
        return [
            name
            for name in names
            if (visit := visits.get(name)) is None or visit.at < since or visit.outcome != "complete"
        ]

    return _asked(stage, late, names)


def _asked(stage: Stage, ask: Callable[[Outbox], T], otherwise: T) -> T:
    try:
        outbox = Outbox.read_only(stage.home.outbox)
        try:
            return ask(outbox)
        finally:
            outbox.close()
    except OutboxError:
        return otherwise
