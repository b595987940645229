"""From counts to marks and shares. Pure: what fewer than five gave was never counted (0028_voices.sql)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from cloud.crm.surveys.definitions import version_of
from cloud.crm.surveys.models import CONTENT, Count, Marks, Satisfaction, Survey


def marks(counts: Sequence[Count]) -> list[Marks]:
    """Each question of each survey, in the order of the survey; versions whose question reads the same are one."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for one in sorted(counts, key=lambda each: (each.survey, each.version)):
        survey = version_of(one.survey, one.version)
        if survey is None:
            continue
        for question in survey.form.questions:
            choice = question.choice(one.answer) if question.question_id == one.question else None
            if choice is None:
                continue
            key = one.survey, question.text
            for each in question.choices:
                found[key][each.text] += one.n if each is choice else 0
            of[key] += [survey.marks[question.question_id, one.answer]] * one.n
    order = {(s.form.questionnaire_id, q.text): n for s in _known(counts) for n, q in enumerate(s.form.questions)}
    return [
        Marks(survey=key[0], text=key[1], n=len(of[key]), mean=_mean(of[key]), answers=tuple(found[key].items()))
        for key in sorted(found, key=lambda each: (each[0], order.get(each, 0)))
    ]


def satisfaction(counts: Sequence[Count]) -> list[Satisfaction]:
    """Of the first question of each survey, by month, the newest first."""
    of: dict[tuple[str, date], list[int]] = defaultdict(list)
    for one in counts:
        survey = version_of(one.survey, one.version)
        if survey is not None and one.question == survey.first and (one.question, one.answer) in survey.marks:
            of[one.survey, one.month] += [survey.marks[one.question, one.answer]] * one.n
    return [
        Satisfaction(
            survey=key[0],
            month=key[1],
            n=len(given),
            percent=_percent(sum(mark >= CONTENT for mark in given), len(given)),
            mean=_mean(given),
        )
        for key, given in sorted(of.items(), key=lambda each: (-each[0][1].toordinal(), each[0][0]))
    ]


def _known(counts: Sequence[Count]) -> list[Survey]:
    found = (version_of(survey, version) for survey, version in sorted({(one.survey, one.version) for one in counts}))
    return [one for one in found if one is not None]


def _mean(given: Sequence[int]) -> Decimal:
    return (Decimal(sum(given)) / len(given)).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")


def _percent(part: int, of: int) -> Decimal:
    return (Decimal(100 * part) / of).quantize(Decimal("0.1"), rounding="ROUND_HALF_UP")
