"""The ``radio`` part of a simulated home: Bluetooth devices, their memories, their faults. Strict.

{"devices": [{"profile": "roche-accu-chek-guide", "address": "F0:00:00:00:00:01", "serial_number": "SIM000001",
              "passkey": 123456, "records": [{"age_s": 3600, "value": "112", "meal": 1}]}]}
"""

from device_drivers.codecs.glucose_measurement import TYPE_CONTROL_SOLUTION
from device_drivers.simulators.spec import RecordSpec, Strict, Unplug


class BleRecordSpec(RecordSpec, frozen=True, kw_only=True):
    """A measurement, with what only the Bluetooth services can say. ``value`` may be "HI", "LO" or "NaN".

    ``flags`` are annotations as a Reading carries them. ``type``, ``sample_location`` and ``meal`` are the service's
    numbers; ``control_solution`` is short for type 10 at location 4.
    """

    control_solution: bool = False
    type: int = 8
    sample_location: int = 15
    meal: int | None = None
    time_offset: int | None = None

    @property
    def type_and_location(self) -> tuple[int, int]:
        """As they go onto the wire."""
        return (TYPE_CONTROL_SOLUTION, 4) if self.control_solution else (self.type, self.sample_location)


class RadioFaults(Strict, frozen=True, kw_only=True):
    """What goes wrong, counted over the device's life; values that it pushes (records and contexts) count from 1."""

    drop_after: int | None = None  # hang up once so many values have been pushed
    omit: int | None = None  # never push this one
    busy_requests: int = 0  # refuse so many requests with busy_code
    busy_code: int = 0xFE
    never_send: int | None = None  # the record with this sequence number, however often it is asked for
    hangs: bool = False  # answer no request of the record access control point
    rest_s: float = 0.0  # after each value: as slow as a radio, which sends a few in each connection interval
    full_memory: bool = False  # old records fill what its own leave free


class BleDeviceSpec(Strict, frozen=True, kw_only=True):
    """One simulated Bluetooth device; its clock is UTC plus ``clock_skew_s`` (a home's zone is skew, too).

    ``name`` is what a new measurement's ``device`` may call it, beside its address; ``local_name`` is advertised (the
    model where None).

    ``advertise_every_s``: 0 advertises always. Otherwise it advertises while it holds something that nobody has taken,
    and for ``advertise_for_s`` every so many seconds.
    """

    profile: str
    address: str  # a static random one: first octet C0 to FF
    serial_number: str
    firmware: str = "1.0.0"
    name: str | None = None
    local_name: str | None = None
    passkey: int | None = None  # what its display shows; random where None
    clock_skew_s: float = 0.0
    first_sequence_number: int = 0
    battery_percent: int | None = None  # None: it has no Battery Service
    deletes_when_confirmed: bool = False  # a cuff: each measurement, as soon as its indication is confirmed
    newest_first: bool = False  # in which order a cuff sends
    refused_operators: tuple[int, ...] = ()  # of the record access control point
    advertise_every_s: float = 0.0
    advertise_for_s: float = 5.0
    records: tuple[BleRecordSpec, ...] = ()
    storyline: str | None = None  # adds the records of a named story (storylines.py)
    seed: int = 0
    faults: RadioFaults = RadioFaults()


class RadioSpec(Strict, frozen=True, kw_only=True):
    """All devices in reach. ``key_store``: a JSON file in which their bonds outlive the simulator."""

    devices: tuple[BleDeviceSpec, ...]
    key_store: str | None = None


class NewBleRecord(Strict, frozen=True, kw_only=True):
    """A measurement that a running device is told to make; ``device`` is its name or its address."""

    device: str
    record: BleRecordSpec


class Order(Strict, frozen=True, kw_only=True):
    """What one device of a running home is told: to measure, or to be unplugged; the answer repeats the ``id``."""

    device: str
    id: str | None = None
    record: BleRecordSpec | None = None
    unplug: Unplug | None = None

    def __post_init__(self) -> None:
        if (self.record is None) == (self.unplug is None):
            raise ValueError("an order has a record or an unplug")
