"""What the cloud asks of this gateway: each command is done once, whatever comes again, and its outcome is told.

The table says which function does which kind. A function is called on the event loop's thread and is quick: it gives
the answer, or None where it has only begun and says the rest later with ``Commands.say``. That a command was begun is
on disk before its function is called; what it holds is not kept, and no word of it is logged. The cloud publishes a
command again until a status has told of it.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from gateway.outbox import Outbox, OutboxError
from gateway.wire import v1
from gateway.wire.v1 import CommandStage

log = logging.getLogger(__name__)

# In a status, and for how long: ten heartbeats.
MOST_TOLD = 20
TOLD_FOR_S = 600.0
RESTARTED = "the gateway was restarted meanwhile"


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be done; ``body`` may hold a secret: it is never logged and never kept."""

    command_id: str
    kind: str
    seconds_left: float
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """How far a command has come; ``reason`` is for people, what ``detail`` holds is a matter of the kind."""

    stage: CommandStage
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


DONE = Answer(CommandStage.DONE)


class Do(Protocol):
    """Does one kind of command; the answer, or None where it is under way. ``BadBody`` where it makes no sense."""

    def __call__(self, command: Command) -> Answer | None: ...


class BadBody(Exception):
    """The body is not what this kind needs; the text says what is missing, and quotes nothing."""


class Commands:
    """Takes commands from the publisher, keeps what became of them, and has it for the status."""

    def __init__(
        self,
        outbox: Outbox,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        clock_synchronised: Callable[[], bool | None] = lambda: None,
        on_news: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._now = now
        self._monotonic = monotonic
        self._clock_synchronised = clock_synchronised
        self._on_news = on_news
        self._table: dict[str, Do] = {}
        self._told: OrderedDict[str, tuple[v1.WireCommandState, float]] = OrderedDict()
        self._take_up()

    def add(self, kind: str, do: Do) -> None:
        """One more line of the table."""
        self._table[kind] = do

    def states(self) -> tuple[v1.WireCommandState, ...]:
        """For the status: what changed, or was asked for, within the last minutes."""
        since = self._monotonic() - TOLD_FOR_S
        kept = list(self._told.values())[-MOST_TOLD:]
        return tuple(state for state, at in kept if at >= since or state.stage == CommandStage.UNDERWAY)

    def received(self, payload: bytes, expires_in_s: int | None) -> None:
        """One message of the commands topic; ``expires_in_s``: what the broker says is left of it."""
        try:
            message = v1.decode_commands(payload)
        except v1.WireError as error:
            log.error("a command that cannot be read (%s)", type(error).__name__)
            return
        try:
            self._take(message, expires_in_s)
        except OutboxError as error:
            log.error("command %s is left: %s; the cloud sends it again", message.command_id, error)
        self._on_news()

    def say(self, command_id: str, answer: Answer) -> None:
        """One more step of a command that is under way; what has ended stays as it is."""
        try:
            before = self._outbox.command(command_id)
            if before is None or before.stage != CommandStage.UNDERWAY:
                return
            self._keep(before, answer)
        except OutboxError as error:
            log.error("command %s: %s", command_id, error)
        self._on_news()

    def _take(self, message: v1.CommandsMessage, expires_in_s: int | None) -> None:
        if (known := self._outbox.command(message.command_id)) is not None:
            self._tell(known)
            return
        begun = v1.WireCommandState(
            command_id=message.command_id, kind=message.kind, stage=CommandStage.UNDERWAY, step=0, at=self._now()
        )
        left_s = self._seconds_left(message, expires_in_s)
        if left_s <= 0:
            self._keep(begun, Answer(CommandStage.EXPIRED, "it came too late"))
            return
        self._outbox.keep_command(begun)
        log.info("command %s: %s", message.command_id, message.kind)
        answer = self._do(Command(message.command_id, message.kind, left_s, message.body))
        if answer is not None:
            self.say(message.command_id, answer)
        elif message.command_id not in self._told:
            self._tell(begun)

    def _do(self, command: Command) -> Answer | None:
        do = self._table.get(command.kind)
        if do is None:
            return Answer(CommandStage.REFUSED, "this gateway's release does not know how to do that; update it")
        try:
            return do(command)
        except BadBody as error:
            return Answer(CommandStage.REFUSED, str(error))
        except OutboxError as error:
            return Answer(CommandStage.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 -- a defect in one kind must not keep us from hearing the others
            log.error("command %s: %s", command.command_id, _where(error))
            return Answer(CommandStage.FAILED, "a mistake in the gateway's program; its log says where")

    def _seconds_left(self, message: v1.CommandsMessage, expires_in_s: int | None) -> float:
        """By the broker, whose count needs no clock; by ours too where it can be believed."""
        by_clock = (message.expires_at - self._now()).total_seconds()
        if expires_in_s is None or self._clock_synchronised():
            return by_clock if expires_in_s is None else min(by_clock, expires_in_s)
        return expires_in_s

    def _keep(self, before: v1.WireCommandState, answer: Answer) -> None:
        state = msgspec.structs.replace(
            before,
            stage=answer.stage.value,
            step=before.step + 1,
            at=self._now(),
            reason=answer.reason,
            detail=dict(answer.detail),
        )
        self._tell(state)
        self._outbox.keep_command(state)
        if answer.stage is not CommandStage.UNDERWAY:
            log.info("command %s: %s", state.command_id, state.stage)

    def _tell(self, state: v1.WireCommandState) -> None:
        self._told[state.command_id] = state, self._monotonic()
        self._told.move_to_end(state.command_id)
        while len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)

    def _take_up(self) -> None:
        """What a process before this one left: nobody goes on with what it had begun."""
        try:
            for state in self._outbox.last_commands(MOST_TOLD):
                if state.stage == CommandStage.UNDERWAY:
                    self._keep(state, Answer(CommandStage.FAILED, RESTARTED))
                else:
                    self._tell(state)
        except OutboxError as error:
            log.error("%s", error)


def _where(error: Exception) -> str:
    """Type and place of a defect; its message may hold what the command held."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "nowhere"
    return f"{type(error).__name__} at {place}"
