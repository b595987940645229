"""The promise in gateway/README.md is kept by tests that exist."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
README = (HERE.parents[1] / "gateway" / "README.md").read_text()
PROMISES = re.findall(r"^\| (.+?) \| .+ \| `((?:\w+/)?test_\w+\.py)` `(\w+)` \|$", README, re.MULTILINE)


def test_every_line_of_the_promise_names_a_test() -> None:
    section = README.split("## The promise")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    assert len(lines) - 1 == len(PROMISES) > 20  # without the head of the table


@pytest.mark.parametrize(("failure", "file", "name"), PROMISES, ids=[name for _, _, name in PROMISES])
def test_the_named_test_exists(failure: str, file: str, name: str) -> None:
    assert f"def {name}(" in (HERE / file).read_text(), failure
