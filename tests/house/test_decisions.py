"""DECISIONS.md is numbered without a gap, each entry has its five parts, and what checks it is there."""

import re

import pytest

from tests.house.project import PROJECT

TEXT = (PROJECT / "DECISIONS.md").read_text()
ENTRIES = re.split(r"^(?=## \d)", TEXT, flags=re.MULTILINE)[1:]
PARTS = ["Context", "Decision", "Consequences", "Alternatives", "Checked by"]


def test_they_are_numbered_in_order() -> None:
    assert [int(n) for n in re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE)] == list(range(1, len(ENTRIES) + 1))


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.split(".", 1)[0].removeprefix("## ") for entry in ENTRIES])
def test_each_has_its_five_parts_and_names_checks_that_exist(entry: str) -> None:
    assert re.findall(r"^\*\*([\w ]+)\.\*\*", entry, re.MULTILINE) == PARTS
    checks = entry.partition("**Checked by.**")[2]
    assert checks.strip()
    for path in re.findall(r"`(tests/[^`]+)`", checks):
        assert (PROJECT / path).exists(), path
