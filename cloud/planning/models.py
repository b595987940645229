"""A patient's plan as people read and change it."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from alerting.limits import Priority
from alerting.regimes import RegimeLimit
from cloud.plans.rules import LimitRow, ProgrammeRow
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whose plan it is; all wall-clock times of the plan are of this zone."""

    patient_id: UUID
    display_name: str
    time_zone: str

    @property
    def zone(self) -> tzinfo:
        """UTC, as the page then says, for a zone that nobody here knows."""
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            return UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitVersion:
    """One version of a doctor's limit. One that ends when it begins has withdrawn the version before it."""

    limit_id: UUID
    condition: str
    unit: str
    value: Decimal
    priority: str
    reason: str
    set_by: str
    set_at: datetime
    expires_at: datetime | None
    version: int
    superseded_at: datetime | None

    @property
    def withdraws(self) -> bool:
        return self.expires_at is not None and self.expires_at <= self.set_at

    def row(self) -> LimitRow:
        """As the rules read it."""
        return LimitRow(
            self.limit_id, self.condition, self.unit, self.value, self.priority, self.reason, self.set_by, self.set_at,
            self.expires_at, self.version,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenVersion:
    """A version, and what has become of it: in_force, withdrawal, withdrawn, replaced, expired or not_applied."""

    version: LimitVersion
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A measurement that the patient makes at a wall-clock time on some weekdays (Monday is 0)."""

    slot_id: UUID
    kind: str
    at: time
    weekdays: list[int]
    before: timedelta
    after: timedelta
    since: datetime
    set_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is expected meanwhile. ``until`` None: until somebody ends it."""

    pause_id: UUID
    since: datetime
    until: datetime | None
    reason: str
    set_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Which programme the patient is in. ``since`` None: nobody chose, so the standard one holds."""

    programme_id: str
    since: datetime | None = None
    heightened_until: datetime | None = None
    set_by: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitForm:
    """The limit that is being changed. ``own``: the doctor's limits of it in force, which may be withdrawn."""

    condition: str
    units: list[str]
    shown: tuple[RegimeLimit, ...]
    own: list[LimitVersion]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the page shows."""

    patient: Patient
    programme: ProgrammeRow
    programmes: list[ProgrammeRow]
    membership: Membership
    is_heightened: bool
    limits: tuple[RegimeLimit, ...]
    versions: list[SpokenVersion]
    slots: list[Slot]
    pauses: list[Pause]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEntry:
    """A doctor's limit, read from a form."""

    condition: str
    unit: Unit
    value: Decimal
    priority: Priority
    reason: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEntry:
    """A measurement time, read from a form."""

    kind: Kind
    at: time
    weekdays: tuple[int, ...]
    before: timedelta
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseEntry:
    """A pause, read from a form."""

    since: datetime
    until: datetime | None
    reason: str
