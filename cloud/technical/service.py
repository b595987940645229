"""What is work in the technical queue, what is hidden under what, and who takes which."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.technical import store
from cloud.technical.models import Alarm, Conflict, Entry, Place, Queue

Connection = AsyncConnection[Any]
RESOLVED_WITHIN: Final = timedelta(days=7)
# An explanation that is itself explained, and so on: a silent device, its gateway, the gateway's certificate.
LONGEST_CHAIN: Final = 4


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
    work: Sequence[Alarm], hidden: Sequence[Alarm], counts: Iterable[tuple[Place, int]], count: int, waiting: int
) -> Queue:
    """Put what is hidden under what hides it, and what is hidden by something hidden under what hides that."""
    shown = _Shown(work, hidden)
    below: defaultdict[UUID | None, list[Alarm]] = defaultdict(list)
    for alarm in hidden:
        below[shown.above(Place(alarm.inhibited_by or "", alarm.gateway_id, alarm.subject))].append(alarm)
    how_many: defaultdict[UUID | None, int] = defaultdict(int)
    for place, number in counts:
        how_many[shown.above(place)] += number
    entries = [
        Entry(
            alarm=alarm,
            hidden=below[alarm.alarm_id][: store.HIDDEN_SHOWN],
            hidden_count=how_many[alarm.alarm_id],
        )
        for alarm in work
    ]
    return Queue(
        entries=entries,
        count=count,
        waiting=waiting,
        orphans=below[None][: store.HIDDEN_SHOWN],
        orphan_count=how_many[None],
    )


class _Shown:
    """The alarms that are work, by what they may hide; of several the most urgent."""

    def __init__(self, work: Iterable[Alarm], hidden: Iterable[Alarm]) -> None:
        self._of_subject: dict[tuple[str, str], UUID] = {}
        self._of_gateway: dict[tuple[str, str | None], UUID] = {}
        for alarm in work:
            self._of_subject.setdefault((alarm.condition, alarm.subject), alarm.alarm_id)
            self._of_gateway.setdefault((alarm.condition, alarm.gateway_id), alarm.alarm_id)
        self._hidden_by = {(alarm.condition, alarm.gateway_id): alarm.inhibited_by for alarm in hidden}

    def above(self, place: Place) -> UUID | None:
        """What hides an alarm with this explanation; None: it is not shown."""
        explanation: str | None = place.explanation
        for _ in range(LONGEST_CHAIN):
            if explanation is None:
                break
            if place.subject and (found := self._of_subject.get((explanation, place.subject))):
                return found
            found = self._of_gateway.get((explanation, place.gateway_id)) or self._of_gateway.get((explanation, None))
            if found:
                return found
            explanation = self._hidden_by.get((explanation, place.gateway_id))
        return None
