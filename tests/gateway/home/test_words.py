"""The page's words: each language has all of them, with the same places, and the reader's own is chosen."""

import re
from dataclasses import fields

import pytest

from gateway.home.words import LANGUAGES, WORDS, Language, Words, chosen

PLACES = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_word_with_the_same_places(language: Language) -> None:
    for field in fields(Words):
        english, own = getattr(WORDS["en"], field.name), getattr(WORDS[language], field.name)
        if field.name == "kinds":
            assert english.keys() == own.keys()
        else:
            assert own
            assert sorted(PLACES.findall(own)) == sorted(PLACES.findall(english)), field.name


def test_no_two_languages_say_the_same() -> None:
    for field in fields(Words):
        assert len({str(getattr(words, field.name)) for words in WORDS.values()}) == len(LANGUAGES), field.name


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("zh-TW", "zh"),
        ("de, zh;q=0.4, ru;q=0.5", "ru"),
        ("de;q=1, fr", "en"),
        ("ru;q=0, zh;q=0.1", "zh"),
        ("ru;q=many", "en"),
        (",;,;q=", "en"),
    ],
)
def test_the_readers_language_is_chosen(header: str, language: Language) -> None:
    assert chosen(header, "en") == language


def test_where_the_reader_has_none_of_them_the_households_holds() -> None:
    assert chosen("de", "ru") == "ru"
