"""All SQL of the stock. Who has a device is seen by whoever sees that patient; the device by all who keep stock."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb
from psycopg.types.range import Range

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.db.connect import one
from cloud.stock.models import LEASE_WARNING, Event, Filter, Holding, Item, ItemEntry, Patient
from cloud.stock.states import State

Connection = AsyncConnection[Any]

_PATIENT: Final = SQL(
    "SELECT p.patient_id, p.display_name, p.time_zone FROM patient p"
    " WHERE p.patient_id = %(patient_id)s AND {in_care_team}"
).format(in_care_team=IN_CARE_TEAM)

_ITEM: Final = SQL(
    """i.item_id, i.kind, i.manufacturer, i.model, i.profile, i.serial_number, i.gtin, i.owner, i.lessor,
       i.lease_ends_on, i.note, i.state, i.state_at, i.device_id, i.added_at,
       h.patient_id, h.display_name AS patient, h.since AS held_since"""
)
# Of patients in somebody else's care there is nothing: neither here nor, where the database guards it, there.
_HOLDER: Final = SQL(
    """LEFT JOIN LATERAL (
           SELECT p.patient_id, p.display_name, h.since FROM stock_holding h JOIN patient p USING (patient_id)
           WHERE h.item_id = i.item_id AND h.until IS NULL AND {in_care_team}) h ON true"""
).format(in_care_team=IN_CARE_TEAM)

_LIST: Final = SQL(
    """SELECT {item}, count(*) OVER () AS total FROM stock_item i {holder}
       WHERE (%(text)s = '' OR i.serial_number ILIKE %(pattern)s
              OR i.manufacturer || ' ' || i.model ILIKE %(pattern)s OR coalesce(i.lessor, '') ILIKE %(pattern)s)
         AND (%(state)s = '' OR i.state = %(state)s)
         AND (%(state)s = 'retired' OR %(text)s <> '' OR i.state <> 'retired')
         AND CASE %(lease)s WHEN 'over' THEN i.lease_ends_on < %(today)s AND i.state <> 'retired'
                            WHEN 'soon' THEN i.lease_ends_on BETWEEN %(today)s AND %(warned_until)s
                                             AND i.state <> 'retired'
                            ELSE true END
       ORDER BY i.lease_ends_on < %(today)s AND i.state <> 'retired' DESC NULLS LAST,
                array_position(ARRAY['returned', 'in_stock', 'wiped', 'handed_out', 'lost', 'retired'], i.state),
                i.lease_ends_on NULLS LAST, i.manufacturer, i.model, i.serial_number, i.item_id
       LIMIT %(most)s OFFSET %(skip)s"""
).format(item=_ITEM, holder=_HOLDER)

_COUNTS: Final = """
SELECT state, count(*) AS devices,
       count(*) FILTER (WHERE lease_ends_on < %(today)s) AS over,
       count(*) FILTER (WHERE lease_ends_on BETWEEN %(today)s AND %(warned_until)s) AS soon
FROM stock_item GROUP BY state
"""

_ONE: Final = SQL("SELECT {item} FROM stock_item i {holder} WHERE i.item_id = %(item_id)s").format(
    item=_ITEM, holder=_HOLDER
)
_BY_NUMBER: Final = SQL(
    """SELECT {item} FROM stock_item i {holder}
       WHERE upper(i.serial_number) = upper(%(number)s) AND (%(gtin)s::text IS NULL OR i.gtin IS NULL
                                                            OR i.gtin = %(gtin)s)
       ORDER BY i.added_at LIMIT 10"""
).format(item=_ITEM, holder=_HOLDER)
_FREE: Final = SQL(
    """SELECT {item} FROM stock_item i {holder} WHERE i.state IN ('in_stock', 'wiped')
       ORDER BY i.manufacturer, i.model, i.lease_ends_on NULLS LAST, i.serial_number LIMIT 200"""
).format(item=_ITEM, holder=_HOLDER)

_HOLDINGS: Final = """
SELECT h.holding_id, h.item_id, i.manufacturer || ' ' || i.model AS name, i.serial_number, i.profile, i.device_id,
       i.state, h.since, h.until, a.display_name AS handed_by
FROM stock_holding h JOIN stock_item i USING (item_id) JOIN account a ON a.account_id = h.handed_by
WHERE h.patient_id = %s ORDER BY h.until IS NOT NULL, h.since DESC
"""


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def items(
    conn: Connection, account_id: UUID, wanted: Filter, today: date, most: int, skip: int
) -> tuple[list[Item], int]:
    """What fits, the most urgent first, and how many there are in all."""
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _LIST,
            {
                "account_id": account_id,
                "text": wanted.text,
                "pattern": f"%{_literally(wanted.text)}%",
                "state": wanted.state,
                "lease": wanted.lease,
                "today": today,
                "warned_until": today + LEASE_WARNING,
                "most": most,
                "skip": skip,
            },
        )
        rows = await cursor.fetchall()
    total = rows[0]["total"] if rows else 0
    return [Item(**{name: value for name, value in row.items() if name != "total"}) for row in rows], total


async def counts(conn: Connection, today: date) -> list[tuple[str, int, int, int]]:
    """Of each state: how many, how many of them with a lease that is over, and with one that ends soon."""
    cursor = await conn.execute(_COUNTS, {"today": today, "warned_until": today + LEASE_WARNING})
    return await cursor.fetchall()


async def item(conn: Connection, account_id: UUID, item_id: UUID) -> Item | None:
    """One device."""
    async with conn.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(_ONE, {"account_id": account_id, "item_id": item_id})
        return await cursor.fetchone()


async def of_number(conn: Connection, account_id: UUID, number: str, gtin: str | None) -> list[Item]:
    """Those with this serial number, of whatever maker; of the trade item, where both are known."""
    async with conn.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(_BY_NUMBER, {"account_id": account_id, "number": number, "gtin": gtin})
        return await cursor.fetchall()


async def free_items(conn: Connection, account_id: UUID) -> list[Item]:
    """What may be handed out."""
    async with conn.cursor(row_factory=class_row(Item)) as cursor:
        await cursor.execute(_FREE, {"account_id": account_id})
        return await cursor.fetchall()


async def profile_of_gtin(conn: Connection, gtin: str) -> str | None:
    """Which model that trade item was when somebody last added one."""
    cursor = await conn.execute(
        "SELECT profile FROM stock_item WHERE gtin = %s AND profile IS NOT NULL ORDER BY added_at DESC LIMIT 1", (gtin,)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def lock(conn: Connection, item_id: UUID) -> State | None:
    """Its state, which nobody else changes until the caller has committed; None: there is no such device."""
    cursor = await conn.execute("SELECT state FROM stock_item WHERE item_id = %s FOR NO KEY UPDATE", (item_id,))
    row = await cursor.fetchone()
    return State(row[0]) if row else None


async def add(conn: Connection, entry: ItemEntry, account_id: UUID, now: datetime) -> UUID | None:
    """A new device; None where its maker and number are known already."""
    cursor = await conn.execute(
        """INSERT INTO stock_item (kind, manufacturer, model, profile, serial_number, gtin, owner, lessor,
                                   lease_ends_on, note, state, state_at, added_at, added_by)
           VALUES (%(kind)s, %(manufacturer)s, %(model)s, %(profile)s, %(serial_number)s, %(gtin)s, %(owner)s,
                   %(lessor)s, %(lease_ends_on)s, %(note)s, 'in_stock', %(now)s, %(now)s, %(by)s)
           ON CONFLICT DO NOTHING RETURNING item_id""",
        {
            "kind": entry.kind,
            "manufacturer": entry.manufacturer,
            "model": entry.model,
            "profile": entry.profile,
            "serial_number": entry.serial_number,
            "gtin": entry.gtin,
            "owner": entry.owner,
            "lessor": entry.lessor,
            "lease_ends_on": entry.lease_ends_on,
            "note": entry.note,
            "now": now,
            "by": account_id,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def set_state(conn: Connection, item_id: UUID, state: State, now: datetime) -> None:
    """What it is now; the caller has locked it."""
    await conn.execute(
        "UPDATE stock_item SET state = %s, state_at = %s WHERE item_id = %s", (state.value, now, item_id)
    )


async def set_lease(conn: Connection, item_id: UUID, lessor: str, ends_on: date) -> None:
    """A lease that was prolonged, or is another's now."""
    await conn.execute(
        "UPDATE stock_item SET owner = 'lessor', lessor = %s, lease_ends_on = %s WHERE item_id = %s",
        (lessor, ends_on, item_id),
    )


async def note_event(
    conn: Connection,
    item_id: UUID,
    act: str,
    state: State,
    account_id: UUID,
    now: datetime,
    detail: Mapping[str, object],
) -> None:
    """What was done with it; ``detail`` says nothing about a patient."""
    await conn.execute(
        "INSERT INTO stock_event (item_id, at, account_id, act, state, detail) VALUES (%s, %s, %s, %s, %s, %s)",
        (item_id, now, account_id, act, state.value, Jsonb(dict(detail))),
    )


async def events(conn: Connection, item_id: UUID, most: int) -> list[Event]:
    """What was done with it, the newest first."""
    async with conn.cursor(row_factory=class_row(Event)) as cursor:
        await cursor.execute(
            """SELECT e.at, a.display_name AS by, e.act, e.state, e.detail
               FROM stock_event e JOIN account a USING (account_id)
               WHERE e.item_id = %s ORDER BY e.event_id DESC LIMIT %s""",
            (item_id, most),
        )
        return await cursor.fetchall()


# Handing out --------------------------------------------------------------------------------------------------------


async def known_device(conn: Connection, serial_number: str, profile: str | None) -> str | None:
    """As gateways know a device of this number and model; None: none of them has met it."""
    cursor = await conn.execute(
        """SELECT device_id FROM device WHERE upper(serial_number) = upper(%s) AND (profile = %s OR profile IS NULL)
           ORDER BY last_seen_at DESC NULLS LAST LIMIT 1""",
        (serial_number, profile),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def register_device(
    conn: Connection, device_id: str, manufacturer: str, model: str, serial_number: str | None, profile: str | None
) -> None:
    """Make it known before any gateway has met it."""
    await conn.execute(
        "INSERT INTO device (device_id, manufacturer, model, serial_number, profile) VALUES (%s, %s, %s, %s, %s)"
        " ON CONFLICT (device_id) DO NOTHING",
        (device_id, manufacturer, model, serial_number, profile),
    )


async def link(conn: Connection, item_id: UUID, device_id: str) -> None:
    """This thing is that device."""
    await conn.execute("UPDATE stock_item SET device_id = %s WHERE item_id = %s", (device_id, item_id))


async def item_of_device(conn: Connection, device_id: str) -> UUID | None:
    """The thing that gateways know by this id."""
    cursor = await conn.execute("SELECT item_id FROM stock_item WHERE device_id = %s", (device_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


async def open_assignment(conn: Connection, device_id: str, patient_id: UUID, at: datetime) -> UUID | None:
    """The assignment by which the patient has the whole device already."""
    cursor = await conn.execute(
        "SELECT assignment_id FROM device_assignment"
        " WHERE device_id = %s AND patient_id = %s AND user_index IS NULL AND valid @> %s AND upper_inf(valid)",
        (device_id, patient_id, at),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def assign(conn: Connection, device_id: str, patient_id: UUID, since: datetime) -> UUID:
    """What it measures from then on is this patient's. ExclusionViolation where it is somebody's."""
    assignment_id = uuid4()
    await conn.execute(
        "INSERT INTO device_assignment (assignment_id, device_id, patient_id, valid) VALUES (%s, %s, %s, %s)",
        (assignment_id, device_id, patient_id, Range(since, None, "[)")),
    )
    return assignment_id


async def move_assignment(conn: Connection, item_id: UUID, device_id: str) -> None:
    """The device turned out to say another id than was taken for it: its open assignment follows."""
    await conn.execute(
        """UPDATE device_assignment a SET device_id = %s FROM stock_holding h
           WHERE h.item_id = %s AND h.until IS NULL AND a.assignment_id = h.assignment_id""",
        (device_id, item_id),
    )


async def hold(
    conn: Connection, item_id: UUID, patient_id: UUID, assignment_id: UUID, since: datetime, account_id: UUID
) -> None:
    """The patient has it."""
    await conn.execute(
        "INSERT INTO stock_holding (item_id, patient_id, assignment_id, since, handed_by) VALUES (%s, %s, %s, %s, %s)",
        (item_id, patient_id, assignment_id, since, account_id),
    )


async def held_until(conn: Connection, item_id: UUID) -> datetime | None:
    """Until when somebody had it; None: nobody ever had."""
    cursor = await conn.execute("SELECT held_until(%s)", (item_id,))
    until: datetime | None = one(await cursor.fetchone())[0]
    return until


async def take_back(conn: Connection, item_id: UUID, at: datetime, account_id: UUID) -> UUID | None:
    """Nobody has it any more; whose it was, for the audit and for nothing else."""
    cursor = await conn.execute("SELECT take_back(%s, %s, %s)", (item_id, at, account_id))
    patient_id: UUID | None = one(await cursor.fetchone())[0]
    return patient_id


async def memory_of(conn: Connection, device_id: str) -> tuple[int | None, int, datetime | None]:
    """How many readings the device holds, how many of it we know, and when its newest was measured."""
    cursor = await conn.execute(
        "SELECT holds, readings_known, last_measured_at FROM device WHERE device_id = %s", (device_id,)
    )
    row = await cursor.fetchone()
    return row if row else (None, 0, None)


async def holdings(conn: Connection, patient_id: UUID) -> list[Holding]:
    """What a patient has, and had; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Holding)) as cursor:
        await cursor.execute(_HOLDINGS, (patient_id,))
        return await cursor.fetchall()


def _literally(text: str) -> str:
    """For LIKE: what was typed, and not a pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
