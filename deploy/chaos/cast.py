"""Who lives in the home: made-up people, four devices, and who uses which of them since when.

The patients' zones have no summer time: an hour that comes twice makes readings rightly undatable, and here every
reading has a time. Each device's clock is off by something else: one shows the year 2161, one is months behind.
"""

from dataclasses import dataclass

from deploy.demo.cast import HomeDevice, Person, Staff

_DAY = 24 * 3600
HISTORY_DAYS = 3
"""So far back do the devices' memories reach when they are read for the first time."""

METER, CUFF, CABLE_METER, CABLE_CUFF = "ble-glucometer", "ble-cuff", "serial-glucometer", "serial-cuff"

NURSE = Staff("nurse", "Nurse Chaos", "nurse")
PATIENTS = (
    Person("ada.okoye", "Ada Okoye", "1951-02-03", "Africa/Nairobi"),
    Person("ben.sato", "Ben Sato", "1949-07-21", "Asia/Tokyo"),
    Person("cleo.rao", "Cleo Rao", "1962-11-08", "Asia/Kolkata"),
    Person("dan.reyes", "Dan Reyes", "1955-05-30", "America/Phoenix"),
    Person("eva.silva", "Eva Silva", "1947-12-12", "Etc/UTC"),
)
ADA, BEN, CLEO, DAN, EVA = (person.login for person in PATIENTS)


@dataclass(frozen=True, slots=True)
class Device:
    """A device of the home: ``resolution_s`` of its clock, and every how many seconds somebody measures with it."""

    home: HomeDevice
    resolution_s: int
    every_s: float
    users: tuple[int, ...] = ()  # the slots of a cuff that tells its users apart

    @property
    def name(self) -> str:
        return self.home.name


def _device(
    name: str, profile: str, serial_number: str, skew_s: int, address: str | None = None, passkey: int | None = None
) -> HomeDevice:
    # Whose it is stands in ASSIGNMENTS; its memory is filled once it runs.
    return HomeDevice(
        name=name,
        profile=profile,
        transport="serial" if address is None else "ble",
        serial_number=serial_number,
        patient="",
        records=(),
        address=address,
        passkey=passkey,
        clock_skew_s=skew_s,
    )


DEVICES = (
    Device(
        _device(METER, "roche-accu-chek-guide", "90000001", 9017, "F0:00:00:00:00:01", 314159),
        resolution_s=1, every_s=1.5,
    ),
    Device(
        _device(CUFF, "and-ua-651ble", "5170900900", 135 * 365 * _DAY - 77, "F0:00:00:00:00:02"),
        resolution_s=1, every_s=4.0, users=(1,),
    ),
    Device(
        _device(CABLE_METER, "lifescan-onetouch-ultramini", "CHAOS0001", -213 * _DAY - 23),
        resolution_s=1, every_s=2.0,
    ),
    Device(
        _device(CABLE_CUFF, "taidoc-td-3128", "3128000000000009", 19800),
        resolution_s=60, every_s=4.0, users=(1, 2),
    ),
)  # fmt: skip
BY_NAME = {device.name: device for device in DEVICES}


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who uses a device (one user slot of it), from so many days before the start and until so many; None: still."""

    device: str
    patient: str
    user: int | None
    since_days: float
    until_days: float | None = None


ASSIGNMENTS = (
    Assignment(METER, BEN, None, 30, 1.5),
    Assignment(METER, ADA, None, 1.5),
    Assignment(CUFF, BEN, 1, 30),
    Assignment(CABLE_METER, CLEO, None, 30),
    Assignment(CABLE_CUFF, ADA, 1, 30),
    Assignment(CABLE_CUFF, DAN, 2, 30),
)
"""At the start."""

REASSIGNED = CABLE_METER
REASSIGNED_TO = EVA
"""In the middle of the run this device goes on to this patient."""
