"""Whose reading is it, when was it, and may it count: the checks in their order. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cloud.devices.models import Assignment, assignment_at, assignment_throughout
from cloud.ingest.arrivals import ReasonCode, Refusal
from cloud.observations.models import Observation
from cloud.observations.plausibility import implausible
from device_drivers.readings import Reading
from device_drivers.timestamps import (
    NO_EVIDENCE,
    CoincidentTimeStamp,
    EffectiveTime,
    Evidence,
    TimeQuality,
    effective_time,
    effective_times,
    impossible,
)
from device_drivers.wall_clocks import is_certain, other_instants, time_by_eye


def attribute_all(
    readings: Sequence[tuple[Reading, datetime]],
    coincident: CoincidentTimeStamp | None,
    received_at: datetime,
    assignments: Sequence[Assignment],
    evidence: Evidence = NO_EVIDENCE,
) -> Sequence[Observation | Refusal]:
    """``attribute`` of each reading of a session, which comes with its ``read_at``.

    Mostly nothing tells the readings of a session apart, and they are answered together: at a tenth of the price.
    """
    together = _attribute_together(readings, coincident, received_at, assignments, evidence)
    if together is not None:
        return together
    return [
        attribute(
            reading,
            coincident,
            received_at,
            assignments,
            replace(evidence, read_at=read_at, went_back_to=reading.clock_went_back_to),
        )
        for reading, read_at in readings
    ]


def _attribute_together(
    readings: Sequence[tuple[Reading, datetime]],
    coincident: CoincidentTimeStamp | None,
    received_at: datetime,
    assignments: Sequence[Assignment],
    evidence: Evidence,
) -> Sequence[Observation | Refusal] | None:
    """None where one of the readings may need another answer than its neighbours."""
    if coincident is None or len(readings) < 2:
        return None
    user_index = readings[0][0].user_index
    locals_ = [
        reading.reported_time.local
        for reading, _ in readings
        if reading.clock_went_back_to is None and reading.user_index == user_index
    ]
    clocks = [local for local in locals_ if local is not None]
    if len(clocks) < len(readings):
        return None
    read_ats = [read_at for _, read_at in readings]
    timed = effective_times(clocks, (min(read_ats), max(read_ats)), coincident, received_at, evidence)
    if timed is None:
        return None
    times, quality = timed
    oldest, newest = min(times), max(times)
    assignment = assignment_throughout(assignments, user_index, oldest, newest)
    if assignment is None or not is_certain(oldest, newest, coincident, assignment.zones, evidence):
        return None
    return [
        Refusal(ReasonCode.IMPOSSIBLE_VALUE, reason)
        if (reason := implausible(reading))
        else Observation(
            reading=reading,
            patient_id=assignment.patient_id,
            effective_time=time,
            time_quality=quality,
            received_at=received_at,
        )
        for (reading, _), time in zip(readings, times, strict=True)
    ]


def attribute(
    reading: Reading,
    coincident: CoincidentTimeStamp | None,
    received_at: datetime,
    assignments: Sequence[Assignment],
    evidence: Evidence = NO_EVIDENCE,
) -> Observation | Refusal:
    """The observation that the reading becomes, or why it is held back: time first, then value, then patient."""
    effective = effective_time(reading.reported_time, coincident, received_at, evidence)
    if effective.time is None and coincident is None:
        effective = _by_eye(reading, received_at, assignments, evidence) or effective
    if effective.quality is TimeQuality.IMPLAUSIBLE:
        return Refusal(ReasonCode.IMPOSSIBLE_TIME, effective.reason)
    if effective.time is None:
        return Refusal(ReasonCode.UNKNOWN_TIMELINE, effective.reason)
    if reason := implausible(reading):
        return Refusal(ReasonCode.IMPOSSIBLE_VALUE, reason)
    assignment = assignment_at(assignments, reading.user_index, effective.time)
    if assignment is None:
        return Refusal(
            ReasonCode.UNASSIGNED_DEVICE,
            f"no patient had this device at {effective.time:%Y-%m-%d %H:%M} UTC",
            measured_at=effective.time,
        )
    if coincident and (others := other_instants(effective.time, coincident, assignment.zones, evidence)):
        return Refusal(
            ReasonCode.UNKNOWN_TIMELINE,
            f"measured at {effective.time:%Y-%m-%d %H:%M} UTC, or at {others[0]:%Y-%m-%d %H:%M} UTC if the device's"
            " clock was set when clocks changed where the patient lives",
            may_be=(effective.time, *others),
        )
    return Observation(
        reading=reading,
        patient_id=assignment.patient_id,
        effective_time=effective.time,
        time_quality=effective.quality,
        received_at=received_at,
    )


def attribute_stated(
    reading: Reading,
    stated: datetime,
    received_at: datetime,
    assignment: Assignment,
    quality: TimeQuality = TimeQuality.STATED,
) -> Observation | Refusal:
    """The observation at the time that a person says, where nothing of the device does, or at which it was dated
    before (``quality``): its value as ever.
    """
    if reason := implausible(reading):
        return Refusal(ReasonCode.IMPOSSIBLE_VALUE, reason)
    if found := impossible(stated, received_at):
        return Refusal(ReasonCode.IMPOSSIBLE_TIME, found.reason)
    return Observation(
        reading=reading,
        patient_id=assignment.patient_id,
        effective_time=stated,
        time_quality=quality,
        received_at=received_at,
    )


def _by_eye(
    reading: Reading, received_at: datetime, assignments: Sequence[Assignment], evidence: Evidence
) -> EffectiveTime | None:
    """For a device whose clock cannot be read: by the check of whoever had it then; None where nobody checked it."""
    refused: EffectiveTime | None = None
    for assignment in assignments:
        if assignment.clock_checked_at is None or assignment.user_index not in (None, reading.user_index):
            continue
        found = time_by_eye(reading.reported_time, assignment.clock_checked_at, assignment.zones, received_at, evidence)
        if found.time is not None and assignment is assignment_at(assignments, reading.user_index, found.time):
            return found
        refused = refused or found
    return refused
