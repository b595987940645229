"""Child processes: started, awaited until they say they are ready, stopped by their own pid."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


class NotReady(Exception):
    """A child ended, or said nothing in time; the tail of its log is in the message."""


@dataclass(slots=True)
class Child:
    """A running child process. ``said`` are its lines up to the one that said ready; everything goes to ``log``."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    said: list[str] = field(default_factory=list)
    heard: Callable[[str], None] | None = None  # told each further line of its standard output
    _copying: asyncio.Task[None] | None = field(default=None, repr=False)

    async def stop(self, grace_s: float = 10) -> None:
        """Ask it to end, and insist after ``grace_s``. Returns when it has ended."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), grace_s)
            except TimeoutError:
                await self.kill()
        await self._finish()

    async def kill(self) -> None:
        """SIGKILL: it gets no chance to tidy up."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._finish()

    async def say(self, line: str) -> None:
        """Write one line to its standard input."""
        if self.process.stdin is None:
            raise ValueError(f"{self.name} was started without a standard input")
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def _finish(self) -> None:
        if self._copying is not None:
            await self._copying
            self._copying = None


async def start(
    name: str,
    *arguments: str,
    log_dir: Path,
    env: Mapping[str, str] | None = None,
    ready: str = "ready",
    timeout_s: float = 30,
) -> Child:
    """Start ``python arguments...`` and return once a line of its standard output contains ``ready``.

    NotReady where it ends or stays silent. The child gets this process's environment and ``env`` on top.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    log = log_dir / f"{name}.log"
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=sink,
            env={**os.environ, **(env or {}), "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C reaches us alone; we then end the children in order
        )
    child = Child(name, process, log)
    try:
        await asyncio.wait_for(_hear(child, ready), timeout_s)
    except asyncio.CancelledError:
        await child.kill()
        raise
    except (TimeoutError, NotReady) as error:
        await child.kill()
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise NotReady(f"{name} did not become ready ({error or 'time ran out'}); the end of {log}:\n{tail}") from None
    child._copying = asyncio.create_task(_copy(child))
    return child


def _output(child: Child) -> asyncio.StreamReader:
    if child.process.stdout is None:
        raise ValueError(f"{child.name} was started without a standard output")
    return child.process.stdout


async def _hear(child: Child, ready: str) -> None:
    with child.log.open("ab") as sink:
        async for line in _output(child):
            sink.write(line)
            child.said.append(line.decode(errors="replace").strip())
            if ready in child.said[-1]:
                return
    raise NotReady(f"it ended with exit code {await child.process.wait()}")


async def _copy(child: Child) -> None:
    with child.log.open("ab") as sink:
        async for line in _output(child):
            sink.write(line)
            sink.flush()
            if child.heard is not None:
                child.heard(line.decode(errors="replace"))
