"""Words for codes, and what is said with them, in English; ``test_pages_in_languages`` has the other languages."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from psycopg.types.range import Range

from alerting.adherence import MISSING_MEASUREMENT
from alerting.lifecycle import State
from alerting.limits import DEFAULT_LIMITS, Priority
from alerting.technical.conditions import Name
from alerting.technical.silence import Cause
from cloud.auth.models import Refusal, Role
from cloud.console import texts
from cloud.console.spoken import spoken_in, word
from device_drivers.readings import QuantityState

SPOKEN = spoken_in("en")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=-5), "under 1 min"),
        (timedelta(seconds=59), "under 1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=4, hours=5), "4 d"),
    ],
)
def test_a_span_is_said_in_its_largest_units(span: timedelta, said: str) -> None:
    assert SPOKEN.duration(span) == said


def test_a_deadline_is_ahead_or_missed() -> None:
    assert SPOKEN.due(NOW + timedelta(minutes=9), NOW) == "due in 9 min"
    assert SPOKEN.due(NOW, NOW) == "overdue by under 1 min"


@pytest.mark.parametrize(
    ("value", "state", "bound", "said"),
    [
        (Decimal("5.40"), "measured", None, "5.40 mg/dL"),
        (None, "above_range", Decimal(600), "HI, above 600 mg/dL"),
        (None, "below_range", Decimal(20), "LO, below 20 mg/dL"),
        (None, "above_range", None, "HI"),
        (None, "not_a_number", None, "Failed measurement"),
    ],
)
def test_a_figure_is_said_as_the_device_meant_it(
    value: Decimal | None, state: str, bound: Decimal | None, said: str
) -> None:
    assert SPOKEN.figure(value, state, bound, "mg/dL", "glucose") == said


def test_every_code_that_we_know_has_its_words() -> None:
    assert {limit.condition for limit in DEFAULT_LIMITS} | {MISSING_MEASUREMENT} <= set(texts.CONDITIONS)
    assert set(State) == set(texts.STATES)
    assert set(Priority) == set(texts.PRIORITIES)
    assert set(Role) == set(texts.ROLES)
    assert set(Name) == set(texts.TECHNICAL_CONDITIONS)
    assert set(Cause) == set(texts.SILENCES)
    assert set(Refusal) == set(texts.SIGN_IN_REFUSALS)
    assert set(QuantityState) - {QuantityState.MEASURED} == set(texts.QUANTITY_STATES)


def test_a_code_that_nobody_knows_is_said_as_it_is() -> None:
    assert word("strip_type_incorrect", {}) == "strip type incorrect"


@pytest.mark.parametrize("zone", ["Mars/Phobos", "", "/etc/localtime"])
def test_a_zone_that_nobody_knows_gives_utc_and_says_so(zone: str) -> None:
    assert SPOKEN.local(NOW, zone) == "21 Nov 2026, 12:00 UTC"


def test_a_zone_gives_its_own_clock() -> None:
    assert SPOKEN.local(NOW, "Europe/Copenhagen") == "21 Nov 2026, 13:00"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.4, "right"),
        (-4.9, "right"),
        (5.0, "5 s ahead"),
        (-59.4, "59 s behind"),
        (61.0, "1 min ahead"),
        (-90000.0, "1 d behind"),
    ],
)
def test_a_clock_is_right_or_off_by_so_much(seconds: float | None, said: str) -> None:
    assert SPOKEN.clock_offset(seconds) == said


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (NOW + timedelta(days=61, hours=3), "61 d left"),
        (NOW + timedelta(hours=3), "ends within a day"),
        (NOW, "ended under 1 min ago"),
        (NOW - timedelta(days=3), "ended 3 d ago"),
    ],
)
def test_what_is_left_of_a_certificate_is_said_in_days(until: datetime, said: str) -> None:
    assert SPOKEN.days_left(until, NOW) == said


@pytest.mark.parametrize(
    ("number", "said"), [(None, "–"), (0, "0 MB"), (999_999_999, "1.0 GB"), (12_345_678_901, "12.3 GB")]
)
def test_a_size_is_said_in_its_largest_unit(number: int | None, said: str) -> None:
    assert SPOKEN.octets(number) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [("component:ingest-1", "our process ingest-1"), ("gateway:home-17", "gateway home-17"), ("thing", "thing")],
)
def test_a_subject_is_said_as_people_say_it(name: str, said: str) -> None:
    assert SPOKEN.subject(name) == said


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ([], ""),
        ([Range(17, 20), Range(31, 32)], "17 to 19, 31"),
        ([Range(n, n + 1) for n in range(0, 20, 2)], "0, 2, 4, 6, 8, 10, 12, 14, …"),
    ],
)
def test_numbers_are_said_as_ranges_and_not_endlessly(ranges: list[Range[int]], said: str) -> None:
    assert SPOKEN.numbers(ranges) == said
