"""A TaiDoc cuff for several users, a meter, or both in one (``drivers/taidoc_51.md``)."""

from decimal import Decimal

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.codecs.taidoc_51 import (
    Analyte,
    Command,
    Direction,
    Frame,
    FrameReader,
    Glucose,
    Heartbeat,
    Meal,
    Pressure,
    Stamp,
)
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
_MEAL = {"preprandial": Meal.BEFORE, "postprandial": Meal.AFTER, "control_solution": Meal.CONTROL_SOLUTION}
# What stands in the memory where the display shows HI or LO: any value beyond the range does.
_BEYOND = {"HI": 0xFFFF, "LO": 0}


class SimulatedTaiDoc:
    """Memory and manners of the device; ``inflations`` counts the measurements that somebody ordered over the line."""

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
                return wire.encode_count(len(self._records(frame.data[0])))
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
        records = self._records(user)
        if index >= len(records):
            return None
        if frame.command == Command.RECORD_TIME:
            return wire.encode_stamp(stamp_of(records[index]))
        record = records[index].record
        if record.value is not None:
            return wire.encode_glucose(strip_of(record))
        return wire.encode_pressure(pressure_of(record, with_mean=self._with_mean))

    def _records(self, user: int) -> list[Kept]:
        """A meter has no users and is asked for user 0."""
        return self.body.memory.newest_first(user or None)


def _encode(command: int, data: bytes) -> bytes:
    return wire.encode_frame(Frame(command, data, Direction.DEVICE))


def stamp_of(kept: Kept) -> Stamp:
    """Time and flags of a kept measurement."""
    flags = kept.record.flags
    return Stamp(
        text="",
        local=kept.local,
        is_pressure=kept.record.value is None,
        arrhythmia="irregular_pulse" in flags,
        averaged="averaged" in flags,
        heartbeat=next((_HEARTBEAT[flag] for flag in flags if flag in _HEARTBEAT), Heartbeat.NORMAL),
    )


def strip_of(record: RecordSpec) -> Glucose:
    """The value of a strip; ValueError without one. KeyError, ValueError for an analyte that TaiDoc does not have."""
    if record.value is None:
        raise ValueError("a strip's record needs a value")
    analyte = Analyte[record.analyte.upper()]
    meal = next((_MEAL[flag] for flag in record.flags if flag in _MEAL), Meal.GENERAL)
    if record.value in _BEYOND:
        return Glucose(_BEYOND[record.value], meal, analyte)
    value = wire.ketone_raw(Decimal(record.value)) if analyte is Analyte.KETONE else int(record.value)
    return Glucose(value, meal, analyte)


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
