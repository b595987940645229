"""Each failure in tests/FIELD.md has a test of ours that exists."""

import re

import pytest

from tests.house.project import PROJECT

FIELD = (PROJECT / "tests" / "FIELD.md").read_text()
ROWS = re.findall(r"^\| (.+?) \| .+ \| `(tests/[\w/]+\.py)` `(test_\w+)` \|$", FIELD, re.MULTILINE)


def test_every_row_names_a_test() -> None:
    lines = [line for line in FIELD.splitlines() if line.startswith("| ")]
    assert len(lines) - 1 == len(ROWS) > 25  # without the head of the table


@pytest.mark.parametrize(("reported", "file", "name"), ROWS, ids=[name for _, _, name in ROWS])
def test_the_named_test_exists(reported: str, file: str, name: str) -> None:
    assert f"def {name}(" in (PROJECT / file).read_text(), reported
