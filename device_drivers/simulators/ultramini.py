"""A OneTouch UltraMini or Verio IQ: answers as the captured session does (``drivers/lifescan_ultramini.md``)."""

from device_drivers.codecs import lifescan_verio_iq
from device_drivers.codecs.lifescan_ultramini import (
    HIGH,
    LOW,
    Control,
    Frame,
    FrameReader,
    Record,
    Version,
    encode_frame,
)
from device_drivers.drivers.lifescan_ultramini import MEALS, WITHOUT_LINK_LAYER, messages_of
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_SOFTWARE = "P02.00.00"
_MADE = "25/05/07"
_READ_UNIT = bytes.fromhex("05090209")
_ERASE = (bytes.fromhex("051a"), bytes.fromhex("031a"))
_DONE = bytes.fromhex("0506")
_MMOL = 1


class SimulatedUltraMini:
    """Memory and manners of the meter; it erases itself if it is told to, which is why nobody may tell it.

    Flags of a Verio IQ's record: ``control_solution``, ``preprandial``, ``postprandial``.
    """

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self._wire = messages_of(profile)
        self._has_link_layer = not profile.has_quirk(WITHOUT_LINK_LAYER)
        self._serial_number = spec.serial_number
        self._version = Version(spec.firmware or _SOFTWARE, _MADE)
        self._reader = FrameReader()
        self._send = Control(0)
        self._expect = Control(0)

    def receive(self, data: bytes) -> list[bytes]:
        """A damaged frame is not answered."""
        frames = [frame for frame in self._reader.feed(data) if isinstance(frame, Frame)]
        return [encode_frame(answer) for frame in frames for answer in self._answer(frame)]

    def announce(self) -> bytes:
        """It never speaks first."""
        return b""

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _answer(self, frame: Frame) -> list[Frame]:
        if not self._has_link_layer:
            message = self._obey(frame.payload)
            return [] if message is None else [Frame(Control(0), message)]
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
        if message == self._wire.READ_COUNT:
            return self._wire.encode_count(len(self._kept()))
        if (index := self._wire.decode_request(message)) is not None:
            return self._record(index)
        if message.startswith(_READ_UNIT):
            return _DONE + _MMOL.to_bytes(4, "little")
        if message.startswith(_ERASE):
            self.body.memory.clear()
            return message[:1] + _DONE[1:]
        if message == self._wire.READ_VERSION:
            return self._wire.encode_version(self._version)
        if message == self._wire.READ_SERIAL_NUMBER:
            return self._wire.encode_serial_number(self._serial_number)
        if message == self._wire.READ_CLOCK:
            return self._wire.encode_clock(self.body.clock())
        return None

    def _kept(self) -> list[Kept]:
        """Newest first; an UltraMini cannot mark control solution and leaves such tests out of its list."""
        kept = self.body.memory.newest_first()
        return [each for each in kept if not self._has_link_layer or "control_solution" not in each.record.flags]

    def _record(self, index: int) -> bytes:
        records = self._kept()
        if index < len(records):
            kept = records[index]
            return self._wire.encode_record(record_of(kept, self._wire.seconds_of(kept.local)))
        return lifescan_verio_iq.REFUSED if not self._has_link_layer else self._wire.encode_count(len(records))


def record_of(kept: Kept, seconds: int) -> Record:
    """A kept measurement as the meter's record. ValueError where it has no glucose value."""
    value, flags = kept.record.value, kept.record.flags
    if value is None:
        raise ValueError("a glucose record needs a value")
    special = {"HI": HIGH, "LO": LOW}
    return Record(
        seconds=seconds,
        value=special[value] if value in special else int(value),
        is_control="control_solution" in flags,
        meal=next((number for number, meal in MEALS.items() if meal in flags), 0),
    )
