"""A OneTouch UltraMini: answers with the frames of the captured session (``drivers/lifescan_ultramini.md``)."""

from device_drivers.codecs import lifescan_ultramini as wire
from device_drivers.codecs.lifescan_ultramini import Control, Frame, FrameReader, Record, Version
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_SOFTWARE = "P02.00.00"
_MADE = "25/05/07"
_READ_UNIT = bytes.fromhex("05090209")
_ERASE = bytes.fromhex("051a")
_DONE = bytes.fromhex("0506")
_MMOL = 1


class SimulatedUltraMini:
    """Memory and manners of the meter; it erases itself if it is told to, which is why nobody may tell it."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self._serial_number = spec.serial_number
        self._version = Version(spec.firmware or _SOFTWARE, _MADE)
        self._reader = FrameReader()
        self._send = Control(0)
        self._expect = Control(0)

    def receive(self, data: bytes) -> list[bytes]:
        """A damaged frame is not answered."""
        frames = [frame for frame in self._reader.feed(data) if isinstance(frame, Frame)]
        return [wire.encode_frame(answer) for frame in frames for answer in self._answer(frame)]

    def announce(self) -> bytes:
        """It never speaks first."""
        return b""

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _answer(self, frame: Frame) -> list[Frame]:
        if Control.DISCONNECT in frame.control:
            self._send = self._expect = Control(0)
            return [Frame(Control.DISCONNECT | Control.ACKNOWLEDGE)]
        if Control.ACKNOWLEDGE in frame.control:
            self._send ^= Control.SEND
            return []
        if bool(frame.control & Control.SEND) != bool(self._expect):
            return [self._acknowledge()]  # a repeated frame: acknowledged again, not obeyed again
        self._expect ^= Control.EXPECT
        message = self._obey(frame.payload)
        answers = [self._acknowledge()]
        return answers if message is None else [*answers, Frame(self._send | self._expect, message)]

    def _acknowledge(self) -> Frame:
        return Frame(Control.ACKNOWLEDGE | self._send | self._expect)

    def _obey(self, message: bytes) -> bytes | None:
        if (index := wire.decode_request(message)) is not None:
            return self._record(index)
        if message.startswith(_READ_UNIT):
            return _DONE + _MMOL.to_bytes(4, "little")
        if message.startswith(_ERASE):
            self.body.memory.clear()
            return _DONE
        match message:
            case wire.READ_VERSION:
                return wire.encode_version(self._version)
            case wire.READ_SERIAL_NUMBER:
                return wire.encode_serial_number(self._serial_number)
            case wire.READ_CLOCK:
                return wire.encode_clock(self.body.clock())
            case _:
                return None

    def _record(self, index: int) -> bytes:
        records = self.body.memory.newest_first()
        if index >= len(records):
            return wire.encode_count(len(records))
        return wire.encode_record(record_of(records[index]))


def record_of(kept: Kept) -> Record:
    """A kept measurement as the meter's record. ValueError where it has no glucose value."""
    value = kept.record.value
    if value is None:
        raise ValueError("a glucose record needs a value")
    special = {"HI": wire.HIGH, "LO": wire.LOW}
    return Record(wire.seconds_of(kept.local), special[value] if value in special else int(value))
