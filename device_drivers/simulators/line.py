"""The line between a simulated device and a door: it does to the frames what the spec's faults say."""

from collections.abc import Callable

from device_drivers.simulators.abbott import SimulatedAbbott
from device_drivers.simulators.andon_bm import SimulatedAndon
from device_drivers.simulators.contour import SimulatedContour, SimulatedContourUsb
from device_drivers.simulators.device import FeatureReports, Now, Pushes, SerialDevice
from device_drivers.simulators.maibobo import SimulatedMaibobo
from device_drivers.simulators.memories import with_memory
from device_drivers.simulators.microlife_b3 import SimulatedMicrolife
from device_drivers.simulators.omron_hem import SimulatedOmron
from device_drivers.simulators.spec import DeviceSpec, Faults, RecordSpec
from device_drivers.simulators.suntech import SimulatedSunTech
from device_drivers.simulators.taidoc import SimulatedTaiDoc
from device_drivers.simulators.ultra import SimulatedUltra
from device_drivers.simulators.ultramini import SimulatedUltraMini
from firmware_profiles.schema import Profile

# By the profile's driver: who answers.
DEVICES: dict[str, Callable[[Profile, DeviceSpec, Now], SerialDevice]] = {
    "abbott_mem": SimulatedAbbott,
    "andon_bm": SimulatedAndon,
    "ascensia_contour": SimulatedContour,
    "ascensia_contour_hid": SimulatedContourUsb,
    "lifescan_ultra": SimulatedUltra,
    "lifescan_ultramini": SimulatedUltraMini,
    "maibobo_rbp": SimulatedMaibobo,
    "microlife_b3": SimulatedMicrolife,
    "omron_hem": SimulatedOmron,
    "suntech_nibp": SimulatedSunTech,
    "taidoc_51": SimulatedTaiDoc,
}


class Line:
    """Octets to the device in, octets from the device out.

    ``unplugged`` turns true in the middle of a frame where the spec says so; nothing passes any more then.
    """

    def __init__(self, device: SerialDevice, faults: Faults | None = None) -> None:
        self.device = device
        self.unplugged = False
        self.faults = faults or Faults()
        # Takes what the device sends unasked; a door puts itself here.
        self.push: Callable[[bytes], None] = lambda _: None
        self._commands = 0
        self._frames = 0
        self._octets = 0
        self._unplug_at = self.faults.unplug_after_octets

    def exchange(self, data: bytes) -> bytes:
        """What comes back for these octets."""
        if self.unplugged:
            return b""
        self._commands += 1
        if self._commands in self.faults.swallow_commands:
            return b""
        if self._commands in self.faults.echo_commands:
            return self._cut(data)
        sent = b"".join(self._pass(frame) for frame in self.device.receive(data))
        return self._cut(sent)

    def measure(self, record: RecordSpec) -> None:
        """Let the device measure; what it says to that unasked goes out through the door."""
        self.device.measure(record)
        if isinstance(self.device, Pushes) and not self.unplugged:
            self.push(self._cut(b"".join(self._pass(frame) for frame in self.device.pushes())))

    def set_feature(self, report: bytes) -> None:
        """A feature report for the device; lost on one that has none."""
        if not self.unplugged and isinstance(self.device, FeatureReports):
            self.device.set_feature(report)

    def unplug_after(self, octets: int) -> None:
        """The cable is pulled once the device has sent so many more."""
        self._unplug_at = self._octets + octets

    def plug_in(self) -> None:
        """The same device on a sound line: a cable that was pulled is put back."""
        self.unplugged = False
        self.faults = Faults()
        self._unplug_at = None

    def _pass(self, frame: bytes) -> bytes:
        self._frames += 1
        number, faults = self._frames, self.faults
        sent = bytes.fromhex(faults.noise) if number == 1 else b""
        if number in faults.announce_before_frames:
            sent += self.device.announce()
        if number in faults.corrupt_frames:
            frame = _damaged(frame)
        if number not in faults.drop_frames:
            sent += frame * (2 if number in faults.repeat_frames else 1)
        if number == faults.measure_after_frame:
            self.device.measure(faults.measured)
        return sent

    def _cut(self, sent: bytes) -> bytes:
        limit = self._unplug_at
        if limit is not None and self._octets + len(sent) >= limit:
            sent = sent[: limit - self._octets]
            self.unplugged = True
        self._octets += len(sent)
        return sent


def _damaged(frame: bytes) -> bytes:
    """One octet is wrong: the last that counts (a line's end carries nothing)."""
    place = len(frame.rstrip(b"\r\n") or frame) - 1
    return frame[:place] + bytes([frame[place] ^ 0x55]) + frame[place + 1 :]


def line_to(profile: Profile, spec: DeviceSpec, now: Now) -> Line:
    """A simulated device of this profile on its line. ValueError where no simulator speaks the driver's protocol."""
    try:
        make = DEVICES[profile.device.driver]
    except KeyError:
        raise ValueError(f"no simulator speaks {profile.device.driver} ({profile.id})") from None
    return Line(make(profile, with_memory(spec, profile, now()), now), spec.faults)
