"""What a home sees of its gateway, as long as it runs: the page and the lamps, from what the outbox knows.

Nothing here may keep a reading from being read or sent: what goes wrong is logged and tried again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from device_drivers.readings import Reading
from device_drivers.timestamps import CoincidentTimeStamp
from gateway.config import Home
from gateway.home.facts import KEPT_FOR, Facts, HomeDevice, Taken, cards, lamps
from gateway.home.lights import Lights
from gateway.home.page import page
from gateway.home.plan import decoded
from gateway.home.server import PageServer
from gateway.home.showing import shown
from gateway.home.words import Language
from gateway.outbox import Measured, Outbox, OutboxError

log = logging.getLogger(__name__)

# How soon a lamp follows what happened.
LOOK_EVERY_S = 2.0
# After a mistake of ours.
AGAIN_AFTER_S = 60.0
# A gateway that was cut off for long has many: they need not be counted each time.
MOST_COUNTED = 1000
# In turns: how often what is too old is forgotten.
FORGET_EVERY = 900

# Each device that can be read, and its profile's kind of measurement.
Roster = Callable[[], Sequence[tuple[str, str]]]


class Display:
    """The page, the lamps, or both, as the configuration wants them."""

    def __init__(
        self, home: Home, outbox: Outbox, roster: Roster, connected: Callable[[], bool], now: Callable[[], datetime]
    ) -> None:
        self._home = home
        self._outbox = outbox
        self._roster = roster
        self._connected = connected
        self._now = now
        self._away_since: datetime | None = now()
        self._lights = Lights(Path(home.leds.folder), home.leds.names) if home.leds is not None else None
        self._trouble: str | None = None
        self.server = (
            PageServer(home.address, home.port, frozenset(home.names), self._page, home.language)
            if home.address is not None
            else None
        )

    def shown(self, reading: Reading, coincident: CoincidentTimeStamp | None, read_at: datetime) -> Measured | None:
        """What is kept of a reading for the home."""
        return shown(reading, coincident, read_at, values=self._home.values)

    async def run(self) -> None:
        """Until cancelled; then the lamps are dark."""
        while True:
            try:
                await self._run()
            except Exception as error:  # noqa: BLE001 -- a defect here must stop no visit to a device
                log.error("the home's page and lamps: %s; they are begun anew", _where(error))
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _run(self) -> None:
        working = [self._look(), *([self.server.run()] if self.server is not None else [])]
        tasks = [asyncio.create_task(work) for work in working]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            if self._lights is not None:
                self._lights.off()

    async def _look(self) -> None:
        turn = 0
        while True:
            self._note_connection()
            try:
                if self._lights is not None:
                    self._lights.show(lamps(self.facts()))
                if turn % FORGET_EVERY == 0:
                    self._outbox.forget_measured(self._now() - KEPT_FOR)
                self._trouble = None
            except OutboxError as error:
                if str(error) != self._trouble:
                    log.error("the lamps and the page are not up to date: %s", error)
                self._trouble = str(error)
            turn += 1
            await asyncio.sleep(LOOK_EVERY_S)

    def _note_connection(self) -> None:
        if self._connected():
            self._away_since = None
        elif self._away_since is None:
            self._away_since = self._now()

    def facts(self) -> Facts:
        """What holds now. OutboxError."""
        now = self._now()
        self._note_connection()
        here = _here(now)
        devices, taken = self._devices()
        octets = self._outbox.plan()
        waiting = self._outbox.waiting(MOST_COUNTED)
        told = cards(devices, taken, decoded(octets) if octets else None, now, lambda name: zone(name) or here, here)
        return Facts(
            at=now,
            zone=told[0].zone if told else here,
            cards=told,
            waiting=waiting,
            waits_more=waiting == MOST_COUNTED,
            away_since=self._away_since,
            trouble=self._outbox.is_in_trouble(),
        )

    def _devices(self) -> tuple[Sequence[HomeDevice], Taken]:
        devices, taken = [], {}
        for name, kind in self._roster():
            visit, seen = self._outbox.visit(name), self._outbox.seen(name)
            devices.append(HomeDevice(name, kind, visit.complete_at if visit is not None else None))
            taken[name] = self._outbox.measured(seen.device_id) if seen is not None else []
        return devices, taken

    def _page(self, language: Language) -> str:
        try:
            facts = self.facts()
        except OutboxError as error:
            log.error("the home's page: %s", error)
            now = self._now()
            facts = Facts(
                at=now,
                zone=_here(now),
                cards=(),
                waiting=0,
                waits_more=False,
                away_since=self._away_since,
                trouble=True,
            )
        return page(facts, language)


def _here(now: datetime) -> tzinfo:
    """This computer's own zone."""
    return now.astimezone().tzinfo or UTC


@lru_cache(maxsize=16)
def zone(name: str) -> tzinfo | None:
    """The zone of a name; None where this computer has none of it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _where(error: Exception) -> str:
    """Type and place of a defect; its message may hold what a device said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return f"{type(error).__name__} at {place}"
