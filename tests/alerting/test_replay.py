"""The replay: cases as people would work them, and the rules' figures over a synthetic population."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.comparison import compare
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.regimes import ESC_2024, RegimeLimit, of_programme
from alerting.replay import Outcome, Raised, cases, lines, replay, replay_known
from alerting.rulesets import SILENT, SingleReadings, every_reading_above_target, programme
from alerting.synthetic.calendars import calendar
from alerting.synthetic.population import population
from alerting.synthetic.truth import CrisisKind, PatientYear
from alerting.tiers import Tier
from alerting.windows import instant
from device_drivers.nomenclature import Unit
from tests.alerting.made import START, glucoses

Series = TypeVar("Series", PressureSeries, GlucoseSeries)


def raised(minutes: float, tier: Tier | None = Tier.SAME_SHIFT, condition: str = "high") -> Raised:
    """Something about a reading of the same time."""
    at = START + timedelta(minutes=minutes)
    return Raised(condition=condition, tier=tier, at=at, about=at, closed_as="calm" if tier is None else None)


def test_later_readings_join_the_open_case_and_a_new_episode_is_a_new_case() -> None:
    worked = cases([raised(0), raised(479), raised(480), raised(500)])  # the same shift: 8 hours
    assert [len(case.about) for case in worked] == [2, 2]


def test_each_condition_has_its_own_case() -> None:
    assert len(cases([raised(0), raised(1, condition="low")])) == 2


def test_worsening_raises_the_case_again_and_pages() -> None:
    [case] = cases([raised(0), raised(5, Tier.URGENT), raised(6, Tier.URGENT)])
    assert (case.tier, case.pages) == (Tier.URGENT, 1)


def test_a_routine_case_rests_unless_it_becomes_graver() -> None:
    day = 24 * 60
    again = [raised(0, Tier.ROUTINE), raised(4 * day, Tier.ROUTINE), raised(30 * day, Tier.ROUTINE)]
    assert len(cases(again)) == 1
    assert len(cases([*again, raised(31 * day, Tier.ROUTINE)])) == 2
    assert len(cases([raised(0, Tier.ROUTINE), raised(4 * day, Tier.SAME_SHIFT)])) == 2


def test_what_closes_by_itself_is_no_case() -> None:
    assert cases([raised(0, None)]) == []


@pytest.fixture(scope="module")
def years() -> list[PatientYear]:
    """60 patients, half a year."""
    over = calendar(date(2025, 1, 1), 182, ZoneInfo("Europe/Berlin"))
    return list(population(np.random.default_rng(11), 60, over))


@pytest.fixture(scope="module")
def some(years: list[PatientYear]) -> list[PatientYear]:
    """A third of them: enough where one replay is compared with another."""
    return years[:20]


@pytest.fixture(scope="module")
def new_rules(years: list[PatientYear]) -> Outcome:
    """The programme's rules over them."""
    return replay_known(programme(of_programme("esc2024", "ada")), years)


def test_the_programmes_rules_find_every_injected_crisis(new_rules: Outcome) -> None:
    assert new_rules.crises > 10
    assert new_rules.missed == []
    assert new_rules.found == new_rules.crises


def test_the_programmes_rules_stay_below_a_case_in_ten_patient_days(new_rules: Outcome) -> None:
    assert 0 < new_rules.manual_per_patient_day <= 0.10
    assert new_rules.share_closed_automatically > 0
    assert new_rules.by_tier[Tier.ROUTINE] > 0


def test_single_readings_against_the_home_limit_are_several_times_the_load(
    years: list[PatientYear], new_rules: Outcome
) -> None:
    every = replay_known(every_reading_above_target(ESC_2024), years)
    assert every.manual > 3 * new_rules.manual
    assert every.share_closed_automatically == 0


def test_todays_limits_find_the_crises_and_close_nothing(years: list[PatientYear]) -> None:
    today = replay_known(SingleReadings(), years)
    assert today.found == today.crises
    assert today.share_closed_automatically == 0


def test_without_its_limits_a_crisis_is_missed_and_the_replay_says_so(years: list[PatientYear]) -> None:
    blind = replay_known(SingleReadings(name="nothing", limits=()), years)
    assert (blind.found, len(blind.missed), blind.manual) == (0, blind.crises, 0)


def test_the_same_population_gives_the_same_figures(years: list[PatientYear], new_rules: Outcome) -> None:
    again = replay_known(programme(of_programme("esc2024", "ada")), years)
    assert list(lines(again)) == list(lines(new_rules))


def test_no_control_solution_raises_anything(years: list[PatientYear]) -> None:
    for year in years:
        for strips in year.history.glucose:
            control = set(strips.window.times[strips.samples != 0].tolist())
            for rules in (SingleReadings(), programme(of_programme("ada"))):
                about = {one.about.replace(tzinfo=None) for one in rules.raised(year.history)}
                assert not about & control


def test_a_history_of_which_no_truth_is_known_costs_the_same(some: list[PatientYear]) -> None:
    """As a panel's stored readings are replayed before a limit is changed."""
    rules = programme(of_programme("esc2024", "ada"))
    known, cost = replay_known(rules, some), replay(rules, (year.history for year in some))
    assert (cost.by_tier, cost.pages, cost.minutes) == (known.by_tier, known.pages, known.minutes)
    assert cost.crises == 0
    assert not any("injected" in line for line in lines(cost))


def test_an_empty_history_raises_only_its_silence(years: list[PatientYear]) -> None:
    nothing = replace(years[0].history, pressure=(), glucose=())
    assert SingleReadings().raised(nothing) == []
    found = programme(of_programme("esc2024", "ada")).raised(nothing)
    assert {one.condition for one in found} == {SILENT}


def test_a_change_that_misses_urgent_cases_says_which(some: list[PatientYear]) -> None:
    histories = [year.history for year in some]
    now = programme(of_programme("esc2024", "ada"))
    blind = replace(now, limits=tuple(x for x in now.limits if "hypoglycaemia" not in x.condition))
    found = compare(now, blind, histories)
    assert found.in_force.manual > found.proposed.manual
    assert {one.case.condition for one in found.missed} == {"hypoglycaemia_level_2"}
    injected = [c for year in some for c in year.crises if c.kind is CrisisKind.HYPOGLYCAEMIA]
    assert len(found.missed) >= len([c for c in injected if c.received_at - c.at < timedelta(hours=6)]) > 0


def test_a_change_that_finds_urgent_cases_later_says_by_how_much(some: list[PatientYear]) -> None:
    now = programme(of_programme("esc2024", "ada"))
    slow = replace(now, limits=tuple(_slower(x) for x in now.limits))
    found = compare(now, slow, [year.history for year in some])
    later = [one.later for one in found.differences if one.later is not None]
    assert timedelta() < min(later)
    assert max(later) <= timedelta(hours=1)


def test_no_change_makes_no_difference(years: list[PatientYear]) -> None:
    now = programme(of_programme("esc2024", "ada"))
    assert compare(now, now, [year.history for year in years[:10]]).differences == ()


def _slower(one: RegimeLimit) -> RegimeLimit:
    """An hour more to measure again."""
    if one.confirm is None:
        return one
    return replace(one, confirm=replace(one.confirm, due=one.confirm.due + timedelta(hours=1)))


def test_a_change_that_leaves_more_time_to_act_says_so(some: list[PatientYear]) -> None:
    now = programme(of_programme("esc2024", "ada"))
    calm = replace(now, limits=tuple(_calmer(x) for x in now.limits))
    found = compare(now, calm, [year.history for year in some])
    calmer = [one for one in found.differences if one.tier is Tier.SAME_SHIFT and not one.later]
    assert calmer
    assert {one.case.condition for one in calmer} == {"severe_hypertension_systolic"}
    assert len(found.differences) <= found.urgent


def _calmer(one: RegimeLimit) -> RegimeLimit:
    """Very high pressure is for the same shift."""
    return replace(one, tier=Tier.SAME_SHIFT) if one.condition == "severe_hypertension_systolic" else one


def test_days_of_running_in_are_not_counted_but_known(some: list[PatientYear]) -> None:
    rules = programme(of_programme("esc2024", "ada"))
    whole = replay(rules, (year.history for year in some))
    last = replay(rules, (replace(year.history, run_in=92) for year in some))
    assert last.patient_days == len(some) * 90
    assert 0.3 < last.readings / whole.readings < 0.7
    assert 0 < last.manual < whole.manual
    cold = replay(rules, (_last_days(year, 90) for year in some))
    # Who is above target all the time has an open or resting case by now, and no new one in the first week.
    assert last.by_tier[Tier.ROUTINE] < cold.by_tier[Tier.ROUTINE]


def _last_days(year: PatientYear, days: int) -> History:
    """As if nothing were known from before."""
    whole = year.history
    start = whole.end - timedelta(days=days)
    return replace(
        whole,
        start=start,
        days=days,
        pressure=tuple(_since(series, start) for series in whole.pressure),
        glucose=tuple(_since(series, start) for series in whole.glucose),
        schedules=tuple(replace(schedule, since=start) for schedule in whole.schedules),
    )


def _since(series: Series, start: datetime) -> Series:
    kept = series.window.times >= instant(start)
    if isinstance(series, PressureSeries):
        return replace(series, window=series.window.rows(kept), received=series.received[kept])
    return replace(
        series, window=series.window.rows(kept), received=series.received[kept], samples=series.samples[kept]
    )


def test_where_nothing_may_close_by_itself_a_person_looks_at_it(some: list[PatientYear]) -> None:
    rules = programme(of_programme("esc2024", "ada"))
    histories = [year.history for year in some]
    closing, keeping = replay(rules, histories), replay(replace(rules, closing=frozenset()), histories)
    assert closing.closed_automatically.total() > 0 == keeping.closed_automatically.total()
    assert keeping.manual > closing.manual


def test_ketones_are_replayed_too(years: list[PatientYear]) -> None:
    at = START + timedelta(days=1)
    strips = GlucoseSeries(
        window=glucoses([(at, 1.5), (at + timedelta(hours=1), 1.6), (at + timedelta(hours=20), 3.1)], unit=Unit.MMOL_L),
        received=np.array([instant(at), instant(at), instant(at)]),
        samples=np.zeros(3, dtype=np.int8),
    )
    history = History(
        start=START, days=3, pressure=(), glucose=(), ketone=(strips,), schedules=(), heightened_until=None
    )
    found = programme(of_programme("ada")).raised(history)
    assert [(one.condition, one.about) for one in found] == [
        ("ketones_high", at + timedelta(hours=1)), ("ketones_very_high", at + timedelta(hours=20)),
    ]  # fmt: skip
    assert len(SingleReadings().raised(history)) == 2
