"""The Observation: a reading with its patient and its effective time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from device_drivers.readings import Reading
from device_drivers.timestamps import TimeQuality


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One reading, attributed."""

    reading: Reading
    patient_id: UUID
    effective_time: datetime
    time_quality: TimeQuality
    received_at: datetime
