"""Which devices this home has, and which profile each of them is read with.

A profile is never guessed: an id that no profile has, a firmware that fits no range of it, or fits two, is a problem
that is logged, shown by ``python -m gateway status`` and carried by no reading. The other devices are not concerned.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from device_drivers.errors import UnexpectedDevice
from device_drivers.identity import DeviceIdentity
from firmware_profiles.catalogue import Catalogue, UnknownProfile
from firmware_profiles.match import AmbiguousProfile, IdentityRead, NoProfile, choose_firmware, contradicted_by
from firmware_profiles.schema import Profile, ProfileFile
from gateway.config import DeviceEntry


class Unresolved(Exception):
    """No profile, or more than one, for a device of the roster; ``reason`` says what was looked for."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RosteredDevice:
    """A device of this home and everything that its profile file knows of the way it is reached."""

    entry: DeviceEntry
    file: ProfileFile  # with the firmware tables of its transport only
    others: tuple[ProfileFile, ...] = ()  # every profile of this transport

    @property
    def name(self) -> str:
        """Its name in the configuration; stands in logs."""
        return self.entry.name

    @property
    def listens(self) -> bool:
        """Whether its visits wait for what it says unasked."""
        return any(table.serial is not None and table.serial.listen_s > 0 for table in self.file.firmware)

    def check(self, identity: DeviceIdentity) -> None:
        """UnexpectedDevice where what answered says that it is what another profile of the catalogue is for.

        On a cable the driver knows who answers; over Bluetooth the words of Device Information are all there is.
        """
        if self.entry.transport != "ble":
            return
        read = IdentityRead(manufacturer=identity.manufacturer, model=identity.model)
        if contradicted_by(self.file, self.others, read):
            raise UnexpectedDevice(f"{identity.manufacturer} {identity.model}", self.file.device.id)

    def profile(self, firmware: str | None) -> Profile:
        """The profile for a firmware as the device said it; the configuration's word wins. Unresolved."""
        try:
            return choose_firmware(self.file, self.entry.firmware or firmware)
        except NoProfile as error:
            raise Unresolved(
                self.name, f"no firmware range of {self.file.device.id} fits {error.identity.firmware}"
            ) from error
        except AmbiguousProfile as error:
            reason = f"{' and '.join(error.profiles)} fit; say which by `firmware` in the configuration"
            raise Unresolved(self.name, reason) from error


@dataclass(slots=True)
class Roster:
    """The devices that can be visited, and what is wrong with the others. Bluetooth ones come and go from afar."""

    serial: tuple[RosteredDevice, ...]
    hid: tuple[RosteredDevice, ...]
    ble: tuple[RosteredDevice, ...]
    problems: tuple[Unresolved, ...]

    def by_address(self, address: str) -> RosteredDevice | None:
        """The Bluetooth device with this address, in whatever case."""
        return next((d for d in self.ble if d.entry.address and d.entry.address.upper() == address.upper()), None)

    def ble_called(self, name: str) -> RosteredDevice | None:
        """The Bluetooth device of this name."""
        return next((d for d in self.ble if d.name == name), None)

    def has_name(self, name: str) -> bool:
        """Whether the name is taken, by whatever device."""
        devices = (*self.serial, *self.hid, *self.ble)
        return any(d.name == name for d in devices) or any(problem.name == name for problem in self.problems)

    def add(self, device: RosteredDevice) -> None:
        """One more Bluetooth device."""
        self.remove(device.name)
        self.ble = (*self.ble, device)

    def remove(self, name: str) -> None:
        """The Bluetooth device of this name is of the home no more."""
        self.ble = tuple(d for d in self.ble if d.name != name)


def resolve(entries: Iterable[DeviceEntry], catalogue: Catalogue) -> Roster:
    """Look each device's profile up; whatever is wrong comes back as a problem, never as an exception."""
    devices: dict[str, list[RosteredDevice]] = {"serial": [], "hid": [], "ble": []}
    problems: list[Unresolved] = []
    for entry in entries:
        try:
            device = _resolve(entry, catalogue)
        except Unresolved as problem:
            problems.append(problem)
        else:
            devices[entry.transport].append(device)
    return Roster(tuple(devices["serial"]), tuple(devices["hid"]), tuple(devices["ble"]), tuple(problems))


def _resolve(entry: DeviceEntry, catalogue: Catalogue) -> RosteredDevice:
    try:
        file = catalogue.file(entry.profile)
    except UnknownProfile as error:
        raise Unresolved(entry.name, str(error)) from error
    tables = tuple(table for table in file.firmware if table.transport == entry.transport)
    if not tables:
        raise Unresolved(entry.name, f"profile {entry.profile} is not reached by {entry.transport}")
    device = RosteredDevice(entry, msgspec.structs.replace(file, firmware=tables), _reached_by(entry, catalogue))
    if entry.firmware is not None:
        device.profile(None)
    return device


def _reached_by(entry: DeviceEntry, catalogue: Catalogue) -> tuple[ProfileFile, ...]:
    ids = dict.fromkeys(profile.id for profile in catalogue if profile.firmware.transport == entry.transport)
    return tuple(catalogue.file(profile_id) for profile_id in ids)
