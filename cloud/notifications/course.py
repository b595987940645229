"""What follows for a notification that nobody has confirmed yet: pure.

The first address and the console are told at once: an open page in an empty room must not keep a telephone silent. Then
come the other addresses, in their order. A try that was refused for now is made again, after a while that grows; a way
that is refused for good, or not confirmed in time, gives way to the next. What nobody has confirmed by the end has
failed, and the case goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from cloud.notifications.models import Attempt, ChannelName, Outcome, Route

IMMEDIATE = frozenset({ChannelName.CONSOLE, ChannelName.PRINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long we wait for what. Proposals of this project: an emergency is to be acknowledged within 5 minutes.

    ``next_way_after``: without a word that it arrived, the next address is tried. ``give_up_after``: it has failed.
    ``first_retry``: doubled with each refusal, and stretched by up to a half so that nobody retries in step.
    """

    next_way_after: timedelta = timedelta(seconds=60)
    give_up_after: timedelta = timedelta(seconds=180)
    first_retry: timedelta = timedelta(seconds=5)
    most_tries: int = 4


@dataclass(frozen=True, slots=True)
class Send:
    """Try this way now."""

    route: Route


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before then."""

    until: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It has failed."""


Move = Send | Wait | GiveUp


def next_move(
    notification_id: UUID,
    created_at: datetime,
    routes: Sequence[Route],
    attempts: Sequence[Attempt],
    now: datetime,
    patience: Patience,
) -> Move:
    """What to do at ``now``. ``attempts`` in the order in which they were made; none of them is under way."""
    end = created_at + patience.give_up_after
    if now >= end:
        return GiveUp()
    tried = {(a.channel, a.address_id) for a in attempts}
    for route in _at_once(routes):
        if (route.channel, route.address_id) not in tried:
            return Send(route)
    hope = False  # something was taken that may yet be confirmed
    for route in routes:
        tries = [a for a in attempts if (a.channel, a.address_id) == (route.channel, route.address_id)]
        if not tries:
            return Send(route)
        hope = hope or any(t.outcome in (Outcome.SENT, Outcome.DELIVERED) for t in tries)
        due = _due(notification_id, route, tries, patience)
        turn = tries[0].began_at + patience.next_way_after
        if due is not None and now >= due:
            return Send(route)
        if route.channel not in IMMEDIATE and _is_open(tries[-1], due) and now < turn:
            return Wait(min(turn, due or turn, end))
    last = max((a.ended_at or a.began_at for a in attempts), default=created_at)
    until = end if hope else min(end, last)
    return Wait(until) if until > now else GiveUp()


def _at_once(routes: Sequence[Route]) -> Sequence[Route]:
    """The first address, and then those that nobody waits for."""
    addressed = [route for route in routes if route.channel not in IMMEDIATE]
    return [*addressed[:1], *(route for route in routes if route.channel in IMMEDIATE)]


def _due(notification_id: UUID, route: Route, tries: Sequence[Attempt], patience: Patience) -> datetime | None:
    """When this route is tried again; None: no more."""
    last = tries[-1]
    if last.outcome in (Outcome.LOST, Outcome.SENDING):
        return last.began_at  # its process died: at once, the far side knows it by its key
    if last.outcome is not Outcome.AGAIN or len(tries) >= patience.most_tries:
        return None
    stretched = 1 + (route.key(notification_id).int + len(tries)) % 1000 / 2000
    return (last.ended_at or last.began_at) + patience.first_retry * (1 << (len(tries) - 1)) * stretched


def _is_open(last: Attempt, due: datetime | None) -> bool:
    """Whether this way may still lead to the person."""
    return last.outcome is Outcome.SENT or due is not None
