"""A quarantined reading as people see it: what it says, from where, and whose it may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from device_drivers.nomenclature import Mdc

# What a person may be able to answer. Everything else in quarantine is for whoever looks after devices.
ANSWERABLE: Final = ("unassigned_device", "unknown_timeline", "impossible_time")


class Resolution(StrEnum):
    """What became of it. ``released``: it is a patient's, and counts."""

    RELEASED = "released"
    NOBODYS = "nobodys"
    TEST = "test"
    CONTROL_SOLUTION = "control_solution"


class _Component(msgspec.Struct, frozen=True):
    code: int
    unit: str
    value: Decimal | None = None
    state: str = "measured"
    bound: Decimal | None = None


class _Reading(msgspec.Struct, frozen=True):
    """Of the payload's reading what a page shows."""

    kind: str
    components: tuple[_Component, ...]
    reported_time: str
    user_index: int | None = None
    sample: str = "patient"


class _Payload(msgspec.Struct, frozen=True):
    reading: _Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """``effective_time``: judged and certain, only the patient is missing. ``may_be``: the times that it may have been.

    ``measured_after`` and ``measured_before``: between which it was in any case. ``on_its_way``: a person has said
    whose it is, and the ingest has not taken it up yet; ``refusal``: why it did not count when last somebody said so.
    """

    quarantine_id: UUID
    reading_id: UUID
    received_at: datetime
    gateway_id: str
    device_id: str
    reason_code: str
    reason: str
    seen: int
    payload: bytes
    effective_time: datetime | None
    may_be: Sequence[datetime]
    measured_after: datetime | None
    measured_before: datetime | None
    on_its_way: bool
    refusal: str | None

    @property
    def said(self) -> _Reading | None:
        """What the device said; None for a payload that is of no reading."""
        try:
            return msgspec.json.decode(self.payload, type=_Payload).reading
        except msgspec.DecodeError:
            return None

    @property
    def figures(self) -> Mapping[str, _Component]:
        """By the measure, as pages name it."""
        components = self.said.components if self.said else ()
        return {_NAMES.get(component.code, "value"): component for component in components}

    @property
    def needs_time(self) -> bool:
        """Whether somebody has to say when it was measured, besides whose it is."""
        return self.reason_code != "unassigned_device"

    @property
    def can_be_dated(self) -> bool:
        """Whether there is evidence between which moments a person's word may lie; without it nobody can say."""
        return bool(self.may_be) or (self.measured_after is not None and self.measured_before is not None)


_NAMES: Final[Mapping[int, str]] = {
    Mdc.PRESS_BLD_NONINV_SYS.value: "systolic",
    Mdc.PRESS_BLD_NONINV_DIA.value: "diastolic",
    Mdc.PULS_RATE_NON_INV.value: "pulse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device as it introduced itself; the names are None where it never did."""

    device_id: str
    name: str | None
    serial_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearby:
    """A patient in the reader's care who has or had this device, or a device at this gateway."""

    patient_id: UUID
    display_name: str
    time_zone: str
    how: str  # "device" or "gateway"
    user_index: int | None
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    patient_id: UUID
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """All that waits of one device. ``nearby`` and ``others`` are empty for whoever sees no names."""

    device: Device
    gateways: Sequence[str]
    items: Sequence[Item]
    nearby: Sequence[Nearby]
    others: Sequence[Person]

    @property
    def zone(self) -> str:
        """On whose clock its times are said: that of the one patient nearby, else UTC."""
        zones = {near.time_zone for near in self.nearby}
        return zones.pop() if len(zones) == 1 else "UTC"

    @property
    def is_answerable(self) -> bool:
        return any(not item.on_its_way for item in self.items)
