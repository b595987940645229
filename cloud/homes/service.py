"""Tells homes what is due, when that changed: a plan, a pause, who uses which device, or the days that are known there.

What is due is worked out once a day for each schedule, and again where it was changed; what a home was told is read
once. So a turn in which nothing changed costs three queries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from alerting.adherence import due_times
from cloud.db.connect import Connection
from cloud.fleet.schedules import Key, Row, schedule_of
from cloud.homes import store
from cloud.homes.models import Plan, Said, Task, Window, is_to_be_told, plan_of, plans, span

# Of a first turn with thousands of homes: the rest is the next turn's.
MOST_AT_ONCE = 500


@dataclass(slots=True)
class Memory:
    """What was worked out of whose schedule for which days, and what each home's newest command says."""

    worked_out: dict[Key, tuple[Row, datetime, Task]] = field(default_factory=dict)
    told: dict[UUID, Plan | None] = field(default_factory=dict)


def tell_homes(connection: Connection, memory: Memory, now: datetime) -> int:
    """Tell the homes that need to be told; how many. Done twice, it does nothing. The caller commits."""
    if not store.is_mine(connection):
        return 0
    since, until = span(now)
    tasks = _tasks(connection, memory, now, since, until)
    wanted = plans(store.uses(connection, now), tasks, since, until)
    said = store.said(connection)
    told = _told(connection, memory, said)
    due = [
        (gateway_id, plan.as_body(now))
        for gateway_id, plan in sorted(wanted.items())
        if is_to_be_told(said.get(gateway_id), told.get(gateway_id), plan, now)
    ][:MOST_AT_ONCE]
    if due:
        store.tell(connection, due, now)
    return len(due)


def _tasks(
    connection: Connection, memory: Memory, now: datetime, since: datetime, until: datetime
) -> Mapping[UUID, list[Task]]:
    known, memory.worked_out = memory.worked_out, {}
    found: dict[UUID, list[Task]] = {}
    for row in store.schedules(connection, now):
        before = known.get(row.key)
        if before is None or before[:2] != (row, since):
            before = row, since, _task(row, since, until)
        memory.worked_out[row.key] = before
        found.setdefault(row.patient_id, []).append(before[2])
    return found


def _task(row: Row, since: datetime, until: datetime) -> Task:
    due = due_times(schedule_of(row), since, until)
    return Task(row.kind, row.time_zone, tuple(Window(one.at, one.earliest, one.latest) for one in due))


def _told(connection: Connection, memory: Memory, said: Mapping[str, Said]) -> Mapping[str, Plan | None]:
    newest = {one.command_id for one in said.values()}
    known = {command_id: plan for command_id, plan in memory.told.items() if command_id in newest}
    for command_id, body in store.bodies(connection, newest - known.keys()).items():
        try:
            known[command_id] = plan_of(body)
        except (KeyError, ValueError, TypeError):
            known[command_id] = None  # of another release: the home is told anew
    memory.told = known
    return {gateway_id: known.get(one.command_id) for gateway_id, one in said.items()}
