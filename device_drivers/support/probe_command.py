"""``probe``: what is at the end of this line, and which profile is it read with."""

import argparse
from dataclasses import asdict

import msgspec

from device_drivers.identity import DeviceIdentity
from device_drivers.support.clock import utc_now
from device_drivers.support.conversations import profiles_at
from device_drivers.support.exit_codes import DEVICE_ERROR, GOOD
from device_drivers.support.probe import Attempt, Probed, probe
from device_drivers.support.rendering import Object, say
from device_drivers.support.usb import usb_id
from firmware_profiles.catalogue import catalogue

EPILOG = """\
Tries the opening handshake of every profile that is reached in this way, driver by driver, each behind the profile's
own list of allowed commands; nothing is set, erased or started. To a device file whose USB id is known, only profiles
of that id and profiles without any speak. One JSON object: the profile, and the identity that the
device gave. Exit code 3 where no profile fits, or more than one: then the object holds what is needed to write the
missing profile, or to say which (read --profile): every identity that was read, and the octets that were heard.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``URL`` and ``--profile``."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("url", metavar="URL", help="a device path (/dev/ttyUSB0, /dev/hidraw0) or a pyserial URL")
    parser.add_argument("--profile", metavar="ID", help="try this profile only")


async def run(args: argparse.Namespace) -> int:
    """Exit code 0 with one match, 3 otherwise. BadUsage, UnknownProfile, LinkLost."""
    probed = await probe(args.url, profiles_at(args.url, catalogue(), args.profile), utc_now, usb=usb_id(args.url))
    if len(probed.matches) != 1:
        return found_nothing(args.url, probed)
    (match,) = probed.matches
    device = match.profile.device
    say(
        {
            "url": args.url,
            "usb": usb_id(args.url),
            "profile": match.profile.id,
            "maker": device.maker,
            "model": device.model,
            "kind": device.kind,
            "driver": device.driver,
            "status": device.status,
            "identity": identity_view(match.identity),
        }
    )
    return GOOD


def found_nothing(url: str, probed: Probed) -> int:
    """Say what was read and tried; the exit code."""
    several = [attempt.profile.id for attempt in probed.matches]
    say(
        {
            "error": f"{' and '.join(several)} fit: say which by --profile" if several else _nothing(probed),
            "url": url,
            "usb": usb_id(url),
            "profile": None,
            "candidates": several,
            "identities": [identity_view(identity) for identity in probed.identities],
            "heard": probed.heard,
            "attempts": [_attempt_view(attempt) for attempt in probed.attempts],
        }
    )
    return DEVICE_ERROR


def identity_view(identity: DeviceIdentity | None) -> Object | None:
    """What the device said; no ``device_id`` where it said too little to be told from another."""
    if identity is None:
        return None
    said: Object = {name: value for name, value in asdict(identity).items() if value is not None}
    if identity.serial_number or identity.system_id or identity.address:
        said["device_id"] = identity.device_id
    return said


def _nothing(probed: Probed) -> str:
    if not probed.attempts:
        return "no profile lists this USB id"
    if probed.identities:
        return "no profile fits what the device says it is"
    return "something answers, but as no profile says" if probed.heard else "nothing answers"


def _attempt_view(attempt: Attempt) -> Object:
    settings = attempt.profile.firmware.serial or attempt.profile.firmware.hid
    return {
        "profile": attempt.profile.id,
        "driver": attempt.profile.device.driver,
        "port": msgspec.to_builtins(settings),
        "reason": attempt.reason or "it answers as this profile says",
        "heard": attempt.heard,
    }
