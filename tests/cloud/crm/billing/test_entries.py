"""What is typed about minutes and months: taken, or refused with what is wrong."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cloud.crm.billing import entries
from cloud.plans.fields import Refused
from device_drivers.wall_clocks import Zones

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
COPENHAGEN = Zones(ZoneInfo("Europe/Copenhagen"))
MINUTES = {"starts_at": "2026-11-20T10:00", "minutes": "12", "activity": "call", "interactive": "yes", "note": " x "}


def test_minutes_are_on_the_patients_clock() -> None:
    entry = entries.minutes(MINUTES, COPENHAGEN, NOW)
    assert (entry.starts, entry.ends) == (
        datetime(2026, 11, 20, 9, tzinfo=UTC),
        datetime(2026, 11, 20, 9, 12, tzinfo=UTC),
    )
    assert (entry.activity, entry.interactive, entry.note) == ("call", True, "x")


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("starts_at", "2026-11-21T12:49", "not_yet"),  # it would end at 13:01, a minute after now
        ("starts_at", "2026-10-25T02:30", "clocks_change"),  # twice
        ("starts_at", "2026-03-29T02:30", "clocks_change"),  # never
        ("starts_at", "2026-01-20T10:00", "too_long_ago"),
        ("starts_at", "0001-01-01T00:00", "too_long_ago"),
        ("starts_at", "9999-12-31T23:59", "not_yet"),
        ("starts_at", "2026-11-20T10:00+01:00", "not_a_moment"),
        ("starts_at", "yesterday", "not_a_moment"),
        ("minutes", "0", "out_of_range"),
        ("minutes", "241", "out_of_range"),
        ("minutes", "1.5", "out_of_range"),
        ("minutes", "\u0663", "out_of_range"),
        ("minutes", "9" * 5000, "out_of_range"),
        ("activity", "golf", "missing"),
        ("note", "x" * 501, "too_long"),
    ],
)
def test_minutes_that_cannot_be_taken_are_refused_at_their_field(field: str, typed: str, code: str) -> None:

    form = {**MINUTES, field: typed}
    with pytest.raises(Refused) as refused:
        entries.minutes(form, COPENHAGEN, NOW)
    assert refused.value.refusals[field].code == code


def test_a_message_is_no_conversation() -> None:
    with pytest.raises(Refused) as refused:
        entries.minutes({**MINUTES, "activity": "message"}, COPENHAGEN, NOW)
    assert refused.value.refusals["interactive"].code == "not_live"


@pytest.mark.parametrize("text", ["", "2026-13", "0001-01", "9999-12", "-------", "2026-1", "soon"])
def test_a_month_that_cannot_be_read_is_the_one_that_runs(text: str) -> None:
    assert str(entries.month(text, date(2026, 11, 21))) == "2026-11"
    assert str(entries.month("2026-10", date(2026, 11, 21))) == "2026-10"
