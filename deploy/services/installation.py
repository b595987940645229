"""PostgreSQL with TimescaleDB and Mosquitto in one filesystem root: the machine's own, or a Debian root of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.services.errors import ServiceFailed

POSTGRES_BIN = "usr/lib/postgresql/17/bin"
TIMESCALEDB = "usr/lib/postgresql/17/lib/timescaledb.so"
MOSQUITTO = "usr/sbin/mosquitto"
MOSQUITTO_HASHER = "usr/bin/mosquitto_passwd"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Installation:
    """Where the programs are (`root`), and the folder under it (`data`) that may hold what they write.

    Run by root, each program runs as the Debian package's own user (postgres refuses to be root); otherwise as us.
    """

    root: Path
    data: Path

    def has_postgres(self) -> bool:
        return (self.root / POSTGRES_BIN / "postgres").is_file() and (self.root / TIMESCALEDB).is_file()

    def has_mosquitto(self) -> bool:
        return (self.root / MOSQUITTO).is_file() and (self.root / MOSQUITTO_HASHER).is_file()

    def inside(self, path: Path) -> str:
        """The path as a program in the root sees it."""
        return f"/{path.relative_to(self.root)}"

    def folder(self, name: str, user: str) -> Path:
        """A folder under `data`, made if missing, that belongs to `user` alone."""
        path = self.data / name
        path.mkdir(parents=True, exist_ok=True, mode=0o755)
        path.chmod(0o700)
        self.give_to(path, user)
        return path

    def give_to(self, path: Path, user: str) -> None:
        """Make `user` the owner of a file or folder, where we run as root."""
        if os.geteuid() == 0:
            os.chown(path, *self._ids(user))

    def write_private(self, path: Path, text: str, user: str) -> None:
        """Replace a file in one step by one of mode 0600 that belongs to `user`."""
        draft = path.with_name(f".{path.name}.new")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        self.give_to(draft, user)
        draft.replace(path)

    def command(self, program: str, *arguments: str, user: str) -> list[str]:
        """The command line that runs `/program` of the root as `user`."""
        if os.geteuid() != 0:
            return [f"/{program}", *arguments]
        uid, gid = self._ids(user)
        chroot = shutil.which("chroot", path=SYSTEM_PATH) or "chroot"
        return [chroot, f"--userspec={uid}:{gid}", str(self.root), f"/{program}", *arguments]

    def run(self, program: str, *arguments: str, user: str) -> None:
        """Run a program to its end.

        Raises:
            ServiceFailed: with what it wrote, when it does not end well.
        """
        done = subprocess.run(
            self.command(program, *arguments, user=user),
            env={"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServiceFailed(f"{Path(program).name} failed: {done.stdout.strip()[-2000:]}")

    def _ids(self, user: str) -> tuple[int, int]:
        for line in (self.root / "etc" / "passwd").read_text().splitlines():
            name, _, uid, gid, *_ = line.split(":")
            if name == user:
                return int(uid), int(gid)
        raise ServiceFailed(f"{self.root}/etc/passwd knows no user {user}")
