"""Reads ``texts/<id>.<version>.<language>.md``, strictly. A version is never changed once somebody has agreed to it:
the next one is another file, and the older ones stay, since people have agreed to them.

The form is a small part of Markdown: ``# title`` first, then ``approved_by: name`` where somebody has approved it,
``##`` headings, paragraphs, and points with ``-``, each part set apart by an empty line.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from cloud.consent.models import Block, Text
from cloud.language.languages import ENGLISH, LANGUAGES

FOLDER: Final = Path(__file__).parent / "texts"
# What patients are asked for at present.
IN_USE: Final = "monitoring"
_NAME: Final = re.compile(r"([a-z_]+)\.([1-9]\d*)\.([a-z]{2})\.md")
_APPROVED: Final = "approved_by: "


class BadText(Exception):
    """The text cannot be shown; the message says where."""


def parse(name: str, content: str) -> Text:
    """A text from its file. BadText where the name or a part of it is none."""
    fits = _NAME.fullmatch(name)
    if fits is None or fits[3] not in LANGUAGES:
        raise BadText(f"{name}: a text is called <id>.<version>.<language>.md, in a language that we speak")
    title, *parts = [part.strip() for part in re.split(r"\n\s*\n", content.strip())]
    if not title.startswith("# ") or "\n" in title:
        raise BadText(f"{name}: it begins with its title on one line")
    approved_by = parts.pop(0)[len(_APPROVED) :] if parts and parts[0].startswith(_APPROVED) else None
    if not parts:
        raise BadText(f"{name}: it says nothing")
    return Text(
        text_id=fits[1],
        version=int(fits[2]),
        language=fits[3],
        title=title[2:],
        approved_by=approved_by,
        blocks=tuple(_block(part) for part in parts),
        sha256=sha256(content.encode()).digest(),
    )


@cache
def all_texts() -> tuple[Text, ...]:
    """Every text that comes with this version. BadText: one lacks a language."""
    found = tuple(parse(path.name, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.md")))
    for text_id, version in {(text.text_id, text.version) for text in found}:
        there = {text.language for text in found if (text.text_id, text.version) == (text_id, version)}
        if lacking := set(LANGUAGES) - there:
            raise BadText(f"{text_id}, version {version}, lacks {', '.join(sorted(lacking))}")
    return found


def newest(language: str | None) -> Text:
    """What patients are asked for now, in this language, else in English."""
    wanted = language if language in LANGUAGES else ENGLISH
    return max(
        (text for text in all_texts() if text.text_id == IN_USE and text.language == wanted),
        key=lambda text: text.version,
    )


def one(text_id: str, version: int, language: str) -> Text | None:
    """A text that somebody once decided about; None where this version of the software does not have it."""
    wanted = (text_id, version, language)
    return next((text for text in all_texts() if (text.text_id, text.version, text.language) == wanted), None)


def _block(part: str) -> Block:
    lines = [line.strip() for line in part.splitlines()]
    if part.startswith("## "):
        return Block(kind="heading", lines=(part[3:],))
    if all(line.startswith("- ") for line in lines):
        return Block(kind="list", lines=tuple(line[2:] for line in lines))
    return Block(kind="paragraph", lines=(" ".join(lines),))
