"""Scenes for teaching: what is to be found has just happened, and nothing else has."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.synthetic.calendars import calendar
from alerting.synthetic.population import population
from alerting.synthetic.scenes import WEEKS_BEFORE, Kind, Scene, scenes
from alerting.synthetic.truth import PatientYear, Truth
from alerting.windows import aware, instant

NOW = datetime(2026, 11, 22, 9, 40, tzinfo=UTC)


@pytest.fixture(scope="module")
def years() -> Sequence[PatientYear]:
    """Enough for some of each kind."""
    over = calendar(date(2025, 6, 1), 300, ZoneInfo("Europe/Berlin"))
    return list(population(np.random.default_rng(5), 150, over))


@pytest.mark.parametrize("kind", list(Kind))
def test_there_are_scenes_of_each_kind_and_they_end_before_now(years: Sequence[PatientYear], kind: Kind) -> None:
    found = list(scenes(years, kind, NOW))
    assert found
    for scene in found:
        times = scene.series.window.times
        assert len(times)
        assert NOW - WEEKS_BEFORE < aware(times[0]) + scene.moved <= aware(times[-1]) + scene.moved <= NOW
        assert scene.moved % timedelta(days=1) == timedelta()


@pytest.mark.parametrize("kind", [Kind.CRISIS, Kind.FALSE_ALARM])
def test_what_happened_lately_is_no_late_reading(years: Sequence[PatientYear], kind: Kind) -> None:
    for scene in scenes(years, kind, NOW):
        assert timedelta() < NOW - scene.at <= timedelta(hours=5)


def test_a_false_alarm_has_no_crisis_and_an_ordinary_patient_nothing_at_all(years: Sequence[PatientYear]) -> None:
    for scene in scenes(years, Kind.FALSE_ALARM, NOW):
        assert Truth.CRISIS not in lately(scene)
    for scene in scenes(years, Kind.ORDINARY, NOW):
        assert lately(scene) == {Truth.ORDINARY}


def test_each_scene_is_of_a_patient_of_its_own(years: Sequence[PatientYear]) -> None:
    numbers = [scene.year.number for scene in scenes(years, Kind.WORSENING, NOW)]
    assert len(numbers) == len(set(numbers))


def lately(scene: Scene) -> set[Truth]:
    """What the readings of the last three days truly are."""
    times = scene.year.times
    shown = (times > instant(scene.until - timedelta(days=3))) & (times <= instant(scene.until))
    return {Truth(one) for one in scene.year.truth[shown].tolist()}
