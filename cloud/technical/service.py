"""What is work in the technical queue, what is hidden under what, and who takes which."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.technical import store
from cloud.technical.models import Alarm, Conflict, Entry, Queue

Connection = AsyncConnection[Any]
RESOLVED_WITHIN: Final = timedelta(days=7)

# An explanation and the gateway that it is about; None: about none of them, such as our own side.
Key = tuple[str, str | None]


async def queue(conn: Connection) -> Queue:
    """The open alarms, each with what it hides."""
    count, waiting = await store.counts(conn)
    return arranged(await store.work(conn), await store.hidden(conn), await store.hidden_counts(conn), count, waiting)


async def resolved(conn: Connection, now: datetime) -> list[Alarm]:
    """What went away in the last days."""
    return await store.resolved_since(conn, now - RESOLVED_WITHIN)


async def acknowledge(conn: Connection, session: Session, alarm_id: UUID, now: datetime) -> Alarm | Conflict | None:
    """Look after it. Again by the same person: nothing more happens. None: there is no such alarm."""
    taken = await store.acknowledge(conn, alarm_id, session.account_id, now)
    alarm = await store.alarm(conn, alarm_id)
    if alarm is None:
        return None
    if not taken:
        return alarm if alarm.acknowledged_by == session.account_id else _conflict(alarm)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="technical_alarm.acknowledge",
        subject=f"technical_alarm:{alarm_id}",
        detail={"condition": alarm.condition},
    )
    return alarm


def _conflict(alarm: Alarm) -> Conflict:
    return Conflict(code="taken" if alarm.acknowledged_by else "gone", alarm=alarm)


def arranged(
    work: Sequence[Alarm], hidden: Iterable[Alarm], counts: Mapping[Key, int], count: int, waiting: int
) -> Queue:
    """Put what is hidden under what hides it: of the same gateway if it is there, else what concerns all of them."""
    parents: dict[Key, Alarm] = {}
    for alarm in work:
        parents.setdefault((alarm.condition, alarm.gateway_id), alarm)

    def parent(key: Key) -> UUID | None:
        found = parents.get(key) or parents.get((key[0], None))
        return found.alarm_id if found else None

    below: defaultdict[UUID | None, list[Alarm]] = defaultdict(list)
    for alarm in hidden:
        below[parent((alarm.inhibited_by or "", alarm.gateway_id))].append(alarm)
    how_many: defaultdict[UUID | None, int] = defaultdict(int)
    for key, number in counts.items():
        how_many[parent(key)] += number
    entries = [
        Entry(alarm=alarm, hidden=below[alarm.alarm_id], hidden_count=how_many[alarm.alarm_id]) for alarm in work
    ]
    return Queue(entries=entries, count=count, waiting=waiting, orphans=below[None], orphan_count=how_many[None])
