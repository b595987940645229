"""Reads ``templates/<kind>.<version>.<language>.md``, and what an administrator types in their place, strictly.

The form is a small part of Markdown, each part set apart by an empty line:

    # Title                 first, on one line
    ## Heading
    - point                 a list of them
    __ Whose signature      a line to be signed
    {{devices}}             a field that is whole parts: a table, a list, a text with headings
    Born: {{birth_date}}    a paragraph; a field in it is a few words

Each kind of document has a closed set of fields, and some that it cannot be without: an unknown field, one in the wrong
place and a missing one are errors when the text is read. A version is never changed once something was produced of it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from cloud.crm.documents.models import (
    LONGEST_TEXT,
    Blank,
    Block,
    Blocks,
    Heading,
    Kind,
    Paragraph,
    Points,
    Signature,
    Template,
    Values,
    Wording,
)
from cloud.language.languages import LANGUAGES

FOLDER: Final = Path(__file__).parent / "templates"
# What stands where nobody knows a word: a line to write on.
LINE: Final = "_" * 24
_BLANK_LINES: Final = 3

_NAME: Final = re.compile(r"([a-z_]+)\.([1-9]\d*)\.([a-z]{2})\.md")
# Without the spaces around its name, which would be tried in every possible way (minutes for a text of spaces).
_FIELD: Final = re.compile(r"{{([^{}]*+)}}")

_OF_THE_CLINIC: Final = frozenset(
    {"clinic_name", "clinic_address", "clinic_phone", "clinic_email", "centre_phone", "hours", "made_on", "made_by"}
)
_OF_THE_PATIENT: Final = frozenset({"patient_name", "birth_date"})
# Fields that are a few words, and those that are whole parts; of the latter those that the document is there for.
WORDS: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.CONSENT: _OF_THE_CLINIC | _OF_THE_PATIENT | {"consent_title", "consent_version", "how_signed"},
    Kind.HAND_OVER: _OF_THE_CLINIC | _OF_THE_PATIENT,
    Kind.REPORT: _OF_THE_CLINIC | _OF_THE_PATIENT | {"period", "programme"},
    Kind.PRIVACY: _OF_THE_CLINIC | _OF_THE_PATIENT | {"privacy_contact", "authority", "records_kept"},
    Kind.SOP_PROGRAMME: _OF_THE_CLINIC,
    Kind.SOP_ESCALATION: _OF_THE_CLINIC,
    Kind.SOP_ROLES: _OF_THE_CLINIC,
}
NEEDED: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.CONSENT: frozenset({"consent_text"}),
    Kind.HAND_OVER: frozenset({"devices"}),
    Kind.REPORT: frozenset({"figures", "limits", "schedule", "changes"}),
    Kind.PRIVACY: frozenset({"kept", "seen_by"}),
    Kind.SOP_PROGRAMME: frozenset({"programmes"}),
    Kind.SOP_ESCALATION: frozenset({"deadlines"}),
    Kind.SOP_ROLES: frozenset({"roles"}),
}
# Whole parts that it can be without.
OTHERS: Final[Mapping[Kind, frozenset[str]]] = {
    **dict.fromkeys(Kind, frozenset[str]()),
    Kind.REPORT: frozenset({"medication", "pauses"}),
}


class BadTemplate(Exception):
    """It cannot be used. ``code`` and ``facts`` for whoever typed it; the message says where a file is wrong."""

    def __init__(self, where: str, code: str, **facts: str) -> None:
        super().__init__(f"{where}: {code} {', '.join(facts.values())}".strip())
        self.code = code
        self.facts = facts


def wording(kind: Kind, source: str, where: str) -> Wording:
    """One text. BadTemplate."""
    if len(source) > LONGEST_TEXT:
        raise BadTemplate(where, "text_too_long", most=str(LONGEST_TEXT))
    parts = [part.strip() for part in re.split(r"\n\s*\n", source.replace("\r\n", "\n").strip())]
    title, *rest = parts
    if not title.startswith("# ") or "\n" in title or "{" in title:
        raise BadTemplate(where, "no_title")
    found = tuple(_part(part) for part in rest)
    _check(kind, found, where)
    return Wording(title=title[2:].strip(), parts=found)


def template(kind: Kind, version: int, sources: Mapping[str, str]) -> Template:
    """All languages of it. BadTemplate: one is missing or cannot be used."""
    if lacking := sorted(set(LANGUAGES) - set(sources)):
        raise BadTemplate(f"{kind}, version {version}", "lacks", languages=", ".join(lacking))
    read = {code: wording(kind, text, f"{kind}.{version}.{code}") for code, text in sources.items()}
    return Template(kind=kind, version=version, sources=sources, wordings=read)


@cache
def shipped() -> Mapping[Kind, Template]:
    """The newest version of each that comes with this software. BadTemplate."""
    found: dict[tuple[Kind, int], dict[str, str]] = {}
    for path in sorted(FOLDER.iterdir()):
        fits = _NAME.fullmatch(path.name)
        if fits is None or fits[1] not in set(Kind) or fits[3] not in LANGUAGES:
            raise BadTemplate(path.name, "a template is called <kind>.<version>.<language>.md")
        found.setdefault((Kind(fits[1]), int(fits[2])), {})[fits[3]] = path.read_text(encoding="utf-8")
    return {kind: template(kind, version, sources) for (kind, version), sources in sorted(found.items())}


def filled(parts: Blocks, values: Values) -> Blocks:
    """The parts with the values in the place of fields; room to write where there is none. KeyError: no such field."""
    made: list[Block] = []
    for part in parts:
        alone = _FIELD.fullmatch(part.text) if isinstance(part, Paragraph) else None
        value = values[alone[1].strip()] if alone else ""
        if value is None:
            made.append(Blank(_BLANK_LINES))
        elif isinstance(value, str):
            made.append(_filled(part, values))
        else:
            made += value
    return tuple(made)


def _filled(part: Block, values: Values) -> Block:
    if isinstance(part, Points):
        return Points(tuple(_said(line, values) for line in part.lines))
    if isinstance(part, Paragraph | Heading):
        return replace(part, text=_said(part.text, values))
    if isinstance(part, Signature):
        return Signature(_said(part.label, values))
    return part


def _said(text: str, values: Values) -> str:
    def word(fits: re.Match[str]) -> str:
        value = values[fits[1].strip()]
        return value if isinstance(value, str) and value else LINE

    return _FIELD.sub(word, text)


def _part(part: str) -> Block:
    lines = [line.strip() for line in part.splitlines()]
    if len(lines) == 1 and part.startswith("## "):
        return Heading(part[3:].strip(), 1)
    if len(lines) == 1 and part.startswith("__ "):
        return Signature(part[3:].strip())
    if all(line.startswith("- ") for line in lines):
        return Points(tuple(line[2:].strip() for line in lines))
    return Paragraph(" ".join(lines))


def _check(kind: Kind, parts: Blocks, where: str) -> None:
    """BadTemplate."""
    there = set()
    for part in parts:
        for text in _texts(part):
            if alone := isinstance(part, Paragraph) and _FIELD.fullmatch(text):
                there.add(alone[1].strip())
            names = {name.strip() for name in _FIELD.findall(text)}
            if wrong := names - WORDS[kind] - NEEDED[kind] - OTHERS[kind]:
                raise BadTemplate(where, "unknown_field", field=min(wrong) or "{{}}")
            if not alone and (wrong := names - WORDS[kind]):
                raise BadTemplate(where, "field_not_alone", field=min(wrong))
            if any(sign in _FIELD.sub("", text) for sign in ("{{", "}}")):
                raise BadTemplate(where, "open_field")
    if lacking := NEEDED[kind] - there:
        raise BadTemplate(where, "field_lacks", field=min(lacking))


def _texts(part: Block) -> tuple[str, ...]:
    if isinstance(part, Points):
        return tuple(part.lines)
    if isinstance(part, Signature):
        return (part.label,)
    return (part.text,) if isinstance(part, Paragraph | Heading) else ()
