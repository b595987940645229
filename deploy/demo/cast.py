"""Who plays in the demonstration: made-up people, their devices, and what the devices hold.

Every name and serial number here is invented. Three things happen: the newest value of Anna's glucometer is beyond the
limit that her doctor has set; what her cuff showed half an hour ago was not there when she measured again; and what
Pavel's cuff shows now waits until he measures again.
"""

from dataclasses import dataclass
from datetime import time
from decimal import Decimal

# Where the clinic and its patients are.
ZONE = "Europe/Berlin"
# The devices' clocks show the time there in winter.
CLOCK_SKEW_S = 3600


@dataclass(frozen=True, slots=True)
class Person:
    """A patient of the demonstration."""

    login: str
    name: str
    born: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of the care team."""

    login: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class OwnLimit:
    """A limit that the doctor has set for one patient."""

    patient: str
    condition: str
    unit: str
    value: Decimal
    priority: str
    reason: str


@dataclass(frozen=True, slots=True)
class Slot:
    """When a patient measures each day."""

    patient: str
    kind: str
    at: time


@dataclass(frozen=True, slots=True)
class HomeDevice:
    """A device in the home: its profile, how it identifies itself, whose it is, and its memory.

    A record is ``age_s`` and the profile's figures, as ``python -m device_drivers.simulators`` takes them.
    """

    name: str
    profile: str
    transport: str  # serial | ble
    serial_number: str
    patient: str
    records: tuple[dict[str, int | str], ...]
    address: str | None = None
    passkey: int | None = None  # what its display shows while it pairs
    clock_skew_s: int = CLOCK_SKEW_S


PATIENTS = (
    Person("anna.lindqvist", "Anna Lindqvist", "1958-03-11", ZONE),
    Person("pavel.novak", "Pavel Novák", "1952-09-30", ZONE),
)

STAFF = (
    Staff("nurse", "Nurse Ines Okafor", "nurse"),
    Staff("doctor", "Dr Mikael Sand", "doctor"),
    Staff("lead", "Lead Nurse Hanna Weiss", "lead_nurse"),
)

SCHEDULE = (
    Slot("anna.lindqvist", "glucose", time(7)),
    Slot("anna.lindqvist", "glucose", time(18)),
    Slot("anna.lindqvist", "blood_pressure", time(7)),
    Slot("pavel.novak", "blood_pressure", time(8)),
    Slot("pavel.novak", "blood_pressure", time(20)),
)

# Of the limits above, the one that asks for no second measurement: its case is open with the reading.
OWN_LIMITS = (OwnLimit("anna.lindqvist", "hyperglycaemia_extreme", "mg/dL", Decimal(280), "high", "Ketosis in spring"),)

_HOUR = 3600
_DAY = 24 * _HOUR


def _glucose(*readings: tuple[int, int]) -> tuple[dict[str, int | str], ...]:
    return tuple({"age_s": age, "value": str(value)} for age, value in readings)


# Pavel measures again, as his cuff's instructions say: it is as high as before.
AGAIN: tuple[str, dict[str, int | str]] = (
    "ble-cuff", {"systolic": 183, "diastolic": 99, "mean": 127, "pulse": 77},
)  # fmt: skip

# What the devices measure while somebody watches: one of these a minute, in turn, all within the limits.
LATER: tuple[tuple[str, dict[str, int | str]], ...] = (
    ("serial-glucometer", {"value": "117"}),
    ("ble-cuff", {"systolic": 131, "diastolic": 82, "mean": 98, "pulse": 70}),
    ("ble-glucometer", {"value": "204"}),
    ("serial-cuff", {"systolic": 127, "diastolic": 79, "mean": 95, "pulse": 73}),
)


def _pressure(*readings: tuple[int, int, int, int]) -> tuple[dict[str, int | str], ...]:
    return tuple(
        {
            "age_s": age,
            "systolic": systolic,
            "diastolic": diastolic,
            "mean": diastolic + (systolic - diastolic) // 3,
            "pulse": pulse,
        }
        for age, systolic, diastolic, pulse in readings
    )


DEVICES = (
    HomeDevice(
        "ble-glucometer", "roche-accu-chek-guide", "ble", "92513337", "anna.lindqvist",
        _glucose((3 * _DAY, 131), (3 * _DAY - 5 * _HOUR, 172), (2 * _DAY, 118), (2 * _DAY - 5 * _HOUR, 158),
                 (_DAY, 142), (_DAY - 5 * _HOUR, 189), (8 * _HOUR, 164), (2 * 60, 291)),
        address="F0:00:00:00:00:01", passkey=271828,
    ),
    HomeDevice(
        "ble-cuff", "and-ua-651ble", "ble", "5170900125", "pavel.novak",
        _pressure((2 * _DAY, 136, 84, 68), (_DAY, 133, 82, 66), (9 * _HOUR, 138, 85, 71), (3 * 60, 186, 101, 79)),
        address="F0:00:00:00:00:02",
    ),
    HomeDevice(
        "serial-glucometer", "lifescan-onetouch-ultramini", "serial", "DEMO00001", "pavel.novak",
        _glucose((2 * _DAY, 104), (_DAY, 112), (7 * _HOUR, 126), (4 * 60, 109)),
    ),
    HomeDevice(
        "serial-cuff", "taidoc-td-3128", "serial", "3128000000000001", "anna.lindqvist",
        _pressure((2 * _DAY, 128, 79, 74), (_DAY, 131, 81, 77), (10 * _HOUR, 126, 78, 72),
                  (42 * 60, 181, 98, 88), (37 * 60, 128, 82, 76), (5 * 60, 129, 80, 75)),
    ),
)  # fmt: skip
