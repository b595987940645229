"""Finds English that is left on a page in another language."""

import re
from collections.abc import Iterable
from functools import cache
from html.parser import HTMLParser

from babel.messages.catalog import Message

from cloud.language.words import words_of
from deploy.catalogues import extracted

PLACE = re.compile(r"\\\{\w*\\\}|%\(\w+\)s|%\\\(\w+\\\)s")
UNREAD = frozenset({"script", "style", "pre", "code"})
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "path"})
LABELS = frozenset({"aria-label", "placeholder", "title", "data-label", "alt"})


def english_in(texts: Iterable[str], language: str) -> set[str]:
    """Of these texts, those that are an English message which this language says otherwise, whatever is filled in."""
    return {text for text in texts if _is_english(text, language)}


def read(page: str) -> list[str]:
    """Every text and label of a page; not what it says in another language on purpose (``lang``), and no code."""
    reader = _Reader()
    reader.feed(page)
    return [text for found in reader.texts if (text := " ".join(found.split()))]


@cache
def _is_english(text: str, language: str) -> bool:
    """The same of one text; much stands on many pages."""
    if re.search("[A-Za-z]{2}", text) is None:
        return False
    whole, with_places = _english_of(language)
    return text in whole or with_places.fullmatch(text) is not None


@cache
def _messages() -> tuple[Message, ...]:
    """Every message of ours: all our sources are read for them."""
    return tuple(extracted())


@cache
def _english_of(language: str) -> tuple[frozenset[str], re.Pattern[str]]:
    """Messages without a place to fill in, and a pattern of those with one: few, for each is tried on every text."""
    translate = words_of(language).gettext
    messages = _messages()
    single = [message.id for message in messages if isinstance(message.id, str) and message.id]
    forms = [form for message in messages if isinstance(message.id, (list, tuple)) for form in message.id]
    different = [text for text in single if translate(text) != text] + forms
    # A message that is little more than its places ("{} of {}") fits anything.
    telling = [text for text in different if len(re.sub(r"\{\w*\}|%\(\w+\)s|\W", "", text)) >= 3]
    patterns = {text: PLACE.sub(".+", re.escape(text)) for text in telling}
    whole = frozenset(text for text, pattern in patterns.items() if pattern == re.escape(text))
    return whole, re.compile("|".join(f"(?:{patterns[text]})" for text in telling if text not in whole))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[bool] = []  # of each open element: whether it is read

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        is_read = all(self._inside[-1:]) and tag not in UNREAD and (tag == "html" or "lang" not in given)
        if is_read:
            self.texts += [given[name] or "" for name in LABELS & set(given)]
        if tag not in VOID:
            self._inside.append(is_read)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Nothing stands in it."""

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._inside:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if all(self._inside[-1:]):
            self.texts.append(data)
