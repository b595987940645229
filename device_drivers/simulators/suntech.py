"""A SunTech blood-pressure module with a cuff on nobody (``drivers/suntech_nibp.md``).

It has no memory: the records of its spec are the results of the measurements that it is told to make, in their order;
the last one is given again and again. A measurement takes as many questions for the pressure as its curve has points.
"""

from device_drivers.codecs import suntech_nibp as wire
from device_drivers.codecs.suntech_nibp import Command, CuffPressure, Packet, Result, Status
from device_drivers.errors import CodecError
from device_drivers.simulators.device import Now
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

CURVE = (15, 60, 120, 165, 150, 128, 104, 80, 55, 20, 4)
_STOPPED = 86
_CODES = {name: code for code, name in wire.ERRORS.items()}
_NO_RESULT = Result(0, 0, 0, 0, bytes(8), 0, 0, 0)


class SimulatedSunTech:
    """The manners of the module; ``inflations`` and ``aborts`` count what it was told, ``pressure`` is in the cuff."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:  # noqa: ARG002 - as every device is made
        self.inflations = 0
        self.aborts = 0
        self.pressure = 0
        self._outcomes = list(spec.records)
        self._result = _NO_RESULT
        self._step: int | None = None

    @property
    def is_measuring(self) -> bool:
        """Whether the cuff is at work."""
        return self._step is not None

    def receive(self, data: bytes) -> list[bytes]:
        """A damaged command is not answered."""
        try:
            command = wire.decode(data)
        except CodecError:
            return []
        return [wire.encode(packet) for packet in self._obey(command)] if isinstance(command, Command) else []

    def announce(self) -> bytes:
        """It never speaks out of turn."""
        return b""

    def measure(self, record: RecordSpec) -> None:
        """What the next measurement will give."""
        self._outcomes.append(record)

    def _obey(self, command: Command) -> list[Packet]:
        match wire.encode(command):
            case wire.START:
                return self._start()
            case wire.ABORT:
                return self._abort()
            case wire.READ_CUFF_PRESSURE:
                return self._go_on()
            case wire.READ_RESULT:
                return [Status.BUSY] if self.is_measuring else [self._result]
            case _:
                return [Status.UNRECOGNISED]

    def _start(self) -> list[Packet]:
        if self.is_measuring:
            return [Status.BUSY]
        self.inflations += 1
        self._step = 0
        return [Status.RECEIVED]

    def _abort(self) -> list[Packet]:
        self.aborts += 1
        self.pressure = 0
        if self.is_measuring:
            self._step = None
            self._result = Result(0, 0, 0, 0, bytes(8), 0, 0, _STOPPED)
        return [Status.ABORTED]

    def _go_on(self) -> list[Packet]:
        """The pressure; at the end of the curve the module says that it is done."""
        if self._step is None:
            return [CuffPressure(self.pressure)]
        self.pressure = CURVE[self._step]
        self._step += 1
        packets: list[Packet] = [CuffPressure(self.pressure)]
        if self._step == len(CURVE):
            self._step, self.pressure = None, 0
            self._result = result_of(self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0])
            packets.append(Status.EXECUTED)
        return packets


def result_of(record: RecordSpec) -> Result:
    """A record as the module's result; a flag that is one of its errors, or ``failed_measurement``, is its reason."""
    error = next((_CODES[flag] for flag in record.flags if flag in _CODES), 0)
    if error or "failed_measurement" in record.flags:
        return Result(0, 0, 0, 0, bytes(8), 0, 0, error or 1)
    if record.systolic is None or record.diastolic is None or record.pulse is None:
        raise ValueError("a pressure record needs systolic, diastolic and pulse")
    mean = record.mean if record.mean is not None else record.diastolic + (record.systolic - record.diastolic) // 3
    return Result(record.systolic, record.diastolic, 30, 1, bytes(8), record.pulse, mean, 0)
