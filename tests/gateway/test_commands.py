"""Commands of the cloud: done once, told until heard, and silent about what they hold."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.commands import DONE, MOST_TOLD, RESTARTED, TOLD_FOR_S, Answer, BadBody, Command, Commands
from gateway.heartbeat import Heart
from gateway.outbox import Outbox
from gateway.outbox.commanded import MOST_KEPT
from gateway.sightings import Sightings
from gateway.wire import v1
from gateway.wire.v1 import CommandStage
from tests.gateway.made import NOW


@dataclass
class Gateway:
    """A gateway's commands, with a kind ``note`` that keeps what it was asked, and a clock that we move."""

    outbox: Outbox
    now: datetime = NOW
    monotonic: float = 1000.0
    synchronised: bool | None = True
    answer: Answer | None = DONE
    done: list[Command] = field(default_factory=list)
    news: int = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A process of its own."""
        self.commands = Commands(
            self.outbox, lambda: self.now, lambda: self.monotonic, lambda: self.synchronised, self._hear
        )
        self.commands.add("note", self._note)
        self.commands.add("strict", self._refuse)
        self.commands.add("broken", self._break)

    def ask(self, number: int = 1, kind: str = "note", expires_in_s: int | None = 60, **body: Any) -> None:
        """One command comes; its number stands for its id."""
        message = v1.CommandsMessage(
            v=1, command_id=f"{number:032x}", kind=kind, expires_at=NOW + timedelta(seconds=60), body=body
        )
        self.commands.received(v1.encode(message), expires_in_s)

    def told(self) -> list[tuple[int, str, int]]:
        """Number, stage and step of what a status would tell."""
        return [(int(s.command_id, 16), s.stage, s.step) for s in self.commands.states()]

    def _note(self, command: Command) -> Answer | None:
        self.done.append(command)
        return self.answer

    def _refuse(self, command: Command) -> Answer:
        del command
        raise BadBody("it does not say what")

    def _break(self, command: Command) -> Answer:
        raise ValueError(command.body["secret"])

    def _hear(self) -> None:
        self.news += 1


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    yield Gateway(outbox)
    outbox.close()


def test_a_command_is_done_and_told(gateway: Gateway) -> None:
    gateway.ask(word="hello")

    assert [(c.kind, dict(c.body), c.seconds_left) for c in gateway.done] == [("note", {"word": "hello"}, 60)]
    assert gateway.told() == [(1, "done", 1)]
    assert gateway.news


def test_a_command_that_comes_again_is_done_once_and_told_again(gateway: Gateway) -> None:
    gateway.ask()
    gateway.monotonic += TOLD_FOR_S + 1
    assert gateway.told() == []

    gateway.ask()
    assert len(gateway.done) == 1
    assert gateway.told() == [(1, "done", 1)]


def test_a_command_is_done_once_over_a_restart_too(gateway: Gateway) -> None:
    gateway.ask()
    gateway.start()
    gateway.ask()

    assert len(gateway.done) == 1
    assert gateway.told() == [(1, "done", 1)]


def test_what_was_under_way_when_the_gateway_ended_has_failed(gateway: Gateway) -> None:
    gateway.answer = None
    gateway.ask()
    assert gateway.told() == [(1, "underway", 0)]

    gateway.start()
    assert gateway.told() == [(1, "failed", 1)]
    assert gateway.commands.states()[0].reason == RESTARTED


def test_what_is_under_way_is_told_step_by_step_and_ends_once(gateway: Gateway) -> None:
    gateway.answer = None
    gateway.ask()
    command_id = gateway.done[0].command_id
    gateway.commands.say(command_id, Answer(CommandStage.UNDERWAY, detail={"state": "searching"}))
    gateway.monotonic += TOLD_FOR_S + 1
    assert gateway.told() == [(1, "underway", 1)]

    gateway.commands.say(command_id, Answer(CommandStage.DONE, detail={"serial_number": "7"}))
    gateway.commands.say(command_id, Answer(CommandStage.FAILED, "too late"))
    assert gateway.told() == [(1, "done", 2)]
    assert gateway.commands.states()[0].detail == {"serial_number": "7"}


@pytest.mark.parametrize(
    ("left", "synchronised", "passed_s", "done"),
    [
        (30, True, 0, True),
        (0, None, 0, False),
        (30, True, 61, False),
        (30, False, 10**9, True),  # whose clock is not to be believed counts on the broker
        (None, None, 61, False),
        (None, True, 0, True),
    ],
)
def test_a_command_that_has_expired_is_not_begun_and_is_said_to_be(
    gateway: Gateway, left: int | None, synchronised: bool | None, passed_s: int, done: bool
) -> None:
    gateway.synchronised = synchronised
    gateway.now += timedelta(seconds=passed_s)
    gateway.ask(expires_in_s=left)

    assert bool(gateway.done) is done
    assert gateway.told() == [(1, "done" if done else "expired", 1)]


def test_a_kind_that_nobody_knows_and_a_body_that_makes_no_sense_are_refused_with_the_reason(gateway: Gateway) -> None:
    gateway.ask(1, kind="fly")
    gateway.ask(2, kind="strict")

    assert gateway.told() == [(1, "refused", 1), (2, "refused", 1)]
    unknown, senseless = gateway.commands.states()
    assert "update it" in (unknown.reason or "")
    assert senseless.reason == "it does not say what"


@pytest.mark.parametrize("octets", [b"", b"{}", b'{"v":2}', b"\xff", b'{"v":1,"command_id":"x","kind":"note"}'])
def test_a_command_that_cannot_be_read_changes_nothing(gateway: Gateway, octets: bytes) -> None:
    gateway.commands.received(octets, 60)
    assert gateway.told() == []


def test_what_a_command_holds_is_in_no_log_and_on_no_disk(
    gateway: Gateway, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway.ask(1, passkey="987123")
    gateway.ask(2, kind="broken", secret="987123")
    gateway.ask(3, kind="fly", passkey="987123")
    gateway.commands.received(b'{"v":1,"kind":"note","body":{"passkey":"987123"}}', 60)

    assert gateway.told()[1] == (2, "failed", 1)
    assert "987123" not in caplog.text
    assert "987123" not in repr(gateway.done)
    assert all("987123" not in msgspec.json.encode(state).decode() for state in gateway.outbox.last_commands(10))
    assert all(b"987123" not in file.read_bytes() for file in tmp_path.iterdir())


def test_a_status_tells_the_last_commands_and_a_change_is_news(gateway: Gateway) -> None:
    heart = Heart(
        gateway.outbox, [], Sightings(lambda: NOW), lambda: NOW, lambda: True, commands=gateway.commands.states
    )
    heart.status()
    assert not heart.has_news()

    for number in range(MOST_TOLD + 5):
        gateway.ask(number)
    assert heart.has_news()
    assert len(heart.status().commands) == MOST_TOLD
    assert not heart.has_news()


def test_what_is_kept_of_commands_has_an_end(gateway: Gateway) -> None:
    state = v1.WireCommandState(command_id="", kind="note", stage="done", step=1)
    for number in range(MOST_KEPT + 3):
        gateway.outbox.keep_command(msgspec.structs.replace(state, command_id=f"{number:032x}"))

    assert len(gateway.outbox.last_commands(2 * MOST_KEPT)) == MOST_KEPT
    assert gateway.outbox.command(f"{2:032x}") is None
    assert gateway.outbox.command(f"{3:032x}") is not None
