"""A TaiDoc cuff for several users (``drivers/taidoc_51.md``)."""

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.codecs.taidoc_51 import Command, Direction, Frame, FrameReader, Heartbeat, Pressure, Stamp
from device_drivers.drivers.taidoc_51 import MEAN_PRESSURE_IN_SECOND_OCTET
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_HEARTBEAT = {
    "fast_or_slow_pulse": Heartbeat.FAST_OR_SLOW,
    "varied_pulse": Heartbeat.VARIED,
    "atrial_fibrillation": Heartbeat.ATRIAL_FIBRILLATION,
}


class SimulatedTaiDoc:
    """Memory and manners of the cuff; ``inflations`` counts the measurements that somebody ordered over the line."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self.inflations = 0
        self._model = profile.device.model
        self._serial_number = spec.serial_number.zfill(16)
        self._with_mean = profile.has_quirk(MEAN_PRESSURE_IN_SECOND_OCTET)
        self._reader = FrameReader()

    def receive(self, data: bytes) -> list[bytes]:
        """A damaged or unknown frame is not answered."""
        frames = [frame for frame in self._reader.feed(data) if isinstance(frame, Frame)]
        answers = [(frame.command, self._obey(frame)) for frame in frames if frame.direction is Direction.HOST]
        return [_encode(command, data) for command, data in answers if data is not None]

    def announce(self) -> bytes:
        """Entered communication."""
        return _encode(Command.ENTERED_COMMUNICATION, bytes(4))

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _obey(self, frame: Frame) -> bytes | None:
        match frame.command:
            case Command.RECORD_TIME | Command.RECORD_VALUE:
                return self._record(frame)
            case Command.COUNT:
                return wire.encode_count(len(self.body.memory.newest_first(frame.data[0])))
            case Command.READ_CLOCK:
                return wire.encode_stamp(Stamp("", self.body.clock()))
            case Command.CLEAR:
                self.body.memory.clear()
                return bytes(4)
            case Command.START_MEASUREMENT:
                self.inflations += 1
                return bytes(4)
            case _:
                return self._identify(frame.command)

    def _identify(self, command: int) -> bytes | None:
        match command:
            case Command.CONNECT:
                return bytes(4)
            case Command.READ_MODEL:
                return wire.encode_model(self._model)
            case Command.SERIAL_FORMER:
                return wire.encode_serial_half(self._serial_number[:8])
            case Command.SERIAL_LATER:
                return wire.encode_serial_half(self._serial_number[8:])
            case _:
                return None

    def _record(self, frame: Frame) -> bytes | None:
        index, user = wire.decode_selection(frame.data)
        records = self.body.memory.newest_first(user)
        if index >= len(records):
            return None
        if frame.command == Command.RECORD_TIME:
            return wire.encode_stamp(stamp_of(records[index]))
        return wire.encode_pressure(pressure_of(records[index].record, with_mean=self._with_mean))


def _encode(command: int, data: bytes) -> bytes:
    return wire.encode_frame(Frame(command, data, Direction.DEVICE))


def stamp_of(kept: Kept) -> Stamp:
    """Time and flags of a kept measurement."""
    flags = kept.record.flags
    return Stamp(
        text="",
        local=kept.local,
        is_pressure=True,
        arrhythmia="irregular_pulse" in flags,
        averaged="averaged" in flags,
        heartbeat=next((_HEARTBEAT[flag] for flag in flags if flag in _HEARTBEAT), Heartbeat.NORMAL),
    )


def pressure_of(record: RecordSpec, *, with_mean: bool) -> Pressure:
    """The figures of a record; a failed measurement keeps an error number in place of the pulse.

    A mean that was not given is a third of the way from the diastolic to the systolic. ValueError without figures.
    """
    if "failed_measurement" in record.flags:
        return Pressure(systolic=0, mean=0 if with_mean else None, diastolic=0, pulse=record.pulse or 2)
    if record.systolic is None or record.diastolic is None or record.pulse is None:
        raise ValueError("a pressure record needs systolic, diastolic and pulse")
    mean = record.mean if record.mean is not None else record.diastolic + (record.systolic - record.diastolic) // 3
    return Pressure(record.systolic, mean if with_mean else None, record.diastolic, record.pulse)
