"""A OneTouch Ultra or Ultra2: sends its memory as lines of text (``drivers/lifescan_ultra.md``)."""

import re
from collections.abc import Callable

from device_drivers.codecs import lifescan_ultra as wire
from device_drivers.codecs.lifescan_ultra import ClockReading, Header, Line, Record, SerialNumber, Version
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_SOFTWARE = "P02.00.00"
_MADE = "30/08/06"
_ULTRA2 = wire.MODELS["Y"]
_WORDS = {"HI": wire.HIGH, "LO": wire.LOW}
_MEALS = {"preprandial": "B", "postprandial": "A"}
# A command needs no line end: the meter knows it by its letters.
_COMMAND = re.compile(rb"DM(SU\?|ST\?|[?@FPZ])")
_LONGEST_COMMAND = 5


class SimulatedUltra:
    """Memory and manners of the meter; it erases itself if it is told to, which is why nobody may tell it.

    Flags of a record: ``control_solution``, ``memory_parity_error``, ``weekday_does_not_fit``, ``preprandial``,
    ``postprandial``; the last two are an Ultra2's.
    """

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self._marks_meals = profile.device.model == _ULTRA2
        ending = next(letter for letter, model in wire.MODELS.items() if model == profile.device.model)
        self._serial_number = spec.serial_number[:8].rjust(8, "0") + ending
        self._software = spec.firmware or _SOFTWARE
        self._heard = b""
        self._commands: dict[bytes, Callable[[], list[Line]]] = {
            b"?": lambda: [Version(self._software, _MADE)],
            b"@": lambda: [SerialNumber(self._serial_number)],
            b"F": lambda: [ClockReading(wire.stamp_of(self.body.clock()))],
            b"P": self._dump,
            b"Z": self._erase,
        }

    def receive(self, data: bytes) -> list[bytes]:
        """Whatever is no command is not answered."""
        self._heard += data
        sent: list[bytes] = []
        while found := _COMMAND.search(self._heard):
            self._heard = self._heard[found.end() :]
            lines = self._commands.get(found[1], list)()
            # The acknowledgement that stands in front of an answer looks like our own prefix.
            sent.extend(wire.PREFIX * (number == 0) + wire.encode(line) for number, line in enumerate(lines))
        self._heard = self._heard[-_LONGEST_COMMAND:]
        return sent

    def announce(self) -> bytes:
        """What it sends when it is switched on."""
        return wire.PREFIX

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _dump(self) -> list[Line]:
        records = self.body.memory.newest_first()
        header = Header(len(records), self._serial_number, "MG/DL")
        return [header, *(record_of(kept, marks_meals=self._marks_meals) for kept in records)]

    def _erase(self) -> list[Line]:
        self.body.memory.clear()
        return []


def record_of(kept: Kept, *, marks_meals: bool) -> Record:
    """A kept measurement as the meter's record. ValueError where it has no glucose value."""
    value, flags = kept.record.value, kept.record.flags
    if value is None:
        raise ValueError("a glucose record needs a value")
    stamp = wire.stamp_of(kept.local)
    if "weekday_does_not_fit" in flags:
        stamp = wire.Stamp(wire.WEEKDAYS[kept.local.weekday() - 1], stamp.date, stamp.time)
    return Record(
        stamp=stamp,
        result=_WORDS.get(value) or f"{int(value):03d}",
        is_control="control_solution" in flags,
        parity_error="memory_parity_error" in flags,
        meal=next((_MEALS[flag] for flag in flags if flag in _MEALS), "N") if marks_meals else None,
        comment="00" if marks_meals else None,
    )
