"""import-linter holds the floors; planted violations show that it would notice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.project import COMMANDS, FLOORS, PROJECT, sources


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy_of_the_tree(tmp_path: Path) -> Path:
    """The Python sources and pyproject.toml, to plant things in."""
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for path in sources(*FLOORS, COMMANDS):
        target = tmp_path / path.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").touch()
    return tmp_path


def test_every_import_runs_downward() -> None:
    linted = _lint(PROJECT)
    assert linted.returncode == 0, linted.stdout


def test_the_unchanged_copy_is_accepted(copy_of_the_tree: Path) -> None:
    linted = _lint(copy_of_the_tree)
    assert linted.returncode == 0, linted.stdout


def test_a_utils_file_has_no_place_in_the_cloud(copy_of_the_tree: Path) -> None:
    (copy_of_the_tree / "cloud" / "utils.py").write_text("def helpful() -> None: ...\n")
    linted = _lint(copy_of_the_tree)
    assert linted.returncode == 1
    assert "cloud.utils" in linted.stdout


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ("alerting/limits.py", "cloud.config"),
        ("alerting/limits.py", "gateway.wire.v1"),
        ("gateway/outbox/outbox.py", "cloud.config"),
        ("device_drivers/readings.py", "alerting.limits"),
        ("firmware_profiles/schema.py", "device_drivers.readings"),
        ("cloud/config.py", "deploy.services.start"),
        ("cloud/worklist/store.py", "gateway.wire.v1"),
        ("cloud/worklist/store.py", "cloud.worklist.routes"),
        ("cloud/ingest/handle.py", "gateway.outbox"),
        ("cloud/observations/store.py", "device_drivers.codecs.sfloat"),
        ("gateway/visit.py", "psycopg"),
        ("alerting/pipeline.py", "sqlite3"),
    ],
)
def test_an_import_against_the_floors_is_refused(copy_of_the_tree: Path, lower: str, upper: str) -> None:
    planted = copy_of_the_tree / lower
    planted.write_text(f"{planted.read_text()}\nimport {upper}\n")
    linted = _lint(copy_of_the_tree)
    assert linted.returncode == 1
    module = lower.removesuffix(".py").replace("/", ".")
    assert f"{module} -> {upper}" in linted.stdout
