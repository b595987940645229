"""Which language a reader gets."""

import pytest

from cloud.language.languages import LANGUAGES, accepted, known


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
        ("zh-CN,zh;q=0.9", "zh"),
        ("zh-Hans", "zh"),
        ("de-AT,ru;q=0.7,en;q=0.8", "en"),
        ("en;q=0,ru;q=0.1", "ru"),
        ("RU", "ru"),
        ("de,fr;q=0.5,*;q=0.1", None),
        ("", None),
        ("ru;q=much", None),
        (";;,=,;q=", None),
    ],
)
def test_a_browser_gets_its_first_choice_that_we_speak(header: str, language: str | None) -> None:
    assert accepted(header) == language


@pytest.mark.parametrize("code", [None, "", "de", "EN", "../ru"])
def test_a_language_that_we_do_not_speak_is_none(code: str | None) -> None:
    assert known(code) is None


def test_every_language_has_its_own_name() -> None:
    assert {code: facts.name for code, facts in LANGUAGES.items()} == {
        "en": "English",
        "ru": "Русский",
        "zh": "简体中文",
    }
