"""What a simulated home holds, as JSON: devices, their memories, their faults. Strict, as the profiles are.

    {"serial": [{"profile": "lifescan-onetouch-ultramini", "name": "meter", "serial_number": "SIM000001",
                 "clock_skew_s": 7200, "records": [{"age_s": 3600, "value": "112"}]}],
     "radio": {...}}

``age_s`` counts back from the start (in a record that arrives later: from its arrival). ``radio`` belongs to the
Bluetooth simulators. A running simulator takes new measurements as JSON lines:
``{"device": "meter", "record": {"value": "HI"}}``. A running home also takes an ``id``, which its answer repeats
beside the time of the measurement, and ``{"device": "meter", "unplug": {"after": 40}}`` (``radio_spec.Order``).
"""

from typing import Annotated

import msgspec


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object in which an unknown key is an error."""


class RecordSpec(Strict, frozen=True, kw_only=True):
    """One measurement: ``value`` of the ``analyte`` ("112", "HI", "LO") for a meter, the four figures for a cuff.

    Glucose is in the unit of the wire; ketones (``analyte`` "ketone") in mmol/L as the display shows them.
    ``flags`` are annotations as a Reading carries them (``irregular_pulse``, ``failed_measurement``, ...).
    ``clock_off_s`` is how far the device's clock was off then, compared with how far it is off now.
    """

    age_s: float = 0.0
    clock_off_s: float = 0.0
    analyte: str = "glucose"
    value: str | None = None
    systolic: int | None = None
    diastolic: int | None = None
    mean: int | None = None
    pulse: int | None = None
    flags: tuple[str, ...] = ()
    user: int = 1

    def pressures(self) -> tuple[int, int, int]:
        """Systolic, diastolic, pulse. ValueError where one is missing."""
        if self.systolic is None or self.diastolic is None or self.pulse is None:
            raise ValueError("a pressure record needs systolic, diastolic and pulse")
        return self.systolic, self.diastolic, self.pulse


class Faults(Strict, frozen=True, kw_only=True):
    """What the line does to the device's frames; frames count from 1 since it was plugged in.

    ``reply_delay_s`` is how long the line rests after each chunk. ``noise`` is hex and stands in the line before the
    first frame. ``measure_after_frame`` adds ``measured`` to the memory once that frame has been sent. Commands to the
    device count from 1, too: it does not hear those of ``swallow_commands``, and sends ``echo_commands`` back.
    To ``busy_commands`` it says that it is busy, where its protocol has a word for that.
    ``full_memory`` fills what the records leave free with old ones, so that a ring overwrites with each measurement.
    """

    one_octet_at_a_time: bool = False
    reply_delay_s: float = 0.0
    corrupt_frames: tuple[int, ...] = ()
    drop_frames: tuple[int, ...] = ()
    repeat_frames: tuple[int, ...] = ()
    announce_before_frames: tuple[int, ...] = ()
    unplug_after_octets: int | None = None
    swallow_commands: tuple[int, ...] = ()
    echo_commands: tuple[int, ...] = ()
    busy_commands: tuple[int, ...] = ()
    noise: str = ""
    measure_after_frame: int | None = None
    measured: RecordSpec = RecordSpec()
    full_memory: bool = False


class DeviceSpec(Strict, frozen=True, kw_only=True):
    """One simulated serial device; its clock is UTC plus ``clock_skew_s`` (a home's zone is skew, too).

    ``storyline`` adds the records of a named story (``storylines.py``) to ``records``; ``seed`` varies its figures.
    """

    profile: str
    name: str
    serial_number: str
    firmware: str | None = None
    clock_skew_s: float = 0.0
    records: tuple[RecordSpec, ...] = ()
    storyline: str | None = None
    seed: int = 0
    faults: Faults = Faults()


class HomeSpec(Strict, frozen=True, kw_only=True):
    """A whole home; each kind of simulator reads its own part."""

    serial: tuple[DeviceSpec, ...] = ()
    radio: msgspec.Raw = msgspec.Raw(b'{"devices": []}')  # a RadioSpec; msgspec takes no Raw in a union


class NewRecord(Strict, frozen=True, kw_only=True):
    """A measurement that a running simulator is told to make."""

    device: str
    record: RecordSpec


class Unplug(Strict, frozen=True, kw_only=True):
    """The device is lost in the middle of a transfer, once it has sent ``after`` more octets (on the radio: values).

    A cable is put back ``for_s`` later; a radio link can be made again at once.
    """

    after: Annotated[int, msgspec.Meta(ge=1)]
    for_s: float = 0.5
