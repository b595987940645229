"""When our own side counts as down: by the same rule by which the fleet is judged."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection

from alerting.limits import Priority
from alerting.technical.conditions import latest
from alerting.technical.fleet import Component, Fleet
from alerting.technical.limits import DEFAULT_LIMITS, TechnicalLimits
from alerting.technical.own_side import own_side
from cloud.components import store
from cloud.components.models import OurSide

Connection = AsyncConnection[Any]
# A console that has just begun believes what is written: the processes themselves wrote it.
EVER: Final = timedelta(days=365)
# The fleet is judged at least each minute (``config.LONGEST_JUDGE_EVERY_S``).
UNJUDGED_FOR: Final = timedelta(minutes=3)


async def our_side(conn: Connection, now: datetime) -> OurSide:
    """How it is now."""
    return judged(await store.components(conn), now)


def judged(components: Sequence[Component], now: datetime, limits: TechnicalLimits = DEFAULT_LIMITS) -> OurSide:
    """What does not work. Nobody takes readings where no worker is there, or none has heard the broker for long.

    A process that ended in order has no row, and does no work either: that is not told apart from one that never ran.
    """
    workers = [component for component in components if component.kind == "ingest"]
    judges = [component for component in components if component.kind == "jobs"]
    deaf = [worker.since for worker in workers if worker.broker is False]
    found = own_side(Fleet(judging_since=now - EVER, components=workers), now, limits)
    is_storing = all(condition.priority is not Priority.HIGH for condition in found.conditions)
    is_watching = any(_judges(judge, now, limits) for judge in judges)
    return OurSide(
        is_storing=is_storing,
        storing_stopped_at=None if is_storing else latest(*deaf) or latest(*(worker.seen_at for worker in workers)),
        is_watching=is_watching,
        watching_stopped_at=None if is_watching else latest(*(_judged_at(judge) for judge in judges)),
    )


def _judges(judge: Component, now: datetime, limits: TechnicalLimits) -> bool:
    """It is there, and what it is there for gets done: a process that fails at each judgement beats, too."""
    return now - judge.seen_at <= limits.component_silent and now - _judged_at(judge) <= UNJUDGED_FOR


def _judged_at(judge: Component) -> datetime:
    """When it last judged; one that has just begun has until its first turn."""
    return latest(judge.judged_at, judge.since) or judge.seen_at
