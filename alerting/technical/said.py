"""A sentence that knows what it is made of, so that it can be said again in its reader's language.

It is its English text, and carries the message with named places and what stands in them: names and what a device or a
server said stay as they are, moments and sentences within it are said in the language.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from alerting.language import Language

Fact = str | int | Decimal | datetime


class Said(str):
    """Made by ``said`` and ``said_of``. ``many`` and ``number``: of a message that has another form for one."""

    message: str
    facts: Mapping[str, Fact]
    many: str | None
    number: int


def said(message: str, **facts: Fact) -> Said:
    """A sentence from a literal message (Babel finds it here) and what stands in its places."""
    return _made(message, None, 0, facts)


def said_of(one: str, many: str, count: int, **facts: Fact) -> Said:
    """The same, in the form for this number, which stands in the place ``count``."""
    return _made(one, many, count, {"count": count, **facts})


def spell(time: datetime) -> str:
    """A moment as an English sentence names it."""
    return f"{time.astimezone(UTC):%d %b %Y, %H:%M} UTC"


def to_json(sentence: Said) -> dict[str, object]:
    """What is kept beside the English text."""
    data: dict[str, object] = {"message": sentence.message, "facts": {k: _told(v) for k, v in sentence.facts.items()}}
    return data if sentence.many is None else {**data, "many": sentence.many, "count": sentence.number}


def from_json(data: Mapping[str, Any]) -> Said | None:
    """The same sentence again; None for what has another shape."""
    try:
        facts = {name: _read(value) for name, value in data["facts"].items()}
        return _made(data["message"], data.get("many"), data.get("count", 0), facts)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return None


def in_language(sentence: Said, words: Language) -> str:
    """The sentence in this language."""
    if sentence.many is None:
        message = words.gettext(sentence.message)
    else:
        message = words.ngettext(sentence.message, sentence.many, sentence.number)
    return message.format(**{name: _in_language(fact, words) for name, fact in sentence.facts.items()})


def _made(message: str, many: str | None, count: int, facts: Mapping[str, Fact]) -> Said:
    template = message if many is None or count == 1 else many
    sentence = Said(template.format(**{name: _in_english(fact) for name, fact in facts.items()}))
    sentence.message, sentence.facts, sentence.many, sentence.number = message, facts, many, count
    return sentence


def _in_english(fact: Fact) -> str:
    return spell(fact) if isinstance(fact, datetime) else str(fact)


def _in_language(fact: Fact, words: Language) -> str:
    match fact:
        case Said():
            return in_language(fact, words)
        case datetime():
            return words.moment(fact.astimezone(UTC))
        case Decimal():
            return words.number(fact)
        case _:
            return str(fact)


def _told(fact: Fact) -> object:
    match fact:
        case Said():
            return to_json(fact)
        case datetime():
            return {"time": fact.isoformat()}
        case Decimal():
            return {"number": str(fact)}
        case _:
            return fact


def _read(value: Any) -> Fact:
    if isinstance(value, Mapping):
        if "time" in value:
            return datetime.fromisoformat(value["time"])
        if "number" in value:
            return Decimal(value["number"])
        found = from_json(value)
        if found is None:
            raise ValueError("no sentence")
        return found
    if isinstance(value, (str, int)):
        return value
    raise TypeError(type(value).__name__)
