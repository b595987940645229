"""The same judgement that opens a nurse's case, for one patient and at this moment."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.reasons import SilenceStep
from alerting.technical.fleet import Fleet
from alerting.technical.judge import judge
from cloud.components import store as components
from cloud.fleet.schedules import Overdue, missing
from cloud.silences import store
from cloud.silences.models import Late

Connection = AsyncConnection[Any]
# A page believes what our processes wrote of themselves; it has not just begun to listen.
EVER: Final = timedelta(days=365)


async def of_patient(conn: Connection, patient_id: UUID, now: datetime) -> Mapping[UUID, Late]:
    """What is late of the patient's devices, by assignment; the caller has checked who asks."""
    late = {
        use: one.reason for one in await _overdue(conn, patient_id, now) for use in await store.uses(conn, one, now)
    }
    if not late:
        return {}
    roster = await store.roster(conn, [use.device_id for use in late])
    fleet = Fleet(
        judging_since=now - EVER,
        components=await components.components(conn),
        gateways=await store.gateways(conn, [entry.gateway_id for entry in roster]),
        roster=roster,
        uses=tuple(late),
    )
    return {
        UUID(use.assignment_id): Late(
            cause=silence.cause,
            since=silence.since,
            missed=late[use].missed,
            missed_since=late[use].missed_since,
            why=silence.why,
        )
        for use, silence in judge(fleet, (), now).silences
    }


async def _overdue(conn: Connection, patient_id: UUID, now: datetime) -> list[Overdue]:
    """Of each kind of the patient's schedule, if it is missing for so long that a cause is asked for."""
    found = [
        missing(row, await store.heard(conn, row, now), now)[0] for row in await store.schedules(conn, patient_id, now)
    ]
    return [one for one in found if one is not None and one.reason.step is not SilenceStep.REMIND_PATIENT]
