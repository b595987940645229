"""The catalogue: every profile under ``profiles/``, loaded strictly, once.

Errors name the file and the key. Two files with one id, two firmware ranges of one device that overlap on one
transport, an unreadable version range, regular expression or command pattern: the catalogue is refused as a whole,
because a device that is read by half a catalogue is read wrongly.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import msgspec

from firmware_profiles.match import IdentityRead, choose_firmware, match
from firmware_profiles.schema import Device, Firmware, Profile, ProfileFile
from firmware_profiles.versions import InvalidRange, parse_range

PROFILES = Path(__file__).parent / "profiles"

# The pattern language of ``Firmware.commands``: what stands in front of the octets, by transport.
_CHANNEL = {
    "serial": "",
    "ble": "([0-9a-f]{4}: |[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}: )",
    "hid": "(feature: )?",
}
_OCTETS = r"([0-9a-f]{2}|\.\.)( ([0-9a-f]{2}|\.\.))*( \*)?"


class InvalidProfile(ValueError):
    """A profile file that is refused; the text names the file and the key."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path.parent.name}/{path.name}: {reason}")
        self.path = path
        self.reason = reason


class UnknownProfile(LookupError):
    """No profile has this id."""

    def __init__(self, profile_id: str, known: Iterable[str]) -> None:
        super().__init__(f"no profile has the id {profile_id!r}; known: {', '.join(sorted(known))}")
        self.profile_id = profile_id


class Catalogue:
    """All profiles by id. Iteration gives every (device, firmware) pair as a ``Profile``, ordered by id."""

    def __init__(self, files: Iterable[ProfileFile]) -> None:
        self._files = {file.device.id: file for file in sorted(files, key=lambda file: file.device.id)}

    def __iter__(self) -> Iterator[Profile]:
        for file in self._files.values():
            for firmware in file.firmware:
                yield Profile(device=file.device, firmware=firmware)

    def __len__(self) -> int:
        return len(self._files)

    @property
    def files(self) -> tuple[ProfileFile, ...]:
        """The files as they were written, one per model."""
        return tuple(self._files.values())

    def file(self, profile_id: str) -> ProfileFile:
        """One file; UnknownProfile."""
        try:
            return self._files[profile_id]
        except KeyError:
            raise UnknownProfile(profile_id, self._files) from None

    def get(self, profile_id: str, firmware: str | None = None) -> Profile:
        """The profile with this id, for this firmware where it is known.

        Raises UnknownProfile, or ``match.NoProfile`` / ``match.AmbiguousProfile`` where the firmware does not decide.
        """
        return choose_firmware(self.file(profile_id), firmware)

    def match(self, identity: IdentityRead) -> Profile:
        """The one profile of the device that said this. NoProfile, AmbiguousProfile."""
        return match(self.files, identity)


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, loaded at the first call. InvalidProfile."""
    return load(PROFILES)


def load(folder: Path) -> Catalogue:
    """Load all TOML files under a folder. InvalidProfile."""
    files: dict[str, tuple[Path, ProfileFile]] = {}
    for path in sorted(folder.rglob("*.toml")):
        file = load_file(path)
        if (first := files.get(file.device.id)) is not None:
            raise InvalidProfile(path, f"device.id {file.device.id!r} is already the id of {first[0].name}")
        files[file.device.id] = path, file
    return Catalogue(file for _, file in files.values())


def load_file(path: Path) -> ProfileFile:
    """Load and check one file. InvalidProfile."""
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=ProfileFile)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InvalidProfile(path, str(error)) from error
    _check_device(path, file.device)
    if not file.firmware:
        raise InvalidProfile(path, "firmware: at least one range is needed")
    for number, firmware in enumerate(file.firmware):
        _check_firmware(path, number, firmware)
    _check_overlaps(path, file.firmware)
    return file


def _check_device(path: Path, device: Device) -> None:
    for key, pattern in (("manufacturer", device.match.manufacturer), ("model", device.match.model)):
        _check_expression(path, f"device.match.{key}", pattern)
    _check_expression(path, "device.match.name", device.match.name)
    for usb in device.match.usb:
        if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", usb):
            raise InvalidProfile(path, f"device.match.usb: {usb!r} is not vvvv:pppp in lower-case hex")
    if device.memory < 1 or device.users < 1:
        raise InvalidProfile(path, "device.memory and device.users count from 1")


def _check_expression(path: Path, key: str, pattern: str | None) -> None:
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise InvalidProfile(path, f"{key}: {error}") from error


def _check_firmware(path: Path, number: int, firmware: Firmware) -> None:
    where = f"firmware[{number}]"
    try:
        parse_range(firmware.versions)
    except InvalidRange as error:
        raise InvalidProfile(path, f"{where}.versions: {error}") from error
    for command in firmware.commands:
        if re.fullmatch(_CHANNEL[firmware.transport] + _OCTETS, command) is None:
            raise InvalidProfile(path, f"{where}.commands: {command!r} is not a {firmware.transport} command pattern")
    for fact in (firmware, *firmware.quirks):
        if not fact.evidence.strip() or not fact.why.strip():
            raise InvalidProfile(path, f"{where}: evidence and why may not be empty")


def _check_overlaps(path: Path, firmwares: tuple[Firmware, ...]) -> None:
    for a, b in combinations(firmwares, 2):
        if a.transport == b.transport and parse_range(a.versions).overlaps(parse_range(b.versions)):
            raise InvalidProfile(path, f"firmware: the ranges {a.versions!r} and {b.versions!r} overlap")
