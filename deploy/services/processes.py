"""Processes known by pid, and by the moment they started: a pid alone may belong to somebody else after a reboot."""

from __future__ import annotations

import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.services.errors import ServiceFailed


@dataclass(frozen=True)
class Process:
    """A process that was alive when this was made. `started` is the boot's id and the start in clock ticks since."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The living process of this pid, or None."""
        started = _started(pid)
        return None if started is None else cls(pid, started)

    @classmethod
    def of_pid_file(cls, file: Path, *, argument: str, root: Path) -> Process | None:
        """The living process a program's own pid file names (its first word).

        The file may be older than a reboot and its pid may have a new owner: only a process that sees `root` as its
        root and has `argument` on its command line is meant.
        """
        try:
            process = cls.of(int(file.read_text().split()[0]))
            if process is not None and process._was_given(argument) and process._link("root").samefile(root):
                return process
        except (OSError, IndexError, ValueError):  # no file, half a file, or a process that ended while we looked
            pass
        return None

    def is_alive(self) -> bool:
        """Whether this very process lives: not a zombie, not another one with its pid."""
        return _started(self.pid) == self.started

    def end(self, *, first: signal.Signals = signal.SIGTERM, patience_s: float = 20) -> None:
        """Send `first`, wait for the end, kill it after `patience_s`. Nothing happens if it is gone already."""
        for sign in (first, signal.SIGKILL):
            if self._send_and_wait(sign, patience_s):
                return
        raise ServiceFailed(f"process {self.pid} survives SIGKILL")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.end(first=signal.SIGKILL)

    def send(self, sign: signal.Signals) -> None:
        """Send one signal if this very process lives."""
        self._send_and_wait(sign, 0)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end, which somebody else brings about; whether it came."""
        return self._send_and_wait(None, timeout_s)

    def _send_and_wait(self, sign: signal.Signals | None, timeout_s: float) -> bool:
        """True when the process is gone."""
        try:
            watch = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            if not self.is_alive():
                return True
            if sign is not None:
                signal.pidfd_send_signal(watch, sign)  # to the process we looked at, whoever gets its pid later
            poll = select.poll()  # select() refuses a descriptor above 1023
            poll.register(watch, select.POLLIN)
            return bool(poll.poll(timeout_s * 1000))
        finally:
            os.close(watch)

    def _was_given(self, argument: str) -> bool:
        return argument.encode() in Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")

    def _link(self, name: str) -> Path:
        """`root` or `cwd`: to be compared as a file, since its path may be told from another mount namespace."""
        return Path(f"/proc/{self.pid}/{name}")


def wait_until_none_in(folder: Path, timeout_s: float) -> bool:
    """Wait until no living process works in `folder` (has it as its current directory); whether that came true."""
    deadline = time.monotonic() + timeout_s
    while (found := _one_in(folder)) is not None:
        remaining = deadline - time.monotonic()
        if remaining < 0:
            return False
        found.wait(remaining)
    return True


def _one_in(folder: Path) -> Process | None:
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.samefile(folder) and (process := Process.of(int(link.parent.name))) is not None:
                return process
        except OSError:  # somebody else's process, a kernel thread, or one that ended while we looked
            continue
    return None


def _started(pid: int) -> str | None:
    """Boot id and start time of a living process (proc(5): field 3 is the state, field 22 the start), or None."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()  # the program's name, in brackets, may hold spaces
    if fields[0] in ("Z", "X"):
        return None
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{fields[19]}"
