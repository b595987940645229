"""Questionnaires as data: dated, in three languages, and refused where they cannot be asked."""

from datetime import date

import pytest

from cloud.crm.questionnaires import definitions
from cloud.crm.questionnaires.definitions import BadQuestionnaire, all_versions, asked_on, parse
from cloud.language.words import words_of

GOOD = """
id = "sleep"
version = 1
since = 2026-01-01
title = "Sleep"
intro = "Please answer."
[[questions]]
id = "well"
text = "Did you sleep well?"
answers = [{ id = "no", text = "No", concern = "getting_worse" }, { id = "yes", text = "Yes" }]
"""


def test_each_of_ours_can_be_asked_and_has_a_red_flag() -> None:
    assert {one.questionnaire_id for one in all_versions()} == {"recovery", "medication", "symptoms"}
    for one in all_versions():
        assert any(choice.flag for question in one.questions for choice in question.choices), one.questionnaire_id


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_each_is_asked_in_three_languages(language: str) -> None:
    words = words_of(language)
    assert [text for text in definitions.texts() if words.gettext(text) == text] == []


def test_a_questionnaire_is_asked_from_its_day_on() -> None:
    assert asked_on(date(2026, 10, 31)) == {}
    assert asked_on(date(2026, 11, 1))["recovery"].version == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('id = "sleep"', "missing"),
        ("since = 2026-01-01", "missing"),
        ('concern = "getting_worse"', "unknown key"),
        (', { id = "yes", text = "Yes" }', "one answer"),
    ],
)
def test_what_cannot_be_asked_is_refused(change: str, said: str) -> None:
    assert parse(GOOD).title == "Sleep"
    with pytest.raises(BadQuestionnaire):
        parse(GOOD.replace(change, 'because = "x"' if said == "unknown key" else ""))
