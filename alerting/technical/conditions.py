"""A technical alarm condition, and the names of all that there are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerting.limits import Priority


class Name(StrEnum):
    """Technical alarm conditions."""

    COMPONENT_DOWN = "component_down"
    BROKER_UNREACHABLE = "broker_unreachable"
    INGEST_BEHIND = "ingest_behind"
    OWN_CERTIFICATE = "own_certificate"
    GATEWAY_AWAY = "gateway_away"
    GATEWAY_STORAGE = "gateway_storage"
    GATEWAY_CLOCK = "gateway_clock"
    GATEWAY_CERTIFICATE = "gateway_certificate"
    GATEWAY_BACKLOG = "gateway_backlog"
    DEVICE_SILENT = "device_silent"
    DEVICE_BATTERY = "device_battery"
    DEVICE_UNKNOWN_MODEL = "device_unknown_model"
    RECONCILIATION_GAP = "reconciliation_gap"


Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition in force. ``subject`` is kind:id; ``reason`` is JSON; ``inhibited_by`` is a stronger condition.

    ``sentence`` is a ``Said`` where it was just made; one that was read again has what it is made of in its reason.
    """

    name: str
    subject: str
    priority: Priority
    sentence: str
    reason: Mapping[str, object] = field(default_factory=dict)
    gateway_id: str | None = None
    device_name: str | None = None
    device_id: str | None = None
    inhibited_by: str | None = None

    @property
    def key(self) -> Key:
        """Of what there is one at a time."""
        return self.name, self.subject


def by_key(conditions: Iterable[Condition]) -> dict[Key, Condition]:
    """The first of each key."""
    found: dict[Key, Condition] = {}
    for condition in conditions:
        found.setdefault(condition.key, condition)
    return found


def latest(*times: datetime | None) -> datetime | None:
    """The latest of those that there are."""
    return max((time for time in times if time is not None), default=None)
