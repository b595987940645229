"""Values on, just under and just over each limit, in both units; and the sentence that a nurse reads."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.evaluate import is_quiet, quiet, violations
from alerting.limits import DEFAULT_LIMITS, PatientLimit, Priority, in_force
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, QuantityState, Reading
from tests.cloud.made import glucose, ketone, pressure

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def conditions(reading: Reading) -> list[str]:
    """The conditions of the violated default limits."""
    return [violation.condition for violation in violations(reading, DEFAULT_LIMITS)]


# Source: ADA Standards of Care, section 6 (levels 1 and 2); CGM consensus (above 250); CDC/ADA (above 300).
@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("53", Unit.MG_DL, ["hypoglycaemia_level_2"]),
        ("54", Unit.MG_DL, ["hypoglycaemia_level_1"]),
        ("55", Unit.MG_DL, ["hypoglycaemia_level_1"]),
        ("69", Unit.MG_DL, ["hypoglycaemia_level_1"]),
        ("70", Unit.MG_DL, []),
        ("71", Unit.MG_DL, []),
        ("249", Unit.MG_DL, []),
        ("250", Unit.MG_DL, []),
        ("251", Unit.MG_DL, ["hyperglycaemia"]),
        ("299", Unit.MG_DL, ["hyperglycaemia"]),
        ("300", Unit.MG_DL, ["hyperglycaemia"]),
        ("301", Unit.MG_DL, ["hyperglycaemia_urgent"]),
        ("2.9", Unit.MMOL_L, ["hypoglycaemia_level_2"]),
        ("3.0", Unit.MMOL_L, ["hypoglycaemia_level_1"]),
        ("3.1", Unit.MMOL_L, ["hypoglycaemia_level_1"]),
        ("3.8", Unit.MMOL_L, ["hypoglycaemia_level_1"]),
        ("3.9", Unit.MMOL_L, []),
        ("4.0", Unit.MMOL_L, []),
        ("13.8", Unit.MMOL_L, []),
        ("13.9", Unit.MMOL_L, []),
        ("14.0", Unit.MMOL_L, ["hyperglycaemia"]),
        ("16.6", Unit.MMOL_L, ["hyperglycaemia"]),
        ("16.7", Unit.MMOL_L, ["hyperglycaemia"]),
        ("16.8", Unit.MMOL_L, ["hyperglycaemia_urgent"]),
    ],
)
def test_glucose_violates_the_limit_published_for_its_own_unit(value: str, unit: Unit, expected: list[str]) -> None:
    assert conditions(glucose(value, unit=unit)) == expected


# Source: 2025 AHA/ACC (180, 120); BEAT-HF, Trials 2014;15:124, table 1 (80; with symptoms 160, 90).
# 1 mm[Hg] = 0.133322 kPa.
@pytest.mark.parametrize(
    ("systolic", "diastolic", "unit", "expected"),
    [
        ("79", "50", Unit.MM_HG, ["severe_hypotension_systolic"]),
        ("80", "50", Unit.MM_HG, ["hypotension_systolic"]),
        ("81", "50", Unit.MM_HG, ["hypotension_systolic"]),
        ("89", "60", Unit.MM_HG, ["hypotension_systolic"]),
        ("90", "60", Unit.MM_HG, []),
        ("91", "60", Unit.MM_HG, []),
        ("159", "80", Unit.MM_HG, []),
        ("160", "80", Unit.MM_HG, []),
        ("161", "80", Unit.MM_HG, ["hypertension_systolic"]),
        ("179", "80", Unit.MM_HG, ["hypertension_systolic"]),
        ("180", "80", Unit.MM_HG, ["severe_hypertension_systolic"]),
        ("181", "80", Unit.MM_HG, ["severe_hypertension_systolic"]),
        ("150", "119", Unit.MM_HG, []),
        ("150", "120", Unit.MM_HG, ["severe_hypertension_diastolic"]),
        ("150", "121", Unit.MM_HG, ["severe_hypertension_diastolic"]),
        ("190", "125", Unit.MM_HG, ["severe_hypertension_systolic", "severe_hypertension_diastolic"]),
        ("10.6", "7.0", Unit.KPA, ["severe_hypotension_systolic"]),
        ("10.7", "7.0", Unit.KPA, ["hypotension_systolic"]),
        ("11.9", "8.0", Unit.KPA, ["hypotension_systolic"]),
        ("12.0", "8.0", Unit.KPA, []),
        ("21.3", "10.0", Unit.KPA, []),
        ("21.4", "10.0", Unit.KPA, ["hypertension_systolic"]),
        ("23.9", "10.0", Unit.KPA, ["hypertension_systolic"]),
        ("24.0", "10.0", Unit.KPA, ["severe_hypertension_systolic"]),
        ("20.0", "15.9", Unit.KPA, []),
        ("20.0", "16.0", Unit.KPA, ["severe_hypertension_diastolic"]),
    ],
)
def test_pressure_violates_the_limit_of_its_own_unit(
    systolic: str, diastolic: str, unit: Unit, expected: list[str]
) -> None:
    assert conditions(pressure(systolic, diastolic, unit=unit)) == expected


# Source: BEAT-HF, Trials 2014;15:124, table 1: below 40, above 110.
@pytest.mark.parametrize(
    ("pulse", "expected"),
    [("39", ["bradycardia"]), ("40", []), ("41", []), ("109", []), ("110", []), ("111", ["tachycardia"])],
)
def test_pulse_violates_its_limits(pulse: str, expected: list[str]) -> None:
    assert conditions(pressure(pulse=pulse)) == expected


# Source: Diabetes Care consensus table: 1.6 to 3.0 impending, above 3.0 probable ketoacidosis; mmol/L only.
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.4", []),
        ("1.5", []),
        ("1.6", ["ketones_high"]),
        ("3.0", ["ketones_high"]),
        ("3.1", ["ketones_very_high"]),
    ],
)
def test_ketones_violate_their_limits(value: str, expected: list[str]) -> None:
    assert conditions(ketone(value)) == expected


def test_hi_and_lo_violate_the_gravest_limit_on_their_side_without_a_number() -> None:
    assert conditions(glucose(None, state=QuantityState.ABOVE_RANGE)) == ["hyperglycaemia_urgent"]
    assert conditions(glucose(None, state=QuantityState.BELOW_RANGE)) == ["hypoglycaemia_level_2"]


@pytest.mark.parametrize(
    "state",
    [
        QuantityState.NOT_A_NUMBER,
        QuantityState.NOT_AT_THIS_RESOLUTION,
        QuantityState.POSITIVE_INFINITY,
        QuantityState.NEGATIVE_INFINITY,
        QuantityState.RESERVED,
    ],
)
def test_what_is_no_measurement_violates_nothing(state: QuantityState) -> None:
    assert conditions(glucose(None, state=state)) == []
    assert conditions(pressure(None, None, pulse=None, state=state)) == []


def test_control_solution_has_no_measure_to_look_at() -> None:
    reading = glucose("40")
    control = Component(Mdc.CONC_GLU_CONTROL, reading.components[0].quantity)
    assert conditions(Reading(
        device=reading.device, kind=reading.kind, components=(control,), reported_time=reading.reported_time,
        profile=reading.profile, raw=reading.raw,
    )) == []  # fmt: skip


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        (
            glucose("48"),
            "Glucose 48 mg/dL: below the limit of 54 mg/dL (set by ADA Standards of Care, section 6)",
        ),
        (
            glucose("17.0", unit=Unit.MMOL_L),
            "Glucose 17.0 mmol/L: above the limit of 16.7 mmol/L (set by CDC/ADA patient advice)",
        ),
        (
            glucose(None, state=QuantityState.ABOVE_RANGE),
            "Glucose above the meter's range (HI): above the limit of 300 mg/dL (set by CDC/ADA patient advice)",
        ),
        (
            glucose(None, state=QuantityState.BELOW_RANGE),
            "Glucose below the meter's range (LO): below the limit of 54 mg/dL"
            " (set by ADA Standards of Care, section 6)",
        ),
        (
            pressure("184", "80"),
            "Systolic pressure 184 mmHg: at or above the limit of 180 mmHg"
            " (set by 2025 AHA/ACC high blood pressure guideline)",
        ),
        (
            pressure(pulse="112"),
            "Pulse 112/min: above the limit of 110/min (set by BEAT-HF trial, Trials 2014;15:124, table 1)",
        ),
    ],
)
def test_the_sentence_names_the_value_the_limit_and_who_set_it(reading: Reading, sentence: str) -> None:
    [violation] = violations(reading, DEFAULT_LIMITS)
    assert violation.reason.sentence == sentence


def test_the_sentence_of_a_patients_own_limit_names_the_person_and_since_when() -> None:
    own = PatientLimit(
        condition="hypoglycaemia_level_1",
        unit=Unit.MG_DL,
        value=Decimal("80"),
        priority=Priority.HIGH,
        set_by="Dr Holm",
        set_at=datetime(2026, 10, 1, 8, 0, tzinfo=UTC),
    )
    [violation] = violations(glucose("79"), in_force([own], AT))

    assert violation.priority is Priority.HIGH
    assert violation.reason.sentence == (
        "Glucose 79 mg/dL: below the limit of 80 mg/dL (set by Dr Holm since 2026-10-01)"
    )


def test_a_figure_is_written_out_however_the_device_spells_it() -> None:
    [violation] = violations(pressure("1.8E+2", "85"), DEFAULT_LIMITS)
    assert violation.reason.sentence.startswith("Systolic pressure 180 mmHg: at or above the limit of 180 mmHg ")


figures = st.decimals(0, 700, places=1).map(str)
own_limits = st.lists(
    st.builds(
        PatientLimit,
        condition=st.sampled_from(["hypoglycaemia_level_1", "hyperglycaemia"]),
        unit=st.sampled_from([Unit.MG_DL, Unit.MMOL_L]),
        value=st.decimals(1, 400, places=1),
        priority=st.sampled_from(list(Priority)),
        set_by=st.just("Dr. Okafor"),
        set_at=st.just(AT),
    ),
    max_size=3,
    unique_by=lambda limit: (limit.condition, limit.unit),
)
readings = st.one_of(
    st.builds(glucose, figures, unit=st.sampled_from([Unit.MG_DL, Unit.MMOL_L])),
    st.builds(ketone, figures),
    st.builds(pressure, figures, figures, pulse=st.none() | figures),
    st.builds(glucose, st.none(), state=st.sampled_from([QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE])),
)


@given(readings, own_limits)
def test_a_quiet_reading_violates_no_limit(reading: Reading, own: list[PatientLimit]) -> None:
    limits = in_force(own, AT)
    assert not (is_quiet(reading, quiet(limits)) and violations(reading, limits))


def test_what_lies_between_all_limits_is_quiet() -> None:
    between = quiet(DEFAULT_LIMITS)
    assert is_quiet(glucose("100"), between)
    assert is_quiet(pressure("128", "82", pulse="64"), between)
