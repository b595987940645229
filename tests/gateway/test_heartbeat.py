"""What the gateway says about itself."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest

from gateway import heartbeat
from gateway.outbox import Lane, Outbox
from tests.gateway.made import NOW, session, wire


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


def test_an_empty_outbox_has_no_age(outbox: Outbox) -> None:
    status = heartbeat.status(outbox, NOW)
    assert (status.state, status.at, status.software) == ("online", NOW, version("pulsepost"))
    assert (status.outbox_depth, status.oldest_unsent_s) == (0, None)


def test_depth_and_age_of_what_waits_are_said(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.LIVE)], NOW - timedelta(days=3))
    outbox.put(session(2), [(wire(2), Lane.LIVE)], NOW)
    status = heartbeat.status(outbox, NOW)
    assert (status.outbox_depth, status.oldest_unsent_s) == (2, 3 * 86400)


def test_a_clock_that_was_set_back_gives_no_negative_age(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.LIVE)], NOW)
    assert heartbeat.status(outbox, NOW - timedelta(hours=1)).oldest_unsent_s == 0


async def test_it_beats_at_its_interval() -> None:
    beats = asyncio.Semaphore(0)
    task = asyncio.create_task(heartbeat.beat(beats.release, 0.01))
    for _ in range(3):
        await asyncio.wait_for(beats.acquire(), 5)
    task.cancel()
