"""What every simulated serial device has: a profile's memory, a clock of its own, and answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from device_drivers.simulators.memory import Kept, Memory
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

# Aware, UTC; passed in, so that a test's device lives in the test's time.
Now = Callable[[], datetime]


class SerialDevice(Protocol):
    """A device at the other end of a serial line."""

    def receive(self, data: bytes) -> list[bytes]:
        """Take octets as they come; the frames that it sends back."""
        ...

    def announce(self) -> bytes:
        """The frame that it sends unasked; empty where it never does."""
        ...

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        ...


@runtime_checkable
class Pushes(Protocol):
    """A device that speaks when it has measured, whether it was asked or not."""

    def pushes(self) -> list[bytes]:
        """The frames that it sends now, unasked; each is given once."""
        ...


@runtime_checkable
class FeatureReports(Protocol):
    """A HID device that takes feature reports. Over HID, what ``receive`` takes and gives are whole reports."""

    def set_feature(self, report: bytes) -> None:
        """Take a feature report."""
        ...


class Body:
    """Memory and clock."""

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self._now = now
        self._skew = timedelta(seconds=spec.clock_skew_s)
        start = self.clock()
        kept = (Kept(shown_at(record, start), record) for record in spec.records)
        oldest_first = sorted(kept, key=lambda entry: entry.record.age_s, reverse=True)
        self.memory = Memory(profile.device.memory, ring=profile.device.ring, kept=oldest_first)

    def clock(self) -> datetime:
        """What its display shows: naive."""
        return self._now().replace(tzinfo=None) + self._skew

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement, ``age_s`` before now."""
        self.memory.add(Kept(shown_at(record, self.clock()), record))


def shown_at(record: RecordSpec, clock: datetime) -> datetime:
    """What the device's clock showed at a measurement; ``clock`` is what it shows now."""
    return clock - timedelta(seconds=record.age_s) + timedelta(seconds=record.clock_off_s)
