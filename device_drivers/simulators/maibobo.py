"""A Maibobo cuff, which speaks when it has measured (``drivers/maibobo_rbp.md``).

It has no memory: the records of its spec are measurements that are made one after the other once it is connected, a new
one is sent at once, each behind the pressures in its cuff. A record with the flag ``clock_not_set`` has the time of a
cuff that was never set.
"""

from datetime import datetime

from device_drivers.codecs import maibobo_rbp as wire
from device_drivers.codecs.maibobo_rbp import CuffPressure, Failure, Frame, Message, Result, Sender, SubType
from device_drivers.errors import CodecError
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

CURVE = (20, 90, 160, 270, 130, 60)
_NEVER_SET = datetime(2014, 1, 1, 1, 1, 1)  # noqa: DTZ001 - the cuff's wall clock is naive
_CODES = {name: code for code, name in wire.ERRORS.items()}


class SimulatedMaibobo:
    """The manners of the cuff; ``inflations`` counts the measurements that somebody ordered over the line."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self.inflations = 0
        self.connections = 0
        self._version = int(spec.firmware or wire.VERSION)
        self._waiting = list(spec.records)

    def receive(self, data: bytes) -> list[bytes]:
        """A damaged command is not answered; connected, it sends what it has measured."""
        try:
            command = wire.decode_frame(data)
        except CodecError:
            return []
        if command.sender is not Sender.HOST or command.type != wire.PRESSURE_TYPE:
            return []
        self.inflations += command.sub_type == SubType.START
        self.connections += command.sub_type == SubType.CONNECT
        answer = Frame(command.type, command.sub_type, b"\x00", self._version, Sender.CUFF)
        return [wire.encode_frame(answer), *self.pushes()]

    def pushes(self) -> list[bytes]:
        """What it has measured and not sent yet."""
        measured, self._waiting = self._waiting, []
        return [
            wire.encode(message, self._version)
            for record in measured
            for message in (*map(CuffPressure, CURVE), self._outcome(record))
        ]

    def announce(self) -> bytes:
        """A pressure, as anybody may have pressed the cuff's own button."""
        return wire.encode(CuffPressure(CURVE[0]), self._version)

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self._waiting.append(record)

    def _outcome(self, record: RecordSpec) -> Message:
        local = _NEVER_SET if "clock_not_set" in record.flags else self.body.clock().replace(microsecond=0)
        return outcome_of(record, local)


def outcome_of(record: RecordSpec, local: datetime) -> Result | Failure:
    """A record as the cuff's result; a flag that is one of its errors, or ``failed_measurement``, is a failure."""
    error = next((_CODES[flag] for flag in record.flags if flag in _CODES), None)
    if error is not None or "failed_measurement" in record.flags:
        return Failure(error or 6)
    if record.systolic is None or record.diastolic is None or record.pulse is None:
        raise ValueError("a pressure record needs systolic, diastolic and pulse")
    return Result(record.user, "", local, record.systolic, record.diastolic, record.pulse)
