"""Whatever a person reads is translated: all of it, with every place filled, in every form of the plural."""

from __future__ import annotations

import re
import string
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from cloud.language.languages import ENGLISH, LANGUAGES
from cloud.language.words import catalogue
from deploy.catalogues import TEMPLATES, brought_up_to_date, extracted, lacking

TRANSLATED = sorted(set(LANGUAGES) - {ENGLISH})
PERCENT_PLACE = "%("
TO_DO = "run `python -m deploy.catalogues` and translate what it lists (docs/translations.md)"


@cache
def up_to_date(code: str) -> Catalog:
    return brought_up_to_date(code)


def as_it_stands(code: str) -> Catalog:
    """Read strictly: a broken entry is an error."""
    with catalogue(code).open("rb") as file:
        return read_po(file, locale=LANGUAGES[code].locale, abort_invalid=True)


def forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())


def places(text: str) -> set[str]:
    """What is filled in: ``{name}``, ``{}`` and ``%(name)s``."""
    named = {f"{{{name}}}" for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    return named | {part.partition(")")[0] for part in text.split(PERCENT_PLACE)[1:]}


def test_the_source_has_messages_of_every_kind() -> None:
    messages = {forms(message.id)[0] for message in extracted() if message.id}
    assert {"{n} reading", "Worklist", "Very low glucose", "its gateway is away"} <= messages


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_translated_and_none_is_a_guess(code: str) -> None:
    assert [message.id for message in lacking(up_to_date(code))] == [], TO_DO


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_catalogue_has_the_messages_of_the_source_and_no_others(code: str) -> None:
    written = {str(message.id) for message in as_it_stands(code)}
    assert written == {str(message.id) for message in up_to_date(code)}, TO_DO


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_translation_fills_the_same_places(code: str) -> None:
    wrong = [message.id for message in as_it_stands(code) if message.id and not _fills_the_same(message)]
    assert wrong == []


def _fills_the_same(message: Message) -> bool:
    needed = places(forms(message.id)[-1])
    # What is counted may be left out of a form that says it in words; everything else is needed in each.
    counted = {"{n}", "{count}", "num"} if message.pluralizable else set()
    return all(needed - counted <= places(text) <= needed for text in forms(message.string) if text)


@pytest.mark.parametrize("code", TRANSLATED)
def test_the_plural_forms_are_those_of_the_language(code: str) -> None:
    messages = as_it_stands(code)
    assert messages.num_plurals == {"ru": 3, "zh": 1}[code]
    for message in messages:
        if message.id and message.pluralizable:
            assert len(forms(message.string)) == messages.num_plurals, message.id


# Names, and what operators type, are the same in every language.
SAME_EVERYWHERE = {"Pulsepost", "UTC", "SHA", "python", "firmware_profiles", "profiles", "table", "check", "min"}


def unmarked(template: str) -> set[str]:
    """Words that a page would show in English whatever its language: neither marked nor filled in."""
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", template, flags=re.DOTALL)
    labels = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', text)
    shown = re.sub(r"<[^>]*>", " ", re.sub(r"<(style|script)\b.*?</\1>", " ", text, flags=re.DOTALL))
    shown = re.sub(r"(?:/[\w?=-]+)+|[\w-]+=\"[^\"]*\"", " ", shown)  # an address, an attribute that a macro makes
    return set(re.findall(r"[^\W\d_]\w+", " ".join([shown, *labels]))) - SAME_EVERYWHERE


def test_every_word_of_a_template_is_marked() -> None:
    assert unmarked('<p title="Two">{{ _("One") }} three</p>') == {"Two", "three"}
    assert {path.name: words for path in TEMPLATES.glob("*.html") if (words := unmarked(path.read_text()))} == {}
