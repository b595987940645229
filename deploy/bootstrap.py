"""`python3 -m deploy.bootstrap python|assets|browser|fonts|bus`: what make needs, installed where missing.

Standard library only: it runs with the system's Python, before anything is installed. A step that has been done is
recognised by a stamp file with the digest of what it was done from, and costs nothing the second time.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from deploy import apt

PROJECT = Path(__file__).resolve().parents[1]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = PROJECT / "requirements" / "dev.lock"
CONSOLE = PROJECT / "cloud" / "console"
OLDEST = (3, 11)
FONTS = {
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc": "fonts-noto-cjk",
}


def install_python() -> None:
    """.venv with every dependency of requirements/dev.lock, by hash, and the project itself, editable."""
    done_from = [LOCK, PROJECT / "pyproject.toml"]
    stamp = VENV / ".pulsepost-installed"
    if _is_done(stamp, done_from) and PYTHON.exists():
        return
    if not PYTHON.exists():
        _make_venv()
    _say("installing the Python packages of requirements/dev.lock into .venv")
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install"]
    _run(
        [*pip, "--require-hashes", "--only-binary=:all:", "--requirement", str(LOCK)], "pip could not install the lock"
    )
    project = ["--no-deps", "--no-build-isolation", "--editable", str(PROJECT)]
    _run([*pip, "--quiet", *project], "pip could not install the project")
    _mark_done(stamp, done_from)


def install_assets() -> None:
    """The console's front-end libraries: npm installs them, the console copies what it serves."""
    done_from = [CONSOLE / "package-lock.json", CONSOLE / "assets.py"]
    stamp = CONSOLE / "static" / "vendor" / ".pulsepost-installed"
    if _is_done(stamp, done_from):
        return
    if shutil.which("npm") is None:
        apt.install("npm", why="the console's front-end libraries come from npm")
    _say("installing the console's front-end libraries with npm")
    npm = ["npm", "ci", "--prefix", str(CONSOLE), "--no-audit", "--no-fund", "--ignore-scripts"]
    _run(npm, "npm could not install the front-end libraries")
    _run([str(PYTHON), "-m", "cloud.console.assets"], "the front-end libraries could not be copied")
    _mark_done(stamp, done_from)


def install_browser() -> None:
    """Debian's Chromium without windows, for the tests that look at the console as a nurse does, and what Playwright's
    driver loads.
    """
    missing = []
    if shutil.which("chromium-headless-shell") is None:
        missing.append("chromium-headless-shell")
    if not _can_load("libatomic.so.1"):
        missing.append("libatomic1")
    if missing:
        apt.install(*missing, why="the browser tests need Chromium, driven by Playwright")


def install_fonts() -> None:
    """The fonts that the doctor's report is written with (cloud/review/report.py); the console itself needs none."""
    missing = [package for file, package in FONTS.items() if not Path(file).is_file()]
    if missing:
        apt.install(*missing, why="the report is written with these fonts")


def install_bus() -> None:
    """A D-Bus daemon, for the tests of the pairing agent: each starts one of its own."""
    if shutil.which("dbus-daemon") is None:
        apt.install("dbus-daemon", why="the tests of the pairing agent need a D-Bus daemon")


def _can_load(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


STEPS: dict[str, Callable[[], None]] = {
    "python": install_python,
    "assets": install_assets,
    "browser": install_browser,
    "fonts": install_fonts,
    "bus": install_bus,
}


def main(arguments: list[str]) -> int:
    """Run the named steps, in order; one command of a clone at a time."""
    if not arguments or any(name not in STEPS for name in arguments):
        print(__doc__)
        return 0 if arguments in (["--help"], ["-h"]) else 2
    if sys.version_info < OLDEST:
        print(f"Pulsepost needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is older.", file=sys.stderr)
        return 1
    (PROJECT / ".local").mkdir(exist_ok=True)
    with (PROJECT / ".local" / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            for name in arguments:
                STEPS[name]()
        except (apt.CannotInstall, StepFailed) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


class StepFailed(Exception):
    """A program that installs something did not end well; what it said stands above."""


def _make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        apt.install("python3-venv", why="this Python cannot make virtual environments")
    _say(f"making .venv with {sys.executable}")
    _run([sys.executable, "-m", "venv", "--clear", str(VENV)], "the virtual environment could not be made")


def _run(command: list[str], failure: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise StepFailed(f"{failure}; what it says stands above.")


def _is_done(stamp: Path, done_from: list[Path]) -> bool:
    return stamp.exists() and stamp.read_text() == _digest(done_from)


def _mark_done(stamp: Path, done_from: list[Path]) -> None:
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(_digest(done_from))


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _say(text: str) -> None:
    print(f"==> {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
