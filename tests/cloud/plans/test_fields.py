"""Fields of forms: what is taken, and by which code what cannot be is refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from cloud.plans import fields
from cloud.plans.fields import Form, Refusal
from tests.cloud.made import NOW

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
TODAY = date(2026, 11, 21)
YEAR = timedelta(days=366)
FULL_WIDTH = "\uff13\uff10"
ARABIC = "\u0663\u0660"

Read = Callable[[Form, dict[str, Refusal]], object]


def code_of(read: Read, typed: str) -> str | None:
    """By which code the field is refused; None: it is taken."""
    refusals: dict[str, Refusal] = {}
    read({"field": typed}, refusals)
    return refusals["field"].code if refusals else None


def whole(form: Form, refusals: dict[str, Refusal]) -> object:
    return fields.whole(form, "field", 5, 240, refusals)


def link(form: Form, refusals: dict[str, Refusal]) -> object:
    return fields.link(form, "field", refusals)


def clock(form: Form, refusals: dict[str, Refusal]) -> object:
    return fields.clock(form, "field", refusals)


def day(form: Form, refusals: dict[str, Refusal]) -> object:
    return fields.day(form, "field", TODAY, TODAY + YEAR, refusals)


def moment(form: Form, refusals: dict[str, Refusal]) -> object:
    return fields.moment(form, "field", COPENHAGEN, NOW, YEAR, refusals)


def to_come(form: Form, refusals: dict[str, Refusal]) -> object:
    return fields.to_come(form, "field", COPENHAGEN, NOW, YEAR, refusals)


@pytest.mark.parametrize("typed", ["5", " 30 ", "240", "030"])
def test_a_whole_number_within_its_bounds_is_taken(typed: str) -> None:
    refusals: dict[str, Refusal] = {}
    assert fields.whole({"field": typed}, "field", 5, 240, refusals) == int(typed)
    assert not refusals


@pytest.mark.parametrize(
    "typed", ["", "4", "241", "-30", "+30", "3e1", "30.0", "3_0", FULL_WIDTH, ARABIC, "\u00b3", "9" * 5000]
)
def test_what_is_no_whole_number_within_its_bounds_is_refused_with_them(typed: str) -> None:
    refusals: dict[str, Refusal] = {}
    assert fields.whole({"field": typed}, "field", 5, 240, refusals) is None
    assert refusals == {"field": Refusal("out_of_range", {"low": "5", "high": "240"})}


@pytest.mark.parametrize("typed", ["", " https://v.example/r/1?x=2#y ", "https://v.example:8443/", "https://[::1]/"])
def test_a_link_by_https_is_taken_as_it_is_and_may_be_missing(typed: str) -> None:
    refusals: dict[str, Refusal] = {}
    assert fields.link({"field": typed}, "field", refusals) == typed.strip()
    assert not refusals


@pytest.mark.parametrize(
    "typed",
    [
        "http://v.example",
        "javascript:alert(1)",
        "https://",
        "https://a:b@v.example",
        "https://[",
        "https://v.example/a b",
        "https://v.example/\u202e",
        "https://v.exa\tmple",
        "https://v.example:99999",
        "https://v.example:port",
        "//v.example",
        "ftp://v.example",
    ],
)
def test_a_link_that_is_not_plainly_https_is_refused(typed: str) -> None:
    assert code_of(link, typed) == "not_a_link"


@pytest.mark.parametrize("typed", ["https://evil.example\\.v.example/", "https://v.example/a\\b"])
def test_a_link_that_a_browser_reads_otherwise_than_we_do_is_refused(typed: str) -> None:
    assert code_of(link, typed) == "not_a_link"


def test_a_link_has_an_end() -> None:
    assert code_of(link, f"https://v.example/{'x' * 482}") is None
    assert code_of(link, f"https://v.example/{'x' * 483}") == "too_long"


def test_a_text_is_taken_without_what_surrounds_it_and_a_line_in_one() -> None:
    refusals: dict[str, Refusal] = {}
    form = {"field": " to walk\n and  swim \n"}
    assert fields.text(form, "field", 20, refusals) == "to walk\n and  swim"
    assert fields.line(form, "field", 20, refusals) == "to walk and swim"
    assert fields.reason(form, refusals, "field") == "to walk\n and  swim"
    assert not refusals


@pytest.mark.parametrize("read", [fields.text, fields.line])
@pytest.mark.parametrize(
    ("typed", "may_be_empty", "code"),
    [(" \n", False, "missing"), (" \n", True, None), ("x" * 4, False, None), ("x" * 5, True, "too_long")],
)
def test_a_text_that_is_missing_or_too_long_is_refused(
    read: Callable[..., str], typed: str, may_be_empty: bool, code: str | None
) -> None:
    taken = partial(read, name="field", longest=4, may_be_empty=may_be_empty)
    assert code_of(lambda form, refusals: taken(form, refusals=refusals), typed) == code


def test_a_reason_is_needed_and_has_an_end() -> None:
    assert code_of(lambda form, refusals: fields.reason(form, refusals, "field"), " ") == "no_reason"
    assert code_of(lambda form, refusals: fields.reason(form, refusals, "field"), "x" * 501) == "too_long"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2026-11-21", None),
        ("2027-11-22", None),
        ("2026-11-20", "past"),
        ("0026-11-21", "past"),
        ("2027-11-23", "too_far"),
        ("2026-02-30", "not_a_date"),
        ("21.11.2026", "not_a_date"),
        (f"2026-11-{FULL_WIDTH}", "not_a_date"),
        ("", "not_a_date"),
    ],
)
def test_a_day_is_within_its_bounds(typed: str, code: str | None) -> None:
    assert code_of(day, typed) == code


def test_a_day_out_of_its_bounds_is_refused_by_the_code_of_the_form_and_given_to_nobody() -> None:
    refusals: dict[str, Refusal] = {}
    form = {"born": "2026-11-22", "signed": "1899-12-31"}
    for name in form:
        assert fields.day(form, name, date(1900, 1, 1), TODAY, refusals, early="too_far", late="future") is None
    assert {name: each.code for name, each in refusals.items()} == {"born": "future", "signed": "too_far"}


def test_a_month_is_its_first_day() -> None:
    assert fields.month(" 2026-10 ") == date(2026, 10, 1)


@pytest.mark.parametrize(
    "typed", ["", "2026", "2026-13", "2026-1", "202610", "2026-10-01", "0026-10", "2206-10", "soon"]
)
def test_what_is_no_month_of_this_time_is_none(typed: str) -> None:
    assert fields.month(typed) is None


@pytest.mark.parametrize("typed", ["08:00", " 08:00 ", "08:00:00"])
def test_a_time_of_day_is_taken_to_the_minute(typed: str) -> None:
    assert fields.clock({"field": typed}, "field", {}) == time(8)


@pytest.mark.parametrize("typed", ["", "8 o'clock", "24:30", "08:00:30", "08:00:00.5", "08:00+05:00", "08:00Z"])
def test_a_time_of_day_that_no_clock_on_the_wall_shows_to_the_minute_is_refused(typed: str) -> None:
    assert code_of(clock, typed) == "not_a_time"


@pytest.mark.parametrize("typed", ["", "tomorrow", "2026-11-21T13:00+02:00", "2026-11-21T13:00Z", "2026-02-30T08:00"])
def test_what_is_no_moment_or_says_its_own_offset_is_refused(typed: str) -> None:
    assert fields.wall_clock(typed) is None
    assert code_of(moment, typed) == code_of(to_come, typed) == "not_a_moment"


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2026-12-01T10:30", datetime(2026, 12, 1, 9, 30, tzinfo=UTC)),
        ("2027-03-28T02:30", datetime(2027, 3, 28, 1, tzinfo=UTC)),  # never: when the clocks have moved on
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # twice: the first
    ],
)
def test_a_moment_is_that_of_the_zones_clocks_also_where_they_change(typed: str, instant: datetime) -> None:
    assert fields.moment({"field": typed}, "field", COPENHAGEN, NOW, YEAR, {}) == instant


@pytest.mark.parametrize("typed", ["0001-01-01T00:00", "2025-11-20T12:00", "2027-11-23T12:00", "9999-12-31T23:59"])
def test_a_moment_years_away_is_refused(typed: str) -> None:
    assert code_of(moment, typed) == "too_far"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2026-11-21T13:01", None),
        ("2026-11-21T13:00", "past"),
        ("0001-01-01T00:00", "past"),
        ("2027-03-28T02:30", "clocks_change"),  # never
        ("2027-10-31T02:30", "clocks_change"),  # twice
        ("2027-11-22T13:00", None),
        ("2027-11-22T13:01", "too_far"),
        ("9999-12-31T23:59", "too_far"),
    ],
)
def test_a_time_that_people_are_to_keep_is_still_to_come_and_comes_once(typed: str, code: str | None) -> None:
    assert code_of(to_come, typed) == code


def test_what_is_chosen_is_one_of_the_choices() -> None:
    ada = UUID(int=7)
    refusals: dict[str, Refusal] = {}
    assert fields.chosen({"field": str(ada)}, "field", {ada: "Ada Weiss"}, refusals) == "Ada Weiss"
    assert not refusals
    for typed in ("", "Ada Weiss", str(UUID(int=8))):
        assert code_of(lambda form, at: fields.chosen(form, "field", {ada: "Ada Weiss"}, at), typed) == "choose"


def test_an_id_is_one_or_nothing() -> None:
    assert fields.id_of(str(UUID(int=7))) == UUID(int=7)
    assert fields.id_of("") is fields.id_of("7") is None
