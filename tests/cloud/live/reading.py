"""Reading server-sent events as a browser does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.fix_console import Person


@dataclass(frozen=True)
class Event:
    name: str
    data: str
    id: str | None

    def json(self) -> Any:
        return json.loads(self.data)


@contextmanager
def stream(person: Person, path: str = "/live", **headers: str) -> Iterator[Iterator[Event]]:
    """An open stream; iterating waits for the next event, and ends with the stream."""
    with person.client.stream("GET", path, headers={"Accept": "text/event-stream", **headers}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def until(events: Iterator[Event], name: str) -> Event:
    """The next event of this name."""
    return next(event for event in events if event.name == name)


def _events(lines: Iterator[str]) -> Iterator[Event]:
    fields: dict[str, list[str]] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields.setdefault(name.rstrip(":"), []).append(value)
        elif fields:
            yield Event(
                name=fields.get("event", ["message"])[0],
                data="\n".join(fields.get("data", [])),
                id=fields.get("id", [None])[0],
            )
            fields = {}
