"""A simulated Bluetooth cuff: it sends what it holds as soon as somebody subscribes, and hangs up."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bumble.device import Connection
from bumble.gatt import Characteristic

from device_drivers.codecs.blood_pressure_measurement import (
    MEASUREMENT_STATUS,
    BloodPressureMeasurement,
    PressureUnit,
    encode_blood_pressure_measurement,
)
from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.sfloat import Figure, Special
from device_drivers.simulators.ble_peripheral import INDICATE, Peripheral
from device_drivers.simulators.device import Now, shown_at
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from firmware_profiles.schema import Profile

# The flags of a Reading that are bits of the measurement status; the pulse rate's range takes bits 3 and 4.
_STATUS = {name: 1 << bit for bit, name in MEASUREMENT_STATUS.items()} | {
    "pulse_rate_above_range": 0b01 << 3,
    "pulse_rate_below_range": 0b10 << 3,
}


@dataclass(slots=True)
class KeptMeasurement:
    """One place in the memory."""

    local: datetime
    record: BleRecordSpec
    taken: bool = False


class Cuff(Peripheral):
    """One cuff. ``memory`` is oldest first; a flag ``failed_measurement`` makes all figures NaN."""

    def __init__(self, profile: Profile, spec: BleDeviceSpec, now: Now) -> None:
        super().__init__(profile, spec, now)
        self.memory: deque[KeptMeasurement] = deque(maxlen=profile.device.memory)
        self.sends: list[bytes] | None = None  # these octets instead of what it holds
        self.hangs_up = True
        self._measurement: Characteristic[bytes] | None = None
        for record in sorted(spec.records, key=lambda record: record.age_s, reverse=True):
            self.measure(record)

    def measure(self, record: BleRecordSpec) -> None:
        """A measurement, ``age_s`` before now."""
        self.memory.append(KeptMeasurement(shown_at(record, self.clock()), record))
        self.has_news()

    def has_untaken(self) -> bool:
        """Whether a measurement was never confirmed."""
        return any(not kept.taken for kept in self.memory)

    def main_characteristics(self) -> list[Characteristic[bytes]]:
        """The Blood Pressure Service."""
        self._measurement = measurement = self.secured(0x2A35, INDICATE, b"")
        measurement.on(Characteristic.EVENT_SUBSCRIPTION, self._on_subscription)
        return [measurement]

    def encoded(self, kept: KeptMeasurement) -> bytes:
        """The measurement as this model says it, quirks included."""
        record = kept.record
        failed = "failed_measurement" in record.flags
        quirks = self.profile.has_quirk
        mean = 0 if quirks("zero_mean_is_absent") else record.mean
        measurement = BloodPressureMeasurement(
            unit=PressureUnit.KPA if self.profile.firmware.values.unit == "kPa" else PressureUnit.MMHG,
            systolic=_figure(record.systolic, failed),
            diastolic=_figure(record.diastolic, failed),
            mean_arterial_pressure=_figure(mean, failed),
            time_stamp=DateTime.at(kept.local),
            pulse_rate=_figure(record.pulse, failed),
            user_id=record.user,
            measurement_status=sum(_STATUS[flag] for flag in record.flags if flag != "failed_measurement"),
        )
        return encode_blood_pressure_measurement(
            measurement,
            big_endian_tail=quirks("big_endian_tail"),
            always_user_id=quirks("always_user_id"),
        )

    def _on_subscription(self, _connection: Connection, _notify: bool, indicate: bool) -> None:
        if not indicate and not self.ble.stop_notify_allowed:
            self.run(self.forget_bonds())
        elif indicate and self.is_ready():
            self.run(self._send_all())

    async def _send_all(self) -> None:
        """Everything, one confirmed indication after the other; whatever is not confirmed is sent again."""
        if self._measurement is None:
            return
        for octets in self.sends or ():
            await self.push(self._measurement, octets, indicate=True)
        in_order = list(self.memory)[::-1] if self.spec.newest_first else list(self.memory)
        for kept in in_order if self.sends is None else ():
            if self.connection is None or not self.is_subscribed(self._measurement):
                return
            linked = await self.push(self._measurement, self.encoded(kept), indicate=True)
            if self.spec.deletes_when_confirmed:
                self.memory.remove(kept)  # it was told that somebody has it
            if not linked:
                return
            kept.taken = True
        if self.connection is not None and self.hangs_up:
            await self.connection.disconnect()


def _figure(value: int | None, failed: bool) -> Figure:
    return Special.NOT_A_NUMBER if failed or value is None else Decimal(value)
