"""What the README names exists: its paths, its make targets, its commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.project import PROJECT, name_of, tracked_files

README = (PROJECT / "README.md").read_text()
COMMAND = re.compile(r"(?:make\b|python3? -m|lint-imports|bash |pip )")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
BUILT = ("cloud/console/static/vendor", "cloud/console/node_modules", ".local", ".venv")
"""Folders that a make target fills."""


def code_snippets() -> list[str]:
    """The inline code and the lines of the shell blocks, without their comments."""
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```", README, flags=re.M | re.S)
    prose = re.sub(r"^```.*?^```", "", README, flags=re.M | re.S)
    lines = [line.partition("  #")[0].removeprefix("$ ").strip() for block in blocks for line in block.splitlines()]
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
    return [snippet for snippet in lines + inline if snippet]


def named_targets() -> set[str]:
    return {match for snippet in code_snippets() for match in re.findall(r"\bmake ([a-z][a-z0-9-]*)", snippet)}


def named_modules() -> set[str]:
    return {match for snippet in code_snippets() for match in re.findall(r"python3? -m ([a-z_][\w.]*)", snippet)}


def named_paths() -> set[str]:
    """Inline code that has a slash or a file's ending, links, and arguments of commands that look like paths."""
    words = {word for snippet in code_snippets() if COMMAND.search(snippet) for word in snippet.split()[1:]}
    words |= {snippet for snippet in code_snippets() if " " not in snippet}
    folders = {path.relative_to(PROJECT).parts[0] for path in tracked_files()}
    paths = {word for word in words if word.rstrip("/").partition("/")[0] in folders and "/" in word}
    paths |= {word for word in words if re.fullmatch(r"[\w./-]+\.(?:md|toml|yaml|yml|py|sql|json|lock|sh)", word)}
    paths = {path for path in paths if not Path(path).stem.isupper() or Path(path).suffix == ".md"}  # CONFIG.toml
    return paths | {link for link in LINK.findall(README) if "://" not in link and not link.startswith("mailto:")}


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):", (PROJECT / "Makefile").read_text(), flags=re.M))


def test_the_two_commands_stand_in_the_readme() -> None:
    assert {"demo", "test"} <= named_targets()


def test_every_make_target_that_the_readme_names_exists() -> None:
    assert named_targets() <= makefile_targets()


def test_the_makefile_has_at_most_a_dozen_targets_and_explains_each() -> None:
    text = (PROJECT / "Makefile").read_text()
    explained = set(re.findall(r"^([a-z][a-z0-9-]*):.* ## \S", text, flags=re.M))
    assert explained == makefile_targets()
    assert len(explained) <= 12


@pytest.mark.parametrize("path", sorted(named_paths()))
def test_every_path_that_the_readme_names_exists(path: str) -> None:
    name = path.rstrip("/")
    known = {name_of(file) for file in tracked_files()}
    folders = {name_of(parent) for file in tracked_files() for parent in file.parents if parent.is_relative_to(PROJECT)}
    assert name in known | folders or any(Path(name).is_relative_to(built) for built in BUILT)


@pytest.mark.parametrize("module", sorted(named_modules()))
def test_every_python_command_that_the_readme_names_answers_help(module: str) -> None:
    command = [sys.executable, "-m", module, "--help"]
    asked = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip()
