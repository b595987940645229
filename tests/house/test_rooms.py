"""What the linter cannot say about files and names: who may meet the outside world, and what things may be called."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.project import COMMANDS, FLOORS, PROJECT, name_of, sources, tracked_files

TOP_LEVEL = {"alerting", "cloud", "deploy", "device_drivers", "firmware_profiles", "gateway", "tests"}

EXTERNAL_WORLDS = {
    "bleak": {"device_drivers/links/ble.py", "device_drivers/simulators/bumble_backend.py"},
    "paho": {"cloud/ingest/lane.py", "gateway/publisher.py"},
    "serial": {"device_drivers/links/serial.py"},
}
"""Which files may import a library that speaks with the outside; the simulators' file is bleak's other side."""

BANNED_WORDS = {"base", "common", "helper", "helpers", "manager", "handler", "misc", "util", "utils"}


def imported_packages(path: Path) -> set[str]:
    """The top-level names a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("library", EXTERNAL_WORLDS)
def test_one_file_meets_each_outside_world(library: str) -> None:
    importers = {name_of(path) for path in sources(*FLOORS) if library in imported_packages(path)}
    assert importers <= EXTERNAL_WORLDS[library]


def test_bumble_stays_with_the_simulators() -> None:
    importers = {name_of(path) for path in sources(*FLOORS) if "bumble" in imported_packages(path)}
    assert all(name.startswith("device_drivers/simulators/") for name in importers), importers


def test_the_top_level_has_the_houses_folders_and_no_others() -> None:
    packages = {path.relative_to(PROJECT).parts[0] for path in tracked_files() if path.suffix == ".py"}
    assert packages <= TOP_LEVEL


def test_no_file_and_no_class_bears_a_name_that_says_nothing() -> None:
    banned = [
        f"{name_of(path)}: {name}"
        for path in sources(*FLOORS, COMMANDS)
        for name in (path.stem, *_class_names(path))
        if BANNED_WORDS & set(_words(name))
    ]
    assert banned == []


def _class_names(path: Path) -> list[str]:
    return [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]


def _words(name: str) -> list[str]:
    """snake_case and CamelCase into lower-case words."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return spaced.replace("_", " ").lower().split()
