"""What follows for something that a patient is to be told: pure.

In quiet hours nothing leaves. The ways are tried in their order; one that takes it is the end. A refusal for now is
tried again after a while that grows, one for good gives way to the next, and so do TRIES_IN_TURN. Where no way has
taken it, those that may yet do are tried on, the soonest due first: a gateway that is down for hours costs nobody a
message. A try whose process died is made again with its key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloud.console.spoken import zone_of
from cloud.crm.reach.models import Outside, State
from cloud.crm.reach.quiet import next_allowed
from cloud.notifications.course import Send, Wait
from cloud.notifications.models import Attempt, Outcome, Route

# Nobody waits for it as for a page: some minutes more do no harm. Proposals of this project.
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)
TRIES_IN_TURN: Final = 5
# Ten hours, all in all.
MOST_TRIES: Final = 16


@dataclass(frozen=True, slots=True)
class End:
    """It is over; ``why`` is a key of texts.OUTSIDE_WHY, or what a channel said."""

    state: State
    why: str | None = None


Move = Send | Wait | End


def next_move(outside: Outside, routes: Sequence[Route], attempts: Sequence[Attempt], now: datetime) -> Move:
    """What to do at ``now``. ``attempts`` in the order in which they were made; none of them is under way."""
    if any(each.outcome is Outcome.SENT for each in attempts):
        return End(State.SENT)
    if outside.until is not None and now >= outside.until:
        return End(State.WITHDRAWN, "too_late")
    allowed = next_allowed(now, outside.quiet_from, outside.quiet_until, zone_of(outside.zone))
    if allowed > now and routes:
        return Wait(allowed)
    tried = [
        (route, [a for a in attempts if (a.channel, a.address_id) == (route.channel, route.address_id)])
        for route in routes
    ]
    for route, tries in tried:
        due = _due(tries, now, TRIES_IN_TURN)
        if due is not None:
            return _at(due, route, now)
    later = [(due, route) for route, tries in tried if (due := _due(tries, now, MOST_TRIES)) is not None]
    if later:
        return _at(*min(later, key=lambda each: each[0]), now)
    if routes:
        return End(State.FAILED, "refused")
    return End(State.PAGE, "no_way") if outside.has_page else End(State.FAILED, "no_way")


def _at(due: datetime, route: Route, now: datetime) -> Move:
    return Send(route) if due <= now else Wait(due)


def _due(tries: Sequence[Attempt], now: datetime, most: int) -> datetime | None:
    """When this way is tried, first or again; None: no more than ``most`` times, and never after a refusal for good."""
    if not tries:
        return now
    last = tries[-1]
    if last.outcome is Outcome.NEVER or len(tries) >= most:
        return None
    if last.outcome is Outcome.AGAIN:
        return (last.ended_at or last.began_at) + min(FIRST_RETRY * (1 << (len(tries) - 1)), LONGEST_RETRY)
    return now
