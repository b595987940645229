"""What a nurse reads of a measurement that nobody made."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from alerting.technical.absence import absence_of, spell_every
from alerting.technical.silence import Cause, Silence
from tests.alerting.technical.made import DAY, HOUR, NOW, use

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("every", "words"),
    [
        (DAY, "every day"),
        (3 * DAY, "every 3 days"),
        (8 * HOUR, "every 8 h"),
        (timedelta(minutes=90), "every 90 min"),
        (timedelta(seconds=2), "every 2 s"),
        (None, "at no set time"),
    ],
)
def test_how_often_is_said_in_words(every: timedelta | None, words: str) -> None:
    assert spell_every(every) == words


def test_the_sentence_names_device_time_expectation_and_evidence() -> None:
    silence = Silence(cause=Cause.NOBODY_MEASURED, since=NOW - 2 * DAY, why="the device was read to its end")
    late = use(measured_at=NOW - 2 * DAY)
    assert absence_of([(late, silence)], BERLIN).sentence == (
        "Last measured with A&D UA-651BLE on 19 Nov 2026, 13:00 (Europe/Berlin); expected every day."
        " The device was read to its end."
    )


def test_all_devices_of_a_patient_are_in_one_sentence_the_oldest_first() -> None:
    cuff, meter = use(measured_at=NOW - 2 * DAY), use(assignment_id="a2", label="Meter", measured_at=None)
    found = absence_of(
        [
            (cuff, Silence(cause=Cause.NOBODY_MEASURED, since=NOW - 2 * DAY, why="x")),
            (meter, Silence(cause=Cause.NOBODY_MEASURED, since=NOW - 9 * DAY, why="y")),
        ],
        BERLIN,
    )
    assert found.since == NOW - 9 * DAY
    assert found.sentence.startswith("Nothing measured with Meter since 12 Nov 2026")
    assert "Last measured with A&D" in found.sentence
