"""Telling patients outside: each message is looked at until a way took it, nobody needs it, or it has failed.

A try is written down and committed before anything leaves, and its end afterwards, as in ``cloud.jobs.delivering``:
whoever finds one that was begun by a dead process makes it again with the same key, by which the far side knows it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cloud.crm.reach import store, words
from cloud.crm.reach.course import End, next_move
from cloud.crm.reach.models import Outside, State
from cloud.db.alone import Looked, alone
from cloud.db.connect import Connection
from cloud.notifications.channels.port import SEND_WITHIN_S, Channel, Message, Never, NotSent
from cloud.notifications.course import Send, Wait
from cloud.notifications.models import ChannelName, Outcome, Route

log = logging.getLogger(__name__)

# Should we die in the middle, somebody looks then.
AFTER_DEATH: Final = timedelta(seconds=SEND_WITHIN_S + 25)

Connections = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """What the other rooms say of their messages: whether it is still needed, and where its link leads (a path)."""

    is_needed: Callable[[Connection, Outside, datetime], bool]
    path_of: Callable[[Connection, Outside, datetime], str]


@dataclass(frozen=True, slots=True)
class _Begun:
    """A try that is written down, and what it says."""

    attempt_id: int
    route: Route
    message: Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """Looks at messages, one at a time for each of them, in as many processes as there are."""

    connections: Connections
    now: Callable[[], datetime]
    channels: Mapping[ChannelName, Channel]
    subjects: Subjects
    base_url: str

    def look(self, message_id: UUID) -> None:
        """Do all that is to be done now, and say when to look again. psycopg.OperationalError, PoolTimeout."""
        with self.connections() as connection, alone(connection, Looked.OUTSIDE_MESSAGE, message_id) as is_alone:
            while is_alone and (begun := self._begin(connection, message_id)) is not None:
                self._try(connection, begun)

    def _begin(self, connection: Connection, message_id: UUID) -> _Begun | None:
        """What to try now, written down; None where nothing is."""
        now = self.now()
        with connection.transaction():
            store.give_up_the_dead(connection, message_id, now)
            outside = store.locked(connection, message_id)
            if outside is None:
                return None
            if not self.subjects.is_needed(connection, outside, now):
                store.end(connection, message_id, State.WITHDRAWN, "needless", now)
                return None
            move = next_move(outside, self._routes(connection, outside), store.attempts_of(connection, message_id), now)
            match move:
                case Send(route):
                    store.look_again(connection, message_id, now + AFTER_DEATH)
                    message = self._message(connection, outside, route, now)
                    return _Begun(store.begin_attempt(connection, outside, route, now), route, message)
                case Wait(until):
                    store.look_again(connection, message_id, until)
                case End(state, why):
                    store.end(connection, message_id, state, why, now)
                    if state is State.FAILED:
                        log.warning("outside message %s did not leave (%s)", message_id, why)
        return None

    def _routes(self, connection: Connection, outside: Outside) -> Sequence[Route]:
        if outside.training:  # nobody real has such a telephone
            return ()
        routes = [route for route in store.routes_of(connection, outside.patient_id) if route.channel in self.channels]
        if not routes and ChannelName.PRINT in self.channels:
            return (Route(channel=ChannelName.PRINT, address=f"patient:{outside.patient_id}"),)
        return routes

    def _message(self, connection: Connection, outside: Outside, route: Route, now: datetime) -> Message:
        link = f"{self.base_url}{self.subjects.path_of(connection, outside, now)}"
        own = store.own_words(connection, outside.language)
        return Message(
            key=route.key(outside.message_id),
            to=route.address or "",
            subject=words.subject(outside.language, own),
            text=words.text(outside.language, link, own),
            language=outside.language,
        )

    def _try(self, connection: Connection, begun: _Begun) -> None:
        """Send, without a transaction that anybody could wait for, and write down how it went."""
        outcome, provider_id, detail = Outcome.SENT, None, None
        try:
            provider_id = self.channels[begun.route.channel].send(begun.message).provider_id
        except NotSent as error:
            outcome = Outcome.NEVER if isinstance(error, Never) else Outcome.AGAIN
            detail = error.what[:200]
        with connection.transaction():
            store.end_attempt(connection, begun.attempt_id, outcome, self.now(), provider_id=provider_id, detail=detail)


def sweep(connections: Connections, now: datetime) -> int:
    """Have all that is due looked at, each by a job of its own; how many."""
    with connections() as connection:
        waiting = store.due(connection, now)
    for message_id in waiting:
        with connections() as connection:
            store.wake(connection, message_id, now)
    return len(waiting)
