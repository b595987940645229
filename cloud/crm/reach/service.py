"""How a patient is reached: what is shown of it, and each change with its audit row, which has no address."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.crm.reach import entries, store
from cloud.crm.reach.models import Ways
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

MOST_ADDRESSES: Final = 6


async def ways(conn: Connection, patient_id: UUID) -> Ways:
    """All of one patient; the caller has checked who asks."""
    return Ways(
        reach=await store.reach(conn, patient_id),
        addresses=await store.addresses(conn, patient_id),
        consents=await store.consents(conn, patient_id),
        told=await store.told(conn, patient_id),
    )


async def choose(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> None:
    """Quiet hours and language. Refused."""
    quiet_from, quiet_until, language = entries.choice(form)
    await store.set_reach(conn, patient_id, quiet_from, quiet_until, language, session.account_id, now)
    await audit.record_by(conn, session, now, "reach.choose", f"patient:{patient_id}", patient_id)


async def add(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> None:
    """One more address; nothing is sent there before the patient agreed to the way. Refused.

    Whoever has broken the glass writes none: what is sent there lets its reader answer, long after the hour.
    """
    channel, address = entries.address(form)
    if not await store.in_team(conn, patient_id):
        raise Refused("way", {"address": Refusal("team_alone")}, form)
    channel_id = await store.add_address(conn, patient_id, channel, address, MOST_ADDRESSES, session.account_id, now)
    if channel_id is None:
        raise Refused("way", {"address": Refusal("enough_or_there")}, form)
    await audit.record_by(
        conn, session, now, "reach.add", f"patient_channel:{channel_id}", patient_id, {"channel": channel}
    )


async def prefer(conn: Connection, session: Session, patient_id: UUID, channel_id: UUID, now: datetime) -> bool:
    """The address that the patient likes best is tried first. False: there is no such address."""
    if not await store.put_first(conn, patient_id, channel_id):
        return False
    await audit.record_by(conn, session, now, "reach.prefer", f"patient_channel:{channel_id}", patient_id)
    return True


async def remove(conn: Connection, session: Session, patient_id: UUID, channel_id: UUID, now: datetime) -> bool:
    """False: there is no such address."""
    if not await store.remove_address(conn, patient_id, channel_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "reach.remove", f"patient_channel:{channel_id}", patient_id)
    return True


async def agree(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> None:
    """What the patient said about one way: to the care team, or here. Refused."""
    channel, decision = entries.consent(form)
    method = "screen" if session.role is Role.PATIENT else "told"
    await store.consent(conn, patient_id, channel, decision, method, session.account_id, now)
    await audit.record_by(
        conn, session, now, f"reach.{decision}", f"patient:{patient_id}", patient_id, {"channel": channel}
    )


async def record_reading(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> None:
    """Somebody read how the patient is reached."""
    await audit.record_by(conn, session, now, "reach.read", f"patient:{patient_id}", patient_id)


async def set_own_words(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """What all patients are told outside in one language, from now on. Refused."""
    language, subject, body = entries.own_words(form)
    await store.set_own_words(conn, language, subject, body, session.account_id, now)
    detail: dict[str, object] = {"language": language, "own": subject is not None}
    await audit.record_by(conn, session, now, "reach.words", f"outside_text:{language}", None, detail)
