"""The stock: what comes in, goes out and comes back, each act with its audit row.

A device is handed out by a device assignment from a moment on, and taken back by its end: what it measured belongs to
whoever had it then, also where its memory could not be wiped. Nothing that came back goes out again before somebody
says that it was wiped, or that it cannot be and what it held was noted.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import CheckViolation, ExclusionViolation

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.plans.fields import Form, Refusal, Refused
from cloud.stock import entries, store
from cloud.stock.models import Event, Filter, Found, Holding, Item, Patient
from cloud.stock.states import Act, State, after
from device_drivers.identity import DeviceIdentity

Connection = AsyncConnection[Any]

SHOWN_EVENTS: Final = 100


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id)


async def overview(conn: Connection, session: Session, wanted: Filter, now: datetime, most: int, skip: int) -> Found:
    """A page of the stock; opening it is noted."""
    today = now.date()
    items, total = await store.items(conn, session.account_id, wanted, today, most, skip)
    counted = await store.counts(conn, today)
    await audit.record_by(conn, session, now, "stock.read", "stock")
    return Found(
        items=items,
        total=total,
        counts={state: devices for state, devices, _, _ in counted},
        over=sum(over for state, _, over, _ in counted if state != State.RETIRED),
        soon=sum(soon for state, _, _, soon in counted if state != State.RETIRED),
    )


async def scanned(conn: Connection, session: Session, text: str) -> tuple[list[Item], Mapping[str, str]]:
    """Those that a label can mean; and what the label says of a new one, for the form. Refused: scan it again."""
    refusals: dict[str, Refusal] = {}
    label = entries.label(text, refusals, "scan")
    if refusals:
        raise Refused("scan", refusals, {"scan": text})
    found = await store.of_number(conn, session.account_id, label.serial_number, label.gtin)
    known = await store.profile_of_gtin(conn, label.gtin) if label.gtin else None
    return found, {"serial_number": label.serial_number, "gtin": label.gtin or "", "profile": known or ""}


async def item(conn: Connection, session: Session, item_id: UUID) -> tuple[Item, list[Event]] | None:
    """One device with its history."""
    found = await store.item(conn, session.account_id, item_id)
    return None if found is None else (found, await store.events(conn, item_id, SHOWN_EVENTS))


async def add(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """A new device. Refused where the entry cannot be taken, or the device is known."""
    entry = entries.item(form)
    item_id = await store.add(conn, entry, session.account_id, now)
    if item_id is None:
        raise Refused("item", {"serial_number": Refusal("known_device")}, form)
    await store.note_event(conn, item_id, "add", State.IN_STOCK, session.account_id, now, {"owner": entry.owner})
    await audit.record_by(conn, session, now, "stock.add", f"stock_item:{item_id}", detail={"owner": entry.owner})
    return item_id


async def do(conn: Connection, session: Session, item_id: UUID, act: Act, form: Form, now: datetime) -> None:
    """Anything but handing out. LookupError: there is no such device. NotPossible. Refused."""
    state = await _after(conn, item_id, act)
    detail: dict[str, object] = {}
    patient_id: UUID | None = None
    if act is Act.WIPE:
        detail = {"way": entries.way_to_wipe(form), **await _memory(conn, session, item_id)}
    if act in (Act.TAKE_BACK, Act.LOSE):
        patient_id = await store.take_back(conn, item_id, now, session.account_id)
    await store.set_state(conn, item_id, state, now)
    await store.note_event(conn, item_id, act.value, state, session.account_id, now, detail)
    await audit.record_by(conn, session, now, f"stock.{act.value}", f"stock_item:{item_id}", patient_id, detail)


async def prolong(conn: Connection, session: Session, item_id: UUID, form: Form, now: datetime) -> None:
    """A lease that goes on. LookupError, Refused."""
    lessor, ends_on = entries.lease(form)
    state = await store.lock(conn, item_id)
    if state is None:
        raise LookupError(item_id)
    await store.set_lease(conn, item_id, lessor, ends_on)
    detail = {"lease_ends_on": ends_on.isoformat()}
    await store.note_event(conn, item_id, "lease", state, session.account_id, now, detail)
    await audit.record_by(conn, session, now, "stock.lease", f"stock_item:{item_id}", detail=detail)


async def hand_out(conn: Connection, session: Session, to: Patient, item_id: UUID, form: Form, now: datetime) -> None:
    """The patient has it from then on. LookupError, NotPossible, Refused.

    Not from before whoever had it last gave it back: what it measured until then is theirs.
    """
    since = entries.since(form, to.time_zone, now)
    state = await _after(conn, item_id, Act.HAND_OUT)
    free_since = await store.held_until(conn, item_id)
    if free_since is not None and since < free_since:
        raise Refused("hand_out", {"since": Refusal("before_it_came_back")}, form)
    found = await store.item(conn, session.account_id, item_id)
    if found is None:
        raise LookupError(item_id)
    device_id = await _device_of(conn, found)
    assignment_id = await store.open_assignment(conn, device_id, to.patient_id, now)
    if assignment_id is None:
        try:
            async with conn.transaction():
                assignment_id = await store.assign(conn, device_id, to.patient_id, since)
        except ExclusionViolation:
            raise Refused("hand_out", {"item_id": Refusal("anothers_device")}, form) from None
        except CheckViolation:
            raise Refused("hand_out", {"item_id": Refusal("not_in_training")}, form) from None
    await store.hold(conn, item_id, to.patient_id, assignment_id, since, session.account_id)
    await store.set_state(conn, item_id, state, now)
    await store.note_event(conn, item_id, Act.HAND_OUT.value, state, session.account_id, now, {})
    await audit.record_by(conn, session, now, "stock.hand_out", f"stock_item:{item_id}", to.patient_id)


async def know_as(conn: Connection, item_id: UUID, identity: DeviceIdentity, profile: str) -> bool:
    """A gateway has read this thing, and says who it is: its readings come under that id from now on.

    False: somebody else has what answers by that id, or it is one of training.
    """
    device_id = identity.device_id
    await store.register_device(conn, device_id, identity.manufacturer, identity.model, identity.serial_number, profile)
    if await store.item_of_device(conn, device_id) not in (None, item_id):
        return False
    try:
        async with conn.transaction():
            await store.move_assignment(conn, item_id, device_id)
    except (ExclusionViolation, CheckViolation):
        return False
    await store.link(conn, item_id, device_id)
    return True


async def free_items(conn: Connection, session: Session) -> list[Item]:
    """What may be handed out."""
    return await store.free_items(conn, session.account_id)


async def holdings(conn: Connection, patient_id: UUID) -> list[Holding]:
    """What a patient has, and had; the caller has checked who asks."""
    return await store.holdings(conn, patient_id)


async def _after(conn: Connection, item_id: UUID, act: Act) -> State:
    state = await store.lock(conn, item_id)
    if state is None:
        raise LookupError(item_id)
    return after(state, act)


async def _device_of(conn: Connection, found: Item) -> str:
    """As gateways know it, or will: by its number, and the maker's name that its profile has."""
    if found.device_id is not None:
        return found.device_id
    device_id = await store.known_device(conn, found.serial_number, found.profile)
    if device_id is not None and await store.item_of_device(conn, device_id) not in (None, found.item_id):
        device_id = None
    if device_id is None:
        guess = DeviceIdentity(manufacturer=found.manufacturer, model=found.model, serial_number=found.serial_number)
        device_id = guess.device_id
        await store.register_device(
            conn, device_id, found.manufacturer, found.model, found.serial_number, found.profile
        )
    await store.link(conn, found.item_id, device_id)
    return device_id


async def _memory(conn: Connection, session: Session, item_id: UUID) -> dict[str, object]:
    """What was known of its memory when it was wiped, or could not be: what comes of it later is told by its time."""
    found = await store.item(conn, session.account_id, item_id)
    if found is None or found.device_id is None:
        return {}
    holds, known, newest = await store.memory_of(conn, found.device_id)
    return {"holds": holds, "known": known, "newest": newest.isoformat() if newest else None}
