"""A Debian 13 root of our own, made by mmdebstrap from the archive this machine is configured for."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from deploy import apt
from deploy.services import locks
from deploy.services.errors import ServiceFailed
from deploy.services.installation import Installation

SUITE = "trixie"
PACKAGES = "postgresql-17-timescaledb,mosquitto"
FIELDS = "$(SITE)|$(ORIGIN)|$(LABEL)|$(COMPONENT)"


def is_complete(root: Path) -> bool:
    """Whether the root holds both programs."""
    installation = Installation(root, root)
    return installation.has_postgres() and installation.has_mosquitto()


def can_be_built() -> bool:
    """Whether we are root on a Debian-family machine."""
    return apt.is_possible()


def build(root: Path, *, say: Callable[[str], None]) -> None:
    """Make the root, or wait for another command that is making it; about 30 s and 500 MB.

    Raises:
        ServiceFailed: mmdebstrap cannot be installed, no Debian archive is configured, or mmdebstrap failed.
    """
    with locks.exclusive(locks.BUILD):
        if is_complete(root):
            return
        _install_mmdebstrap()
        archive = main_archive(_index_targets())
        if archive is None:
            raise ServiceFailed("apt is configured for no Debian archive: a Debian 13 root cannot be made here")
        draft = root.with_name(f"{root.name}.building")
        _remove(draft)
        say(f"making a Debian 13 root with PostgreSQL 17, TimescaleDB and Mosquitto in {root} (about 30 s, 500 MB)")
        if subprocess.run(command(draft, archive), stdin=subprocess.DEVNULL, check=False).returncode != 0:
            raise ServiceFailed("mmdebstrap failed; what it says stands above")
        _remove(root)
        draft.rename(root)


def command(root: Path, archive: str) -> list[str]:
    """mmdebstrap's command line: no cluster of Debian's own, no manuals, no translations."""
    no_cluster = (
        'mkdir -p "$1/etc/postgresql-common/createcluster.d" && '
        'echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.d/pulsepost.conf"'
    )
    return [
        "mmdebstrap",
        "--variant=apt",
        f"--include={PACKAGES}",
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=force-unsafe-io",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--essential-hook={no_cluster}",
        SUITE,
        str(root),
        archive,
    ]


def main_archive(index_targets: str) -> str | None:
    """The first archive of Debian proper in `apt-get indextargets` (FIELDS): not the security archive, not others'."""
    for line in index_targets.splitlines():
        site, origin, label, component = line.split("|")
        if (origin, label, component) == ("Debian", "Debian", "main"):
            return site
    return None


def _index_targets() -> str:
    ask = ["apt-get", "indextargets", "--format", FIELDS, "Created-By: Packages"]
    return subprocess.run(ask, stdout=subprocess.PIPE, text=True, check=True).stdout


def _install_mmdebstrap() -> None:
    if shutil.which("mmdebstrap") is not None and "|Debian|" in _index_targets():
        return
    try:
        apt.install("mmdebstrap", "debian-archive-keyring", why="TimescaleDB and Mosquitto need a Debian 13 root")
    except apt.CannotInstall as error:
        raise ServiceFailed(str(error)) from error


def _remove(root: Path) -> None:
    """Never across a mount, should a killed build have left one."""
    if root.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=True)
