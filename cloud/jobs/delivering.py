"""Telling people: each notification is looked at until somebody has it, nobody needs it, or it has failed.

A try is written down and committed before anything leaves, and its end afterwards: whoever finds one that was begun by
a dead process makes it again with the same idempotency key. While something leaves we hold the case's paging lock
shared; acknowledging takes it alone (0011_notifications.sql), so that no page leaves after an acknowledgement, and an
acknowledgement waits for no longer than one send may take.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import App

from cloud.db.alone import Looked, alone
from cloud.db.connect import Connection
from cloud.jobs.desk import Desk
from cloud.notifications import store, words
from cloud.notifications.channels.offered import offered
from cloud.notifications.channels.port import SEND_WITHIN_S, Channel, Message, Never, NotSent, Sent, TryAgain
from cloud.notifications.course import GiveUp, Move, Patience, Send, Wait, next_move
from cloud.notifications.models import (
    ChannelName,
    ConfirmedBy,
    Notification,
    Outcome,
    Route,
    State,
    Subject,
    WaitingCase,
)
from cloud.notify_config import NotifySettings

log = logging.getLogger(__name__)

# Longer than a send may take; then the database gives the paging lock back by itself.
LOCK_AT_MOST_S = SEND_WITHIN_S + 3


def add_jobs(app: App, desk: Desk) -> None:
    """``deliver_notification`` for one, and a sweep that misses none."""
    delivery = Delivery(desk, offered(desk.settings.notify, desk.now))

    @app.task(name="deliver_notification")
    def deliver_notification(notification_id: str) -> None:
        delivery.look(UUID(notification_id))

    # A wake that was lost with its job loses nothing.
    @app.periodic(cron=f"* * * * * */{desk.settings.notify.sweep_every_s}")
    @app.task(name="sweep_notifications", queueing_lock="sweep_notifications")
    def sweep_notifications(timestamp: int) -> None:
        del timestamp
        with desk.pool.connection() as connection:
            due = store.due(connection, desk.now())
        for notification_id in due:
            # Each by itself: no other sweep waits for us while we wait for it.
            with desk.pool.connection() as connection:
                store.wake(connection, notification_id, desk.now())


@dataclass(frozen=True, slots=True)
class Begun:
    """A try that is written down."""

    attempt_id: int
    route: Route


class NoLongerNeeded(Exception):
    """Somebody has taken the case, or it was raised anew."""


class Delivery:
    """Looks at notifications, one at a time for each of them, in as many processes as there are."""

    def __init__(self, desk: Desk, channels: Mapping[ChannelName, Channel]) -> None:
        self._desk = desk
        self._channels = channels
        self._settings: NotifySettings = desk.settings.notify
        self._patience = Patience(
            next_way_after=self._settings.next_way_after,
            give_up_after=self._settings.give_up_after,
            first_retry=self._settings.first_retry,
        )

    def look(self, notification_id: UUID) -> None:
        """Do all that is to be done now, and say when to look again. psycopg.OperationalError, PoolTimeout."""
        with (
            self._desk.pool.connection() as connection,
            alone(connection, Looked.NOTIFICATION, notification_id) as is_alone,
        ):
            while is_alone and (begun := self._begin(connection, notification_id)) is not None:
                self._try(connection, notification_id, begun)

    def _begin(self, connection: Connection, notification_id: UUID) -> Begun | None:
        """What to try now, written down; None where nothing is, and somebody looks again at its time."""
        now = self._desk.now()
        with connection.transaction():
            store.give_up_the_dead(connection, notification_id, now)
            notification = store.locked(connection, notification_id)
            if notification is None:
                return None
            if not _is_needed(connection, notification, self._desk.now()):
                store.end(connection, notification_id, State.WITHDRAWN)
                return None
            move = self._move(connection, notification)
            match move:
                case Send(route):
                    # Should we die, somebody looks then.
                    store.look_again(connection, notification_id, now + timedelta(seconds=LOCK_AT_MOST_S))
                    return Begun(store.begin_attempt(connection, notification_id, route, now), route)
                case Wait(until):
                    store.look_again(connection, notification_id, until)
        if isinstance(move, GiveUp):
            self._give_up(connection, notification)
        return None

    def _move(self, connection: Connection, notification: Notification) -> Move:
        return next_move(
            notification.notification_id,
            notification.created_at,
            self._routes(connection, notification),
            store.attempts_of(connection, notification.notification_id),
            self._desk.now(),
            self._patience,
        )

    def _routes(self, connection: Connection, notification: Notification) -> Sequence[Route]:
        if notification.case_id is not None and store.is_training(connection, notification.case_id):
            return [Route(channel=ChannelName.CONSOLE)]
        if notification.subject is Subject.FOLLOW_UP:
            return self._quiet_routes(connection, notification)
        if notification.address_id is not None:
            addressed = store.route_under_test(connection, notification.address_id)
        else:
            addressed = store.routes_of(connection, notification.account_id)
        everybody = [Route(channel=ChannelName.CONSOLE)] if notification.subject is not Subject.TEST else []
        if ChannelName.PRINT in self._channels:
            everybody.append(Route(channel=ChannelName.PRINT))
        return [*everybody, *(route for route in addressed if route.channel in self._channels)]

    def _quiet_routes(self, connection: Connection, notification: Notification) -> Sequence[Route]:
        """Their first way that rings nobody up, and no other: what is not heard of here stands in their list."""
        ways = [
            route
            for route in store.routes_of(connection, notification.account_id)
            if route.channel in self._channels and route.channel is not ChannelName.VOICE
        ]
        if not ways and ChannelName.PRINT in self._channels:
            return [Route(channel=ChannelName.PRINT)]
        return ways[:1]

    def _try(self, connection: Connection, notification_id: UUID, begun: Begun) -> None:
        """Send while nobody takes the case, and write down how it went."""
        with connection.transaction():
            store.hold_at_most(connection, LOCK_AT_MOST_S)
            notification = store.open_notification(connection, notification_id)
            if notification is None:
                store.end_attempt(connection, begun.attempt_id, Outcome.WITHDRAWN, self._desk.now())
                return
            try:
                self._ask_whether_it_may_leave(connection, notification)
                sent = self._send(connection, notification, begun.route)
            except NoLongerNeeded:
                store.end_attempt(connection, begun.attempt_id, Outcome.WITHDRAWN, self._desk.now())
                return
            except NotSent as error:
                outcome = Outcome.NEVER if isinstance(error, Never) else Outcome.AGAIN
                store.end_attempt(connection, begun.attempt_id, outcome, self._desk.now(), detail=error.what[:200])
                return
            self._record(connection, notification, begun.attempt_id, sent)

    def _ask_whether_it_may_leave(self, connection: Connection, notification: Notification) -> None:
        """Until the end of this transaction nobody acknowledges the case. TryAgain where somebody does just now."""
        if notification.case_id is None:
            return
        if not store.may_page(connection, notification.case_id):
            raise TryAgain("somebody is taking the case")
        if not _is_needed(connection, notification, self._desk.now()):
            raise NoLongerNeeded

    def _send(self, connection: Connection, notification: Notification, route: Route) -> Sent:
        """TryAgain, Never."""
        if route.channel is ChannelName.CONSOLE:
            store.tell_open_pages(connection, notification.account_id)
            return Sent()
        message = Message(
            key=route.key(notification.notification_id),
            to=route.address or f"account:{notification.account_id}",
            subject=words.subject(notification.language, notification.subject),
            text=self._text(connection, notification, route.channel),
            language=notification.language,
        )
        return self._channels[route.channel].send(message)

    def _text(self, connection: Connection, notification: Notification, channel: ChannelName) -> str:
        base_url, language = self._settings.base_url, notification.language
        if notification.subject is Subject.TEST:
            if notification.code is None:
                raise Never("the test is over")
            return words.test_text(language, channel, notification.code)
        if notification.subject is Subject.FOLLOW_UP:
            return words.follow_ups_text(language, channel, base_url)
        case = _case_of(connection, notification, self._desk.now())
        if case is None or notification.case_id is None:
            return words.gap_text(language, channel, base_url, notification.gap, notification.zone)
        return words.case_text(language, channel, case, base_url, notification.case_id)

    def _record(self, connection: Connection, notification: Notification, attempt_id: int, sent: Sent) -> None:
        now, notification_id = self._desk.now(), notification.notification_id
        store.end_attempt(connection, attempt_id, Outcome.SENT, now, provider_id=sent.provider_id)
        store.mark_sent(connection, notification_id, now)
        if sent.arrived:
            store.confirm(connection, notification_id, ConfirmedBy.ANSWER, now)
        elif notification.subject is Subject.FOLLOW_UP:
            store.confirm(connection, notification_id, ConfirmedBy.TAKEN, now)

    def _give_up(self, connection: Connection, notification: Notification) -> None:
        """Nobody has it: the case goes on. The case's row is locked before the notification's, as everywhere."""
        now = self._desk.now()
        with connection.transaction():
            case = notification.case_id, notification.round
            if notification.case_id is not None:
                store.lock_case(connection, notification.case_id)
            if not store.end(connection, notification.notification_id, State.FAILED):
                return
            log.warning("notification %s did not arrive", notification.notification_id)
            match case:
                case (UUID() as case_id, int() as round_):
                    store.move_case_on(connection, case_id, round_, now)


def _is_needed(connection: Connection, notification: Notification, now: datetime) -> bool:
    """Whether the case still waits in this round; what is of no case is needed until it has ended."""
    return notification.subject is not Subject.CASE or _case_of(connection, notification, now) is not None


def _case_of(connection: Connection, notification: Notification, now: datetime) -> WaitingCase | None:
    if notification.case_id is None or notification.round is None:
        return None
    return store.waiting_case(connection, notification.case_id, notification.round, now)
