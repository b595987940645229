"""Tells homes what is due, when that changed: a plan, a pause, who uses which device, or the days that are known there.

What is due is worked out once a day for each schedule, and again where it was changed; what a home was told is read
once. So a turn in which nothing changed costs four queries. What takes time is done between two transactions, and no
home is told of it that was told something else meanwhile.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from alerting.adherence import Schedule, Slot, due_times
from cloud.db.connect import Connection
from cloud.fleet.schedules import Key, Row, schedule_of
from cloud.homes import store
from cloud.homes.models import Plan, Said, Task, Use, Window, is_to_be_told, plan_of, plans, span

# Of a first turn with thousands of homes: the rest is the next turn's.
MOST_AT_ONCE = 500

# A connection in a transaction that commits at the end of its block.
Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(slots=True)
class Memory:
    """What was worked out of whose schedule for which days, and what each home's newest command says."""

    worked_out: dict[Key, tuple[Row, datetime, Task]] = field(default_factory=dict)
    told: dict[UUID, Plan | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Read:
    """What there was to be read."""

    schedules: list[Row]
    uses: list[Use]
    said: Mapping[str, Said]
    bodies: Mapping[UUID, Mapping[str, Any]]  # those that the memory does not have


def tell_homes(transaction: Transaction, memory: Memory, now: datetime) -> int:
    """Tell the homes that need to be told; how many. Done twice, it does nothing."""
    with transaction() as connection:
        read = _read(connection, memory, now)
    due = _due(read, memory, now)
    if not due:
        return 0
    with transaction() as connection:
        if not store.is_mine(connection):
            return 0
        newest = store.said(connection)
        still = [home for home in due if _is_as(newest.get(home[0]), read.said.get(home[0]))]
        if still:
            store.tell(connection, still, now)
    return len(still)


def _is_as(newest: Said | None, read: Said | None) -> bool:
    """Whether nobody has told this home anything meanwhile."""
    return (newest and newest.command_id) == (read and read.command_id)


def _read(connection: Connection, memory: Memory, now: datetime) -> _Read:
    said = store.said(connection)
    unknown = {one.command_id for one in said.values()} - memory.told.keys()
    return _Read(store.schedules(connection, now), store.uses(connection, now), said, store.bodies(connection, unknown))


def _due(read: _Read, memory: Memory, now: datetime) -> list[tuple[str, Mapping[str, Any]]]:
    """The homes to be told, and what."""
    since, until = span(now)
    wanted = plans(read.uses, _tasks(read.schedules, memory, since, until), since, until)
    told = _told(read, memory)
    homes = (
        (gateway_id, plan)
        for gateway_id, plan in sorted(wanted.items())
        if is_to_be_told(read.said.get(gateway_id), told.get(gateway_id), plan, now)
    )
    return [(gateway_id, plan.as_body(now)) for (gateway_id, plan), _ in zip(homes, range(MOST_AT_ONCE), strict=False)]


def _tasks(rows: Iterable[Row], memory: Memory, since: datetime, until: datetime) -> Mapping[UUID, list[Task]]:
    known, memory.worked_out = memory.worked_out, {}
    found: dict[UUID, list[Task]] = {}
    for row in rows:
        before = known.get(row.key)
        if before is None or before[:2] != (row, since):
            before = row, since, Task(row.kind, row.time_zone, _windows(_within(schedule_of(row), since), since, until))
        memory.worked_out[row.key] = before
        found.setdefault(row.patient_id, []).append(before[2])
    return found


def _within(schedule: Schedule, since: datetime) -> Schedule:
    """The same from ``since`` on, so that schedules which differ before it alone are equal."""
    slots = tuple(
        replace(slot, since=max(slot.since or since, since)) for slot in schedule.slots if _counts(slot, since)
    )
    pauses = tuple(
        replace(pause, start=max(pause.start, since))
        for pause in schedule.pauses
        if pause.end is None or pause.end > since
    )
    return replace(schedule, slots=slots, pauses=pauses, since=max(schedule.since, since))


def _counts(slot: Slot, since: datetime) -> bool:
    return slot.until is None or slot.until > since


# Thousands of patients have few plans.
@lru_cache(maxsize=4096)
def _windows(schedule: Schedule, since: datetime, until: datetime) -> tuple[Window, ...]:
    return tuple(Window(one.at, one.earliest, one.latest) for one in due_times(schedule, since, until))


def _told(read: _Read, memory: Memory) -> Mapping[str, Plan | None]:
    newest = {one.command_id for one in read.said.values()}
    known = {command_id: plan for command_id, plan in memory.told.items() if command_id in newest}
    for command_id, body in read.bodies.items():
        try:
            known[command_id] = plan_of(body)
        except (KeyError, ValueError, TypeError):
            known[command_id] = None  # of another release: the home is told anew
    memory.told = known
    return {gateway_id: known.get(one.command_id) for gateway_id, one in read.said.items()}
