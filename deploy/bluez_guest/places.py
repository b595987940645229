"""Where things stand on disk: all of it under the clone's own .local/, which git ignores."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
GUEST = PROJECT / ".local" / "bluez_guest"

PROGRAMS = GUEST / "programs"
"""The Debian packages that this machine lacks, unpacked: QEMU for us; bluez, dbus and busybox for the guest."""

KERNEL = GUEST / "kernel"
"""The kernel package, unpacked."""

INITRAMFS = GUEST / "initramfs.gz"

RUNS = GUEST / "runs"
"""A folder for each run, by its name: console, exit code, and what the command left as artefacts."""

STAMP = GUEST / "prepared"
LOCK = GUEST / "prepare.lock"


def search_path(inherited: str) -> str:
    """PATH with the unpacked programs behind the machine's own."""
    folders = ("usr/sbin", "usr/bin", "sbin", "bin", "usr/libexec/bluetooth")
    return ":".join([inherited, *(str(PROGRAMS / folder) for folder in folders), "/usr/libexec/bluetooth"])


def library_path() -> str:
    """LD_LIBRARY_PATH of the unpacked programs; only libraries that this machine lacks are there."""
    return ":".join(str(PROGRAMS / folder / "x86_64-linux-gnu") for folder in ("usr/lib", "lib"))
