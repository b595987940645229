"""How alerts change a case."""

from datetime import timedelta
from uuid import UUID

import pytest

from alerting.lifecycle import State
from alerting.limits import DEFAULT_LIMITS, Priority
from alerting.pipeline import alerts
from cloud.alerts.models import Case, Episode, PatientAlert, continued, opened
from tests.cloud.made import NOW, glucose

CASE_ID = UUID(int=1)


def alert(value: str, minutes_ago: int = 0) -> PatientAlert:
    """The alert that a glucose value raises, measured so long ago."""
    reading = glucose(value)
    time = NOW - timedelta(minutes=minutes_ago)
    [made] = alerts(reading, time, NOW, DEFAULT_LIMITS)
    return PatientAlert(patient_id=UUID(int=2), reading_id=reading.reading_id, effective_time=time, alert=made)


def case(state: State, priority: Priority = Priority.MEDIUM) -> Episode:
    """A case as the database has it, an hour old."""
    return Episode(
        case=Case(
            case_id=CASE_ID,
            state=state,
            priority=priority,
            deadline=NOW + timedelta(hours=1),
            spoken_at=NOW - timedelta(hours=1),
        ),
        events=(),
        speaks=None,
    )


def test_the_first_alert_raises_the_case() -> None:
    first = alert("60")
    episode = opened(CASE_ID, first)

    assert (episode.case.state, episode.case.priority) == (State.RAISED, Priority.MEDIUM)
    assert [(e.event, e.from_state, e.to_state) for e in episode.events] == [("raise", None, State.RAISED)]
    assert episode.speaks is first


@pytest.mark.parametrize("state", [State.RAISED, State.ACKNOWLEDGED, State.IN_PROGRESS, State.ESCALATED])
def test_an_equal_alert_joins_and_speaks_without_moving_the_deadline(state: State) -> None:
    before, later = case(state), alert("60")
    episode = continued(before, [later])

    assert (episode.case.state, episode.case.deadline) == (state, before.case.deadline)
    assert [e.event for e in episode.events] == ["join"]
    assert episode.speaks is later


def test_an_older_alert_joins_and_does_not_speak() -> None:
    assert continued(case(State.RAISED), [alert("60", minutes_ago=90)]).speaks is None


def test_a_lesser_alert_joins_and_does_not_speak() -> None:
    episode = continued(case(State.ACKNOWLEDGED, Priority.HIGH), [alert("60")])

    assert (episode.case.state, episode.case.priority, episode.speaks) == (State.ACKNOWLEDGED, Priority.HIGH, None)


def test_a_graver_alert_raises_the_case_again_with_its_own_deadline() -> None:
    grave = alert("48")
    episode = continued(case(State.ACKNOWLEDGED), [grave])

    assert (episode.case.state, episode.case.priority) == (State.RAISED, Priority.HIGH)
    assert episode.case.deadline == grave.alert.deadline
    assert [(e.event, e.from_state, e.to_state) for e in episode.events] == [
        ("worsen", State.ACKNOWLEDGED, State.RAISED)
    ]
