"""An Omron USB cuff for two people (``drivers/omron_hem.md``)."""

from device_drivers.codecs import omron_hem as wire
from device_drivers.codecs.omron_hem import Count, Record
from device_drivers.drivers.omron_hem import RECORDS_WITHOUT_FLAGS
from device_drivers.errors import CodecError
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

# As captured: the profile's ten digits and the serial octets of a HEM-790IT.
_PROFILE = b"0010100000"
_SERIAL = bytes.fromhex("06000000000000")
_FIRMWARE = "207"
# A report that is none: the captures have such.
_NOISE = bytes.fromhex("0860000000000000")
_LAST_CLEARING_REPORT = 2


class SimulatedOmron:
    """Memory, modes and manners of the cuff; what stands behind a report's count is left over from the one before."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self._version = f"{_code(profile)} {spec.firmware or _FIRMWARE}".encode("ascii")[:11].ljust(11)
        self._with_flags = not profile.has_quirk(RECORDS_WITHOUT_FLAGS)
        self._mode = b""
        self._held = b""
        self._stale = bytes(wire.REPORT)
        self._busy_commands = spec.faults.busy_commands
        self._commands = 0
        self.is_on = True

    def set_feature(self, report: bytes) -> None:
        """Another mode; nothing is known any more of what was said in the old one."""
        self._mode = report
        self._held = b""

    def receive(self, report: bytes) -> list[bytes]:
        """One output report; one that is none of its protocol is not answered."""
        try:
            octets = wire.report_octets(report)
        except CodecError:
            return []
        if octets == bytes(_LAST_CLEARING_REPORT):
            self._held = b""
            return self._say(wire.OK)
        if not self._held and not any(octets):
            return []
        self._held += octets
        answer = self._obey(self._held) if self.is_on and self._mode else None
        if answer is None:
            return []
        self._held = b""
        self._commands += 1
        return self._say(wire.BUSY if self._commands in self._busy_commands else answer)

    def announce(self) -> bytes:
        """Noise of the link."""
        return _NOISE

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _obey(self, command: bytes) -> bytes | None:
        if (question := wire.decode_question(command)) is not None:
            return self._bank(question.bank, question.index) if self._mode == wire.READINGS else wire.BUSY
        match command:
            case wire.VERSION:
                return wire.encode_answer(self._version)
            case wire.PROFILE:
                return wire.encode_answer(_PROFILE)
            case wire.SERIAL_NUMBER:
                return wire.encode_answer(_SERIAL)
            case wire.END:
                self.is_on = False
                return wire.OK + wire.OFF
            case _:
                return None

    def _bank(self, bank: int, index: int | None) -> bytes | None:
        records = self.body.memory.newest_first(bank + 1)
        if index is None:
            return wire.encode_count(Count(count=len(records), pointer=len(records)))
        if index >= len(records):
            return wire.BUSY
        return wire.encode_record(record_of(records[index]), with_flags=self._with_flags)

    def _say(self, octets: bytes) -> list[bytes]:
        """Reports whose unused octets are the ones of the report before, as the captures show."""
        reports = []
        for start in range(0, len(octets), wire.REPORT - 1):
            chunk = octets[start : start + wire.REPORT - 1]
            self._stale = (bytes([len(chunk)]) + chunk + self._stale[1 + len(chunk) :])[: wire.REPORT]
            reports.append(self._stale)
        return reports


def _code(profile: Profile) -> str:
    """What the cuff calls itself: the first alternative of the profile's expression."""
    return (profile.device.match.model or profile.device.model).split("|")[0]


def record_of(kept: Kept) -> Record:
    """A kept measurement as the cuff's record. ValueError without figures."""
    systolic, diastolic, pulse = kept.record.pressures()
    flags = kept.record.flags
    return Record(
        time="",
        local=kept.local,
        systolic=systolic,
        diastolic=diastolic,
        pulse=pulse,
        irregular="irregular_pulse" in flags,
        movement="body_movement" in flags,
        truread=next((number for number in (1, 2, 3) if f"truread_{number}" in flags), 0),
    )
