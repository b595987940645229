"""A Beurer cuff of Andon's, over either cable (``drivers/andon_bm.md``)."""

from device_drivers.codecs import andon_bm as wire
from device_drivers.codecs.andon_bm import Record
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_NAME = b"Andon Blood Pressure Meter KD001"


class SimulatedAndon:
    """Memory and manners of the cuff. The list is user 1's records, newest first, then user 2's.

    ``hides_records_from`` is the first number that it counts and does not give; ``oldest_first`` turns its list round.
    """

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self.is_on = True
        self.hides_records_from = 256
        self.oldest_first = False
        self._reports = profile.firmware.transport == "hid"
        self._users = profile.device.users
        self._held = b""

    def receive(self, data: bytes) -> list[bytes]:
        """Commands one after the other over the line; one in each report."""
        if self._reports:
            self._held = b""
            return [answer.ljust(wire.REPORT, b"\0") for answer in self._obey(data[:2])]
        self._held += data
        answers: list[bytes] = []
        while self._held and (self._held[0] != wire.RECORD or len(self._held) > 1):
            length = 2 if self._held[0] == wire.RECORD else 1
            command, self._held = self._held[:length], self._held[length:]
            answers.extend(self._obey(command))
        return answers

    def announce(self) -> bytes:
        """It never speaks first; a report or an octet that means nothing."""
        return bytes(wire.REPORT) if self._reports else b"\x00"

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _obey(self, command: bytes) -> list[bytes]:
        records = [kept for user in range(1, self._users + 1) for kept in self.body.memory.newest_first(user)]
        if self.oldest_first:
            records.reverse()
        match command[0]:
            case wire.WAKE:
                return [bytes([wire.AWAKE])]
            case wire.IDENTIFY:
                return [_NAME]
            case wire.COUNT:
                return [bytes([len(records)])]
            case wire.RECORD:
                return [self._record(records, command[1])]
            case wire.OFF:
                self.is_on = False
                return []
            case _:
                return []

    def _record(self, records: list[Kept], number: int) -> bytes:
        if not 0 < number <= len(records) or number >= self.hides_records_from:
            return bytes([wire.NO_RECORD])
        octets = wire.encode(record_of(records[number - 1]))
        return octets if self._reports else bytes([wire.RECORD_FOLLOWS]) + octets


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
        movement="body_movement" in flags,
        second_user=kept.record.user == 2,
        irregular="irregular_pulse" in flags,
    )
