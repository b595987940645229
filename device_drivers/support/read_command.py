"""``read``: one device, from the first reading to the last."""

import argparse
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC

from device_drivers.drivers.conversation import Clock, Complete, Event, Opened, Received
from device_drivers.errors import DeviceError
from device_drivers.readings import Reading
from device_drivers.support.clock import utc_now
from device_drivers.support.conversations import conversation, profiles_at
from device_drivers.support.exit_codes import DEVICE_ERROR, GOOD
from device_drivers.support.probe import probe
from device_drivers.support.probe_command import found_nothing, identity_view
from device_drivers.support.rendering import Object, record, say
from device_drivers.support.usb import usb_id
from firmware_profiles.catalogue import catalogue
from firmware_profiles.schema import Profile

EPILOG = """\
One JSON line per reading, in the device's own value, unit and time, and a last line about the whole:
"complete" (whether everything that the device announced has come), the profile, the device's identity, its clock and
this computer's at the same moment, "skew_s" (the device's wall clock minus UTC, so a zone is skew, too), how many
readings the device holds and how many came, and warnings. Exit code 3 where the device could not be read to its end;
the readings that are printed by then are whole.

URL is a device path (/dev/ttyUSB0, /dev/hidraw0) or a pyserial URL (socket://HOST:PORT, rfc2217://..., cp2110://...).
Without --profile the device is probed first. Nothing is written to the device but questions that its profile lists.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``URL`` and ``--profile``."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("url", metavar="URL", help="where the device is")
    parser.add_argument("--profile", metavar="ID", help="the firmware profile (default: probe for it)")


async def run(args: argparse.Namespace) -> int:
    """Exit code 0, or 3 where the device could not be read to its end. BadUsage, UnknownProfile."""
    candidates = profiles_at(args.url, catalogue(), args.profile)
    if len(candidates) > 1:
        probed = await probe(args.url, candidates, utc_now, usb=usb_id(args.url))
        if len(probed.matches) != 1:
            return found_nothing(args.url, probed)
        candidates = [probed.matches[0].profile]
    return await read_out(args.url, candidates[0], utc_now)


async def read_out(url: str, profile: Profile, now: Clock) -> int:
    """Say every reading and then the summary; 0 where everything came, else 3."""
    summary = _Summary(profile)
    try:
        async with conversation(url, profile, now) as events:
            await _say_all(events, summary)
    except DeviceError as error:
        summary.error = f"{type(error).__name__}: {error}"
    say(summary.view())
    return GOOD if summary.complete is not None else DEVICE_ERROR


async def _say_all(events: AsyncIterator[Event], summary: "_Summary") -> None:
    async for event in events:
        match event:
            case Opened():
                summary.opened = event
            case Received(readings):
                for reading in readings:
                    say(reading_view(reading))
                summary.received += len(readings)
            case Complete():
                summary.complete = event
                return


@dataclass(slots=True)
class _Summary:
    """What one read came to."""

    profile: Profile
    opened: Opened | None = None
    complete: Complete | None = None
    error: str | None = None
    received: int = 0

    def view(self) -> Object:
        holds = self.complete.holds if self.complete else None
        return {
            "complete": self.complete is not None,
            "profile": self.profile.id,
            "identity": identity_view(self.opened.identity) if self.opened else None,
            **self._clocks(),
            "holds": holds if holds is not None or self.opened is None else self.opened.holds,
            "received": self.received,
            "warnings": self.complete.warnings if self.complete else (),
            **({"error": self.error} if self.error else {}),
        }

    def _clocks(self) -> Object:
        coincident = self.opened.coincident if self.opened else None
        if coincident is None:
            return {"device_clock": None, "gateway_clock": None, "skew_s": None}
        return {
            "device_clock": coincident.device_time,
            "gateway_clock": coincident.gateway_time.astimezone(UTC),
            "skew_s": -coincident.offset.total_seconds(),
        }


def reading_view(reading: Reading) -> Object:
    """One reading; the device stands in the last line."""
    return {
        "reading_id": reading.reading_id,
        "kind": reading.kind,
        "sample": reading.sample,
        "reported_time": reading.reported_time.text,
        "local_time": reading.reported_time.local,
        "components": [
            {"mdc": int(component.code), "name": component.code.name.lower(), **record(component.quantity)}
            for component in reading.components
        ],
        "sequence_number": reading.sequence_number,
        "occurrence": reading.occurrence,
        "user_index": reading.user_index,
        "annotations": reading.annotations,
        "context": reading.context,
        "raw": reading.raw,
    }
