"""The regimes as tables: values on, just under and just over each limit, in both units, with the source beside it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alerting.comparators import violates
from alerting.limits import DEFAULT_LIMITS, Priority
from alerting.regimes import (
    ADA,
    AHA_2025,
    ESC_2024,
    REGIMES,
    Evidence,
    Override,
    Regime,
    RegimesOverlap,
    UnknownCondition,
    controlled,
    home_category,
    in_force,
    of_programme,
    unsigned,
)
from alerting.tiers import Tier
from device_drivers.nomenclature import Unit
from tests.alerting.made import limit, quantity

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MG, MMOL, MMHG, KPA, BPM = Unit.MG_DL, Unit.MMOL_L, Unit.MM_HG, Unit.KPA, Unit.PER_MIN

# regime, condition, unit, source, evidence, then (value, is beyond the limit)
TABLE: list[tuple[str, str, Unit, str, Evidence, tuple[tuple[str, bool], ...]]] = [
    # ADA Standards of Care, section 6; CGM consensus; CDC/ADA; Diabetes Care consensus; Kovatchev and Cox 1998
    ("ada", "hypoglycaemia_level_2", MG, "ADA Standards", Evidence.SUMMARISED,
     (("53", True), ("54", False), ("55", False))),
    ("ada", "hypoglycaemia_level_2", MMOL, "ADA Standards", Evidence.SUMMARISED,
     (("2.9", True), ("3.0", False), ("3.1", False))),
    ("ada", "hypoglycaemia_level_1", MG, "ADA Standards", Evidence.SUMMARISED,
     (("69", True), ("70", False), ("71", False))),
    ("ada", "hypoglycaemia_level_1", MMOL, "ADA Standards", Evidence.SUMMARISED,
     (("3.8", True), ("3.9", False), ("4.0", False))),
    ("ada", "hyperglycaemia", MG, "CGM consensus", Evidence.PROPOSED,
     (("249", False), ("250", False), ("251", True))),
    ("ada", "hyperglycaemia", MMOL, "CGM consensus", Evidence.PROPOSED,
     (("13.8", False), ("13.9", False), ("14.0", True))),
    ("ada", "hyperglycaemia_urgent", MG, "CDC/ADA", Evidence.SUMMARISED,
     (("299", False), ("300", False), ("301", True))),
    ("ada", "hyperglycaemia_urgent", MMOL, "CDC/ADA", Evidence.SUMMARISED,
     (("16.6", False), ("16.7", False), ("16.8", True))),
    ("ada", "hyperglycaemia_extreme", MG, "hyperosmolar", Evidence.UNCONFIRMED,
     (("599", False), ("600", True), ("601", True))),
    ("ada", "hyperglycaemia_extreme", MMOL, "hyperosmolar", Evidence.UNCONFIRMED,
     (("33.2", False), ("33.3", True), ("33.4", True))),
    ("ada", "fasting_mean_high", MG, "proposal", Evidence.PROPOSED,
     (("179.9", False), ("180", False), ("180.1", True))),
    ("ada", "fasting_mean_high", MMOL, "proposal", Evidence.PROPOSED,
     (("9.9", False), ("10.0", False), ("10.1", True))),
    ("ada", "hypoglycaemia_repeated", MG, "proposal", Evidence.PROPOSED,
     (("69", True), ("70", False), ("71", False))),
    ("ada", "hypoglycaemia_repeated", MMOL, "proposal", Evidence.PROPOSED,
     (("3.8", True), ("3.9", False), ("4.0", False))),
    ("ada", "hypoglycaemia_risk", MG, "Kovatchev", Evidence.PUBLISHED,
     (("2.49", False), ("2.5", False), ("2.51", True))),
    ("ada", "hypoglycaemia_risk", MMOL, "Kovatchev", Evidence.PUBLISHED,
     (("2.49", False), ("2.5", False), ("2.51", True))),
    ("ada", "ketones_very_high", MMOL, "Diabetes Care", Evidence.PUBLISHED,
     (("2.9", False), ("3.0", False), ("3.1", True))),
    ("ada", "ketones_high", MMOL, "Diabetes Care", Evidence.PUBLISHED, (("1.4", False), ("1.5", False), ("1.6", True))),
    # AHA's advice for home measurement; BEAT-HF, Trials 2014;15:124, table 1. 1 mm[Hg] = 0.133322 kPa.
    *[
        row
        for regime in ("aha2025", "esc2024")
        for row in (
            (regime, "severe_hypertension_systolic", MMHG, "AHA advice", Evidence.UNCONFIRMED,
             (("179", False), ("180", True), ("181", True))),
            (regime, "severe_hypertension_systolic", KPA, "AHA advice", Evidence.UNCONFIRMED,
             (("23.9", False), ("24.0", True), ("24.1", True))),
            (regime, "severe_hypertension_diastolic", MMHG, "AHA advice", Evidence.UNCONFIRMED,
             (("119", False), ("120", True), ("121", True))),
            (regime, "severe_hypertension_diastolic", KPA, "AHA advice", Evidence.UNCONFIRMED,
             (("15.9", False), ("16.0", True), ("16.1", True))),
            (regime, "severe_hypotension_systolic", MMHG, "BEAT-HF", Evidence.PUBLISHED,
             (("79", True), ("80", False), ("81", False))),
            (regime, "severe_hypotension_systolic", KPA, "BEAT-HF", Evidence.PUBLISHED,
             (("10.6", True), ("10.7", False), ("10.8", False))),
            (regime, "hypotension_systolic", MMHG, "BEAT-HF", Evidence.PUBLISHED,
             (("89", True), ("90", False), ("91", False))),
            (regime, "hypotension_systolic", KPA, "BEAT-HF", Evidence.PUBLISHED,
             (("11.9", True), ("12.0", False), ("12.1", False))),
            (regime, "bradycardia", BPM, "BEAT-HF", Evidence.PUBLISHED, (("39", True), ("40", False), ("41", False))),
            (regime, "tachycardia", BPM, "BEAT-HF", Evidence.PUBLISHED,
             (("109", False), ("110", False), ("111", True))),
            (regime, "hypertension_systolic", MMHG, "BEAT-HF", Evidence.PUBLISHED,
             (("159.9", False), ("160", False), ("160.1", True))),
            (regime, "hypertension_systolic", KPA, "BEAT-HF", Evidence.PUBLISHED,
             (("21.2", False), ("21.3", False), ("21.4", True))),
            # HOPE Asia Network 2022
            (regime, "morning_hypertension_systolic", MMHG, "HOPE Asia", Evidence.PUBLISHED,
             (("134.9", False), ("135", True), ("135.1", True))),
            (regime, "morning_hypertension_systolic", KPA, "HOPE Asia", Evidence.PUBLISHED,
             (("17.99", False), ("18.0", True), ("18.01", True))),
            (regime, "morning_hypertension_diastolic", MMHG, "HOPE Asia", Evidence.PUBLISHED,
             (("84.9", False), ("85", True), ("85.1", True))),
            (regime, "morning_hypertension_diastolic", KPA, "HOPE Asia", Evidence.PUBLISHED,
             (("11.29", False), ("11.3", True), ("11.31", True))),
            (regime, "morning_dominant_systolic", MMHG, "morning-dominant", Evidence.UNCONFIRMED,
             (("14.9", False), ("15", True), ("15.1", True))),
            (regime, "morning_dominant_systolic", KPA, "morning-dominant", Evidence.UNCONFIRMED,
             (("1.99", False), ("2.0", True), ("2.01", True))),
            (regime, "weekly_rise_systolic", MMHG, "proposal", Evidence.PROPOSED,
             (("9.9", False), ("10", True), ("10.1", True))),
            (regime, "weekly_rise_systolic", KPA, "proposal", Evidence.PROPOSED,
             (("1.29", False), ("1.3", True), ("1.31", True))),
        )
    ],
    # 2025 AHA/ACC: 130/80 at home; 2024 ESC: 135/85
    ("aha2025", "home_average_systolic", MMHG, "AHA/ACC", Evidence.SUMMARISED,
     (("129.9", False), ("130", True), ("130.1", True))),
    ("aha2025", "home_average_systolic", KPA, "AHA/ACC", Evidence.SUMMARISED,
     (("17.29", False), ("17.3", True), ("17.31", True))),
    ("aha2025", "home_average_diastolic", MMHG, "AHA/ACC", Evidence.SUMMARISED,
     (("79.9", False), ("80", True), ("80.1", True))),
    ("aha2025", "home_average_diastolic", KPA, "AHA/ACC", Evidence.SUMMARISED,
     (("10.69", False), ("10.7", True), ("10.71", True))),
    ("esc2024", "home_average_systolic", MMHG, "ESC", Evidence.SUMMARISED,
     (("134.9", False), ("135", True), ("135.1", True))),
    ("esc2024", "home_average_systolic", KPA, "ESC", Evidence.SUMMARISED,
     (("17.99", False), ("18.0", True), ("18.01", True))),
    ("esc2024", "home_average_diastolic", MMHG, "ESC", Evidence.SUMMARISED,
     (("84.9", False), ("85", True), ("85.1", True))),
    ("esc2024", "home_average_diastolic", KPA, "ESC", Evidence.SUMMARISED,
     (("11.29", False), ("11.3", True), ("11.31", True))),
    # van den Heuvel: orange above 140/90, red above 150/100, a rise of more than 20
    ("pregnancy", "pregnancy_red_systolic", MMHG, "van den Heuvel", Evidence.PUBLISHED,
     (("149", False), ("150", False), ("151", True))),
    ("pregnancy", "pregnancy_red_systolic", KPA, "van den Heuvel", Evidence.PUBLISHED,
     (("19.9", False), ("20.0", False), ("20.1", True))),
    ("pregnancy", "pregnancy_red_diastolic", MMHG, "van den Heuvel", Evidence.PUBLISHED,
     (("99", False), ("100", False), ("101", True))),
    ("pregnancy", "pregnancy_red_diastolic", KPA, "van den Heuvel", Evidence.PUBLISHED,
     (("13.2", False), ("13.3", False), ("13.4", True))),
    ("pregnancy", "pregnancy_orange_systolic", MMHG, "van den Heuvel", Evidence.PUBLISHED,
     (("139.9", False), ("140", False), ("140.1", True))),
    ("pregnancy", "pregnancy_orange_systolic", KPA, "van den Heuvel", Evidence.PUBLISHED,
     (("18.6", False), ("18.7", False), ("18.8", True))),
    ("pregnancy", "pregnancy_orange_diastolic", MMHG, "van den Heuvel", Evidence.PUBLISHED,
     (("89.9", False), ("90", False), ("90.1", True))),
    ("pregnancy", "pregnancy_orange_diastolic", KPA, "van den Heuvel", Evidence.PUBLISHED,
     (("11.9", False), ("12.0", False), ("12.1", True))),
    ("pregnancy", "pregnancy_rise_systolic", MMHG, "van den Heuvel", Evidence.PUBLISHED,
     (("19.9", False), ("20", False), ("20.1", True))),
    ("pregnancy", "pregnancy_rise_systolic", KPA, "van den Heuvel", Evidence.PUBLISHED,
     (("2.6", False), ("2.7", False), ("2.8", True))),
    ("pregnancy", "severe_hypotension_systolic", MMHG, "BEAT-HF", Evidence.UNCONFIRMED,
     (("79", True), ("80", False), ("81", False))),
    ("pregnancy", "severe_hypotension_systolic", KPA, "BEAT-HF", Evidence.UNCONFIRMED,
     (("10.6", True), ("10.7", False), ("10.8", False))),
]  # fmt: skip


@pytest.mark.parametrize(("regime", "condition", "unit", "source", "evidence", "cases"), TABLE)
def test_each_limit_on_just_under_and_just_over(
    regime: str, condition: str, unit: Unit, source: str, evidence: Evidence, cases: tuple[tuple[str, bool], ...]
) -> None:
    found = limit(regime, condition)
    assert [(value, violates(quantity(value, unit), found)) for value, _ in cases] == list(cases)
    assert source in found.source
    assert found.evidence is evidence


def test_the_table_covers_every_limit_in_every_unit() -> None:
    covered = {(regime, condition, unit) for regime, condition, unit, *_ in TABLE}
    assert covered == {(r.name, x.condition, unit) for r in REGIMES.values() for x in r.limits for unit in x.values}


@pytest.mark.parametrize(
    ("regime", "systolic", "diastolic", "unit", "expected"),
    [
        (AHA_2025, "119", "79", MMHG, "normal"), (AHA_2025, "120", "79", MMHG, "elevated"),
        (AHA_2025, "129.9", "79.9", MMHG, "elevated"), (AHA_2025, "130", "79", MMHG, "hypertension_stage_1"),
        (AHA_2025, "119", "80", MMHG, "hypertension_stage_1"), (AHA_2025, "139", "89", MMHG, "hypertension_stage_1"),
        (AHA_2025, "140", "79", MMHG, "hypertension_stage_2"), (AHA_2025, "119", "90", MMHG, "hypertension_stage_2"),
        (AHA_2025, "17.2", "10.6", KPA, "elevated"), (AHA_2025, "17.3", "10.6", KPA, "hypertension_stage_1"),
        (ESC_2024, "119", "69", MMHG, "non_elevated"), (ESC_2024, "120", "69", MMHG, "elevated"),
        (ESC_2024, "119", "70", MMHG, "elevated"), (ESC_2024, "134.9", "84.9", MMHG, "elevated"),
        (ESC_2024, "135", "84", MMHG, "hypertension"), (ESC_2024, "134", "85", MMHG, "hypertension"),
        (ESC_2024, "17.9", "11.2", KPA, "elevated"), (ESC_2024, "18.0", "11.2", KPA, "hypertension"),
    ],
)  # fmt: skip
def test_a_home_average_has_the_category_of_its_regime(
    regime: object, systolic: str, diastolic: str, unit: Unit, expected: str
) -> None:
    assert regime is AHA_2025 or regime is ESC_2024
    found = home_category(regime, Decimal(systolic), Decimal(diastolic), unit)
    assert found is not None
    assert found.name == expected


def test_one_average_can_be_controlled_for_one_regime_and_not_for_the_other() -> None:
    figures = Decimal("132"), Decimal("79"), MMHG
    assert controlled(AHA_2025, *figures) is False
    assert controlled(ESC_2024, *figures) is True
    assert controlled(ADA, *figures) is None
    assert home_category(ADA, *figures) is None


@pytest.mark.parametrize(
    ("regime", "systolic", "diastolic", "expected"),
    [
        (AHA_2025, "129.9", "79.9", True), (AHA_2025, "130", "79.9", False), (AHA_2025, "129.9", "80", False),
        (ESC_2024, "134.9", "84.9", True), (ESC_2024, "135", "84.9", False), (ESC_2024, "134.9", "85", False),
    ],
)  # fmt: skip
def test_controlled_is_below_both_control_values(regime: object, systolic: str, diastolic: str, expected: bool) -> None:
    assert regime is AHA_2025 or regime is ESC_2024
    assert controlled(regime, Decimal(systolic), Decimal(diastolic), MMHG) is expected


def test_a_programme_takes_one_regime_for_each_measure() -> None:
    both = of_programme("esc2024", "ada")
    assert both.name == "esc2024+ada"
    assert len(both.limits) == len(ESC_2024.limits) + len(ADA.limits)
    with pytest.raises(RegimesOverlap, match="aha2025, esc2024"):
        of_programme("aha2025", "esc2024")
    with pytest.raises(KeyError):
        of_programme("nobodys")


def own(
    version: int,
    value: str,
    *,
    unit: Unit = MMHG,
    set_at: datetime = AT - timedelta(days=30),
    expires_at: datetime | None = None,
    condition: str = "home_average_systolic",
) -> Override:
    """Dr Holm's value for a patient."""
    return Override(
        condition=condition, unit=unit, value=Decimal(value), priority=Priority.MEDIUM, set_by="Dr Holm",
        set_at=set_at, expires_at=expires_at, reason="frail, falls", version=version,
    )  # fmt: skip


def test_an_override_replaces_its_unit_and_brings_author_reason_time_and_version() -> None:
    kept, mine = [x for x in in_force(ESC_2024, [own(3, "145")], AT) if x.condition == "home_average_systolic"]
    assert kept.values == {KPA: Decimal("18.0")}
    assert mine.values == {MMHG: Decimal("145")}
    assert (mine.source, mine.why, mine.version, mine.since) == ("Dr Holm", "frail, falls", 3, AT - timedelta(days=30))
    assert (mine.evidence, mine.priority, mine.tier) == (Evidence.PRESCRIBED, Priority.MEDIUM, Tier.SAME_SHIFT)
    assert mine.figure is kept.figure


def test_the_newest_version_speaks_whatever_the_order() -> None:
    found = in_force(ESC_2024, [own(2, "150"), own(1, "145")], AT)
    assert [x.version for x in found if x.source == "Dr Holm"] == [2]


@pytest.mark.parametrize(
    ("expires_at", "in_effect"),
    [(AT - timedelta(seconds=1), False), (AT, False), (AT + timedelta(seconds=1), True)],
)
def test_where_the_newest_version_has_expired_the_regime_speaks_and_no_older_version(
    expires_at: datetime, in_effect: bool
) -> None:
    found = in_force(ESC_2024, [own(1, "145"), own(2, "150", expires_at=expires_at)], AT)
    assert ("Dr Holm" in {x.source for x in found}) is in_effect
    assert in_effect or found == ESC_2024.limits


@pytest.mark.parametrize(
    ("set_at", "in_effect"), [(AT - timedelta(seconds=1), True), (AT, True), (AT + timedelta(seconds=1), False)]
)
def test_an_override_holds_from_the_moment_it_is_set(set_at: datetime, in_effect: bool) -> None:
    found = in_force(ESC_2024, [own(1, "145", set_at=set_at)], AT)
    assert ("Dr Holm" in {x.source for x in found}) is in_effect


def test_an_override_of_what_the_programme_does_not_watch_is_an_error() -> None:
    with pytest.raises(UnknownCondition, match="esc2024 has no limit for ennui"):
        in_force(ESC_2024, [own(1, "1", condition="ennui")], AT)


def test_what_is_not_published_is_listed_for_signature() -> None:
    assert {x.condition for x in unsigned(ADA)} >= {
        "hyperglycaemia_extreme",
        "hypoglycaemia_repeated",
        "hyperglycaemia",
    }
    assert "ketones_very_high" not in {x.condition for x in unsigned(ADA)}
    # The value is published, the timer is ours.
    assert "severe_hypotension_systolic" in {x.condition for x in unsigned(AHA_2025)}


def test_every_limit_names_its_source_and_no_condition_stands_twice_in_a_regime() -> None:
    for regime in REGIMES.values():
        assert all(x.source for x in regime.limits)
        assert len({x.condition for x in regime.limits}) == len(regime.limits)
        assert {x.measure for x in regime.limits} <= regime.measures


@pytest.mark.parametrize("regime", [AHA_2025, ESC_2024, ADA])
def test_what_todays_limits_know_too_has_the_same_values(regime: Regime) -> None:
    today = {x.condition: x for x in DEFAULT_LIMITS}
    shared = [x for x in regime.limits if x.condition in today]
    assert len(shared) >= 6
    for x in shared:
        assert (x.values, x.relation, x.measure) == tuple(
            getattr(today[x.condition], name) for name in ("values", "relation", "measure")
        )
