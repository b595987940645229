"""Irregular pulse: two of three readings, two days, without movement, within 30 days."""

from datetime import timedelta

import pytest

from alerting.regimes import Evidence
from alerting.rhythm import irregular_pulse, session_is_irregular
from alerting.windows import PressureWindow
from tests.alerting.made import START, pressures


def window_of(*days: tuple[int, str]) -> PressureWindow:
    """On each day a session of these readings: i irregular, r regular, m irregular while moving."""
    rows = [(day, minute, mark) for day, marks in days for minute, mark in enumerate(marks)]
    return pressures(
        [(START + timedelta(days=day, minutes=minute), 130, 80) for day, minute, _ in rows],
        irregular=[mark in "im" for *_, mark in rows],
        moved=[mark == "m" for *_, mark in rows],
    )


# Watanabe 2021: 2 irregular of 3 readings.
@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ("i", False), ("ii", True), ("ir", False), ("irr", False), ("iir", True), ("rii", True), ("iii", True),
        ("iirr", False), ("iiir", True), ("mmi", False), ("mii", True), ("mim", False),
    ],
)  # fmt: skip
def test_a_session_is_irregular_from_two_of_three(marks: str, expected: bool) -> None:
    assert session_is_irregular(window_of((0, marks))) is expected


@pytest.mark.parametrize(
    ("days", "raised"),
    [
        ([(0, "iir")], False), ([(0, "iir"), (1, "iir")], True), ([(0, "iir"), (1, "irr")], False),
        ([(0, "iir"), (0, "iii")], False),
    ],
)  # fmt: skip
def test_two_days_are_asked_for(days: list[tuple[int, str]], raised: bool) -> None:
    found = irregular_pulse(window_of(*days), START + timedelta(days=2))
    assert (found is not None) is raised


@pytest.mark.parametrize(
    ("at", "raised"),
    [
        (timedelta(days=30) - timedelta(seconds=1), True),
        (timedelta(days=30), False),  # the first session begins more than 29 days and 24 hours ago
    ],
)
def test_the_days_lie_within_thirty(at: timedelta, raised: bool) -> None:
    found = irregular_pulse(window_of((0, "ii"), (20, "ii")), START + at)
    assert (found is not None) is raised


def test_the_reason_says_when_and_how_far_it_is_published() -> None:
    found = irregular_pulse(window_of((0, "iir"), (5, "iii"), (6, "ii")), START + timedelta(days=7))
    assert found is not None
    assert (found.sessions, len(found.on_days), found.needed_days) == (3, 3, 2)
    assert found.source.evidence is Evidence.PROPOSED


def test_no_readings_are_no_rhythm() -> None:
    assert irregular_pulse(pressures([]), START) is None
