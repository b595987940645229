"""One visit to one device, start to end: open the link, converse, make durable, move the cursor.

The order is the promise. What the driver yields is on disk before the driver is asked for more, so it may tell the
device "I have it"; the cursor moves on ``Complete`` alone. Whatever goes wrong ends the visit with a reason: readings
that came whole are kept, the cursor stays, and the next visit takes up where the device still holds data.
"""

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any

from device_drivers.drivers.battery import BatteryLow
from device_drivers.drivers.conversation import Clock, Complete, Event, Opened, Received
from device_drivers.errors import BondMade, CodecError, DeviceError, ForbiddenCommand, LinkError, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.readings import Reading
from device_drivers.timestamps import CoincidentTimeStamp, TimeQuality, effective_time
from firmware_profiles.schema import Profile
from gateway.endings import Endings
from gateway.outbox import Lane, Measured, Outbox, OutboxError, Seen
from gateway.roster import RosteredDevice, Unresolved
from gateway.waiting import Waiting
from gateway.wire import v1

log = logging.getLogger(__name__)

# A reading not older than this may still call for somebody today; it goes before the backlog.
LIVE_WITHIN = timedelta(hours=1)

# Opens the link of a device for a profile; what comes out is what the profile's driver speaks over.
OpenLink = Callable[[Profile], AbstractAsyncContextManager[Any]]
# What the home is told of a reading, from the session's clocks and when it was read; None: nothing.
Show = Callable[[Reading, CoincidentTimeStamp | None, datetime], Measured | None]


def nothing_shown(_: Reading, __: CoincidentTimeStamp | None, ___: datetime) -> None:
    """Where nobody is shown anything, nothing is kept for it."""


class Outcome(StrEnum):
    """How a visit ended."""

    COMPLETE = "complete"
    CUT = "cut"  # it began; what came whole is kept, the cursor stayed
    UNREACHABLE = "unreachable"  # it never answered
    PAIRED = "paired"  # the bond was made; it is read when it advertises next
    NO_PROFILE = "no_profile"  # it says that it is something we have no profile for, or two
    OUTBOX_FAILED = "outbox_failed"  # nothing can be kept: nothing was taken from the device
    DEFECT = "defect"  # a mistake of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReport:
    """For the log, the status command and the schedule; no value, time or identifier of a person is in it.

    ``identity`` is what answered, in its own words and with its serial number: for the status command, not for the log.
    ``ended_at`` is when it went to its end; None where it did not. ``device``: who it was, where that could be read.
    """

    name: str
    outcome: Outcome
    reason: str
    started_at: datetime
    received: int = 0
    new: int = 0
    holds: int | None = None
    warnings: tuple[str, ...] = ()
    identity: str | None = None
    cause: type[DeviceError] | None = None
    ended_at: datetime | None = None
    device: DeviceIdentity | None = None

    @property
    def battery_low(self) -> bool | None:
        """Whether the device said that its battery is low; None where it did not."""
        return any(isinstance(warning, BatteryLow) for warning in self.warnings) or None


class _AnotherDevice(Exception):
    """What answered is not what the cursor and the profile were chosen for; ``seen`` is."""

    def __init__(self, seen: Seen) -> None:
        super().__init__("another device or firmware than last time answered")
        self.seen = seen


async def visit(
    device: RosteredDevice,
    open_link: OpenLink,
    outbox: Outbox,
    now: Clock,
    *,
    limit_s: float = 300.0,
    on_put: Callable[[], None] = lambda: None,
    clock_synchronised: Callable[[], bool | None] = lambda: None,
    endings: Endings | None = None,
    waiting: Waiting | None = None,
    shown: Show = nothing_shown,
) -> VisitReport:
    """Visit a device; every way in which that can end is a VisitReport, never an exception.

    Where the outbox takes nothing, the device is left alone: it keeps its memory. ``on_put`` is called after something
    to publish became durable. ``clock_synchronised``: see ``clock_watch``. ``endings`` remembers what was told; without
    it every ended session is. ``waiting`` is told of the session, so that it knows how long its readings have waited.
    ``shown`` says what the home is told of a reading.
    """
    one = _Visit(device, outbox, now, on_put, clock_synchronised, endings or Endings(), waiting, shown)
    if (shortage := outbox.shortage()) is not None:
        return one.report(Outcome.OUTBOX_FAILED, shortage)
    try:
        async with asyncio.timeout(limit_s):
            await one.run(open_link)
        return one.report(Outcome.COMPLETE, "everything that the device announced was received")
    except Unresolved as error:
        return one.report(Outcome.NO_PROFILE, error.reason)
    except UnexpectedDevice as error:
        one.answered = one.answered or f"model {error.model}"
        return one.report(Outcome.NO_PROFILE, str(error))
    except OutboxError as error:
        return one.report(Outcome.OUTBOX_FAILED, str(error))
    except DeviceError as error:
        return one.report(_outcome_of(error, began=one.opened is not None), spell(error), type(error))
    except TimeoutError:
        return one.report(Outcome.CUT, f"the visit took longer than {limit_s:g} s")
    except asyncio.CancelledError:
        # Radio stacks cancel what waits for a device that has gone. Nobody asked us to end: the next visit must come.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        return one.report(Outcome.CUT if one.opened else Outcome.UNREACHABLE, "a library below gave up waiting")
    except Exception as error:  # noqa: BLE001 -- a defect in one driver must not stop the visits to other devices
        return one.report(Outcome.DEFECT, _where(error))


def _outcome_of(error: DeviceError, *, began: bool) -> Outcome:
    if isinstance(error, BondMade):
        return Outcome.PAIRED
    return Outcome.UNREACHABLE if isinstance(error, LinkError) and not began else Outcome.CUT


class _Visit:
    """The state of one visit."""

    def __init__(
        self,
        device: RosteredDevice,
        outbox: Outbox,
        now: Clock,
        on_put: Callable[[], None],
        clock_synchronised: Callable[[], bool | None],
        endings: Endings,
        waiting: Waiting | None,
        shown: Show,
    ) -> None:
        self._shown = shown
        self._device = device
        self._outbox = outbox
        self._now = now
        self._on_put = on_put
        self._clock_synchronised = clock_synchronised
        self._endings = endings
        self._synchronised: bool | None = None
        self._opened_at = self._started_at = now()
        self._previous: v1.WirePrevious | None = None
        self._session_id = uuid.uuid4().hex
        self._waiting = waiting
        self._note_clocks()
        self.opened: Opened | None = None
        self.answered: str | None = None
        self._received = 0
        self._new = 0
        self._holds: int | None = None
        self._warnings: tuple[str, ...] = ()
        self._ended_at: datetime | None = None

    def report(self, outcome: Outcome, reason: str, cause: type[DeviceError] | None = None) -> VisitReport:
        return VisitReport(
            name=self._device.name,
            outcome=outcome,
            reason=reason,
            started_at=self._started_at,
            received=self._received,
            new=self._new,
            holds=self._holds,
            warnings=self._warnings,
            identity=self.answered,
            cause=cause,
            ended_at=self._ended_at,
            device=self.opened.identity if self.opened else None,
        )

    async def run(self, open_link: OpenLink) -> None:
        """Converse with whatever answers; once more where it is not what answered last time."""
        seen = self._outbox.seen(self._device.name)
        try:
            await self._converse(open_link, seen)
        except _AnotherDevice as error:
            self._outbox.remember(self._device.name, error.seen)
            self.opened = None
            await self._converse(open_link, error.seen)

    async def _converse(self, open_link: OpenLink, seen: Seen | None) -> None:
        profile = self._device.profile(seen.firmware if seen else None)
        driver = profile.device.driver
        cursor = self._outbox.cursor(seen.device_id, driver) if seen else None
        read = import_module(f"device_drivers.drivers.{driver}").read
        async with open_link(profile) as link, aclosing(read(link, profile, cursor, self._now)) as events:
            async for event in _events(events):
                self._take(event, profile, seen, with_cursor=cursor is not None)

    def _take(self, event: Event, profile: Profile, seen: Seen | None, *, with_cursor: bool) -> None:
        match event:
            case Opened():
                self.answered = spell_identity(event.identity)
                self._check(event, profile, seen, with_cursor=with_cursor)
                self.opened = event
                self._compare_clocks(event, profile)
                self._holds = event.holds
            case Received():
                self._keep(event.readings, profile)
            case Complete():
                self._complete(event, profile)

    def _check(self, opened: Opened, profile: Profile, seen: Seen | None, *, with_cursor: bool) -> None:
        """Whether profile and cursor fit what answered. UnexpectedDevice, Unresolved, _AnotherDevice."""
        self._device.check(opened.identity)
        found = Seen(opened.identity.device_id, opened.identity.firmware)
        right_profile = self._device.profile(found.firmware) == profile
        right_cursor = not with_cursor or (seen is not None and seen.device_id == found.device_id)
        if not (right_profile and right_cursor):
            raise _AnotherDevice(found)
        if found != seen:
            self._outbox.remember(self._device.name, found)

    def _compare_clocks(self, opened: Opened, profile: Profile) -> None:
        self._opened_at = opened.coincident.gateway_time if opened.coincident else self._now()
        self._synchronised = self._clock_synchronised()
        if not self._note_clocks():
            self._synchronised = False  # the stamp may be of before the jump
        self._previous = self._outbox.drained(opened.identity.device_id, profile.device.driver)

    def _note_clocks(self) -> bool:
        return self._waiting is None or self._waiting.note(self._session_id)

    def _keep(self, readings: tuple[Reading, ...], profile: Profile) -> None:
        opened = self._opened()
        read_at = self._now()
        self._note_clocks()
        rows = [(v1.wire_reading(r, read_at), lane(r, opened.coincident, read_at)) for r in readings]
        told = {r.reading_id: one for r in readings if (one := self._shown(r, opened.coincident, read_at)) is not None}
        new = self._outbox.put(self._session(profile), rows, read_at, irrevocable=_deletes(profile), shown=told)
        self._new += new
        self._received += len(readings)
        if new:
            self._endings.has_news(opened.identity.device_id)
        self._on_put()

    def _session(self, profile: Profile, ended_at: datetime | None = None) -> v1.WireSession:
        opened = self._opened()
        return v1.wire_session(
            self._session_id,
            opened.identity,
            profile.id,
            self._started_at,
            opened.coincident,
            self._holds,
            previous=self._previous,
            clock_synchronised=self._synchronised,
            ended_at=ended_at,
            complete=ended_at is not None,
            received=None if ended_at is None else self._received,
        )

    def _complete(self, event: Complete, profile: Profile) -> None:
        self._holds = event.holds if event.holds is not None else self._holds
        self._warnings = event.warnings
        device_id, driver = self._opened().identity.device_id, profile.device.driver
        ended_at = self._now()
        is_told = self._endings.is_worth_telling(device_id, self._holds, ended_at)
        self._outbox.complete(
            device_id,
            driver,
            event.cursor,
            # A clock that is known to be wrong proves nothing to the next visit.
            drained=self._as_previous() if self._synchronised is not False else None,
            ended=self._session(profile, ended_at) if is_told else None,
        )
        self._ended_at = ended_at
        if is_told:
            self._endings.told(device_id, self._holds, ended_at)
            self._on_put()

    def _as_previous(self) -> v1.WirePrevious:
        """This visit, as the next one tells of it; a device that cannot be asked for its count may have kept some."""
        stamp = self._opened().coincident
        return v1.WirePrevious(
            gateway_time=self._opened_at,
            device_time=stamp.device_time.isoformat() if stamp else None,
            drained=self._holds is not None,
        )

    def _opened(self) -> Opened:
        if self.opened is None:
            raise RuntimeError("the driver yielded something before Opened")
        return self.opened


def _deletes(profile: Profile) -> bool:
    """Whether its devices may delete what they have sent: the Bluetooth stack confirms before we have stored it."""
    ble = profile.firmware.ble
    return ble is not None and ble.history == "indicate_on_connect"


async def _events(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The driver's events up to Complete; RuntimeError where the driver ends without it."""
    async for event in events:
        yield event
        if isinstance(event, Complete):
            return
    raise RuntimeError("the driver ended without Complete")


def lane(reading: Reading, coincident: CoincidentTimeStamp | None, read_at: datetime) -> Lane:
    """LIVE where the reading is known to be recent; a reading without a trustworthy time waits its turn."""
    effective = effective_time(reading.reported_time, coincident, read_at)
    if effective.quality not in (TimeQuality.SYNCHRONISED, TimeQuality.MAPPED) or effective.time is None:
        return Lane.BACKFILL
    return Lane.LIVE if read_at - effective.time <= LIVE_WITHIN else Lane.BACKFILL


_BEFORE_NUMBERS = "; "


def spell_identity(identity: DeviceIdentity) -> str:
    """What a device said about itself: what support needs to write its profile, or to choose one.

    What tells it from others of its model stands behind a semicolon.
    """
    model = {"maker": identity.manufacturer, "model": identity.model, "firmware": identity.firmware}
    one = {"serial number": identity.serial_number, "system id": identity.system_id, "address": identity.address}
    return _BEFORE_NUMBERS.join(filter(None, (_facts(model), _facts(one))))


def without_serial_numbers(identity: str) -> str:
    """A spelt identity as it may stand in a log."""
    return identity.partition(_BEFORE_NUMBERS)[0]


def _facts(facts: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {fact.replace(';', ',')}" for name, fact in facts.items() if fact)


def spell(error: DeviceError) -> str:
    """What went wrong, without the octets that a device sent: they may hold a value or a serial number."""
    match error:
        case CodecError():
            return f"{error.format}: {_redact(error.reason)} at octet {error.offset} of {len(error.octets)}"
        case ForbiddenCommand():
            return f"profile {error.profile_id} does not allow a command that the driver sent"
        case _:
            return f"{type(error).__name__}: {_redact(str(error))}"


def _redact(text: str) -> str:
    """Blank out whatever could be a serial number, an address or octets: words with four digits or more."""
    return re.sub(r"\b(?=(?:[\w:-]*\d){4})[\w:-]+", "…", text)


def _where(error: Exception) -> str:
    """Type and place of a defect; its message may hold what the device said."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return f"{type(error).__name__} at {place}"
