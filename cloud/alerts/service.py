"""The alert pipeline for observations that are new, and the cases that follow."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from alerting.evaluate import is_quiet, quiet
from alerting.limits import AlarmLimit, in_force
from alerting.pipeline import alerts
from cloud.alerts import store
from cloud.alerts.models import Episode, PatientAlert, continued, opened
from cloud.alerts.store import StoredEvent
from cloud.db.connect import Connection
from cloud.observations.models import Observation
from cloud.plans.store import limits_of

Key = tuple[UUID, str]

_DEFAULTS = in_force((), at=datetime.min.replace(tzinfo=UTC))
_QUIET = quiet(_DEFAULTS)


def evaluate(connection: Connection, observations: Sequence[Observation], at: datetime) -> Sequence[StoredEvent]:
    """Alerts of these observations, in cases; gives the events of the cases for the live stream. The caller commits.

    Idempotent: an alert that exists for a reading and a condition is not raised again.
    """
    if not observations:
        return ()
    own = limits_of(connection, {o.patient_id for o in observations})
    limits = {patient_id: in_force(mine, at) for patient_id, mine in own.items()}
    return file_alerts(connection, _patient_alerts(observations, limits), at)


def _patient_alerts(
    observations: Iterable[Observation], limits: Mapping[UUID, tuple[AlarmLimit, ...]]
) -> Sequence[PatientAlert]:
    own = {patient_id: quiet(theirs) for patient_id, theirs in limits.items()}
    return [
        PatientAlert(
            patient_id=observation.patient_id,
            reading_id=observation.reading.reading_id,
            effective_time=observation.effective_time,
            alert=alert,
        )
        for observation in observations
        if not is_quiet(observation.reading, own.get(observation.patient_id, _QUIET) if own else _QUIET)
        for alert in alerts(
            observation.reading,
            observation.effective_time,
            observation.received_at,
            limits.get(observation.patient_id, _DEFAULTS),
        )
    ]


def file_alerts(connection: Connection, found: Sequence[PatientAlert], at: datetime) -> Sequence[StoredEvent]:
    """Put alerts into the open case of their patient and condition, opening it where there is none."""
    waiting: dict[Key, list[PatientAlert]] = defaultdict(list)
    for alert in sorted(found, key=lambda a: a.effective_time):
        waiting[alert.key].append(alert)
    events: list[StoredEvent] = []
    while waiting:
        joined = _continue_open(connection, waiting)
        # Opening may lose against another worker, whose case is then found open by the next round.
        new = _open_missing(connection, {k: v for k, v in waiting.items() if k not in joined}, at)
        store.update_cases(connection, [e for e in joined.values() if e.events], at)
        events += store.record(connection, [e for e in (*joined.values(), *new.values()) if e.events], at)
        for key in (*joined, *new):
            del waiting[key]
    return events


def _continue_open(connection: Connection, waiting: Mapping[Key, Sequence[PatientAlert]]) -> dict[Key, Episode]:
    cases = store.lock_open_cases(connection, waiting)
    if not cases:
        return {}
    known = store.known_alerts(connection, [a.reading_id for alerts in waiting.values() for a in alerts])
    return {
        key: continued(
            Episode(case=case, events=(), speaks=None),
            [a for a in waiting[key] if (UUID(a.reading_id), a.alert.condition) not in known],
        )
        for key, case in cases.items()
    }


def _open_missing(
    connection: Connection, missing: Mapping[Key, Sequence[PatientAlert]], at: datetime
) -> dict[Key, Episode]:
    if not missing:
        return {}
    known = store.known_alerts(connection, [a.reading_id for alerts in missing.values() for a in alerts])
    made: dict[Key, Episode] = {}
    for key, waiting in missing.items():
        fresh = [a for a in waiting if (UUID(a.reading_id), a.alert.condition) not in known]
        case_id = uuid4()
        made[key] = continued(opened(case_id, fresh[0]), fresh[1:]) if fresh else _nothing(case_id, waiting[0])
    won = store.open_cases(connection, {key: episode for key, episode in made.items() if episode.events}, at)
    return {key: episode for key, episode in made.items() if key in won or not episode.events}


def _nothing(case_id: UUID, alert: PatientAlert) -> Episode:
    """All alerts of this key are known and their case is closed: nothing to do."""
    return Episode(case=opened(case_id, alert).case, events=(), speaks=None)
