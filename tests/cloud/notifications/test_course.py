"""What follows for a notification that nobody confirmed yet."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from cloud.notifications.course import GiveUp, Patience, Send, Wait, next_move
from cloud.notifications.models import Attempt, ChannelName, Outcome, Route

START = datetime(2026, 11, 22, 3, 12, tzinfo=UTC)
ID = UUID(int=7)
PATIENCE = Patience()
CONSOLE = Route(channel=ChannelName.CONSOLE)
SMS = Route(channel=ChannelName.SMS, address_id=UUID(int=1), address="+4520123456")
VOICE = Route(channel=ChannelName.VOICE, address_id=UUID(int=2), address="+4520123456")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tried(route: Route, outcome: Outcome, began: float = 0, took: float = 0) -> Attempt:
    """A try so many seconds after the start."""
    return Attempt(
        channel=route.channel,
        address_id=route.address_id,
        began_at=after(began),
        ended_at=None if outcome is Outcome.SENDING else after(began + took),
        outcome=outcome,
    )


def move(now: float, *attempts: Attempt, routes: tuple[Route, ...] = (CONSOLE, SMS, VOICE)) -> Send | Wait | GiveUp:
    return next_move(ID, START, routes, attempts, after(now), PATIENCE)


def test_the_first_address_and_the_console_are_told_at_once() -> None:
    assert move(0) == Send(SMS)
    for outcome in (Outcome.SENT, Outcome.AGAIN, Outcome.NEVER):
        assert move(0, tried(SMS, outcome)) == Send(CONSOLE)
    assert move(0, routes=(CONSOLE,)) == Send(CONSOLE)


def test_a_page_that_nobody_confirms_gives_way_to_the_next_address() -> None:
    told = (tried(CONSOLE, Outcome.SENT), tried(SMS, Outcome.SENT))

    assert move(59.9, *told) == Wait(after(60))
    assert move(60, *told) == Send(VOICE)


def test_an_address_that_refuses_for_good_gives_way_at_once() -> None:
    for outcome in (Outcome.NEVER, Outcome.UNDELIVERED):
        assert move(1, tried(CONSOLE, Outcome.SENT), tried(SMS, outcome)) == Send(VOICE)


def test_a_refusal_for_now_is_tried_again_after_a_while_that_grows_and_not_for_ever() -> None:
    waits = []
    attempts = [tried(CONSOLE, Outcome.SENT)]
    at = 0.0
    for _ in range(PATIENCE.most_tries):
        attempts.append(tried(SMS, Outcome.AGAIN, at))
        follows = move(at, *attempts)
        if not isinstance(follows, Wait):
            break
        waits.append((follows.until - after(at)).total_seconds())
        at = (follows.until - START).total_seconds()
        assert move(at, *attempts) == Send(SMS)

    assert follows == Send(VOICE)
    assert len(waits) == PATIENCE.most_tries - 1
    for wait, least in zip(waits, (5, 10, 20), strict=True):
        assert least <= wait < least * 1.5


def test_two_notifications_do_not_retry_in_step() -> None:
    refused = (tried(CONSOLE, Outcome.SENT), tried(SMS, Outcome.AGAIN))
    moves = [next_move(UUID(int=n), START, (CONSOLE, SMS), refused, START, PATIENCE) for n in range(20)]
    dues = {follows.until for follows in moves if isinstance(follows, Wait)}

    assert len(dues) > 10


@pytest.mark.parametrize("outcome", [Outcome.LOST, Outcome.SENDING])
def test_a_try_whose_process_died_is_made_again_at_once(outcome: Outcome) -> None:
    assert move(3, tried(CONSOLE, Outcome.SENT), tried(SMS, outcome)) == Send(SMS)


def test_what_nobody_confirmed_in_time_has_failed() -> None:
    told = (tried(CONSOLE, Outcome.SENT), tried(SMS, Outcome.SENT), tried(VOICE, Outcome.SENT, 60))

    assert move(120, *told) == Wait(after(180))
    assert move(180, *told) == GiveUp()


def test_where_nothing_left_that_could_be_confirmed_nobody_waits() -> None:
    assert move(1, tried(SMS, Outcome.NEVER), tried(VOICE, Outcome.NEVER), routes=(SMS, VOICE)) == GiveUp()
    assert move(0, routes=()) == GiveUp()


def test_a_key_belongs_to_the_notification_and_the_address_and_not_to_the_try() -> None:
    assert SMS.key(ID) == SMS.key(ID)
    assert len({SMS.key(ID), VOICE.key(ID), SMS.key(UUID(int=8)), CONSOLE.key(ID)}) == 4
