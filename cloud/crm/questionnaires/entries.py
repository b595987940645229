"""Answers as they are typed, read and checked. Pure; Refused with all that is missing at once."""

from typing import Final

from cloud.crm.questionnaires.models import Answers, Questionnaire
from cloud.plans.fields import Form, Refusal, Refused

FORM: Final = "answers"


def answers(form: Form, questionnaire: Questionnaire) -> Answers:
    """One of each question's choices."""
    said = {one.question_id: form.get(one.field, "") for one in questionnaire.questions}
    refusals = {
        one.field: Refusal("choose") for one in questionnaire.questions if one.choice(said[one.question_id]) is None
    }
    if refusals:
        raise Refused(FORM, refusals, form)
    return said
