"""What is typed about articles and questions."""

from datetime import date

import pytest

from cloud.crm.education import entries, red_flags
from cloud.plans.fields import Refused
from tests.cloud.crm.education.made import typed

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("name", "A b", "not_an_id"),
        ("topic", "gossip", "choose"),
        ("condition", "", "choose"),
        ("link", "http://example.org", "not_a_link"),
        ("link", "javascript:alert(1)", "not_a_link"),
        ("title_zh", "", "missing"),
        ("body_ru", "", "missing"),
        ("body_en", "x" * 3001, "too_long"),
        ("sources", " ", "missing"),
    ],
)
def test_what_cannot_be_an_article_is_said_at_its_field(field: str, text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.draft({**typed(), field: text})
    assert {name: why.code for name, why in refused.value.refusals.items()} == {field: code}


def test_a_link_needs_no_text_beside_its_title() -> None:
    made = entries.draft({**typed(link="https://example.org/salt"), "body_en": "", "body_ru": "", "body_zh": ""})
    assert (made.link, made.bodies["en"]) == ("https://example.org/salt", "")


@pytest.mark.parametrize("text", ["Asta asked", "mrs. EXAMPLE said", "as  ta", "call +45 2012 3456"])
def test_what_says_of_whom_it_speaks_is_refused(text: str) -> None:
    about = entries.identifying("Asta Example", ["+4520123456"])
    with pytest.raises(Refused) as refused:
        entries.draft(typed(body=text), about)
    assert {why.code for why in refused.value.refusals.values()} == {"says_of_whom"}


def test_a_name_in_chinese_signs_is_found_too() -> None:
    assert entries.names_one_of("王 小明问", entries.identifying("王小明", []))
    assert not entries.names_one_of("某人问", entries.identifying("王小明", []))


@pytest.mark.parametrize(
    ("day", "code"), [("", "not_a_date"), ("2026-11-21", "past"), ("2036-01-01", "too_far"), ("soon", "not_a_date")]
)
def test_a_day_on_which_nobody_would_read_it_again_is_refused(day: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.review_on({"review_on": day}, TODAY)
    assert refused.value.refusals["review_on"].code == code


@pytest.mark.parametrize(
    "text",
    [
        "I have chest pain when I walk",
        "Since today my left arm is numb.",
        "У меня боль  в груди",
        "Кружится голова утром",
        "我胸痛怎么办",
        "CHEST PAIN",
    ],
)
def test_a_question_with_a_word_of_a_symptom_is_sent_only_after_saying_whom_to_call(text: str) -> None:
    with pytest.raises(Refused) as refused:
        entries.question({"body": text})
    assert refused.value.refusals["body"].code == "call_first"
    assert entries.question({"body": text, "warned": "yes"}).about_symptoms


def test_whoever_says_that_it_is_about_symptoms_is_believed() -> None:
    with pytest.raises(Refused):
        entries.question({"body": "What is normal?", "symptoms": "yes"})


@pytest.mark.parametrize(
    "text", ["How do I store strips?", "Как хранить тест-полоски?", "试纸怎么保存？", "May I eat grapes?"]
)
def test_a_general_question_is_taken_as_it_is(text: str) -> None:
    asked = entries.question({"body": f" {text}\r\n"})
    assert (asked.body, asked.about_symptoms, asked.may_publish) == (text, False, False)
    assert not red_flags.found_in(text)
