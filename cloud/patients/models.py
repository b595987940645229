"""A patient and the observations that a page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.range import Range

from device_drivers.readings import Sample
from device_drivers.timestamps import TimeQuality


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    patient_id: UUID
    display_name: str
    birth_date: date | None
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientSummary:
    """A line in the list of patients."""

    patient_id: UUID
    display_name: str
    birth_date: date | None
    time_zone: str
    open_cases: int
    highest: str | None  # the highest priority among them
    last_reading: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the page shows of every observation, whatever its kind. ``state`` other than measured: no number.

    ``received_at``: when the ingest took it from the broker; ``stored_at``: when it was ours for good. ``said_at``: a
    person said whose it is; ``said_by``: who of the staff, None where it was the patient.
    """

    effective_time: datetime
    reading_id: UUID
    device: str
    unit: str
    state: str
    sample: str
    context: dict[str, Any]
    annotations: list[str]
    reported_time: str
    time_quality: str
    received_at: datetime
    stored_at: datetime
    said_at: datetime | None
    said_by: str | None

    @property
    def is_patient(self) -> bool:
        """Of the patient: neither control solution nor a test."""
        return self.sample == Sample.PATIENT

    @property
    def clock_was_right(self) -> bool:
        return self.time_quality == TimeQuality.SYNCHRONISED


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration(Observed):
    """Of glucose or of ketones in blood."""

    value: Decimal | None
    bound: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodPressure(Observed):
    systolic: Decimal | None
    diastolic: Decimal | None
    mean_pressure: Decimal | None
    pulse: Decimal | None

    @property
    def pair(self) -> tuple[Decimal, Decimal] | None:
        """Systolic and diastolic; None where one of them is no number."""
        if self.systolic is None or self.diastolic is None:
            return None
        return self.systolic, self.diastolic


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """The last readings, newest first."""

    glucose: list[Concentration]
    ketone: list[Concentration]
    blood_pressure: list[BloodPressure]

    def concentrations(self, glucose: int, ketone: int) -> list[tuple[str, Concentration]]:
        """The last so many of each, with their kind: they share a unit, and are converted differently."""
        return [("glucose", one) for one in self.glucose[:glucose]] + [("ketone", one) for one in self.ketone[:ketone]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientDevice:
    """A device that a patient has now, and what we have of it.

    ``holds`` and ``missing`` are of its last visit that went to its end; ``holes`` are numbers that are missing.
    ``known`` are the readings of it that have arrived, of whoever used it, ``quarantined`` those of them that are held
    back. ``tells_clock``: whether its clock can be read over the link; None before its first visit.
    """

    assignment_id: UUID
    device_id: str
    user_index: int | None
    name: str
    serial_number: str | None
    holds: int | None
    known: int
    quarantined: int
    complete_at: datetime | None
    battery_low: bool | None
    tells_clock: bool | None
    clock_checked_at: datetime | None
    clock_checked_by: str | None
    missing: int | None
    holes: Sequence[Range[int]] | None

    @property
    def stored(self) -> int:
        return self.known - self.quarantined

    @property
    def needs_eyes(self) -> bool:
        """Whether somebody has to compare its clock with a watch for what it measures to count."""
        return not self.tells_clock
