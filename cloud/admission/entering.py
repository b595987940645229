"""Writing down what somebody entered on the way in, with its audit row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from cloud.admission import store
from cloud.admission.models import Patient
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.participation import service as participation
from cloud.participation.models import Stage
from cloud.plans.fields import Refusal, Refused

Connection = AsyncConnection[Any]


async def enter(
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    step: str,
    *,
    item: str = "",
    done: bool = True,
    detail: Mapping[str, object] | None = None,
    note: str = "",
) -> None:
    """Refused where the patient is not on the way (any longer)."""
    takes_part = await participation.of_patient(conn, of.patient_id)
    if takes_part is None or takes_part.stage is not Stage.ON_THE_WAY:
        raise Refused("activate", {"steps": Refusal("not_on_the_way")}, {})
    entry_id = await store.add(
        conn,
        participation_id=takes_part.participation_id,
        patient_id=of.patient_id,
        step=str(step),
        item=item,
        outcome="done" if done else "undone",
        detail=detail or {},
        note=note,
        by=session.account_id,
        at=now,
    )
    await audit.record_by(conn, session, now, f"admission.{step}", f"admission_entry:{entry_id}", of.patient_id)
