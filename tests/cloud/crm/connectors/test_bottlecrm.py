"""BottleCRM does not say what it calls a task that it has made: who is cut off while looking for it makes no second.

What the real one takes is shown by ``make crm-e2e``.
"""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from cloud.crm.connectors.given import Given, NotUsable
from cloud.crm.connectors.offered import connector
from deploy.listening import Conversation, Listening
from tests.cloud.crm.connectors.bitrix24.made import Courier, first, todo
from tests.fix_bitrix24 import SimulatedClock


@dataclass
class Tasks:
    """Its tasks, by HTTP. ``lost``: so many searches get no answer."""

    port: int = 0
    lost: int = 0
    titles: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    changed: int = 0


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    """On loopback."""
    made = Tasks()

    class Answering(Conversation):
        def asked(self, body: bytes) -> None:
            if self.command == "GET" and made.lost:
                made.lost -= 1
                self.close_connection = True
                return
            answer: object = {"error": False}
            match self.command:
                case "GET":
                    answer = {"tasks": [{"id": f"t{n}", "title": title} for n, title in enumerate(made.titles)]}
                case "POST":
                    said = json.loads(body)
                    made.titles.append(said["title"])
                    made.days.append(said["due_date"])
                case _:
                    json.loads(body)
                    made.changed += 1
            self.say(200, json.dumps(answer).encode())

    with Listening(Answering) as listening:
        made.port = listening.port
        yield made


def given(tasks: Tasks, clock: SimulatedClock, **settings: str) -> Given:
    settings = {"url": f"http://127.0.0.1:{tasks.port}", "inside": "yes", **settings}
    return Given(settings=settings, secrets={"token": "t"}, tls=ssl.create_default_context(), now=clock)


def test_the_day_of_a_task_is_that_of_its_people(tasks: Tasks, simulated_clock: SimulatedClock) -> None:
    """Half past three in the morning in UTC is the evening before in California."""
    for zone in ("", "America/Los_Angeles"):
        crm = connector("bottlecrm", given(tasks, simulated_clock, zone=zone))
        crm.add_todo(todo("c1"), first(simulated_clock))
    assert tasks.days == ["2026-11-02", "2026-11-01"]
    with pytest.raises(NotUsable, match="Set zone"):
        connector("bottlecrm", given(tasks, simulated_clock, zone="Atlantis"))


def test_a_task_is_made_once_although_nobody_learnt_what_it_is_called(
    tasks: Tasks, simulated_clock: SimulatedClock
) -> None:
    crm = connector("bottlecrm", given(tasks, simulated_clock))
    tasks.lost = 1
    courier = Courier(simulated_clock)
    found = courier.deliver(lambda attempt: crm.add_todo(todo("c1"), attempt))
    assert courier.errors == ["Ambiguous"]
    assert (found.remote_id, found.found) == ("t0", True)
    courier.deliver(lambda attempt: crm.add_todo(todo("c1", remote_id=""), attempt))
    assert (len(tasks.titles), tasks.changed) == (1, 1)
