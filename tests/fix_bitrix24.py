"""An imitated Bitrix24 portal on loopback, whose clock is the test's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from deploy.bitrix24.portal import Portal
from deploy.bitrix24.server import Bitrix24


@dataclass
class SimulatedClock:
    """Stands still until somebody moves it."""

    at: datetime = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def ahead(self, by: timedelta) -> None:
        """Let time pass."""
        self.at += by


@pytest.fixture
def simulated_clock() -> SimulatedClock:
    """3 a.m. of a Monday."""
    return SimulatedClock()


@pytest.fixture
def bitrix24(simulated_clock: SimulatedClock) -> Iterator[Bitrix24]:
    """A portal that answers."""
    made = Bitrix24(Portal(simulated_clock))
    made.start()
    try:
        yield made
    finally:
        made.stop()
