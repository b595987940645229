"""Advice: written by one, approved by a doctor who is another, read by the patient; each with its audit row."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.crm.advice import entries, store
from cloud.crm.advice.models import Given, Snippet
from cloud.crm.education import store as library
from cloud.plans.fields import Form

Connection = AsyncConnection[Any]


async def snippets(conn: Connection, session: Session, now: datetime) -> list[Snippet]:
    """All there ever were."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="advice_list.read", subject="advice_list:all"
    )
    return await store.snippets(conn)


async def write(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """A draft, the next version of its name. Refused."""
    name, rule, texts, article = entries.snippet(form, await library.ids_in_force(conn))
    version = await store.add(conn, name, rule, texts, session.account_id, now, article=article)
    await audit.record_by(conn, session, now, "advice.write", f"advice:{name}:{version}")


async def approve(conn: Connection, session: Session, snippet_id: UUID, now: datetime) -> bool:
    """From now on it is given. False: there is no such draft, or it is one's own."""
    if not await store.approve(conn, snippet_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "advice.approve", f"advice:{snippet_id}")
    return True


async def withdraw(conn: Connection, session: Session, snippet_id: UUID, now: datetime) -> bool:
    """It is given no more. False: there is none, or it is withdrawn already."""
    if not await store.withdraw(conn, snippet_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "advice.withdraw", f"advice:{snippet_id}")
    return True


async def read_own(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> list[Given]:
    """What the patient was given, on their screen: it is read from now on."""
    if await store.read(conn, patient_id, now):
        await audit.record_by(conn, session, now, "advice.read", f"patient:{patient_id}", patient_id)
    return await store.given(conn, patient_id)
