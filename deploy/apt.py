"""Installing Debian packages, with one sentence that says why. Standard library only: it runs before anything else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class CannotInstall(Exception):
    """The packages are missing and this machine or this user cannot install them; the text says what to do."""


def is_possible() -> bool:
    """Whether this is a Debian-family machine and we are root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def install(*packages: str, why: str) -> None:
    """Install packages, showing apt-get's progress.

    Raises:
        CannotInstall: we are not root, or not on Debian, or apt-get failed.
    """
    names = " ".join(packages)
    if not is_possible():
        raise CannotInstall(f"{why}: install the package(s) {names} (on Debian, as root: apt-get install {names}).")
    print(f"==> {why}: installing {names} with apt-get", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    for command in (["apt-get", "update"], install):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0 and command is install:
            raise CannotInstall(f"{why}: apt-get could not install {names}; what it says stands above.")
