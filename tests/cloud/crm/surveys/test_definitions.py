"""Surveys as data: what is refused, what comes with the software, who is sampled, and what counts come to."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from cloud.crm.questionnaires.definitions import BadQuestionnaire
from cloud.crm.surveys.counting import marks, satisfaction
from cloud.crm.surveys.definitions import asked_on, parse, version_of
from cloud.crm.surveys.models import Count, Kind
from cloud.crm.surveys.sampling import is_sampled

GOOD = """
id = "a"
version = 1
since = 2026-11-01
title = "t"
intro = "i"
[[questions]]
id = "overall"
text = "q"
answers = [{ id = "yes", text = "y", mark = 5 }, { id = "no", text = "n", mark = 1 }]
"""
QUESTION = GOOD[GOOD.index("[[") :]
NOVEMBER = date(2026, 11, 1)


def test_a_survey_is_a_questionnaire_with_marks() -> None:
    survey = parse(GOOD)
    assert survey.marks == {("overall", "yes"): 5, ("overall", "no"): 1}
    assert survey.first == "overall"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (GOOD.replace(", mark = 1", ""), "mark"),
        (GOOD.replace("mark = 1", "mark = 6"), "6 is no mark"),
        (GOOD.replace("mark = 1 }", 'mark = 1, flag = "fainting" }'), "raises nothing"),
        (GOOD + "".join(QUESTION.replace("overall", f"q{n}") for n in range(3)), "more than 3"),
        (GOOD + QUESTION, "two of one id"),
        (GOOD + "x = [", "wrong kind"),
    ],
)
def test_what_is_no_survey_is_refused(bad: str, why: str) -> None:
    with pytest.raises(BadQuestionnaire, match=why):
        parse(bad)


def test_there_is_one_for_each_kind_from_its_day_on() -> None:
    assert set(asked_on(date(2026, 11, 2))) == set(Kind)
    assert asked_on(date(2026, 10, 31)) == {}
    assert version_of("contact", 99) is None


def test_of_a_hundred_things_about_as_many_are_asked_about_as_was_said_and_always_the_same() -> None:
    some = [UUID(int=n) for n in range(1000)]
    assert all(is_sampled(one, 100) for one in some)
    quarter = [one for one in some if is_sampled(one, 25)]
    assert 200 < len(quarter) < 300
    assert set(quarter) <= {one for one in some if is_sampled(one, 50)}


def test_counts_become_marks_and_shares_by_month() -> None:
    def count(month: date, question: str, answer: str, n: int) -> Count:
        return Count(survey="contact", version=1, month=month, question=question, answer=answer, n=n)

    october = date(2026, 10, 1)
    counts = [
        count(NOVEMBER, "overall", "very", 3),
        count(NOVEMBER, "overall", "not", 2),
        count(NOVEMBER, "understood", "partly", 5),
        count(october, "overall", "rather", 5),
        Count(survey="forgotten", version=1, month=october, question="overall", answer="very", n=5),
    ]
    overall, understood = marks(counts)
    assert (overall.n, overall.mean) == (10, Decimal("3.7"))
    assert dict(overall.answers)["Very content"] == 3
    assert (understood.n, understood.mean) == (5, Decimal("3.0"))
    assert [(one.month, one.n, one.percent, one.mean) for one in satisfaction(counts)] == [
        (NOVEMBER, 5, Decimal("60.0"), Decimal("3.4")),
        (october, 5, Decimal("100.0"), Decimal("4.0")),
    ]
