"""The shape of a firmware profile: strict, frozen, data only.

One TOML file describes one model: a ``[device]`` table and one ``[[firmware]]`` table per range of firmware versions.
An unknown key, a missing ``evidence`` or ``why`` is refused when the file is loaded. A profile never contains code; a
quirk that needs code is a named branch in the driver.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Literal

import msgspec


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table in which an unknown key is an error."""


class Status(StrEnum):
    """How far the profile has been shown to be true; earned, in this order."""

    DOCUMENTED = "documented"  # a document or other people's code says so
    SIMULATED = "simulated"  # simulate → drive → compare gives the memory back
    CAPTURED = "captured"  # bytes captured from a real device decode as its display said
    VERIFIED = "verified"  # read from a real device by us


class Evidence(Strict, frozen=True, kw_only=True):
    """Where a fact comes from, and why it matters."""

    evidence: str
    why: str


class Quirk(Evidence, frozen=True, kw_only=True):
    """A named deviation from the protocol that the driver has a branch for."""

    name: str


class SerialPort(Strict, frozen=True, kw_only=True):
    """The line: as pyserial takes it."""

    baud: int
    data_bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop_bits: Literal[1, 2] = 1
    reply_timeout_s: float = 1.0
    retries: int = 3
    listen_s: float = 0.0  # a device that speaks when it has measured: how long a visit listens


class Hid(Strict, frozen=True, kw_only=True):
    """A USB HID device: reports of a fixed length, found by the USB ids of ``[device.match]``.

    ``numbered_output``: an output report begins with its own number and may have another length.
    """

    report_length: Literal[8, 64]
    numbered_output: bool = False
    reply_timeout_s: float = 1.0
    retries: int = 3


class Pairing(Strict, frozen=True, kw_only=True):
    """BLE bonding: how, and what the patient has to press: ``steps``, each a sentence; the console translates them.

    Without steps nobody has told us which they are: the model's own manual has them.
    """

    method: Literal["none", "just_works", "passkey"]
    steps: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """The steps in one line."""
        return " ".join(self.steps)


class Ble(Strict, frozen=True, kw_only=True):
    """The GATT side: what it advertises and how it wants to be treated."""

    advertises: str  # the service UUID in the advertisement, 16-bit form, e.g. "1808"
    pairing: Pairing
    settle_ms: int = 0
    history: Literal["racp", "indicate_on_connect"]
    idle_timeout_s: float = 3.0  # silence after the last indication that means "that was all"
    disconnect_after_bond: bool = False  # the device keeps a new bond only once we have hung up
    stop_notify_allowed: bool = True  # False: a subscription that is taken back costs the bond


class Clock(Strict, frozen=True, kw_only=True):
    """The device's clock. Setting is off by default: draining comes first, always."""

    readable: bool
    source: Literal["current_time", "date_time", "protocol", "vendor", "none"]  # vendor: a service of its own
    resolution_s: Literal[1, 60] = 1
    settable: bool = False
    unset: tuple[str, ...] = ()  # reported-time texts that mean "never set"


class Live(Evidence, frozen=True, kw_only=True):
    """Measurements that we start. Only of a cuff that is on its patient by design: ``evidence`` says by which.

    A measurement that takes longer than ``limit_s`` is aborted; between two of them lie at least ``at_most_every_s``.
    """

    cuff_is_on_its_patient: bool
    poll_s: float = 0.5
    limit_s: float = 180.0
    at_most_every_s: float = 1800.0


class Values(Strict, frozen=True, kw_only=True):
    """Units and range limits, as the device reports them on the wire."""

    unit: Literal["mg/dL", "mmol/L", "mm[Hg]", "kPa", "as_reported"]
    low: Decimal | None = None  # LO means: below this
    high: Decimal | None = None  # HI means: above this
    ketone_high: Decimal | None = None  # HI of a ketone strip means: above this, in mmol/L


class Match(Strict, frozen=True, kw_only=True):
    """What identifies the model; regular expressions over the whole text, and USB ids as ``vvvv:pppp``."""

    manufacturer: str | None = None
    model: str | None = None
    name: str | None = None
    usb: tuple[str, ...] = ()


class Firmware(Evidence, frozen=True, kw_only=True):
    """One range of firmware versions of one model.

    ``commands`` is the allow-list of outgoing commands. Serial: hex octets, ``..`` for any octet, a trailing ``*`` for
    any rest (``51 2b *``). BLE: the characteristic first (``2a52: 01 *``). HID: a whole output report, or behind
    ``feature: `` a feature report. Whatever is not listed never leaves.
    """

    versions: str = "*"
    transport: Literal["serial", "ble", "hid"]
    serial: SerialPort | None = None
    ble: Ble | None = None
    hid: Hid | None = None
    live: Live | None = None
    clock: Clock
    values: Values
    commands: tuple[str, ...] = ()
    quirks: tuple[Quirk, ...] = ()

    def __post_init__(self) -> None:
        tables = {"serial": self.serial, "ble": self.ble, "hid": self.hid}
        if {name for name, table in tables.items() if table is not None} != {self.transport}:
            raise ValueError(f"transport {self.transport} needs exactly its own table")


class Device(Strict, frozen=True, kw_only=True):
    """One model."""

    id: str
    maker: str
    model: str
    aliases: tuple[str, ...] = ()
    kind: Literal["glucose", "blood_pressure"]
    driver: str  # a module of device_drivers.drivers
    memory: int  # records
    ring: bool = True  # a full memory overwrites its oldest record
    users: int = 1
    status: Status
    match: Match


class ProfileFile(Strict, frozen=True, kw_only=True):
    """A whole TOML file."""

    schema_version: Literal[1]
    device: Device
    firmware: tuple[Firmware, ...]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A device and the firmware range that it runs: what a driver is given."""

    device: Device
    firmware: Firmware

    @property
    def id(self) -> str:
        """The id that travels with each reading."""
        return self.device.id

    def has_quirk(self, name: str) -> bool:
        """Whether this firmware deviates so."""
        return any(quirk.name == name for quirk in self.firmware.quirks)
