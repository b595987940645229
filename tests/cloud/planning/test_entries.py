"""What is typed into the forms of a plan, where clocks and zones matter."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.planning import entries
from cloud.plans.fields import Refused
from tests.cloud.made import NOW

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
PAUSE = {"since": "", "until": "", "reason": "hospital"}
SLOT = {"kind": "glucose", "at": "08:00", "day0": "on", "before": "1", "after": "1"}


def test_a_pause_without_an_end_begins_now() -> None:
    found = entries.pause(PAUSE, COPENHAGEN, NOW)
    assert (found.since, found.until) == (NOW, None)


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, tzinfo=UTC)),  # never: when the clocks have moved on
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # twice: the first
    ],
)
def test_a_pause_lasts_as_long_as_the_patients_clock_says(typed: str, instant: datetime) -> None:
    assert entries.pause({**PAUSE, "until": typed}, COPENHAGEN, NOW).until == instant


def test_a_pause_on_somebody_elses_clock_is_refused_and_not_read_as_the_patients() -> None:
    with pytest.raises(Refused) as refused:
        entries.pause({**PAUSE, "until": "2026-11-25T18:00+05:00"}, COPENHAGEN, NOW)
    assert {name: each.code for name, each in refused.value.refusals.items()} == {"until": "not_a_moment"}


@pytest.mark.parametrize("typed", ["", "08:00+05:00", "08:00:30"])
def test_a_measurement_time_that_is_not_plainly_one_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.slot({**SLOT, "at": typed})
    assert {name: each.code for name, each in refused.value.refusals.items()} == {"at": "not_a_time"}
