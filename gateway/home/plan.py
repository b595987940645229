"""What the cloud says is due in this home: the body of a command of kind ``home``. Nothing in it is about a person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

KIND = "home"

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
# A device by its name in the configuration, and its user slot; None: whoever uses it.
DeviceUser = tuple[Annotated[str, msgspec.Meta(max_length=64)], int | None]
Window = tuple[Instant, Instant, Instant]


class BadPlan(Exception):
    """The body is not what is due in a home; the text quotes nothing of it."""


class Due(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One kind of measurement that somebody here is to make, with any of these devices.

    ``windows``: when each is due, from when on, and until when it is met; what a pause covers is not among them. They
    are of the days around the one when it was said. ``zone`` is the IANA name of who measures.
    """

    devices: tuple[DeviceUser, ...]
    kind: str
    zone: Annotated[str, msgspec.Meta(max_length=64)]
    windows: Annotated[tuple[Window, ...], msgspec.Meta(max_length=500)]


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is due here, as it was ``said_at``, known up to ``until``. The newest counts, and none beside it."""

    said_at: Instant
    until: Instant
    due: Annotated[tuple[Due, ...], msgspec.Meta(max_length=100)] = ()


def plan_of(body: Mapping[str, Any]) -> Plan:
    """The plan in a command's body. BadPlan."""
    try:
        return msgspec.convert(body, Plan)
    except msgspec.ValidationError as error:
        raise BadPlan("the body does not say what is due, or not in a way that this release knows") from error


def encoded(plan: Plan) -> bytes:
    """As it is kept."""
    return msgspec.json.encode(plan)


def decoded(octets: bytes) -> Plan | None:
    """What was kept; None where another release wrote what this one does not know."""
    try:
        return msgspec.json.decode(octets, type=Plan)
    except msgspec.DecodeError:
        return None
