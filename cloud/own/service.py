"""A patient's own page: what is due, what arrived, what is wrong, what was agreed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
from psycopg import AsyncConnection

from alerting.adherence import Task, today
from alerting.limits import Measure
from alerting.regimes import Figure, RegimeLimit
from alerting.windows import instant
from cloud.components import service as components
from cloud.console.spoken import zone_of
from cloud.contacts import service as contacts
from cloud.duty import store as duty
from cloud.fleet.schedules import schedule_of
from cloud.own import store
from cloud.own.models import Help, Measured, OwnLimit, OwnPlan, Today, Trouble
from cloud.patients.models import BloodPressure, Concentration, Patient, Readings
from cloud.planning import service as planning
from cloud.planning import store as plans
from cloud.planning.models import Slot
from cloud.silences import store as schedules
from device_drivers.nomenclature import Unit

Connection = AsyncConnection[Any]

# Longer than the longest tolerance before a due time of yesterday.
LOOK_BACK: Final = timedelta(days=3)
SHOWN: Final = 5
# What a kind of reading is judged by.
_MEASURES: Final = {
    "glucose": (Measure.GLUCOSE,),
    "ketone": (Measure.KETONE,),
    "blood_pressure": (Measure.SYSTOLIC, Measure.DIASTOLIC),
}


async def due_today(conn: Connection, of: Patient, now: datetime) -> Today:
    """What is to be measured on the patient's day, pauses respected."""
    tasks: list[Task] = []
    rows = await schedules.schedules(conn, of.patient_id, now)
    for row in rows:
        schedule = schedule_of(row)
        taken = await store.taken(conn, of.patient_id, schedule.kind, now - LOOK_BACK, now)
        tasks += today(schedule, np.array([instant(at) for at in taken], dtype="datetime64[us]"), now)
    pauses = await plans.pauses(conn, of.patient_id, now)
    return Today(
        tasks=sorted(tasks, key=lambda task: (task.due.at, task.kind)),
        pause=next((pause for pause in pauses if pause.since is None or pause.since <= now), None),
        has_schedule=bool(rows),
    )


async def troubles(conn: Connection, of: Patient, now: datetime) -> list[Trouble]:
    """What keeps readings from coming, the widest first; a gateway that is away explains its silent devices."""
    found = []
    if not (await components.our_side(conn, now)).is_storing:
        found.append(Trouble(what="our_side_down"))
    alarms = await store.alarms(conn, of.patient_id, now)
    if any(condition == "gateway_away" for condition, _, _ in alarms):
        return [*found, Trouble(what="gateway_away", since=await store.gateway_seen_at(conn, of.patient_id, now))]
    return [*found, *(Trouble(what=condition, device=device, since=since) for condition, device, since in alarms)]


async def whom_to_call(conn: Connection, of: Patient) -> Help:
    """The emergency number of the card, and the centre's own."""
    card = (await contacts.surroundings(conn, of.patient_id)).card
    return Help(emergency=card.emergency_number if card else None, centre=await duty.phone(conn) or None)


def newest(readings: Readings, zone: str) -> list[Measured]:
    """The patient's own readings of all kinds, the newest first. Control solution is none of them."""
    found: list[tuple[str, Concentration | BloodPressure]] = [
        *(("glucose", one) for one in readings.glucose),
        *(("ketone", one) for one in readings.ketone),
        *(("blood_pressure", one) for one in readings.blood_pressure),
    ]
    there = zone_of(zone)
    return [
        Measured(
            kind=kind,
            reading=one,
            day=one.effective_time.astimezone(there).date(),
            received_on=one.stored_at.astimezone(there).date(),
        )
        for kind, one in sorted(found, key=lambda each: each[1].effective_time, reverse=True)
        if one.is_patient
    ]


async def own_plan(conn: Connection, of: Patient, readings: Readings, now: datetime) -> OwnPlan:
    """What was agreed: when to measure, and the limits of single readings for what the patient measures."""
    slots = await plans.slots(conn, of.patient_id, now)
    limits = await planning.limits_in_force(conn, of.patient_id, now)
    return OwnPlan(
        slots=sorted(slots, key=lambda slot: (slot.at, slot.kind)),
        pauses=await plans.pauses(conn, of.patient_id, now),
        limits=_concerning(limits, slots, readings),
    )


def _concerning(limits: Iterable[RegimeLimit], slots: Sequence[Slot], readings: Readings) -> list[OwnLimit]:
    """Limits of single readings of what the patient measures, in the units of their devices; in all of them where
    nothing was measured yet. Two findings that share a limit are one to the patient.
    """
    used = {
        kind: {Unit(one.unit) for one in rows}
        for kind, rows in (
            ("glucose", readings.glucose),
            ("ketone", readings.ketone),
            ("blood_pressure", readings.blood_pressure),
        )
    }
    kinds = {slot.kind for slot in slots} | {kind for kind, units in used.items() if units}
    wanted = {measure: used[kind] for kind in kinds for measure in _MEASURES[kind]}
    found = [
        OwnLimit(
            measure=limit.measure,
            relation=limit.relation,
            values=tuple((unit, limit.values[unit]) for unit in limit.values if unit in (units or limit.values)),
            set_by=limit.source if limit.version is not None else None,
        )
        for limit in limits
        if limit.figure is Figure.READING and (units := wanted.get(limit.measure)) is not None
    ]
    return [limit for limit in dict.fromkeys(found) if limit.values]
