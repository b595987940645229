"""The stored state of the fleet, as it is judged: facts with the time at which they were told, and nothing derived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One of our own processes. ``broker``: whether an ingest worker hears the broker, ``since`` when that is so.

    ``judged_at``: when a jobs process last judged the fleet, which is there ``since``. ``certificates``: when those of
    our own end, by whose they are: ``authority``, ``broker``, ``enrolment``.
    """

    name: str
    kind: str
    seen_at: datetime
    broker: bool | None = None
    since: datetime | None = None
    lag_s: float = 0.0
    judged_at: datetime | None = None
    certificates: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway that is enrolled and not revoked. ``back_at``: when it was last found to be back after being away."""

    gateway_id: str
    state: str = "online"
    state_at: datetime | None = None
    last_seen_at: datetime | None = None
    outbox_depth: int | None = None
    oldest_unsent_s: int | None = None
    clock_synchronised: bool | None = None
    clock_offset_s: float | None = None
    disk_free_octets: int | None = None
    storage_error: str | None = None
    readings_damaged: int | None = None
    certificate_until: datetime | None = None
    back_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterEntry:
    """A device of a gateway's roster, as the gateway told of it at ``told_at``."""

    gateway_id: str
    name: str
    profile: str
    told_at: datetime
    device_id: str | None = None
    visited_at: datetime | None = None
    outcome: str | None = None
    reason: str | None = None
    identity: str | None = None
    complete_at: datetime | None = None
    heard_at: datetime | None = None
    battery_low: bool | None = None
    repairs: Mapping[str, int] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """The device where it is known, else its place in the roster."""
        return f"device:{self.device_id}" if self.device_id else f"roster:{self.gateway_id}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """A device whose memory and our ledger do not agree, as the view ``reconciliation`` has it.

    ``holes`` are sequence numbers (first and last of each run) that its memory must have had; ``unread`` are
    readings of it in quarantine without a row in the ledger. ``whole_at``: its last complete session before this one.
    """

    device_id: str
    label: str
    holds: int
    missing: int
    gateway_id: str
    complete_at: datetime
    told_at: datetime
    holes: Sequence[tuple[int, int]] = ()
    first_known: int | None = None
    last_known: int | None = None
    unread: int = 0
    whole_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A patient's use of a device (one device assignment), with which a measurement of the patient's schedule is made.

    ``missed_since``: when the first of the measurements was due that nobody made (None: none is missing), ``reached``:
    the time after which its silence is looked at now. ``since``: from when on measurements are expected: the patient
    got the device, or a nurse closed the case of a silence. ``measured_at``: the patient's newest measurement of this
    kind, with whatever device; ``held_at``: a reading of this one last went into quarantine.
    """

    assignment_id: str
    device_id: str
    label: str
    since: datetime
    missed_since: datetime | None = None
    reached: timedelta = timedelta()
    measured_at: datetime | None = None
    held_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything that is judged. ``judging_since``: from when on we could have heard a sign of life."""

    judging_since: datetime
    components: Sequence[Component] = ()
    gateways: Sequence[Gateway] = ()
    roster: Sequence[RosterEntry] = ()
    holdings: Sequence[Holdings] = ()
    uses: Sequence[Use] = ()
