"""The articles that this software brings along: proposals, in no library before a clinic takes one up and approves it.

One TOML file each: ``version``, ``topic``, ``condition``, ``sources``, and ``titles`` and ``bodies`` by language.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cloud.crm.education.models import LONGEST_BODY, LONGEST_SOURCES, LONGEST_TITLE, Condition, Draft, Topic
from cloud.language.languages import LANGUAGES

HERE: Final = Path(__file__).parent / "proposals"


@cache
def proposals() -> Mapping[str, Draft]:
    """Name → proposal. ValueError for a file that says something else than a proposal does."""
    return MappingProxyType({path.stem: _read(path) for path in sorted(HERE.glob("*.toml"))})


def _read(path: Path) -> Draft:
    data = tomllib.loads(path.read_text())
    if set(data) != {"version", "topic", "condition", "sources", "titles", "bodies"}:
        raise ValueError(f"{path.name}: {sorted(data)}")
    for name, longest in (("titles", LONGEST_TITLE), ("bodies", LONGEST_BODY)):
        if set(data[name]) != set(LANGUAGES) or not all(0 < len(text) <= longest for text in data[name].values()):
            raise ValueError(f"{path.name}: {name}")
    if not 0 < len(data["sources"]) <= LONGEST_SOURCES:
        raise ValueError(f"{path.name}: sources")
    return Draft(
        name=path.stem,
        topic=Topic(data["topic"]),
        condition=Condition(data["condition"]),
        titles=data["titles"],
        bodies={code: text.strip() for code, text in data["bodies"].items()},
        link="",
        sources=data["sources"].strip(),
        proposal=f"{path.stem}:{data['version']}",
    )
