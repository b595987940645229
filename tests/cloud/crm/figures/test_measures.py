"""From rows to figures: percentiles, deadlines, groups that are too small, and whose shift it was."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.duty import DutyRole, Hours, Roster, WeeklyShift
from alerting.tiers import TERMS, Tier
from alerting.working_time import WorkingDays
from cloud.crm.figures import measures
from cloud.crm.figures.models import FEWEST, MonthCounts, Wait, Work

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
WORKING = WorkingDays(zone=COPENHAGEN)
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW = FRIDAY + timedelta(days=10)


def wait(
    tier: Tier = Tier.URGENT,
    *,
    taken: float | None = None,
    spoken: float | None = None,
    closed: float | None = None,
    programme: str = "standard",
    at: datetime = FRIDAY,
) -> Wait:
    def after(minutes: float | None) -> datetime | None:
        return None if minutes is None else at + timedelta(minutes=minutes)

    return Wait(
        programme_id=programme, tier=tier, started_at=at, acknowledged_at=after(taken), contacted_at=after(spoken),
        closed_at=after(closed),
    )  # fmt: skip


def test_half_and_95_of_100_are_told_with_how_many_there_were() -> None:
    [tier], few = measures.tier_figures(
        [wait(taken=minutes) for minutes in (1, 2, 3, 4, 100)], {"standard": TERMS}, WORKING, NOW
    )
    assert not few
    assert (tier.tiers, tier.n) == ((Tier.URGENT,), 5)
    spread = tier.acknowledged.spread
    assert (spread.n, spread.p50, spread.p95) == (5, timedelta(minutes=3), timedelta(minutes=80, seconds=48))
    assert tier.contacted.spread.n == 0
    assert tier.contacted.spread.p50 is None


@pytest.mark.parametrize(
    ("one", "late", "promised"),
    [
        (wait(taken=15), 0, 1),
        (wait(taken=15.1), 1, 1),
        (wait(), 1, 1),  # nobody has taken it to this day
        (wait(at=NOW - timedelta(minutes=10)), 0, 1),  # nobody yet, and there is time
        (wait(closed=10), 0, 0),  # closed in time without anybody: nothing was owed
        (wait(closed=20), 1, 1),
        (wait(taken=20, programme="gentle"), 0, 1),  # promises an hour
        # 24 hours of working days from Friday noon end on Monday noon.
        (wait(Tier.ROUTINE, taken=3 * 24 * 60), 0, 1),
        (wait(Tier.ROUTINE, taken=3 * 24 * 60 + 1), 1, 1),
    ],
)
def test_what_is_late_goes_by_the_programmes_own_promise_and_by_working_days(
    one: Wait, late: int, promised: int
) -> None:
    gentle = {**TERMS, Tier.URGENT: replace(TERMS[Tier.URGENT], acknowledge_within=timedelta(hours=1))}
    [tier], _ = measures.tier_figures([one] * FEWEST, {"standard": TERMS, "gentle": gentle}, WORKING, NOW)
    assert (tier.acknowledged.late, tier.acknowledged.promised) == (late * FEWEST, promised * FEWEST)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 12), max_size=8))
def test_nobody_finds_a_small_group_by_taking_the_others_from_all(sizes: Mapping[str, int]) -> None:
    shown, few = measures.together(sizes)
    told = [sum(sizes[key] for key in keys) for keys in shown]
    assert all(size >= FEWEST for size in told)
    rest = sum(sizes.values()) - sum(told)
    assert rest == 0 or rest < FEWEST, "what is left out is fewer than would be shown"
    assert few == (rest > 0)
    assert rest == 0 or not shown, "or nothing is shown at all"
    assert len([key for keys in shown for key in keys]) == len({key for keys in shown for key in keys})


def test_what_was_promised_to_few_is_not_told_apart() -> None:
    waits = [wait(closed=10)] * 3 + [wait(taken=20)] * 4
    [tier], _ = measures.tier_figures(waits, {}, WORKING, NOW)
    assert (tier.n, tier.acknowledged.late, tier.acknowledged.promised) == (7, None, 4)


def test_small_tiers_are_one_line_together() -> None:
    waits = [wait(Tier.EMERGENCY, taken=1)] * 2 + [wait(Tier.URGENT, taken=2)] * 3 + [wait(Tier.ROUTINE, taken=3)] * 9
    figures, few = measures.tier_figures(waits, {}, WORKING, NOW)
    assert not few
    assert [(each.tiers, each.n) for each in figures] == [
        ((Tier.ROUTINE,), 9),
        ((Tier.EMERGENCY, Tier.URGENT), 5),
    ]


def test_work_is_of_the_shift_in_which_it_was_done() -> None:
    nora, ben = uuid4(), uuid4()
    shift = {"role": DutyRole.NURSE, "account_id": nora, "hours": Hours(starts=time(22), ends=time(6)), "order": 1}
    roster = Roster(
        zone=COPENHAGEN,
        weekly=[WeeklyShift(weekday=day, first_day=date(2026, 11, 1), last_day=None, **shift) for day in range(7)],  # type: ignore[arg-type]
        dated=[], holidays=[], absences=[], known=frozenset({DutyRole.NURSE}),
    )  # fmt: skip

    def did(who: UUID, hour: int, acts: int = 1, seconds: int = 90) -> Work:
        quarter = datetime(2026, 11, 20, hour, tzinfo=UTC)
        return Work(account_id=who, quarter=quarter, acts=acts, taken=1, closed=0, calls=2, messages=0, seconds=seconds)

    found = measures.workload(
        [did(nora, 21), did(nora, 4), did(nora, 12), did(ben, 12), did(uuid4(), 1)],
        {nora: ("Nora", "nurse"), ben: ("Ben", "nurse")},
        roster,
        datetime(2026, 11, 18, 23, tzinfo=UTC),
        datetime(2026, 11, 20, 23, tzinfo=UTC),
    )
    assert [(one.name, one.hours, one.shifts, one.acts, one.calls, one.minutes) for one in found] == [
        ("Ben", None, 0, 1, 2, 1),
        ("Nora", "22:00–06:00", 3, 2, 4, 3),
        ("Nora", None, 0, 1, 2, 1),
    ]


def counted(programme: str, patients: int, **of: int) -> MonthCounts:
    counts = {"measured": patients, "averaged": 0, "controlled": 0, "scheduled": 0, "due": 0, "made": 0, "readings": 0,
              "cases": 0, **of}  # fmt: skip
    return MonthCounts(
        month=date(2026, 10, 1), programme_id=programme, display_name=programme.title(), patients=patients,
        counted_at=NOW, **counts,
    )  # fmt: skip


def test_a_share_is_told_only_of_enough_patients_with_enough_readings() -> None:
    [one], few = measures.programme_figures(
        [counted("standard", 20, averaged=4, controlled=4, scheduled=8, due=200, made=131)]
    )
    assert not few
    assert (one.patients, one.averaged, one.controlled) == (20, 4, None)
    assert (one.scheduled, one.adherence) == (8, Decimal("65.5"))
    [one], _ = measures.programme_figures([counted("standard", 20, averaged=6, controlled=4)])
    assert (one.controlled, one.adherence) == (Decimal("66.7"), None)


def test_small_programmes_are_one_line_together_or_none() -> None:
    [big, small], few = measures.programme_figures([counted("a", 30), counted("b", 3), counted("c", 2, averaged=2)])
    assert (big.names, small.names, small.patients, few) == (("A",), ("B", "C"), 5, False)
    assert measures.programme_figures([counted("a", 4)]) == ([], True)


def test_no_shows_are_told_of_those_that_have_ended() -> None:
    [clinic, others], few = measures.attended([("clinic", 15, 5), ("home", 2, 1), ("video", 2, 0)])
    assert (clinic.n, clinic.no_shows, clinic.percent) == (20, 5, Decimal("25.0"))
    assert (others.ways, others.n, others.percent, few) == (("home", "video"), 5, Decimal("20.0"), False)
