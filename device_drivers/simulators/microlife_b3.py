"""A Microlife BP B3 Comfort PC (``drivers/microlife_b3.md``)."""

from device_drivers.codecs import microlife_b3 as wire
from device_drivers.codecs.microlife_b3 import Message, Record, Way
from device_drivers.errors import CodecError
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile


class SimulatedMicrolife:
    """Memory and manners of the cuff; ``clock_was_set_by`` counts whoever set it over the cable."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self.clock_was_set_by = 0

    def receive(self, report: bytes) -> list[bytes]:
        """One output report: a length and a whole message. A damaged or unknown one is not answered."""
        try:
            message = wire.decode_message(report[1:])
        except CodecError:
            return []
        if message == Message(Way.HOST, wire.READ_MEMORY):
            oldest_first = reversed(self.body.memory.newest_first())
            return wire.reports_of(wire.encode_dump([row_of(kept) for kept in oldest_first]))
        if message.data[:1] == bytes([wire.SET_CLOCK]):
            self.clock_was_set_by += 1
        return []

    def announce(self) -> bytes:
        """It never speaks first; a report without content is the nearest."""
        return bytes(wire.REPORT)

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)


def row_of(kept: Kept) -> bytes:
    """A kept measurement as a row; the flag ``unset_clock`` leaves its date away. ValueError without figures."""
    systolic, diastolic, pulse = kept.record.pressures()
    flags = kept.record.flags
    record = Record(
        time="",
        local=kept.local,
        systolic=systolic,
        diastolic=diastolic,
        pulse=pulse,
        cuff_ok="cuff_too_loose" not in flags,
        irregular="irregular_pulse" in flags,
    )
    return wire.encode_record(record, clock_was_set="unset_clock" not in flags)
