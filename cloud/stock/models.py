"""Devices as things, as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from cloud.stock.states import FREE, Act, State, acts

OWNERS: Final = ("clinic", "lessor", "patient")
# How early the end of a lease is pointed at: time to get a device back and send it on (proposal of this project).
LEASE_WARNING: Final = timedelta(days=30)

LeaseStanding = Literal["none", "fine", "soon", "over"]


def lease_standing(ends_on: date | None, state: State, today: date) -> LeaseStanding:
    """How near the end of a lease is; of what is retired nobody asks."""
    if ends_on is None or state is State.RETIRED:
        return "none"
    if today > ends_on:
        return "over"
    return "soon" if ends_on - today <= LEASE_WARNING else "fine"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEntry:
    """What somebody types of a new device."""

    kind: str
    manufacturer: str
    model: str
    profile: str | None
    serial_number: str
    gtin: str | None
    owner: str
    lessor: str | None
    lease_ends_on: date | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One device. ``patient_id`` and ``patient``: who has it, where the reader may know; ``held_since`` since when.

    ``device_id``: as gateways know it. ``wipe``: how it was last wiped.
    """

    item_id: UUID
    kind: str
    manufacturer: str
    model: str
    profile: str | None
    serial_number: str
    gtin: str | None
    owner: str
    lessor: str | None
    lease_ends_on: date | None
    note: str
    state: State
    state_at: datetime
    device_id: str | None
    added_at: datetime
    patient_id: UUID | None
    patient: str | None
    held_since: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self.state))

    @property
    def name(self) -> str:
        return f"{self.manufacturer} {self.model}"

    @property
    def acts(self) -> tuple[Act, ...]:
        """What may be done with it now."""
        return acts(self.state)

    @property
    def is_free(self) -> bool:
        """Whether it may be handed out."""
        return self.state in FREE

    def lease(self, today: date) -> LeaseStanding:
        """How near the end of its lease is."""
        return lease_standing(self.lease_ends_on, self.state, today)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was done with a device."""

    at: datetime
    by: str
    act: str
    state: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A device that a patient has or had."""

    holding_id: UUID
    item_id: UUID
    name: str
    serial_number: str
    profile: str | None
    device_id: str | None
    state: str
    since: datetime
    until: datetime | None
    handed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whom devices are handed out to."""

    patient_id: UUID
    display_name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of the stock: ``total`` is of all that fit, ``counts`` of all that there are, by state."""

    items: Sequence[Item]
    total: int
    counts: Mapping[str, int]
    soon: int
    over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to show: part of a number or a name, a state, a lease that ends."""

    text: str = ""
    state: str = ""
    lease: str = ""
