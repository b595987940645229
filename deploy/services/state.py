"""What we started: .local/services/state.json. A line in it is believed only if its process still lives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.services import places
from deploy.services.passwords import write_private
from deploy.services.processes import Process

FILE = places.SERVICES / "state.json"


@dataclass(frozen=True)
class Started:
    """One service of ours: its port on loopback, and its process (None when it runs in a container)."""

    port: int
    process: Process | None = None


@dataclass(frozen=True)
class State:
    """source: the `name` of the source that started them. kept: started to stay when the last user goes."""

    source: str | None = None
    postgres: Started | None = None
    mosquitto: Started | None = None
    kept: bool = False


def load(file: Path = FILE) -> State:
    """What was written at the last start, alive or not; an empty state if nothing was, or if it cannot be read."""
    try:
        written = json.loads(file.read_text())
        return State(
            source=written["source"],
            postgres=_started(written["postgres"]),
            mosquitto=_started(written["mosquitto"]),
            kept=bool(written["kept"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return State()


def save(state: State, file: Path = FILE) -> None:
    """Write it in one step, readable by its owner alone."""
    write_private(file, json.dumps(asdict(state), indent=2) + "\n")


def _started(written: dict[str, Any] | None) -> Started | None:
    if written is None:
        return None
    process = written["process"]
    return Started(int(written["port"]), None if process is None else Process(process["pid"], process["started"]))
