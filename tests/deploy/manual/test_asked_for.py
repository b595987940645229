"""What is asked of a monitoring centre: each line of the manual's table leads to where it is done, in each language."""

import re
import shlex
import subprocess
import sys
from itertools import pairwise

import pytest

from cloud.language.languages import ENGLISH, LANGUAGES
from deploy.manual.book import SOURCE
from tests.cloud.console.test_every_route import routes

PAGE = "asked-for.md"
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([a-z-]+)\.md\)")
# The rows of the table that the project was begun with: core and adjacent.
AT_LEAST = 88


def rows(language: str) -> list[str]:
    """The second cell of each row."""
    lines = [*(SOURCE / language / PAGE).read_text().splitlines(), ""]
    return [
        line.split("|")[2] for line, below in pairwise(lines) if line.startswith("| ") and not below.startswith("|---")
    ]


def codes() -> list[str]:
    return sorted({code for row in rows(ENGLISH) for code in CODE.findall(row)})


def test_every_row_leads_to_a_page_of_the_manual() -> None:
    assert len(rows(ENGLISH)) >= AT_LEAST
    assert [row for row in rows(ENGLISH) if not LINK.search(row)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    said = [(LINK.findall(row), CODE.findall(row)) for row in rows(language)]
    assert said == [(LINK.findall(row), CODE.findall(row)) for row in rows(ENGLISH)]
    for page in {page for links, _ in said for page in links}:
        assert (SOURCE / language / f"{page}.md").is_file(), page


def test_every_address_is_one_of_the_console() -> None:
    served = {path for _, path in routes()}
    assert [code for code in codes() if code.startswith("/") and code not in served] == []


@pytest.mark.parametrize("command", [code for code in codes() if not code.startswith("/")])
def test_every_command_is_there(command: str) -> None:
    """Its help, or what make would do."""
    words = shlex.split(command)
    words = ["make", "-n", *words[1:]] if words[0] == "make" else [sys.executable, *words[1:], "--help"]
    subprocess.run(words, check=True, capture_output=True, cwd=SOURCE.parents[1])
