"""Any yes makes an emergency; none changes nothing; and each question belongs to a measure and has a source."""

from datetime import timedelta

import pytest

from alerting.limits import Measure
from alerting.pipeline import Finding
from alerting.reasons import LateReason, LimitReason, RedFlag, SilenceReason, SilenceStep, SymptomReason
from alerting.red_flags import (
    LEVEL_3,
    QUESTIONS,
    after_answers,
    finding_in,
    flags_in,
    questions,
    questions_about,
    told_sentence,
)
from alerting.sentences import sentence
from alerting.tiers import Tier
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind
from tests.alerting.made import START, limit, quantity

FINDING = Finding(
    condition="severe_hypertension_systolic",
    tier=Tier.URGENT,
    reason=LimitReason(figure=quantity("190", Unit.MM_HG), limit=limit("aha2025", "severe_hypertension_systolic")),
    at=START,
)


@pytest.mark.parametrize("flag", list(RedFlag))
@pytest.mark.parametrize("tier", [Tier.URGENT, Tier.SAME_SHIFT, Tier.ROUTINE])
def test_any_yes_makes_an_emergency(flag: RedFlag, tier: Tier) -> None:
    finding = Finding(condition=FINDING.condition, tier=tier, reason=FINDING.reason, at=START)
    assert after_answers(finding, [flag], START).tier is Tier.EMERGENCY


def test_no_yes_leaves_the_finding_as_it_was() -> None:
    assert after_answers(FINDING, [], START) is FINDING


def test_the_answers_are_part_of_the_reason() -> None:
    found = after_answers(FINDING, [RedFlag.VOMITING, RedFlag.CHEST_PAIN], START + timedelta(minutes=7))
    assert isinstance(found.reason, SymptomReason)
    assert found.reason.flags == (RedFlag.CHEST_PAIN, RedFlag.VOMITING)
    assert sentence(found.reason) == (
        "Systolic pressure 190 mmHg: at or above the limit of 180 mmHg (set by AHA advice for home measurement, "
        "not confirmed by a clinician"
        ", in use since 2026-11-22); with chest pain, vomiting, as answered at 2026-03-02 08:07 UTC: "
        "an emergency (set by AHA, symptoms of a hypertensive emergency, in use since 2026-11-22)"
    )


def test_every_flag_is_asked_for_some_measure_and_every_measure_has_questions() -> None:
    assert set(QUESTIONS) == set(RedFlag)
    assert all(questions(measure) for measure in Measure)
    assert RedFlag.CHEST_PAIN in questions(Measure.SYSTOLIC)
    assert RedFlag.FRUITY_BREATH not in questions(Measure.SYSTOLIC)


def test_a_case_is_asked_about_by_what_its_reason_speaks_of_else_by_its_condition_else_about_everything() -> None:
    cuff = questions(Measure.SYSTOLIC)
    assert questions_about("anything", FINDING.reason) == cuff
    assert questions_about("anything", after_answers(FINDING, [RedFlag.CHEST_PAIN], START).reason) == cuff
    late = LateReason(
        finding=FINDING.reason, effective_time=START, received_at=START, late_after=timedelta(hours=6), source=LEVEL_3
    )
    assert questions_about("anything", late) == cuff
    assert questions_about("severe_hypertension_systolic", None) == cuff
    assert questions_about("of an older version", None) == tuple(QUESTIONS)


def test_a_patient_who_did_not_measure_is_asked_about_what_they_measure() -> None:
    silence = SilenceReason(
        kind=Kind.GLUCOSE,
        step=SilenceStep.CALL_PATIENT,
        missed_since=START,
        missed=2,
        limit=timedelta(hours=24),
        source=LEVEL_3,
        heightened=True,
    )
    assert questions_about("missing_measurement", silence) == questions(Measure.GLUCOSE)


def test_answers_are_found_again_in_the_reason_and_the_finding_under_them() -> None:
    answered = after_answers(FINDING, [RedFlag.CHEST_PAIN], START).reason
    assert (flags_in(answered), finding_in(answered)) == ((RedFlag.CHEST_PAIN,), FINDING.reason)
    assert (flags_in(FINDING.reason), flags_in(None), finding_in(FINDING.reason)) == ((), (), FINDING.reason)
    assert told_sentence("Systolic 190 mmHg", [RedFlag.FAINTING, RedFlag.CHEST_PAIN]) == (
        "Systolic 190 mmHg; with chest pain, fainting: an emergency"
    )
