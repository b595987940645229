"""Which octets may leave for a device: the profile's ``commands``, compiled.

A pattern is hex octets separated by spaces; ``..`` stands for any one octet, a trailing ``*`` for any rest, also an
empty one. For BLE the characteristic comes first: ``2a52: 01 *`` (16-bit form, or the whole UUID). For HID devices
``feature: `` marks a feature report; a pattern without it is for output reports.
"""

from collections.abc import Iterable
from uuid import UUID

from device_drivers.errors import ForbiddenCommand

FEATURE_REPORT = "feature: "
_SIG_BASE = "-0000-1000-8000-00805f9b34fb"


def sig_uuid(short: str | int) -> UUID:
    """A Bluetooth SIG UUID from its 16-bit form (``"2a52"`` or ``0x2A52``), or a whole UUID from its text."""
    text = f"{short:04x}" if isinstance(short, int) else short
    return UUID(f"0000{text}{_SIG_BASE}") if len(text) == 4 else UUID(text)


def allows(pattern: str, octets: bytes) -> bool:
    """Whether one pattern covers these octets, all of them."""
    wanted = pattern.split()
    open_ended = wanted[-1:] == ["*"]
    wanted = wanted[:-1] if open_ended else wanted
    if len(octets) < len(wanted) or (len(octets) > len(wanted) and not open_ended):
        return False
    return all(word == ".." or int(word, 16) == octet for word, octet in zip(wanted, octets, strict=False))


class GattAllowList:
    """The guard in front of every GATT write of one profile."""

    def __init__(self, commands: Iterable[str], profile_id: str) -> None:
        self._profile_id = profile_id
        self._patterns: dict[UUID, list[str]] = {}
        for command in commands:
            characteristic, _, pattern = command.partition(":")
            self._patterns.setdefault(sig_uuid(characteristic.strip()), []).append(pattern)

    def check(self, characteristic: UUID, octets: bytes) -> None:
        """ForbiddenCommand unless the profile lists it."""
        if not any(allows(pattern, octets) for pattern in self._patterns.get(characteristic, ())):
            raise ForbiddenCommand(octets, self._profile_id)


class SerialAllowList:
    """The guard in front of every write to a serial line; one write is one whole command, framing included."""

    def __init__(self, commands: Iterable[str], profile_id: str) -> None:
        self._profile_id = profile_id
        self._patterns = tuple(commands)

    def check(self, octets: bytes) -> None:
        """ForbiddenCommand unless the profile lists it."""
        if not any(allows(pattern, octets) for pattern in self._patterns):
            raise ForbiddenCommand(octets, self._profile_id)


class ReportAllowList:
    """The guard in front of a HID device: one pattern covers one whole report, count octet and padding included."""

    def __init__(self, commands: Iterable[str], profile_id: str) -> None:
        features = [command for command in commands if command.startswith(FEATURE_REPORT)]
        self._output = SerialAllowList([command for command in commands if command not in features], profile_id)
        self._feature = SerialAllowList([command.removeprefix(FEATURE_REPORT) for command in features], profile_id)

    def check(self, report: bytes) -> None:
        """ForbiddenCommand unless the profile lists it as an output report."""
        self._output.check(report)

    def check_feature(self, report: bytes) -> None:
        """ForbiddenCommand unless the profile lists it as a feature report."""
        self._feature.check(report)
