"""A case as the alerts of one batch leave it, and how they do it: pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from alerting import lifecycle
from alerting.lifecycle import State
from alerting.limits import Priority
from alerting.pipeline import Alert

RANK = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientAlert:
    """An alert of one observation of one patient."""

    patient_id: UUID
    reading_id: str
    effective_time: datetime
    alert: Alert

    @property
    def key(self) -> tuple[UUID, str]:
        """What may have one open case."""
        return self.patient_id, self.alert.condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open case, as far as alerts change it. ``spoken_at``: effective time of the alert whose sentence it has."""

    case_id: UUID
    state: State
    priority: Priority
    deadline: datetime
    spoken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One change of a case by one alert."""

    event: str
    from_state: State | None
    to_state: State
    cause: PatientAlert


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A case after a run of alerts, the events on the way, and the alert that now says most (None: none of these)."""

    case: Case
    events: tuple[CaseEvent, ...]
    speaks: PatientAlert | None


def opened(case_id: UUID, alert: PatientAlert) -> Episode:
    """A new case, raised by its first alert."""
    case = Case(
        case_id=case_id,
        state=State.RAISED,
        priority=alert.alert.priority,
        deadline=alert.alert.deadline,
        spoken_at=alert.effective_time,
    )
    event = CaseEvent(event="raise", from_state=None, to_state=State.RAISED, cause=alert)
    return Episode(case=case, events=(event,), speaks=alert)


def continued(episode: Episode, alerts: Iterable[PatientAlert]) -> Episode:
    """Later readings join the case; one of higher priority raises it again with its own deadline."""
    for alert in alerts:
        episode = _joined(episode, alert)
    return episode


def _joined(episode: Episode, alert: PatientAlert) -> Episode:
    case = episode.case
    worse = RANK[alert.alert.priority] < RANK[case.priority]
    event = lifecycle.Event.WORSEN if worse else lifecycle.Event.JOIN
    state = lifecycle.after(case.state, event)
    # The case says what the latest alert of its highest priority says.
    says_more = worse or (alert.alert.priority is case.priority and alert.effective_time >= case.spoken_at)
    return Episode(
        case=replace(
            case,
            state=state,
            priority=alert.alert.priority if worse else case.priority,
            deadline=alert.alert.deadline if worse else case.deadline,
            spoken_at=alert.effective_time if says_more else case.spoken_at,
        ),
        events=(*episode.events, CaseEvent(event=event.value, from_state=case.state, to_state=state, cause=alert)),
        speaks=alert if says_more else episode.speaks,
    )
