"""What is at the end of this line? Every profile's own opening handshake is tried, behind its own allow-list.

Nothing is sent that a profile does not list, and no conversation goes further than the identity. Profiles of one driver
on the same port settings are tried together: where nobody answers one of them, nobody answers the others.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby

import msgspec

from device_drivers.drivers.conversation import Clock, Event, Opened
from device_drivers.errors import DeviceError, LinkLost, ProtocolError, UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import Tap
from device_drivers.support.conversations import conversation
from firmware_profiles.schema import Firmware, Hid, Profile, SerialPort
from firmware_profiles.versions import parse_range

# A device may miss the first command because it was asleep; more patience than that belongs to a visit.
PROBE_RETRIES = 1
PROBE_REPLY_TIMEOUT_S = 2.0
# A whole memory before the identity takes a quarter of a minute at 19200 baud.
LONGEST_S = 60.0
# A module that only measures is opened without a word; that is no answer.
NOTHING_SAID = "it says nothing"
# So much of what was heard is kept: enough to recognise a protocol by.
MOST_HEARD = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One profile's handshake, and what came of it; ``heard`` is what the device sent, whatever it means."""

    profile: Profile
    identity: DeviceIdentity | None
    reason: str
    heard: bytes

    @property
    def matched(self) -> bool:
        """Whether the device answered as this profile says."""
        return self.identity is not None and not self.reason


@dataclass(frozen=True, slots=True)
class Probed:
    """Everything that was tried, in order."""

    attempts: tuple[Attempt, ...]

    @property
    def matches(self) -> tuple[Attempt, ...]:
        """Exactly one is a find; none or several is for a person to decide."""
        return tuple(attempt for attempt in self.attempts if attempt.matched)

    @property
    def identities(self) -> tuple[DeviceIdentity, ...]:
        """What the device said about itself, once each, whether a profile fits or not."""
        read = (attempt.identity for attempt in self.attempts if attempt.heard)
        return tuple(dict.fromkeys(identity for identity in read if identity is not None))

    @property
    def heard(self) -> bytes:
        """The longest thing that was heard."""
        return max((attempt.heard for attempt in self.attempts), key=len, default=b"")


async def probe(url: str, profiles: Iterable[Profile], now: Clock, *, usb: str | None = None) -> Probed:
    """Try the profiles, way by way, until a device has answered one way. LinkLost where there is no such port.

    ``usb`` is the device file's USB id: a profile that lists other ids is not tried, and for a HID device neither is
    one that lists none.
    """
    attempts: list[Attempt] = []
    fitting = [profile for profile in profiles if _may_be(profile, usb)]
    for _, together in groupby(sorted(fitting, key=_way), key=_way):
        found = await _try_together(url, list(together), now)
        attempts.extend(found)
        if any(attempt.identity is not None and attempt.heard for attempt in found):
            break
    return Probed(tuple(attempts))


def _may_be(profile: Profile, usb: str | None) -> bool:
    listed = profile.device.match.usb
    return usb is None or usb in listed or (not listed and profile.firmware.transport != "hid")


def _way(profile: Profile) -> tuple[str, str]:
    """Driver and port settings; equal for profiles between which only the device's own words can decide."""
    firmware = profile.firmware
    settings = firmware.serial or firmware.hid
    return profile.device.driver, "" if settings is None else str(msgspec.to_builtins(_quick(settings)))


def _quick(settings: SerialPort | Hid) -> SerialPort | Hid:
    return msgspec.structs.replace(
        settings,
        retries=min(settings.retries, PROBE_RETRIES),
        reply_timeout_s=min(settings.reply_timeout_s, PROBE_REPLY_TIMEOUT_S),
    )


def _impatient(profile: Profile) -> Profile:
    firmware: Firmware = profile.firmware
    if firmware.serial is not None:
        firmware = msgspec.structs.replace(firmware, serial=_quick(firmware.serial))
    if firmware.hid is not None:
        firmware = msgspec.structs.replace(firmware, hid=_quick(firmware.hid))
    return msgspec.structs.replace(profile, firmware=firmware)


async def _try_together(url: str, profiles: Sequence[Profile], now: Clock) -> list[Attempt]:
    attempts: list[Attempt] = []
    for profile in profiles:
        attempts.append(await _try(url, profile, now))
        if not attempts[-1].heard:
            break
    return attempts


async def _try(url: str, profile: Profile, now: Clock) -> Attempt:
    heard = bytearray()
    quick = _impatient(profile)
    identity, reason = None, ""
    try:
        async with (
            asyncio.timeout(LONGEST_S),
            _while_it_speaks(_silence_s(quick), heard) as tap,
            conversation(url, quick, now, tap) as events,
        ):
            identity = (await _opened(events)).identity
            reason = _misfit(profile, identity) if heard else NOTHING_SAID
    except LinkLost:
        if not heard:
            raise
        reason = "it hung up"
    except TimeoutError:
        reason = "it speaks without saying who it is" if heard else NOTHING_SAID
    except DeviceError as error:
        identity, reason = _who(profile, error), f"{type(error).__name__}: {error}"
    return Attempt(profile=profile, identity=identity, reason=reason, heard=bytes(heard))


def _silence_s(profile: Profile) -> float:
    """A driver may wait for a person (to measure, to press a button); a probe does not."""
    settings = profile.firmware.serial or profile.firmware.hid
    return 1.0 if settings is None else 1.0 + (settings.retries + 1) * settings.reply_timeout_s


@asynccontextmanager
async def _while_it_speaks(silence_s: float, heard: bytearray) -> AsyncIterator[Tap]:
    """Listens in; TimeoutError once nothing has come for so long. ``heard`` takes what came first."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(silence_s) as patience:

        def tap(direction: str, _channel: str, octets: bytes) -> None:
            if direction == "in":
                heard.extend(octets[: MOST_HEARD - len(heard)])
                patience.reschedule(loop.time() + silence_s)

        yield tap


async def _opened(events: AsyncIterator[Event]) -> Opened:
    async for event in events:
        if isinstance(event, Opened):
            return event
    raise ProtocolError("the conversation ended before the device had said who it is")


def _misfit(profile: Profile, identity: DeviceIdentity) -> str:
    """Why the device is not of this profile's firmware range; empty where it is."""
    versions = profile.firmware.versions
    if identity.firmware is None or parse_range(versions).contains(identity.firmware):
        return ""
    return f"its firmware {identity.firmware} is not {versions}"


def _who(profile: Profile, error: DeviceError) -> DeviceIdentity | None:
    """What is known of a device that refused the profile by naming another model."""
    if isinstance(error, UnexpectedDevice):
        return DeviceIdentity(manufacturer=profile.device.maker, model=error.model)
    return None
