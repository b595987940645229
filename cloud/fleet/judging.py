"""One judgement of the fleet: read, judge, write the difference, in one transaction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from alerting.technical.absence import absence_of
from alerting.technical.fleet import Use
from alerting.technical.judge import judge
from alerting.technical.limits import DEFAULT_LIMITS, TechnicalLimits
from alerting.technical.silence import Cause, Silence
from cloud.alerts import missing
from cloud.db.components import forget_dead
from cloud.db.connect import Connection
from cloud.fleet import alarms, evidence

# A process that was killed and never came back, while others did its work for so long: it was moved.
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a judgement found and did."""

    in_force: int
    raised: int
    changed: int
    resolved: int
    cases: int


def judge_fleet(
    connection: Connection, judging_since: datetime, now: datetime, limits: TechnicalLimits = DEFAULT_LIMITS
) -> Judged | None:
    """Bring technical alarms and the cases of missing measurements up to date. None: somebody else is at it.

    On an autocommit connection: it commits by itself. ``judging_since``: from when on a sign of life could be heard.
    """
    with connection.transaction():
        if not alarms.only_one_judges(connection):
            return None
        forget_dead(connection, now - FORGOTTEN_AFTER, now - limits.component_silent)
        fleet, patients = evidence.fleet(connection, judging_since, now)
        known = alarms.open_alarms(connection)
        judgement = judge(fleet, known.values(), now, limits)
        found = alarms.difference(known, judgement.conditions)
        alarms.write(connection, found, now)
        cases = _file_silences(connection, judgement.silences, patients, now)
    return Judged(
        in_force=len(judgement.conditions),
        raised=len(found.raised),
        changed=len(found.changed),
        resolved=len(found.resolved),
        cases=cases,
    )


def _file_silences(
    connection: Connection, silences: Iterable[tuple[Use, Silence]], patients: Mapping[str, UUID], now: datetime
) -> int:
    """Open, or speak in, the case of each patient who did not measure; gives how many cases changed."""
    of_patient: dict[UUID, list[tuple[Use, Silence]]] = defaultdict(list)
    for use, silence in silences:
        of_patient[patients[use.assignment_id]].append((use, silence))
    late = {patient_id: mine for patient_id, found in of_patient.items() if (mine := _nobody_measured(found))}
    zones = evidence.zones(connection, late)
    absences = {patient_id: absence_of(found, _zone(zones[patient_id])) for patient_id, found in late.items()}
    measured = {patient_id: at for patient_id, found in of_patient.items() if (at := _all_measured(found)) is not None}
    return missing.file(connection, absences, measured, now)


def _nobody_measured(found: Sequence[tuple[Use, Silence]]) -> list[tuple[Use, Silence]]:
    return [(use, silence) for use, silence in found if silence.cause is Cause.NOBODY_MEASURED]


def _all_measured(found: Sequence[tuple[Use, Silence]]) -> datetime | None:
    """When the last of a patient's devices was used again; None where one of them still waits for it."""
    times = [use.measured_at for use, silence in found if silence.in_time]
    return None if len(times) < len(found) else max((at for at in times if at is not None), default=None)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # one patient's zone must not stop the judgement of all others
        return ZoneInfo("UTC")
