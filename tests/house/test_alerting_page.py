"""docs/alerting.md says what the rules are, and each of its promises has a test that exists."""

import re

import pytest

from alerting.regimes import REGIMES, unsigned
from deploy import rules
from tests.house.project import PROJECT

PAGE = rules.PAGE.read_text()
ROWS = re.findall(r"^\| (.+?) \| .+ \| `(tests/[\w/]+\.py)` `(test_\w+)` \|$", PAGE, re.MULTILINE)


def test_the_tables_are_those_of_the_rules() -> None:
    assert rules.with_tables(PAGE, rules.tables()) == PAGE, "run: python -m deploy.rules write"


def test_every_limit_stands_with_its_source() -> None:
    for regime in REGIMES.values():
        for limit in regime.limits:
            assert re.search(rf"^\| `{limit.condition}` \|.*\| {re.escape(limit.source)} \|", PAGE, re.MULTILINE)


def test_what_is_to_be_signed_is_listed_whole() -> None:
    listed = rules.to_sign().splitlines()
    for regime in REGIMES.values():
        for limit in unsigned(regime):
            assert any(line.split()[:2] == [regime.name, limit.condition] for line in listed)


def test_every_promise_names_a_test() -> None:
    promises = PAGE.partition("## What happens when")[2].partition("**What is not")[0]
    assert promises.count("\n| ") - 2 == len(ROWS) > 20  # without the head of the table


@pytest.mark.parametrize(("happening", "file", "name"), ROWS, ids=[name for _, _, name in ROWS])
def test_the_named_test_exists(happening: str, file: str, name: str) -> None:
    assert f"def {name}(" in (PROJECT / file).read_text(), happening
