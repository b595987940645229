"""Whose is it?: what waits, by device, and each answer with its audit row, which has ids and codes, never a figure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import NURSING, Role, Session
from cloud.console.spoken import zone_of
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from cloud.whose import store
from cloud.whose.models import Device, Group, Item, Resolution

Connection = AsyncConnection[Any]
# Who may say whose a reading is, within their care team; support sees devices, and no names.
ANSWERING: Final = NURSING | {Role.COORDINATOR}
PATIENT: Final = "patient"
FORM: Final = "whose"


async def groups(conn: Connection, session: Session) -> list[Group]:
    """What waits, by device, the newest first; with names for whoever may say whose it is."""
    answering = session.role in ANSWERING
    by_device: dict[str, list[Item]] = {}
    for item in await store.items(conn, session.account_id if answering else None):
        by_device.setdefault(item.device_id, []).append(item)
    known = await store.devices(conn, list(by_device))
    people = await store.people(conn, session.account_id) if answering and by_device else []
    found = []
    for device_id, items in by_device.items():
        gateways = list(dict.fromkeys(item.gateway_id for item in items))
        nearby = await store.nearby(conn, session.account_id, device_id, gateways) if answering else []
        near = {one.patient_id for one in nearby}
        found.append(
            Group(
                device=known.get(device_id) or Device(device_id=device_id, name=None, serial_number=None),
                gateways=gateways,
                items=items,
                nearby=nearby,
                others=[person for person in people if person.patient_id not in near],
            )
        )
    return found


async def answer(conn: Connection, session: Session, typed: Form, chosen: Sequence[str], now: datetime) -> None:
    """Of the chosen items, all of one device: a patient's, or nobody's of ours, with the reason.

    Refused where it cannot be taken, also where one of them is not there any more, or is out of reach.
    """
    refusals: dict[str, Refusal] = {}
    why = fields.reason(typed, refusals)
    items = await _chosen(conn, session, chosen, refusals)
    said = typed.get("answer", "")
    if said != PATIENT and said not in (Resolution.NOBODYS, Resolution.TEST, Resolution.CONTROL_SOLUTION):
        refusals["answer"] = Refusal("choose")
    elif said != PATIENT:
        _end(refusals, typed)
        await _resolve(conn, session, items, Resolution(said), why, now)
        return
    of = await _patient(conn, session, typed, refusals) if said == PATIENT else None
    if of is None:
        refusals.setdefault("patient", Refusal("choose"))
        raise Refused(FORM, refusals, typed)
    stated = {item.quarantine_id: _stated(item, of, typed, refusals) for item in items}
    _end(refusals, typed)
    await _release(conn, session, of, items, stated, typed, why, now)


def _end(refusals: Mapping[str, Refusal], typed: Form) -> None:
    if refusals:
        raise Refused(FORM, refusals, typed)


async def _chosen(
    conn: Connection, session: Session, chosen: Sequence[str], refusals: dict[str, Refusal]
) -> list[Item]:
    try:
        wanted = {UUID(text) for text in chosen}
    except ValueError:
        wanted = set()
    items = await store.these(conn, session.account_id, list(wanted)) if wanted else []
    waiting = [item for item in items if not item.on_its_way]
    if not waiting or len({item.device_id for item in waiting}) > 1:
        refusals["items"] = Refusal("choose_readings")
    elif len(waiting) < len(wanted):
        refusals["items"] = Refusal("gone_meanwhile")
    return waiting


async def _patient(conn: Connection, session: Session, typed: Form, refusals: dict[str, Refusal]) -> Patient | None:
    patient_id = fields.id_of(typed.get("patient", ""))
    found = None if patient_id is None else await contacts.patient(conn, session, patient_id)
    if found is None:
        refusals["patient"] = Refusal("choose")
    return found


def _stated(item: Item, of: Patient, typed: Form, refusals: dict[str, Refusal]) -> datetime | None:
    """When a person says that it was measured, on the patient's clock; None where the device told it.

    Only what the evidence leaves open may be said: one of the times that it may have been, or one between two visits.
    """
    name = f"time-{item.quarantine_id}"
    if not item.needs_time:
        return None
    if not item.can_be_dated:
        refusals[name] = Refusal("nobody_can_say_when")
        return None
    text = typed.get(name, "")
    if item.may_be:
        found = next((time for time in item.may_be if time.isoformat() == text), None)
        if found is None:
            refusals[name] = Refusal("choose")
        return found
    return _between(item, of, text, name, refusals)


def _between(item: Item, of: Patient, text: str, name: str, refusals: dict[str, Refusal]) -> datetime | None:
    after, before = item.measured_after, item.measured_before
    local = fields.wall_clock(text)
    folds = [] if local is None else [local.replace(tzinfo=zone_of(of.time_zone), fold=fold) for fold in (0, 1)]
    try:
        times = {each.astimezone(UTC) for each in folds}
    except OverflowError:
        times = set()
    if len(times) != 1:
        refusals[name] = Refusal("not_a_moment")
        return None
    [time] = times
    if after is None or before is None or not after <= time <= before:
        zone = zone_of(of.time_zone)
        low, high = (f"{edge.astimezone(zone):%Y-%m-%d %H:%M}" if edge else "" for edge in (after, before))
        refusals[name] = Refusal("out_of_range", {"low": low, "high": high})
        return None
    return time


async def _release(
    conn: Connection,
    session: Session,
    of: Patient,
    items: Sequence[Item],
    stated: Mapping[UUID, datetime | None],
    typed: Form,
    why: str,
    now: datetime,
) -> None:
    by_memory: dict[int | None, list[datetime]] = {}
    for item in items:
        time = stated[item.quarantine_id] or item.effective_time
        memory = item.said.user_index if item.said else None
        if time is not None and not await store.covered(conn, item.device_id, of.patient_id, memory, time):
            by_memory.setdefault(memory, []).append(time)
    # All of it or nothing: a memory that somebody else had leaves no assignment of another behind.
    async with conn.transaction():
        for memory, times in by_memory.items():
            done = await store.assign(
                conn, items[0].device_id, of.patient_id, memory, min(times), max(times),
                and_after=typed.get("and_after") == "yes",
            )  # fmt: skip
            if done is None:
                raise Refused(FORM, {"patient": Refusal("somebody_else_had_it")}, typed)
            await audit.record_by(
                conn, session, now, f"device.assignment_{done}", f"device:{items[0].device_id}", of.patient_id
            )
    for item in items:
        await store.release(conn, item, of.patient_id, stated[item.quarantine_id], why, session.account_id, now)
        await audit.record_by(
            conn, session, now, "quarantine.release", f"quarantine:{item.quarantine_id}", of.patient_id
        )


async def _resolve(
    conn: Connection, session: Session, items: Sequence[Item], how: Resolution, why: str, now: datetime
) -> None:
    await store.resolve(conn, [item.quarantine_id for item in items], how, why, session.account_id, now)
    for item in items:
        subject = f"quarantine:{item.quarantine_id}"
        await audit.record_by(conn, session, now, "quarantine.resolve", subject, detail={"as": how.value})
