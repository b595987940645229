"""The JSON Schema of version 1, made from its models: ``python -m gateway.wire.schema > gateway/wire/v1.schema.json``.

The checked-in file is what partners validate against; a test makes it anew and compares.
"""

import json
import sys
from pathlib import Path

import msgspec

from gateway.wire import v1

PATH = Path(__file__).with_name("v1.schema.json")
MESSAGES = (v1.ReadingsMessage, v1.ReceiptsMessage, v1.StatusMessage, v1.CommandsMessage)


def schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12); the messages are among its ``$defs``, under their class names."""
    _, definitions = msgspec.json.schema_components(MESSAGES)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Pulsepost wire, version 1",
        "anyOf": [{"$ref": f"#/$defs/{message.__name__}"} for message in MESSAGES],
        "$defs": definitions,
    }


def text() -> str:
    """The checked-in file's content."""
    return json.dumps(schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
