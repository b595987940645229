"""An Abbott meter that dumps its memory as text (``drivers/abbott_mem.md``); each line is a frame of the line."""

from decimal import Decimal

from device_drivers.codecs import abbott_mem as wire
from device_drivers.codecs.abbott_mem import Analyte, Dump, Flags, OutOfRange, Record
from device_drivers.drivers.abbott_mem import XMEM_WITH_KETONES
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_SOFTWARE = "1.43       -P"
_XMEM_SOFTWARE = "0.22"
_PLASMA = "00"
_FLAGS = {"control_solution": Flags.CONTROL_SOLUTION, "clock_not_set": Flags.LOST_TIME}


class SimulatedAbbott:
    """Memory and manners of the meter; it takes a clock's setting, which is why nobody may send it one."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self.clock_settings = 0
        self._speaks_xmem = profile.has_quirk(XMEM_WITH_KETONES)
        self._serial_number = spec.serial_number
        self._software = spec.firmware or (_XMEM_SOFTWARE if self._speaks_xmem else _SOFTWARE)

    def receive(self, data: bytes) -> list[bytes]:
        """A command that it does not know is not answered."""
        match data:
            case wire.XMEM if self._speaks_xmem:
                return self._lines()
            case wire.MEM | b"$mem\r\n" if not self._speaks_xmem:
                return self._lines()
            case _ if data.startswith(b"$tim,"):
                self.clock_settings += 1
                return [b"CMD OK\r\n"]
            case _:
                return []

    def announce(self) -> bytes:
        """It never speaks first."""
        return b""

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _lines(self) -> list[bytes]:
        plasma_type = None if self._speaks_xmem else _PLASMA
        records = tuple(record_of(kept, plasma_type) for kept in self.body.memory.newest_first())
        dump = Dump(self._serial_number, self._software, self.body.clock(), records)
        return wire.encode_dump(dump).splitlines(keepends=True)


def record_of(kept: Kept, plasma_type: str | None) -> Record:
    """A kept measurement as the meter's record. ValueError where it has no value."""
    value, ketone = kept.record.value, kept.record.analyte == "ketone"
    if value is None:
        raise ValueError("a record of a meter needs a value")
    flags = wire.NO_FLAGS
    for name in kept.record.flags:
        flags |= _FLAGS[name]
    return Record(
        value=_raw(value, ketone=ketone),
        text="",
        local=kept.local,
        analyte=Analyte.KETONE if ketone else Analyte.GLUCOSE,
        flags=flags,
        plasma_type=plasma_type,
    )


def _raw(value: str, *, ketone: bool) -> int | OutOfRange:
    if value in ("HI", "LO"):
        return OutOfRange(value)
    return wire.ketone_raw(Decimal(value)) if ketone else int(value)
