"""SunTech's OEM blood-pressure modules (Advantage and its successors): one visit is one measurement, made now.

The module has no memory, no clock and no serial number. A visit starts a measurement, follows the pressure in the
cuff, waits until the module is done and reads the result, a failed measurement with its reason as well. It inflates a
cuff, so it does so only where the profile's ``[firmware.live]`` says that the cuff is on its patient by design, not
more often than it says, and not into a cuff that is under pressure already. Whatever ends the visit before the result
is here (a cancelled task, a closed generator, an error), the measurement is aborted; should the abort not get through,
the module's own timers empty the cuff.

The module keeps the figures of the measurement before. So figures are believed only behind the module's word that this
measurement is done; a measurement that ended in another way gives its reason, or an error.

Time: the reading's is the gateway's own clock when the module was done, written with a ``Z``; the visit's coincident
time stamp is that same clock on both sides, so nothing is shifted (DECISIONS.md, "The time of a measurement that we
start").

Wire page with offsets and a result decoded by hand: ``suntech_nibp.md``.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from decimal import Decimal

from device_drivers.codecs import suntech_nibp as wire
from device_drivers.codecs.suntech_nibp import CuffPressure, Packet, Result, Status
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Progress, Received
from device_drivers.drivers.incoming import Incoming
from device_drivers.drivers.pressure_figures import pressure_figures
from device_drivers.drivers.retries import retried
from device_drivers.errors import ChecksumError, DeviceError, LinkTimeout, ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Live, Profile, SerialPort

QUIRKS: frozenset[str] = frozenset()

# What stands in an empty cuff; the same limit tells that a cuff has been inflated.
RESTING_MMHG = 10
# So many times an empty cuff, after it was inflated: the measurement has ended, and the module's word for it was lost.
EMPTY_AGAIN = 5
# ABORT is said so often before we leave the cuff to the module's own timers.
ABORTS = 3


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract. ProtocolError where the profile lets nothing start."""
    live = profile.firmware.live
    if live is None or not live.cuff_is_on_its_patient:
        raise ProtocolError(f"profile {profile.id} does not say that the cuff is on its patient: nothing is started")
    module = SunTech(link, profile, live)
    resting = await module.cuff_pressure()
    identity = DeviceIdentity(manufacturer=profile.device.maker, model=profile.device.model, address=link.address)
    opened_at = now()
    yield Opened(identity=identity, coincident=CoincidentTimeStamp(opened_at, opened_at.replace(tzinfo=None)))
    if not _is_due(cursor, live, opened_at):
        yield Complete(cursor=dict(cursor or {}))
        return
    if resting > RESTING_MMHG:
        raise ProtocolError(f"the cuff is under pressure already ({resting} mmHg)")
    async with aclosing(module.measure()) as pressures:
        async for pressure in pressures:
            yield Progress(Quantity(Decimal(pressure), Unit.MM_HG))
    done_at = now()
    yield Received((reading_from(module.measured(), done_at, identity, profile),))
    yield Complete(cursor={"measured_at": done_at.isoformat()})


def _is_due(cursor: Cursor | None, live: Live, now: datetime) -> bool:
    """Long enough after the last measurement; a clock that was set back does not stop them for ever."""
    if not cursor or "measured_at" not in cursor:
        return True
    since = now - datetime.fromisoformat(str(cursor["measured_at"]))
    return not timedelta(0) <= since < timedelta(seconds=live.at_most_every_s)


class SunTech:
    """The module: questions, and one measurement at a time."""

    def __init__(self, link: SerialLink, profile: Profile, live: Live) -> None:
        port = profile.firmware.serial or SerialPort(baud=9600)
        self._link = link
        self._retries = port.retries
        self._live = live
        self._incoming: Incoming[Packet] = Incoming(link, wire.packet_reader(), port.reply_timeout_s)
        self._is_executed = False
        self._result: Result | None = None

    async def cuff_pressure(self) -> int:
        """mm[Hg] in the cuff now. ChecksumError, LinkTimeout, LinkLost."""
        return (await retried(self._ask_cuff_pressure, self._retries)).mmhg

    def measured(self) -> Result:
        """The result of a measurement that was followed to its end. ProtocolError where there is none."""
        if self._result is None or not (self._is_executed or self._result.error):
            raise ProtocolError("the measurement ended without figures and without a reason")
        return self._result

    async def measure(self) -> AsyncGenerator[int]:
        """Start a measurement, give the pressures in the cuff until it has ended, and read its result.

        Left before that, in whatever way, it aborts the measurement. ProtocolError where the module refuses or the
        measurement takes too long; ChecksumError, LinkTimeout, LinkLost.
        """
        self._result, self._is_executed = None, False
        try:
            await self._start()
            async with aclosing(self._until_ended()) as pressures:
                async for pressure in pressures:
                    yield pressure
            self._result = await retried(self._ask_result, self._retries)
        finally:
            if self._result is None:
                await self._abort()

    async def _start(self) -> None:
        """Said once: a second START could find the cuff inflated by the first."""
        await self._incoming.forget()
        await self._link.write(wire.START)
        status = await self._status()
        if status is not Status.RECEIVED:
            raise ProtocolError(f"the module refuses to start: {status.name.lower()}")

    async def _until_ended(self) -> AsyncGenerator[int]:
        was_inflated, empty_again = False, 0
        for _ in range(int(2 * self._live.limit_s / self._live.poll_s)):  # a question and an answer each
            match await self._next_or_ask():
                case Status.EXECUTED:
                    self._is_executed = True
                    return
                case Status.ABORTED | Status.ERROR | Status.TIMED_OUT:
                    return
                case CuffPressure(mmhg):
                    yield mmhg
                    was_inflated = was_inflated or mmhg > RESTING_MMHG
                    empty_again = empty_again + 1 if was_inflated and mmhg <= RESTING_MMHG else 0
            if empty_again == EMPTY_AGAIN:
                return
        raise ProtocolError(f"the measurement took longer than {self._live.limit_s:g} s")

    async def _next_or_ask(self) -> Packet | None:
        """What the module says within the time between two questions, else the question. Damage says nothing."""
        if not await self._incoming.more_within(self._live.poll_s):
            await self._link.write(wire.READ_CUFF_PRESSURE)
            return None
        with suppress(ChecksumError):
            return await self._incoming.next()
        return None

    async def _abort(self) -> None:
        for _ in range(ABORTS):
            # Nothing may hide why the measurement was left, and a second ABORT cures what an error here can tell.
            with suppress(DeviceError):
                await self._link.write(wire.ABORT)
                if await self._status() in (Status.ABORTED, Status.EXECUTED):
                    return

    async def _ask_cuff_pressure(self) -> CuffPressure:
        await self._incoming.forget()
        await self._link.write(wire.READ_CUFF_PRESSURE)
        while not isinstance(packet := await self._incoming.next(), CuffPressure):
            continue
        return packet

    async def _ask_result(self) -> Result:
        await self._incoming.forget()
        await self._link.write(wire.READ_RESULT)
        while not isinstance(packet := await self._incoming.next(), Result):
            if packet is Status.BUSY:
                raise LinkTimeout("the module is still busy")
        return packet

    async def _status(self) -> Status:
        while not isinstance(packet := await self._incoming.next(), Status):
            continue
        return packet


def reading_from(result: Result, done_at: datetime, identity: DeviceIdentity, profile: Profile) -> Reading:
    """One measurement; with an error, or without figures, none of its figures is a number."""
    failed = result.error != 0 or 0 in (result.systolic, result.diastolic, result.pulse)
    why = wire.ERRORS.get(result.error, f"error_{result.error}")
    local = done_at.replace(tzinfo=None, microsecond=0)
    return Reading(
        device=identity,
        kind=Kind.BLOOD_PRESSURE,
        components=pressure_figures(
            systolic=result.systolic,
            diastolic=result.diastolic,
            mean=result.mean,
            pulse=result.pulse,
            failed=failed,
        ),
        reported_time=ReportedTime(f"{local.isoformat()}Z", local),
        profile=profile.id,
        raw=wire.encode(result),
        annotations=("failed_measurement", *((why,) if result.error else ())) if failed else (),
    )
