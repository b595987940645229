"""Who may take which case, and what changes then."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from alerting.lifecycle import CLOSED, Event, IllegalTransition, State, after
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.worklist import store
from cloud.worklist.models import Case, Conflict

Connection = AsyncConnection[Any]


async def acknowledge(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Case | Conflict | None:
    """Take ownership. Again by the same person: nothing more happens. None: no such case for this account."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None:
        return None
    if case.state in (State.ACKNOWLEDGED, State.IN_PROGRESS):
        return case if case.owner == session.account_id else Conflict(code="taken", case=case)
    return await _apply(conn, session, case, Event.ACKNOWLEDGE, now)


async def resolve(conn: Connection, session: Session, case_id: UUID, now: datetime) -> Case | Conflict | None:
    """Close one's own case. Again by the same person: nothing more happens. None: no such case for this account."""
    case = await store.locked_case(conn, session.account_id, case_id)
    if case is None:
        return None
    if case.owner is not None and case.owner != session.account_id:
        return Conflict(code="not_yours", case=case)
    if case.state is State.RESOLVED:
        return case
    return await _apply(conn, session, case, Event.RESOLVE, now)


async def _apply(conn: Connection, session: Session, case: Case, event: Event, now: datetime) -> Case | Conflict:
    try:
        to = after(case.state, event)
    except IllegalTransition:
        return Conflict(code="closed" if case.state in CLOSED else "not_now", case=case)
    await store.change(conn, case, event, to, session.account_id, now)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action=f"case.{event}",
        subject=f"case:{case.case_id}",
        patient_id=case.patient_id,
        detail={"from": case.state, "to": to},
    )
    changed = await store.case(conn, session.account_id, case.case_id)
    return changed or case
