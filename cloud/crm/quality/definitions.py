"""Reads ``checklists/*.toml``, strictly: an unknown key, a double id or an item for nobody is refused.

version, since, title, signed_by (optional)
[[items]] id, of (person or automatic), text, source

What was audited keeps its version: an older file stays where it is, and a later one is used from its day on.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from cloud.crm.quality.models import Checklist, Item, Of

FOLDER: Final = Path(__file__).parent / "checklists"


class BadChecklist(Exception):
    """It cannot be audited with; the message says where."""


def parse(text: str) -> Checklist:
    """A checklist from its TOML. BadChecklist."""
    try:
        data = tomllib.loads(text)
        made = Checklist(
            version=data.pop("version"),
            since=_day(data.pop("since")),
            title=data.pop("title"),
            signed_by=data.pop("signed_by", None),
            items=tuple(_item(one) for one in data.pop("items")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadChecklist(f"missing or of the wrong kind: {error}") from error
    if data:
        raise BadChecklist(f"unknown: {', '.join(data)}")
    ids = [item.item_id for item in made.items]
    if len(set(ids)) != len(ids) or {item.of for item in made.items} != set(Of):
        raise BadChecklist("two items of one id, or none for some cases")
    return made


@cache
def all_versions() -> tuple[Checklist, ...]:
    """The oldest first. BadChecklist: two of one version, or a later one that begins earlier."""
    found = sorted(
        (parse(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.toml")), key=lambda one: one.version
    )
    days = [one.since for one in found]
    if len({one.version for one in found}) != len(found) or days != sorted(days):
        raise BadChecklist("two of one version, or a later one that begins earlier")
    return tuple(found)


def used_on(day: date) -> Checklist:
    """The one to audit with; before there was any, the first."""
    return next((one for one in reversed(all_versions()) if one.since <= day), all_versions()[0])


def version_of(version: int) -> Checklist:
    """LookupError: this software does not have it."""
    found = next((one for one in all_versions() if one.version == version), None)
    if found is None:
        raise LookupError(f"there is no checklist of version {version}")
    return found


def texts() -> list[str]:
    """All that is read of them, for the translators."""
    return [
        text
        for one in all_versions()
        for text in (one.title, *(said for item in one.items for said in (item.text, item.source)))
    ]


def _day(value: object) -> date:
    if not isinstance(value, date):
        raise ValueError(f"{value!r} is no day")
    return value


def _item(data: Mapping[str, Any]) -> Item:
    if set(data) != {"id", "of", "text", "source"}:
        raise ValueError(f"item {data.get('id')}")
    return Item(item_id=data["id"], of=Of(data["of"]), text=data["text"], source=data["source"])
