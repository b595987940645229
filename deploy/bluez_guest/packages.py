"""Debian packages, fetched with apt-get from the archive this machine is configured for, and unpacked beside it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.bluez_guest.errors import GuestFailed

PROGRAMS = ("qemu-system-x86", "bluez", "dbus", "busybox-static")
KERNELS = ("linux-image-6.12-amd64", "linux-image-amd64")
"""Debian 12 carries 6.12 beside its own kernel, Debian 13 as its own."""

_KERNEL = re.compile(r"Depends: (linux-image-6\.12\.\S+-amd64)$", re.MULTILINE)
_INSTALLED = re.compile(r"^Inst (\S+)", re.MULTILINE)


def refresh(say: Callable[[str], None]) -> None:
    """Let apt know the archive's newest packages, where we may."""
    if os.geteuid() == 0:
        say("apt-get update")
        subprocess.run(["apt-get", "-qq", "update"], stdin=subprocess.DEVNULL, check=False)


def kernel() -> str:
    """The versioned package of the archive's 6.12 kernel. GuestFailed."""
    for name in KERNELS:
        found = _KERNEL.search(_answer("apt-cache", "depends", name))
        if found:
            return found[1]
    raise GuestFailed(f"apt knows no 6.12 kernel ({' or '.join(KERNELS)}): this needs Debian 12 or 13 on amd64")


def missing() -> list[str]:
    """PROGRAMS with everything they need, as far as it is not installed here."""
    install = ("apt-get", "install", "--simulate", "--no-install-recommends", "-o", "Debug::NoLocking=1")
    return _INSTALLED.findall(_answer(*install, *PROGRAMS))


def unpack(packages: list[str], root: Path, say: Callable[[str], None]) -> None:
    """Fetch packages and unpack them under ``root``; nothing is installed, none of their scripts run. GuestFailed."""
    root.mkdir(parents=True, exist_ok=True)
    if not packages:
        return
    say(f"fetching {', '.join(packages)}")
    with TemporaryDirectory(dir=root.parent) as folder:
        # As root apt fetches as its own user, who cannot write here; it would say so at length.
        fetch = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *packages]
        if subprocess.run(fetch, cwd=folder, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            raise GuestFailed("apt-get could not fetch the packages; what it says stands above")
        for archive in sorted(Path(folder).glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(archive), str(root)], check=True)


def _answer(*command: str) -> str:
    english = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, env=english, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""
