"""A gateway's clock that somebody sets while it runs: the file says how far it is off, and whether NTP keeps it.

Linux says "not synchronised" from the moment a clock is stepped until NTP has it again; whoever writes the file says
the same.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from gateway.clock import Clocks


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """How far the clock is ahead of the right time (negative: behind), and what the kernel says of it."""

    offset_s: float = 0.0
    synchronised: bool = True


def write(path: Path, setting: Setting) -> None:
    """Set the clock, in one step: whoever reads the file meanwhile reads the old setting or the new one."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_bytes(msgspec.json.encode(setting))
    draft.replace(path)


def clocks(path: Path, now: Callable[[], datetime]) -> Clocks:
    """A gateway's clocks as the file sets them; ``now`` is the right time. FileNotFoundError where there is none."""

    def setting() -> Setting:
        return msgspec.json.decode(path.read_bytes(), type=Setting)

    return Clocks(
        now=lambda: now() + timedelta(seconds=setting().offset_s),
        kernel_synchronised=lambda: setting().synchronised,
    )
