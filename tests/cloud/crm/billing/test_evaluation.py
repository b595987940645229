"""Each billing code at its edges, by tables; what must hold for any days and minutes, by hypothesis."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.console import texts
from cloud.crm.billing.evaluation import edges_of, evidence, minutes_of, rulebook_for, supply_periods
from cloud.crm.billing.models import Basis, Evidence, Month, State, Why, Worked
from cloud.crm.billing.rulebooks import RULEBOOKS
from device_drivers.wall_clocks import Stay, Zones

OCTOBER = Month(date(2026, 10, 1))
SUPPLIED = date(2026, 9, 5)  # its first 30 days end on 4 October
Supplied = Sequence[tuple[date, date | None]]
SINCE: Supplied = ((SUPPLIED, None),)
NEW_YORK, COPENHAGEN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Copenhagen")
OVER, RUNNING = date(2026, 11, 2), date(2026, 10, 3)
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def worked(minutes: float, *, live: bool = True, at: datetime = NOON) -> Worked:
    return Worked(at, at + timedelta(minutes=minutes), live)


def found(
    days: int = 0, *work: Worked, today: date = OVER, month: Month = OCTOBER, supplied: Supplied = SINCE
) -> Evidence:
    measured = {SUPPLIED + timedelta(days=n): 2 for n in range(days)}
    edges = edges_of(month, Zones(COPENHAGEN))
    return evidence(month, days=measured, supplied=supplied, worked=work, edges=edges, today=today)


def said(of: Evidence) -> dict[str, tuple[str, int]]:
    """State and how often, or what is missing, of the first line of each code."""
    return {line.code: (line.state, line.units or line.missing) for line in reversed(of.lines)}


@pytest.mark.parametrize(
    ("days", "few", "many"),
    [
        (0, ("lacking", 2), ("lacking", 16)),
        (1, ("lacking", 1), ("lacking", 15)),
        (2, ("supported", 1), ("lacking", 14)),
        (15, ("supported", 1), ("lacking", 1)),
        (16, ("excluded", 0), ("supported", 1)),
        (30, ("excluded", 0), ("supported", 1)),
        (31, ("excluded", 0), ("supported", 1)),  # the last of them is the next period's
    ],
)
def test_the_supply_of_a_device_at_its_edges(days: int, few: tuple[str, int], many: tuple[str, int]) -> None:
    lines = said(found(days))
    assert (lines["99445"], lines["99454"]) == (few, many)


@pytest.mark.parametrize(
    ("minutes", "ten", "twenty", "further"),
    [
        (0, ("lacking", 10), ("lacking", 20), ("lacking", 40)),
        (9.99, ("lacking", 1), ("lacking", 11), ("lacking", 31)),
        (10, ("supported", 1), ("lacking", 10), ("lacking", 30)),
        (19, ("supported", 1), ("lacking", 1), ("lacking", 21)),
        (19.99, ("supported", 1), ("lacking", 1), ("lacking", 21)),
        (20, ("excluded", 0), ("supported", 1), ("lacking", 20)),
        (39, ("excluded", 0), ("supported", 1), ("lacking", 1)),
        (40, ("excluded", 0), ("supported", 1), ("supported", 1)),
        (59, ("excluded", 0), ("supported", 1), ("supported", 1)),
        (60, ("excluded", 0), ("supported", 1), ("supported", 2)),
        (100, ("excluded", 0), ("supported", 1), ("supported", 4)),
    ],
)
def test_minutes_of_care_at_their_edges(
    minutes: float, ten: tuple[str, int], twenty: tuple[str, int], further: tuple[str, int]
) -> None:
    lines = said(found(0, worked(minutes)))
    assert (lines["99470"], lines["99457"], lines["99458"]) == (ten, twenty, further)


@pytest.mark.parametrize("minutes", [10, 19, 20, 45])
def test_without_a_conversation_no_minutes_support_anything(minutes: int) -> None:
    lines = [line for line in found(0, worked(minutes, live=False)).lines if line.basis is Basis.MINUTES]
    assert all(line.state in (State.LACKING, State.EXCLUDED) and not line.units for line in lines)
    assert Why.CONVERSATION in {line.why for line in lines}
    short = worked(1, at=NOON + timedelta(days=1))
    assert found(0, worked(minutes, live=False), short).supported, "one conversation is enough for all of the month"


def test_while_the_time_runs_nothing_is_supported_yet() -> None:
    lines = said(found(5, worked(25), today=RUNNING))
    assert lines["99445"] == ("reached", 1)
    assert lines["99454"] == ("not_yet", 11)
    assert lines["99457"] == ("reached", 1)
    assert lines["99458"] == ("not_yet", 15)


def test_before_the_rules_began_nothing_is_claimed_not_even_over_their_first_day() -> None:
    assert rulebook_for(date(2025, 12, 3), date(2026, 1, 1)) is None
    assert rulebook_for(date(2026, 1, 1), date(2026, 1, 30)) is RULEBOOKS[0]
    january = Month(date(2026, 1, 1))
    supplied = [(date(2025, 12, 10), None)]
    days = {date(2025, 12, 10) + timedelta(days=n): 1 for n in range(30)}
    at = datetime(2026, 1, 5, tzinfo=UTC)
    of = evidence(
        january, days=days, supplied=supplied, worked=[worked(20, at=at)], edges=edges_of(january, Zones(UTC)),
        today=OVER,
    )  # fmt: skip
    lines = said(of)
    assert lines["99445"] == lines["99454"] == ("no_rule", 0)
    assert lines["99457"] == ("supported", 1), "the month as a whole is of the new rules"
    old = Month(date(2025, 12, 1))
    before = evidence(old, days=days, supplied=supplied, worked=[worked(20, at=datetime(2025, 12, 9, tzinfo=UTC))],
                      edges=edges_of(old, Zones(UTC)), today=OVER)  # fmt: skip
    assert before.rulebook is None
    assert {line.state for line in before.lines} == {State.NO_RULE}


def test_new_rules_end_those_of_before_which_stay_as_they_are() -> None:
    [old], new = RULEBOOKS, replace(RULEBOOKS[0], version="us-rpm-2027", since=date(2027, 1, 1))
    for books in ((old, new), (new, old)):
        assert rulebook_for(date(2026, 12, 1), date(2026, 12, 31), books) is old
        assert rulebook_for(date(2027, 2, 1), date(2027, 2, 28), books) is new
        assert rulebook_for(date(2026, 12, 20), date(2027, 1, 18), books) is None, "over both: by neither"
        assert rulebook_for(date(2025, 12, 1), date(2025, 12, 31), books) is None


def test_where_the_rules_come_from_is_said_in_each_language() -> None:
    assert {book.version: book.source for book in RULEBOOKS} == texts.BILLING_SOURCES
    assert {rule.code for book in RULEBOOKS for rule in book.codes} == set(texts.BILLING_CODES)


def test_a_period_belongs_to_the_month_of_its_last_day_and_a_long_month_may_end_two() -> None:
    assert supply_periods(SINCE, OCTOBER, OVER, 30) == ((SUPPLIED, date(2026, 10, 4)),)
    ended = supply_periods([(date(2026, 9, 2), None)], OCTOBER, OVER, 30)
    assert [last for _, last in ended] == [date(2026, 10, 1), date(2026, 10, 31)]
    running = supply_periods(SINCE, OCTOBER, date(2026, 10, 20), 30)
    assert running[-1] == (date(2026, 10, 5), date(2026, 11, 3)), "the one that runs is shown in the month of today"
    assert supply_periods(SINCE, Month(date(2026, 8, 1)), OVER, 30) == ()
    assert supply_periods([], OCTOBER, OVER, 30) == ()
    assert found(0, supplied=[]).lines == ()


SPAN = st.tuples(st.dates(date(2025, 1, 1), OVER), st.none() | st.dates(date(2025, 1, 1), OVER))


@given(spans=st.lists(SPAN, max_size=4))
def test_no_day_is_in_two_periods_and_no_period_in_two_months_however_often_somebody_begins_again(
    spans: Supplied,
) -> None:
    months = [Month(date(2024, 12, 1))]
    while months[-1].first < date(2027, 2, 1):
        months.append(months[-1].next)
    periods = [period for month in months for period in supply_periods(spans, month, date(2030, 1, 1), 30)]
    assert periods == sorted(periods)
    assert all(last < first for (_, last), (first, _) in pairwise(periods))
    assert all((last - first).days == 29 for first, last in periods)
    for begins, until in spans:
        if until is None or begins <= until:
            assert any(first <= begins <= last for first, last in periods), "each supply is in a period"


def test_who_takes_part_again_keeps_the_periods_of_before_and_has_new_ones_from_the_new_supply() -> None:
    november, december = OCTOBER.next, OCTOBER.next.next
    spans = [(date(2026, 12, 10), None), (SUPPLIED, date(2026, 9, 20))]
    at = date(2026, 12, 20)
    assert supply_periods(spans, OCTOBER, at, 30) == ((SUPPLIED, date(2026, 10, 4)),)
    assert supply_periods(spans, november, at, 30) == ()
    assert supply_periods(spans, december, at, 30) == ((date(2026, 12, 10), date(2027, 1, 8)),)
    soon = [(SUPPLIED, date(2026, 9, 20)), (date(2026, 9, 25), None)]
    assert supply_periods(soon, november, OVER, 30) == ((date(2026, 10, 5), date(2026, 11, 3)),), (
        "after the one that ran"
    )


@pytest.mark.parametrize(
    ("month", "zone", "edges"),
    [
        # Summer time ends in the month, and begins in it.
        (Month(date(2026, 10, 1)), COPENHAGEN, ("2026-09-30T22:00", "2026-10-31T23:00")),
        (Month(date(2026, 11, 1)), NEW_YORK, ("2026-11-01T04:00", "2026-12-01T05:00")),
        (Month(date(2026, 3, 1)), NEW_YORK, ("2026-03-01T05:00", "2026-04-01T04:00")),
        # Summer time begins at that midnight: the day, and so the month, begins at one o'clock.
        (Month(date(2023, 10, 1)), ZoneInfo("America/Asuncion"), ("2023-10-01T04:00", "2023-11-01T03:00")),
    ],
)
def test_a_month_begins_and_ends_on_the_patients_clock(month: Month, zone: ZoneInfo, edges: tuple[str, str]) -> None:
    assert tuple(f"{at:%Y-%m-%dT%H:%M}" for at in edges_of(month, Zones(zone))) == edges


def test_a_month_of_somebody_who_moves_within_it_ends_where_they_are_then() -> None:
    moved = datetime(2026, 10, 15, tzinfo=UTC)
    zones = Zones(NEW_YORK, (Stay(None, moved, COPENHAGEN), Stay(moved, None, NEW_YORK)))
    assert edges_of(OCTOBER, zones) == (
        datetime(2026, 9, 30, 22, tzinfo=UTC),
        datetime(2026, 11, 1, 4, tzinfo=UTC),
    )


def test_minutes_over_midnight_are_each_months_own_part() -> None:
    zones = Zones(NEW_YORK)
    entry = Worked(datetime(2026, 11, 1, 3, 50, tzinfo=UTC), datetime(2026, 11, 1, 4, 15, tzinfo=UTC), True)
    assert minutes_of([entry], edges_of(OCTOBER, zones)) == (10, True)
    assert minutes_of([entry], edges_of(OCTOBER.next, zones)) == (15, True)


def test_moments_that_two_people_share_count_once() -> None:
    edges = edges_of(OCTOBER, Zones(UTC))
    assert minutes_of([worked(10), worked(10), worked(10, at=NOON + timedelta(minutes=5))], edges) == (15, True)


WORK = st.builds(
    lambda start, length, live: Worked(NOON + timedelta(seconds=start), NOON + timedelta(seconds=start + length), live),
    st.integers(-10**6, 2 * 10**6), st.integers(1, 7200), st.booleans(),
)  # fmt: skip


@given(days=st.integers(0, 31), work=st.lists(WORK, max_size=8), today=st.dates(RUNNING, OVER))
def test_never_are_two_codes_supported_that_exclude_each_other(days: int, work: list[Worked], today: date) -> None:
    of = found(days, *work, today=today)
    claimed = {line.code for line in of.lines if line.units}
    for rule in RULEBOOKS[0].codes:
        assert rule.code not in claimed or not rule.excluded_by & claimed
        assert rule.code not in claimed or rule.beyond is None or rule.beyond in claimed
    assert all(line.units == 0 or line.last < today or line.state is State.REACHED for line in of.lines)
    assert all((line.state is State.SUPPORTED) <= (line.last < today) for line in of.lines)
    assert of.spoken or not any(line.units for line in of.lines if line.basis is Basis.MINUTES)


@given(work=st.lists(WORK, max_size=8), more=WORK)
def test_more_work_is_never_fewer_minutes_and_never_more_than_was_worked(work: list[Worked], more: Worked) -> None:
    edges = edges_of(OCTOBER, Zones(COPENHAGEN))
    before, after = minutes_of(work, edges)[0], minutes_of([*work, more], edges)[0]
    assert before <= after <= sum((one.ends - one.starts).total_seconds() for one in [*work, more]) / 60
