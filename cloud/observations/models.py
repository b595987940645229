"""The Observation: a reading with its patient and its effective time."""

from datetime import datetime
from uuid import UUID

import msgspec

from device_drivers.readings import Reading
from device_drivers.timestamps import TimeQuality


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One reading, attributed."""

    reading: Reading
    patient_id: UUID
    effective_time: datetime
    time_quality: TimeQuality
    received_at: datetime
