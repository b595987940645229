"""The vectors of tests/captures/bluetooth.json, by wire format."""

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).parents[2] / "captures" / "bluetooth.json"
Vector = dict[str, Any]


def vectors(format: str) -> list[Vector]:
    """Those of one format."""
    return [vector for vector in json.loads(_FILE.read_text())["vectors"] if vector["format"] == format]


def octets(vector: Vector) -> bytes:
    """As sent on the wire."""
    return bytes.fromhex(vector["hex"])


def name(vector: Vector) -> str:
    """For the test's id."""
    return str(vector["id"])
