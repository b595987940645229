"""The project as files: what the house tests walk over."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FLOORS = ("alerting", "cloud", "device_drivers", "firmware_profiles", "gateway")
COMMANDS = "deploy"


def tracked_files() -> list[Path]:
    """Every file git knows that is still there, and every new one it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := PROJECT / name).is_file()]


def sources(*folders: str) -> Iterator[Path]:
    """The Python files of these top-level folders."""
    for path in tracked_files():
        if path.suffix == ".py" and path.relative_to(PROJECT).parts[0] in folders:
            yield path


def name_of(path: Path) -> str:
    """The path as people write it: relative to the project."""
    return str(path.relative_to(PROJECT))
