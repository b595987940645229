"""What we started: .local/services/state.json. A line in it is believed only if its process still lives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.services import places
from deploy.services.passwords import write_private
from deploy.services.processes import Process

FILE = places.SERVICES / "state.json"


@dataclass(frozen=True)
class Started:
    """One program of ours: its process and its port on loopback."""

    process: Process
    port: int


@dataclass(frozen=True)
class State:
    """kept: started by `python -m deploy.services start`, so that the last user leaves it running."""

    source: str
    postgres: Started | None = None
    mosquitto: Started | None = None
    kept: bool = False


def load(file: Path = FILE) -> State | None:
    """What was written at the last start, alive or not; None if nothing was, or if it cannot be read."""
    try:
        written = json.loads(file.read_text())
        return State(
            source=written["source"],
            postgres=_started(written["postgres"]),
            mosquitto=_started(written["mosquitto"]),
            kept=written["kept"],
        )
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None


def save(state: State, file: Path = FILE) -> None:
    """Write it in one step, readable by its owner alone."""
    write_private(file, json.dumps(asdict(state), indent=2))


def _started(written: dict[str, object] | None) -> Started | None:
    if written is None:
        return None
    process = written["process"]
    if not isinstance(process, dict):
        raise TypeError("process")
    return Started(Process(int(process["pid"]), str(process["started"])), int(str(written["port"])))
