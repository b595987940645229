"""An Ascensia Contour or Breeze 2: sends its memory as one ASTM message (``drivers/ascensia_contour.md``)."""

import re
from decimal import Decimal

from device_drivers.codecs import ascensia_contour as wire
from device_drivers.codecs import ascensia_reports
from device_drivers.codecs.ascensia_contour import Header, Order, Patient, Record, Result, Terminator
from device_drivers.codecs.astm_e1381 import CR, Control, Frame, FrameReader, encode_frame
from device_drivers.drivers.ascensia_contour import FIRST_RESULT_IS_AVERAGE
from device_drivers.errors import CodecError
from device_drivers.simulators.device import Body, Now
from device_drivers.simulators.memory import Kept
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.schema import Profile

_SETTINGS = {"A": "1", "C": "63", "G": "1", "I": "0200", "R": "0", "S": "1", "U": "0", "V": "10600", "Z": "1"}
_VERSIONS = ("01.20", "01.04", "04.02.19")
_STEP = {wire.MG_DL: Decimal(1), wire.MMOL_L: Decimal("0.1")}
_LIMITS = {
    ("HI", wire.MG_DL): Decimal(600), ("LO", wire.MG_DL): Decimal(10),
    ("HI", wire.MMOL_L): Decimal("33.3"), ("LO", wire.MMOL_L): Decimal("0.6"),
}  # fmt: skip
_MARKS = {"preprandial": "B", "postprandial": "A", "fasting": "F"}


class SimulatedContour:
    """Memory and manners of the meter on its serial cable.

    Flags of a record: ``control_solution`` (by a flag), ``control_order`` (by an order with action Q), ``mmol_l``,
    ``preprandial``, ``postprandial``, ``fasting``. A value with a point is in mmol/L, too.
    """

    on_usb = False

    def __init__(self, profile: Profile, spec: DeviceSpec, now: Now) -> None:
        self.body = Body(profile, spec, now)
        self._product = "Bayer" + re.findall("[0-9]{4}", profile.device.match.model or "0000")[-1]
        self._serial_number = spec.serial_number
        self._versions = (spec.firmware, *_VERSIONS[1:]) if spec.firmware else _VERSIONS
        self._with_average = profile.has_quirk(FIRST_RESULT_IS_AVERAGE)
        self._reader = FrameReader()
        self._frames: list[bytes] = []
        self._sent = -1  # the frame that waits for its ACK; -1 is the enquiry

    def receive(self, data: bytes) -> list[bytes]:
        """Only the control octets count; the remote mode is not simulated."""
        heard = [item for item in self._reader.feed(data) if isinstance(item, Control)]
        return [octets for control in heard for octets in self._obey(control)]

    def announce(self) -> bytes:
        """I want to send."""
        return Control.ENQ.octets

    def measure(self, record: RecordSpec) -> None:
        """Make a measurement now."""
        self.body.measure(record)

    def _obey(self, control: Control) -> list[bytes]:
        match control:
            case Control.EOT:
                return self._offer()
            case Control.ACK if self._frames:
                self._sent += 1
                return self._current()
            case Control.NAK if self._frames and self._sent >= 0:
                return self._current()
            case _:
                self._frames = []
                return [Control.EOT.octets]

    def _offer(self) -> list[bytes]:
        """A new message; on USB its header stands in front of the enquiry, to look at."""
        records = self._records()
        texts = [wire.encode_record(record) + CR for record in records]
        frames = (Frame((n + 1) % 8, text, last=n == len(texts) - 1) for n, text in enumerate(texts))
        self._frames, self._sent = [encode_frame(frame) for frame in frames], -1
        preview = self._frames[0] if self.on_usb else b""
        return [Control.EOT.octets + preview + Control.ENQ.octets]

    def _current(self) -> list[bytes]:
        if self._sent < len(self._frames):
            return [self._frames[self._sent]]
        self._frames = []
        return [Control.EOT.octets]

    def _records(self) -> list[Record]:
        kept = self.body.memory.newest_first()[::-1]
        first = 2 if self._with_average and kept else 1
        results: list[Record] = []
        for number, entry in enumerate(kept, first):
            if "control_order" in entry.record.flags:
                results.append(Order(number, wire.CONTROL_RESULT))
            results.append(result_of(entry, number, on_usb=self.on_usb))
        if first == 2:
            results.insert(0, result_of(Kept(kept[-1].local, RecordSpec(value="99")), 1, on_usb=self.on_usb))
        return [self._header(len(kept)), Patient(1), *results, Terminator(1, wire.NORMAL_END)]

    def _header(self, count: int) -> Header:
        return Header(
            product=self._product,
            versions=self._versions if self.on_usb else self._versions[:2],
            serial_number=self._serial_number,
            sku="7396-" if self.on_usb else "",
            settings=_SETTINGS if self.on_usb else {},
            count=count if self.on_usb else None,
            clock=wire.stamp_of(self.body.clock()),
        )


class SimulatedContourUsb(SimulatedContour):
    """The same on USB: what it takes and gives are reports."""

    on_usb = True

    def receive(self, data: bytes) -> list[bytes]:
        """One report; what is none is not heard."""
        try:
            octets = ascensia_reports.decode(data)
        except CodecError:
            return []
        return [report for sent in super().receive(octets) for report in ascensia_reports.encode(sent)]

    def announce(self) -> bytes:
        """I want to send."""
        return b"".join(ascensia_reports.encode(super().announce()))


def result_of(kept: Kept, number: int, *, on_usb: bool) -> Result:
    """A kept measurement as the meter's result. ValueError where it has no glucose value."""
    value, flags = kept.record.value, kept.record.flags
    if value is None:
        raise ValueError("a glucose record needs a value")
    unit = wire.MMOL_L if "." in value or "mmol_l" in flags else wire.MG_DL
    marks = [_MARKS[flag] for flag in flags if flag in _MARKS]
    if "control_solution" in flags:
        marks.append("C" if on_usb else "E")
    if (limit := _LIMITS.get((value, unit))) is not None:
        marks.insert(0, wire.ABOVE if value == "HI" else wire.BELOW)
        figure = limit + _STEP[unit] if value == "HI" else limit - _STEP[unit]
    else:
        figure = Decimal(value)
    return Result(number, figure, unit, wire.stamp_of(kept.local), flags=tuple(marks), long=not on_usb)
