"""The Observation: a reading with its patient and its effective time."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity, Reading, Sample
from device_drivers.timestamps import TimeQuality


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One reading, attributed."""

    reading: Reading
    patient_id: UUID
    effective_time: datetime
    time_quality: TimeQuality
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredGlucose:
    """A glucose observation as the database has it."""

    reading_id: UUID
    effective_time: datetime
    quantity: Quantity
    sample: Sample
    annotations: tuple[str, ...]
    context: dict[str, str]
    reported_time: str
    time_quality: TimeQuality
    received_at: datetime
    device_id: str

    kind = Kind.GLUCOSE


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBloodPressure:
    """A blood-pressure observation as the database has it; ``state`` is that of the pressures."""

    reading_id: UUID
    effective_time: datetime
    systolic: Decimal | None
    diastolic: Decimal | None
    mean_pressure: Decimal | None
    unit: Unit
    pulse: Decimal | None
    state: str
    sample: Sample
    annotations: tuple[str, ...]
    context: dict[str, str]
    reported_time: str
    time_quality: TimeQuality
    received_at: datetime
    device_id: str

    kind = Kind.BLOOD_PRESSURE
