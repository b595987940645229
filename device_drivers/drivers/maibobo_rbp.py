"""Maibobo (Raycome) RBP cuffs over their serial cable: they speak when they have measured.

The cuff has no memory that could be asked and no serial number. A visit connects, again and again until something is
heard, then listens for as long as the profile says (``serial.listen_s``) and gives each result as it comes. It never
starts, stops or switches off anything: the person at the cuff does. mm[Hg] and beats per minute; times have seconds.

A result comes at the end of its measurement, so its time is also what the cuff's clock shows at that moment: the first
one of a visit gives the coincident time stamp. A cuff that was never set says 2014-01-01 01:01:01; such a reading, and
a failed measurement, which has no time on the wire, has no local time, and is told from its like by an occurrence that
the cursor counts on. A frame that comes twice in a row is one measurement: before the next one come pressures.

A damaged frame cannot be asked for again: it ends the visit without ``Complete``, behind everything that came whole.

Wire page with offsets and a result decoded by hand: ``maibobo_rbp.md``.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

from device_drivers.codecs import maibobo_rbp as wire
from device_drivers.codecs.maibobo_rbp import Failure, Frame, Result
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.incoming import Incoming
from device_drivers.drivers.pressure_figures import pressure_figures
from device_drivers.errors import CodecError, LinkTimeout
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import SerialLink
from device_drivers.readings import Kind, Reading, ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile, SerialPort

QUIRKS: frozenset[str] = frozenset()

# A failure says nothing of when it was.
_NO_RESULT = Result(user=0, text="", local=None, systolic=0, diastolic=0, pulse=0)
NO_TIME = ReportedTime("0000-00-00T00:00:00", None)


async def read(link: SerialLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract. LinkTimeout where the cuff never says anything."""
    cuff = Cuff(link, profile)
    readings = _Readings(link, profile, cursor)
    opened = False
    damaged: CodecError | None = None
    async with aclosing(cuff.outcomes()) as outcomes:
        async for outcome in outcomes:
            if isinstance(outcome, CodecError):
                damaged = damaged or outcome  # go on: what follows is sent only once
                continue
            if not opened:
                yield Opened(identity=readings.identity, coincident=readings.coincident(outcome.message, now))
                opened = True
            yield Received((readings.reading_from(outcome),))
    if damaged is not None:
        raise damaged
    if not opened:
        yield Opened(identity=readings.identity, coincident=None)
    yield Complete(cursor=readings.cursor())


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a measurement ended, and the octets that said so."""

    message: Result | Failure
    octets: bytes


class Cuff:
    """The listening."""

    def __init__(self, link: SerialLink, profile: Profile) -> None:
        port = profile.firmware.serial or SerialPort(baud=115200)
        self._link = link
        self._incoming: Incoming[Frame] = Incoming(link, wire.cuff_reader(), port.reply_timeout_s)
        self._silences = max(1 + port.retries, int(port.listen_s / port.reply_timeout_s))

    async def outcomes(self) -> AsyncGenerator[Outcome | CodecError]:
        """Results, failures and damage as they come. LinkTimeout where nothing ever does; LinkLost."""
        last: Frame | None = None
        async with aclosing(self._frames()) as frames:
            async for frame in frames:
                if isinstance(frame, CodecError):
                    yield frame
                elif frame != last:
                    last = frame
                    if (outcome := _outcome(frame)) is not None:
                        yield outcome

    async def _frames(self) -> AsyncGenerator[Frame | CodecError]:
        heard, silences = False, 0
        await self._link.write(wire.CONNECT_COMMAND)
        while silences < self._silences:
            try:
                yield await self._incoming.next()
                heard = True
            except CodecError as error:
                yield error
            except LinkTimeout:
                silences += 1
                if not heard:
                    await self._link.write(wire.CONNECT_COMMAND)
        if not heard:
            raise LinkTimeout("the cuff says nothing")


def _outcome(frame: Frame) -> Outcome | CodecError | None:
    """None where the frame is not the end of a measurement."""
    try:
        message = wire.message_of(frame)
    except CodecError as error:
        return error
    return Outcome(message, wire.encode_frame(frame)) if isinstance(message, Result | Failure) else None


class _Readings:
    """Readings of one visit, and how many of them had no time."""

    def __init__(self, link: SerialLink, profile: Profile, cursor: Cursor | None) -> None:
        self._profile = profile
        self._untimed = int((cursor or {}).get("untimed", 0))
        self.identity = DeviceIdentity(
            manufacturer=profile.device.maker, model=profile.device.model, address=link.address
        )

    def cursor(self) -> Cursor:
        """How many readings without a time there have been."""
        return {"untimed": self._untimed}

    def coincident(self, message: Result | Failure, now: Clock) -> CoincidentTimeStamp | None:
        """The cuff's clock, as a result tells it at this moment; None where it does not."""
        local = self._time(message).local
        return None if local is None else CoincidentTimeStamp(gateway_time=now(), device_time=local)

    def reading_from(self, outcome: Outcome) -> Reading:
        """One measurement, or the failure of one."""
        message = outcome.message
        time = self._time(message)
        occurrence = 0
        if time.local is None:
            occurrence, self._untimed = self._untimed, self._untimed + 1
        result = message if isinstance(message, Result) else _NO_RESULT
        failed = 0 in (result.systolic, result.diastolic, result.pulse)
        return Reading(
            device=self.identity,
            kind=Kind.BLOOD_PRESSURE,
            components=pressure_figures(
                systolic=result.systolic, diastolic=result.diastolic, pulse=result.pulse, failed=failed
            ),
            reported_time=time,
            profile=self._profile.id,
            raw=outcome.octets,
            occurrence=occurrence,
            user_index=result.user or None,
            annotations=_annotations(message, failed=failed),
        )

    def _time(self, message: Result | Failure) -> ReportedTime:
        if isinstance(message, Failure):
            return NO_TIME
        unset = message.text in self._profile.firmware.clock.unset
        return ReportedTime(message.text, None if unset else message.local)


def _annotations(message: Result | Failure, *, failed: bool) -> tuple[str, ...]:
    if isinstance(message, Failure):
        return "failed_measurement", wire.ERRORS.get(message.code, f"error_{message.code}")
    return ("failed_measurement",) if failed else ()
