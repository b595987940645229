"""What answers to a questionnaire ask for: an emergency, somebody of the shift, or nobody."""

from alerting.answers import QUESTIONNAIRE_ANSWER, on_answers
from alerting.reasons import Concern, QuestionnaireReason, RedFlag
from alerting.red_flags import questions_about
from alerting.sentences import sentence
from alerting.tiers import Tier
from tests.alerting.made import START


def test_a_red_flag_is_an_emergency_and_says_all_that_was_answered() -> None:
    found = on_answers("How you feel", 1, [RedFlag.FAINTING, RedFlag.CHEST_PAIN], [Concern.SWELLING], START)
    assert found is not None
    assert (found.condition, found.tier, found.at) == (QUESTIONNAIRE_ANSWER, Tier.EMERGENCY, START)
    assert sentence(found.reason) == (
        "“How you feel”, answered at 2026-03-02 08:00 UTC: chest pain, fainting, swollen legs: an emergency until"
        " somebody has asked (set by a proposal of this project, in use since 2026-11-22)"
    )


def test_a_concern_is_for_the_same_shift() -> None:
    found = on_answers("Your medication", 2, [], [Concern.SIDE_EFFECT], START)
    assert found is not None
    assert found.tier is Tier.SAME_SHIFT
    assert sentence(found.reason).endswith(
        "a suspected side effect: speak with the patient (set by a proposal of this project, in use since 2026-11-22)"
    )


def test_answers_that_ask_for_nobody_are_no_finding() -> None:
    assert on_answers("How you feel", 1, [], [], START) is None


def test_about_such_a_case_every_symptom_is_asked() -> None:
    found = on_answers("How you feel", 1, [RedFlag.CHEST_PAIN], [], START)
    assert found is not None
    assert isinstance(found.reason, QuestionnaireReason)
    assert set(questions_about(QUESTIONNAIRE_ANSWER, found.reason)) == set(RedFlag)
