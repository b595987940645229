"""Whose reading is it, and may it count: the checks in their order. Pure."""

from collections.abc import Sequence
from datetime import datetime

from cloud.devices.models import Assignment, patient_at
from cloud.ingest.arrivals import ReasonCode, Refusal
from cloud.observations.models import Observation
from cloud.observations.plausibility import implausible
from device_drivers.readings import Reading
from device_drivers.timestamps import CoincidentTimeStamp, TimeQuality, effective_time


def attribute(
    reading: Reading,
    coincident: CoincidentTimeStamp | None,
    received_at: datetime,
    assignments: Sequence[Assignment],
) -> Observation | Refusal:
    """The observation that the reading becomes, or why it is held back: time first, then value, then patient."""
    effective = effective_time(reading.reported_time, coincident, received_at)
    if effective.quality is TimeQuality.IMPLAUSIBLE:
        return Refusal(ReasonCode.IMPOSSIBLE_TIME, effective.reason)
    if effective.time is None:
        return Refusal(ReasonCode.UNKNOWN_TIMELINE, effective.reason)
    if reason := implausible(reading):
        return Refusal(ReasonCode.IMPOSSIBLE_VALUE, reason)
    patient_id = patient_at(assignments, reading.user_index, effective.time)
    if patient_id is None:
        return Refusal(
            ReasonCode.UNASSIGNED_DEVICE, f"no patient had this device at {effective.time:%Y-%m-%d %H:%M} UTC"
        )
    return Observation(
        reading=reading,
        patient_id=patient_id,
        effective_time=effective.time,
        time_quality=effective.quality,
        received_at=received_at,
    )
