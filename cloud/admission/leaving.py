"""Pausing, the end, closing the record, and coming back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.admission import entries, store
from cloud.admission.models import Leaving, Missing, Patient
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.participation import service as participation
from cloud.participation import store as participations
from cloud.participation.models import Participation, Stage
from cloud.planning import service as planning
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


async def leaving(conn: Connection, session: Session, now: datetime) -> list[Leaving]:
    """Whose participation has ended, and what is left to do: the oldest first."""
    patients = await store.leaving(conn, session.account_id, now)
    ids = [one.patient_id for one in patients]
    takes_part = await participations.newest(conn, ids)
    left = await store.left(conn, ids)
    return [
        Leaving(
            patient=one,
            takes_part=takes_part[one.patient_id],
            missing=_before_closing(takes_part[one.patient_id], left.get(one.patient_id, {})),
        )
        for one in patients
    ]


async def to_close(conn: Connection, takes_part: Participation) -> Sequence[Missing]:
    """What is left to do before the record is closed."""
    left = await store.left(conn, [takes_part.patient_id])
    return _before_closing(takes_part, left.get(takes_part.patient_id, {}))


def _before_closing(takes_part: Participation, left: Mapping[str, int]) -> Sequence[Missing]:
    missing = [Missing(code="notice")] if takes_part.seen_at is None else []
    return missing + [Missing(code=code, number=number) for code, number in left.items()]


async def pause(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Nothing is expected meanwhile; what arrives is judged as ever."""
    found = await planning.patient(conn, session, of.patient_id)
    if found is not None:
        await planning.add_pause(conn, session, found, form, now)


async def end_pause(conn: Connection, session: Session, of: Patient, pause_id: UUID, now: datetime) -> bool:
    """The pause is over. False: there is no such pause."""
    found = await planning.patient(conn, session, of.patient_id)
    return found is not None and await planning.end_pause(conn, session, found, pause_id, now)


async def end(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Nobody watches any longer. Refused without a reason, and where it has ended already."""
    why, note = entries.end(form)
    if not await participation.end(conn, session, of.patient_id, why, note, now):
        raise Refused("end", {"why": Refusal("has_ended")}, form)


async def close(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The care team sees the record no more. Refused while something is left to do."""
    await participations.lock(conn, of.patient_id)
    takes_part = await participation.of_patient(conn, of.patient_id)
    if takes_part is None or takes_part.stage is not Stage.ENDED or await to_close(conn, takes_part):
        raise Refused("close", {"sure": Refusal("something_left")}, form)
    await participation.record(
        conn, session, of.patient_id, now, "participation.close", takes_part.participation_id, {}
    )
    await participations.close(conn, of.patient_id, session.account_id, now)


async def begin_again(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """On the way again: every step is taken anew. Refused where nothing has ended."""
    await participations.lock(conn, of.patient_id)
    if not await participations.begin_again(conn, of.patient_id, session.account_id, now):
        raise Refused("again", {"sure": Refusal("not_ended")}, form)
    await audit.record_by(conn, session, now, "participation.again", f"patient:{of.patient_id}", of.patient_id)
