"""A Python that is new enough for BottleCRM: 3.12, where Pulsepost itself runs on 3.11."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.crm_e2e.errors import CannotRun

OLDEST: Final = (3, 12)
NEWEST: Final = (3, 14)


def new_enough() -> Path:
    """The newest of those on PATH and of pyenv's that can make environments. CannotRun."""
    found = {version: path for path in _candidates() if (version := _version(path)) is not None}
    if not found:
        raise CannotRun(
            f"BottleCRM needs Python {_said(OLDEST)} to {_said(NEWEST)}, and none was found on PATH or in pyenv."
            f" Install one (such as: pyenv install {_said(OLDEST)}) and run this again."
        )
    return found[max(found)]


def _candidates() -> Iterator[Path]:
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        if on_path := shutil.which(f"python{OLDEST[0]}.{minor}"):
            yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(path for path in root.glob("versions/*/bin/python3") if _named(path))


def _named(path: Path) -> bool:
    """Whether the folder's name says a version that fits: a link of another name would be the same once more."""
    version = re.fullmatch(r"(\d+)\.(\d+)\.\d+", path.parents[1].name)
    return version is not None and OLDEST <= (int(version[1]), int(version[2])) <= NEWEST


def _version(python: Path) -> tuple[int, ...] | None:
    """What it says it is; None where it does not run (as pyenv's shims of versions not chosen), or does not fit."""
    ask = "import ensurepip, sys; print(*sys.version_info[:3])"
    said = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        return None
    version = tuple(int(word) for word in said.stdout.split())
    return version if OLDEST <= version[:2] <= NEWEST else None


def _said(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
