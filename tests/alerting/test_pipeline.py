"""From one attributed reading to alerts: what is late pages nobody, what is no patient's raises nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.limits import DEFAULT_LIMITS, Priority
from alerting.pipeline import ACKNOWLEDGE_WITHIN, LATE_AFTER, Alert, alerts
from device_drivers.readings import QuantityState, Reading, Sample
from tests.cloud.made import glucose, pressure

RECEIVED = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def raised(reading: Reading, age: timedelta = timedelta(0)) -> tuple[Alert, ...]:
    """The alerts of a reading that is so old when it reaches us."""
    return alerts(reading, RECEIVED - age, RECEIVED, DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("reading", "priority"),
    [
        (glucose("48"), Priority.HIGH),
        (glucose("60"), Priority.MEDIUM),
        (pressure("165", "80"), Priority.LOW),
        (glucose(None, state=QuantityState.ABOVE_RANGE), Priority.HIGH),
    ],
)
def test_the_deadline_follows_the_priority(reading: Reading, priority: Priority) -> None:
    [alert] = raised(reading)
    assert (alert.priority, alert.deadline) == (priority, RECEIVED + ACKNOWLEDGE_WITHIN[priority])


@pytest.mark.parametrize(
    ("age", "late"),
    [
        (LATE_AFTER - timedelta(seconds=1), False),
        (LATE_AFTER, False),
        (LATE_AFTER + timedelta(seconds=1), True),
    ],
)
def test_a_reading_older_than_six_hours_pages_nobody(age: timedelta, late: bool) -> None:
    [alert] = raised(glucose("48"), age)

    assert alert.late is late
    assert alert.priority is (Priority.LOW if late else Priority.HIGH)
    assert alert.condition == "hypoglycaemia_level_2"


@pytest.mark.parametrize("sample", [Sample.CONTROL_SOLUTION, Sample.TEST])
def test_only_a_patients_sample_raises_alerts(sample: Sample) -> None:
    assert raised(glucose("48", sample=sample)) == ()


def test_a_reading_within_all_limits_raises_nothing() -> None:
    assert raised(glucose("100")) == raised(pressure("120", "80")) == ()


def test_the_same_input_gives_the_same_output() -> None:
    assert raised(pressure("190", "125", pulse="130")) == raised(pressure("190", "125", pulse="130"))
