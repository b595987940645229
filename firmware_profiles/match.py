"""From what a device said about itself to exactly one profile. Never a guess.

A device matches when its model, its name or its USB id is one that the profile knows and nothing that was read
contradicts the profile. A USB id counts only where a profile lists it: bridge chips that sit in anybody's cable
belong in no profile.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from firmware_profiles.schema import Match, Profile, ProfileFile
from firmware_profiles.versions import parse_range


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRead:
    """The facts that were read; None where the device did not say. ``usb`` is ``vvvv:pppp`` in lower-case hex."""

    manufacturer: str | None = None
    model: str | None = None
    name: str | None = None
    usb: str | None = None
    firmware: str | None = None
    transport: Literal["serial", "ble", "hid"] | None = None


class NoProfile(LookupError):
    """No profile fits: the device is unknown to us, or its firmware is."""

    def __init__(self, identity: IdentityRead, reason: str = "no profile matches") -> None:
        super().__init__(f"{reason}: {identity}")
        self.identity = identity


class AmbiguousProfile(LookupError):
    """More than one profile fits; choosing would be guessing."""

    def __init__(self, identity: IdentityRead, profiles: tuple[str, ...]) -> None:
        super().__init__(f"{' and '.join(profiles)} match: {identity}")
        self.identity = identity
        self.profiles = profiles


def match(files: Iterable[ProfileFile], identity: IdentityRead) -> Profile:
    """The one profile of this device. NoProfile, AmbiguousProfile; both carry the identity read."""
    fitting = [file for file in files if _fits(file.device.match, identity)]
    if not fitting:
        raise NoProfile(identity)
    if len(fitting) > 1:
        raise AmbiguousProfile(identity, tuple(file.device.id for file in fitting))
    return _choose(fitting[0], identity)


def choose_firmware(file: ProfileFile, firmware: str | None) -> Profile:
    """The firmware table of a known model. NoProfile, AmbiguousProfile."""
    return _choose(file, IdentityRead(manufacturer=file.device.maker, model=file.device.model, firmware=firmware))


def contradicted_by(
    file: ProfileFile, others: Iterable[ProfileFile], identity: IdentityRead
) -> tuple[ProfileFile, ...]:
    """The profiles that what was read fits, where it does not fit this one; empty where nothing speaks against it.

    A model that no profile knows contradicts nothing: which words a device has for its model is in few of our sources.
    """
    if _fits(file.device.match, identity):
        return ()
    return tuple(other for other in others if other is not file and _fits(other.device.match, identity))


def _choose(file: ProfileFile, identity: IdentityRead) -> Profile:
    tables = [table for table in file.firmware if identity.transport in (None, table.transport)]
    if identity.firmware is not None:
        tables = [table for table in tables if parse_range(table.versions).contains(identity.firmware)]
    if not tables:
        raise NoProfile(identity, f"no firmware table of {file.device.id} fits")
    if len(tables) > 1:
        names = tuple(f"{file.device.id} {table.transport} {table.versions}" for table in tables)
        raise AmbiguousProfile(identity, names)
    return Profile(device=file.device, firmware=tables[0])


def _fits(wanted: Match, identity: IdentityRead) -> bool:
    """Model, name or USB id agrees, and nothing contradicts; the maker alone identifies no model."""
    maker = _agrees(wanted.manufacturer, identity.manufacturer)
    verdicts = [
        _agrees(wanted.model, identity.model),
        _agrees(wanted.name, identity.name),
        _agrees_usb(wanted, identity),
    ]
    return True in verdicts and False not in verdicts and maker is not False


def _agrees(pattern: str | None, fact: str | None) -> bool | None:
    """None where one side has nothing to say."""
    return None if pattern is None or fact is None else re.fullmatch(pattern, fact) is not None


def _agrees_usb(wanted: Match, identity: IdentityRead) -> bool | None:
    return identity.usb in wanted.usb if wanted.usb and identity.usb is not None else None
