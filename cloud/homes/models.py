"""What is due in a home, as the command of kind ``home`` says it; and whether what was said still holds. Pure.

It names devices and times, and nobody: a patient is the devices and user slots that they use.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

KIND: Final = "home"
# Days before and after this one (UTC) that are told: a gateway that is cut off for long still knows what is due.
DAYS_BEFORE: Final = timedelta(days=2)
DAYS_AHEAD: Final = timedelta(days=8)
# A home that knows less of what is to come is told anew, although nothing changed.
TOLD_ANEW_BELOW: Final = timedelta(days=4)
# How long the broker keeps it for a gateway that is away; what comes later is made anew.
EXPIRES_AFTER: Final = timedelta(days=3)
# What a gateway refused, or never answered: asked again so seldom. Its release may be one that does not know of it.
AGAIN_AFTER: Final = timedelta(days=1)

Device = tuple[str, int | None]  # the name in the gateway's configuration, and the user slot


class Window(NamedTuple):
    """When a measurement is due, and from when until when it is met."""

    at: datetime
    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What one patient measures of one kind, with any of these devices."""

    devices: tuple[Device, ...]
    kind: str
    zone: str
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is due in a home from ``since`` on and before ``until``."""

    since: datetime
    until: datetime
    due: tuple[Due, ...]

    def as_body(self, at: datetime) -> dict[str, Any]:
        """The command's body (``gateway.home.plan.Plan``), with the moment when it is said."""
        return {
            "said_at": at.isoformat(),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "due": [
                {
                    "devices": [list(device) for device in due.devices],
                    "kind": due.kind,
                    "zone": due.zone,
                    "windows": [[moment.isoformat() for moment in window] for window in due.windows],
                }
                for due in self.due
            ],
        }


def plan_of(body: Mapping[str, Any]) -> Plan:
    """What a body of ours says. KeyError, ValueError, TypeError for another's."""
    return Plan(
        since=datetime.fromisoformat(body["since"]),
        until=datetime.fromisoformat(body["until"]),
        due=tuple(
            Due(
                devices=tuple((name, user) for name, user in due["devices"]),
                kind=due["kind"],
                zone=due["zone"],
                windows=tuple(Window(*map(datetime.fromisoformat, window)) for window in due["windows"]),
            )
            for due in body["due"]
        ),
    )


def span(now: datetime) -> tuple[datetime, datetime]:
    """From when on and until when a home is told now: whole days, so that it is told the same all day long."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - DAYS_BEFORE, day + DAYS_AHEAD


class Use(NamedTuple):
    """Somebody uses this device of this home; ``device`` and ``user`` are None where a home has nothing in use."""

    gateway_id: str
    device: str | None
    user: int | None
    patient_id: UUID | None


class Task(NamedTuple):
    """What one patient is to measure of one kind."""

    kind: str
    zone: str
    windows: tuple[Window, ...]


def plans(
    uses: Iterable[Use], tasks: Mapping[UUID, Sequence[Task]], since: datetime, until: datetime
) -> Mapping[str, Plan]:
    """The plan of each home."""
    devices: dict[str, dict[UUID, list[Device]]] = {}
    for use in uses:
        home = devices.setdefault(use.gateway_id, {})
        if use.device is not None and use.patient_id is not None:
            home.setdefault(use.patient_id, []).append((use.device, use.user))
    return {
        gateway_id: Plan(
            since=since,
            until=until,
            due=tuple(
                sorted(
                    (
                        Due(devices=tuple(sorted(own, key=_order)), kind=kind, zone=zone, windows=windows)
                        for patient_id, own in patients.items()
                        for kind, zone, windows in tasks.get(patient_id, ())
                    ),
                    key=lambda due: ([_order(device) for device in due.devices], due.kind),
                )
            ),
        )
        for gateway_id, patients in devices.items()
    }


def _order(device: Device) -> tuple[str, int]:
    name, user = device
    return name, -1 if user is None else user


def still_holds(told: Plan, wanted: Plan, now: datetime) -> bool:
    """Whether a home that was told this need not be told that: it is the same where both speak, and reaches far."""
    if told.until - now < TOLD_ANEW_BELOW:
        return False
    start, end = max(told.since, wanted.since), min(told.until, wanted.until)
    return _between(told, start, end) == _between(wanted, start, end)


def _between(plan: Plan, start: datetime, end: datetime) -> list[Due]:
    return [
        Due(
            devices=due.devices,
            kind=due.kind,
            zone=due.zone,
            windows=tuple(window for window in due.windows if start <= window.at < end),
        )
        for due in plan.due
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The newest command of this kind that a home was sent."""

    gateway_id: str
    command_id: UUID
    stage: str
    created_at: datetime


def is_to_be_told(said: Said | None, told: Plan | None, wanted: Plan, now: datetime) -> bool:
    """Whether a home is to be told what is due. ``told`` is what ``said`` says; None: nothing that we know."""
    if said is None or told is None or not still_holds(told, wanted, now):
        return True
    return said.stage in ("failed", "refused", "expired") and now - said.created_at >= AGAIN_AFTER
