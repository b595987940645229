"""The same judgement that opens a nurse's case, for one patient and at this moment."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.technical.fleet import Fleet
from alerting.technical.judge import judge
from cloud.components import store as components
from cloud.silences import store
from cloud.silences.models import Late

Connection = AsyncConnection[Any]
# A page believes what our processes wrote of themselves; it has not just begun to listen.
EVER: Final = timedelta(days=365)


async def of_patient(conn: Connection, patient_id: UUID, now: datetime) -> Mapping[UUID, Late]:
    """What is late of the patient's devices, by assignment; the caller has checked who asks."""
    uses = await store.uses(conn, patient_id, now)
    if not uses:
        return {}
    roster = await store.roster(conn, [use.device_id for use in uses])
    fleet = Fleet(
        judging_since=now - EVER,
        components=await components.components(conn),
        gateways=await store.gateways(conn, [entry.gateway_id for entry in roster]),
        roster=roster,
        uses=uses,
    )
    return {
        UUID(use.assignment_id): Late(cause=silence.cause, since=silence.since, every=use.every, why=silence.why)
        for use, silence in judge(fleet, (), now).silences
        if not silence.in_time
    }
