"""Pairing from the console: begin it, type what the device shows, and write down who it turned out to be.

The digits go to the gateway beside the command, are forgotten when it has ended, and stand in no log and no audit row.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.commands import store as commands
from cloud.pairing import store
from cloud.pairing.models import DIGITS_COUNT_FOR, LASTS, Pairing, Progress, progress
from cloud.plans.fields import Form, Refusal, Refused
from cloud.stock import service as stock
from cloud.stock import store as stock_store
from cloud.stock.makes import makes
from cloud.stock.models import Item, Patient
from cloud.stock.states import State
from device_drivers.identity import DeviceIdentity

Connection = AsyncConnection[Any]

MOST_SHOWN: Final = 5


async def begin(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> UUID:
    """Have a gateway look for a device: of the stock (``item_id``), or any of a model (``profile``). Refused."""
    gateway_id = form.get("gateway_id", "").strip()
    refusals: dict[str, Refusal] = {}
    state = await store.gateway_state(conn, gateway_id)
    if state is None:
        refusals["gateway_id"] = Refusal("no_gateway")
    elif state != "online":
        refusals["gateway_id"] = Refusal("gateway_away")
    elif form.get("shared") != "1" and await store.is_anothers(conn, gateway_id, of.patient_id):
        refusals["shared"] = Refusal("anothers_gateway")
    item = await _item(conn, session, of, form, refusals)
    profile = (item.profile or "") if item is not None else form.get("profile", "")
    make = makes().get(profile)
    if "what" not in refusals and (make is None or make.method is None):
        refusals["what"] = Refusal("choose" if item is None else "not_by_bluetooth")
    if refusals:
        raise Refused("pair", refusals, form)
    name = await store.name_at(conn, gateway_id, item.device_id if item else None, profile)
    name = name or f"paired-{uuid4().hex[:8]}"
    command_id = await commands.send(
        conn,
        gateway_id,
        "pair",
        {"profile": profile, "name": name},
        at=now,
        expires_at=now + LASTS,
        by=session.account_id,
    )
    item_id = item.item_id if item else None
    await store.begin(conn, command_id, of.patient_id, item_id, profile, name, session.account_id, now)
    await audit.record_by(
        conn, session, now, "pairing.begin", f"pairing:{command_id}", of.patient_id, {"gateway_id": gateway_id}
    )
    return command_id


async def found(conn: Connection, of: Patient, command_id: UUID) -> tuple[Pairing, Progress] | None:
    """A pairing of this patient, and where it stands."""
    pairing = await store.pairing(conn, of.patient_id, command_id)
    command = await commands.command(conn, command_id) if pairing else None
    return (pairing, progress(command)) if pairing is not None and command is not None else None


async def type_digits(
    conn: Connection, session: Session, of: Patient, pairing: Pairing, form: Form, now: datetime
) -> None:
    """Hand the gateway what the device shows. Refused where that are not six digits."""
    digits = re.sub(r"[\s-]", "", form.get("passkey", ""))
    if not re.fullmatch("[0-9]{6}", digits):
        # Not with what was typed: it would stand in the page.
        raise Refused("passkey", {"passkey": Refusal("six_digits")}, {})
    await commands.send(
        conn,
        pairing.gateway_id,
        "pair_passkey",
        {"pairing": str(pairing.command_id)},
        at=now,
        expires_at=now + DIGITS_COUNT_FOR,
        by=session.account_id,
        secret={"passkey": digits},
    )
    await audit.record_by(conn, session, now, "pairing.type", f"pairing:{pairing.command_id}", of.patient_id)


async def choose(conn: Connection, session: Session, of: Patient, pairing: Pairing, number: int, now: datetime) -> None:
    """Which of those that are heard it is."""
    body = {"pairing": str(pairing.command_id), "number": number}
    await _tell(conn, session, pairing, "pair_choose", body, now)
    await audit.record_by(conn, session, now, "pairing.choose", f"pairing:{pairing.command_id}", of.patient_id)


async def stop(conn: Connection, session: Session, of: Patient, pairing: Pairing, now: datetime) -> None:
    """Look no longer."""
    await _tell(conn, session, pairing, "pair_stop", {"pairing": str(pairing.command_id)}, now)
    await audit.record_by(conn, session, now, "pairing.stop", f"pairing:{pairing.command_id}", of.patient_id)


async def unpair(conn: Connection, session: Session, of: Patient, pairing: Pairing, now: datetime) -> None:
    """The gateway forgets the device that was paired: it was another one than was meant."""
    await _tell(conn, session, pairing, "unpair", {"name": pairing.name}, now)
    await audit.record_by(conn, session, now, "pairing.undo", f"pairing:{pairing.command_id}", of.patient_id)


async def settle(
    conn: Connection, session: Session, of: Patient, pairing: Pairing, at: Progress, now: datetime
) -> Pairing:
    """Write down who was paired, once.

    ``taken``: a device that the patient has; its readings are theirs. ``another``: not the one that was meant.
    ``kept_from``: one of the stock that the patient does not have. ``unknown``: not of the stock at all.
    """
    if pairing.settled_at is not None or at.state != "paired" or at.identity is None:
        return pairing
    how, item = await _who(conn, session, of, pairing, at.identity)
    item_id = item.item_id if item is not None else None
    if (
        how == "taken"
        and item is not None
        and not await stock.know_as(conn, item.item_id, at.identity, pairing.profile)
    ):
        how = "kept_from"
    if await store.settle(conn, pairing.command_id, how, item_id, now):
        await audit.record_by(
            conn, session, now, "pairing.settle", f"pairing:{pairing.command_id}", of.patient_id, {"outcome": how}
        )
    settled = await store.pairing(conn, of.patient_id, pairing.command_id)
    return settled or pairing


async def take_as_own(
    conn: Connection, session: Session, of: Patient, pairing: Pairing, at: Progress, now: datetime
) -> None:
    """What was paired is the patient's own: it comes into the stock as theirs, and is handed out to them. Refused."""
    identity = at.identity
    if pairing.settled != "unknown" or identity is None:
        return
    number = identity.serial_number or identity.device_id.rpartition(":")[2]
    form = {"profile": pairing.profile, "serial_number": number, "owner": "patient"}
    item_id = await stock.add(conn, session, form, now)
    if not await stock.know_as(conn, item_id, identity, pairing.profile):
        raise Refused("own", {"own": Refusal("anothers_device")}, {})
    await stock.hand_out(conn, session, of, item_id, {}, now)
    await store.note_taken(conn, pairing.command_id, item_id)


async def _item(
    conn: Connection, session: Session, of: Patient, form: Form, refusals: dict[str, Refusal]
) -> Item | None:
    """The device that is meant, which the patient must have."""
    chosen = form.get("what", "")
    if not chosen or chosen == "model":
        return None
    held = {str(one.item_id): one.item_id for one in await stock.holdings(conn, of.patient_id) if not one.until}
    item = await stock_store.item(conn, session.account_id, held[chosen]) if chosen in held else None
    if item is None:
        refusals["what"] = Refusal("choose")
    return item


async def _who(
    conn: Connection, session: Session, of: Patient, pairing: Pairing, identity: DeviceIdentity
) -> tuple[str, Item | None]:
    if pairing.item_id is not None:
        meant = await stock_store.item(conn, session.account_id, pairing.item_id)
        if meant is not None and _is(meant, identity):
            has_it = meant.state is State.HANDED_OUT and meant.patient_id == of.patient_id
            return ("taken" if has_it else "kept_from"), meant
        return "another", None
    known = await stock_store.item_of_device(conn, identity.device_id)
    item = await stock_store.item(conn, session.account_id, known) if known else None
    if item is None and identity.serial_number:
        same = await stock_store.of_number(conn, session.account_id, identity.serial_number, None)
        item = next((one for one in same if one.profile == pairing.profile), None)
    if item is None:
        return "unknown", None
    return ("taken" if item.patient_id == of.patient_id else "kept_from"), item


def _is(item: Item, identity: DeviceIdentity) -> bool:
    """Whether what answered can be this thing: by its number, where it says one."""
    if item.device_id is not None and item.device_id == identity.device_id:
        return True
    said = identity.serial_number
    return said is None or said.strip().upper() == item.serial_number.upper()


async def _tell(
    conn: Connection, session: Session, pairing: Pairing, kind: str, body: Mapping[str, object], now: datetime
) -> None:
    await commands.send(
        conn, pairing.gateway_id, kind, body, at=now, expires_at=now + DIGITS_COUNT_FOR, by=session.account_id
    )
