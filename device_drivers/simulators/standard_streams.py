"""What a running simulator says and is told: JSON lines on standard output and input."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec

New = TypeVar("New")


def say(message: dict[str, object]) -> None:
    """One JSON line, at once."""
    sys.stdout.write(msgspec.json.encode(message).decode() + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


async def new_records(kind: type[New]) -> AsyncIterator[New]:
    """The measurements that are ordered on standard input, to its end; a line that is none is complained about.

    ``kind``: the shape of one line (``NewRecord``, or ``NewBleRecord``, which takes every ``NewRecord`` too).
    """
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        return  # /dev/null and files cannot be waited for
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        try:
            yield msgspec.json.decode(line, type=kind, strict=False)
        except msgspec.DecodeError as error:
            complain(f"not a measurement: {error}")
