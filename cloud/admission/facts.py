"""All SQL of what each step of the way in is worked out from, of many patients at once: a list shows how far each is.

The callers have checked who asks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier, Literal

from cloud.admission.models import CardLine, Entry, Facts, HandedOut, Member, SlotLine, TestReading
from cloud.consent import store as consents

Connection = AsyncConnection[Any]

# Of each device, the newest: somebody who has been on the way for weeks goes on measuring.
MOST_READINGS: Final = 20


class _OfPatient(Protocol):
    @property
    def patient_id(self) -> UUID: ...


_T = TypeVar("_T", bound=_OfPatient)

_NEWEST_ENTRIES: Final = """
SELECT DISTINCT ON (e.patient_id, e.step, e.item) e.entry_id, e.patient_id, e.participation_id, e.step, e.item,
       e.outcome, e.detail, e.note, a.display_name AS entered_by, e.entered_at
FROM admission_entry e
JOIN participation x ON x.participation_id = e.participation_id AND x.is_newest
JOIN account a ON a.account_id = e.entered_by
WHERE e.patient_id = ANY(%(patients)s)
ORDER BY e.patient_id, e.step, e.item, e.entry_id DESC
"""

_SLOTS: Final = """
SELECT s.patient_id, s.kind, s.at, s.weekdays, s.before, s.after, a.display_name AS set_by, lower(s.valid) AS since
FROM measurement_slot s LEFT JOIN account a ON a.account_id = s.set_by
WHERE s.patient_id = ANY(%(patients)s) AND s.valid @> %(now)s::timestamptz ORDER BY s.at, s.kind
"""

# The database's clock decides, as everywhere.
_TEAM: Final = """
SELECT t.patient_id, t.account_id, a.display_name, a.role, t.since
FROM care_team t JOIN account a USING (account_id)
WHERE t.patient_id = ANY(%(patients)s) AND t.since <= now() AND (t.until IS NULL OR t.until > now())
  AND a.disabled_at IS NULL
ORDER BY a.role, lower(a.display_name), t.account_id
"""

_CARDS: Final = """
SELECT c.patient_id, a.display_name AS set_by, c.set_at
FROM emergency_card c JOIN account a ON a.account_id = c.set_by
WHERE c.patient_id = ANY(%(patients)s) AND c.superseded_at IS NULL
"""

_DEVICES: Final = """
SELECT g.patient_id, g.device_id, d.manufacturer || ' ' || d.model AS name, d.serial_number, lower(g.valid) AS since
FROM device_assignment g JOIN device d USING (device_id)
WHERE g.patient_id = ANY(%(patients)s) AND g.valid @> %(now)s::timestamptz ORDER BY lower(g.valid), g.device_id
"""

# Of devices that the patient has, since they have them, until somebody watches; and by which gateway it came.
_READINGS: Final = SQL(
    """SELECT g.patient_id, {kind} AS kind, o.reading_id, o.effective_time, o.received_at,
              d.manufacturer || ' ' || d.model AS device, l.gateway_id, o.state, o.unit, o.values, o.bound
       FROM device_assignment g
       JOIN device d USING (device_id)
       LEFT JOIN participation x ON x.patient_id = g.patient_id AND x.is_newest
       CROSS JOIN LATERAL (
           SELECT v.reading_id, v.effective_time, v.received_at, v.state, v.unit, {values} AS values, {bound} AS bound
           FROM {view} v
           WHERE v.patient_id = g.patient_id AND v.device_id = g.device_id AND v.sample = 'patient'
             AND (g.user_index IS NULL OR v.user_index = g.user_index)
             AND v.effective_time >= lower(g.valid)
             AND (x.activated_at IS NULL OR v.effective_time < x.activated_at)
           ORDER BY v.effective_time DESC, v.reading_id LIMIT {most}) o
       LEFT JOIN ledger l ON l.device_id = g.device_id AND l.reading_id = o.reading_id
       WHERE g.patient_id = ANY(%(patients)s) AND g.valid @> %(now)s::timestamptz"""
)
_ALL_READINGS: Final = SQL(" UNION ALL ").join(
    [
        _READINGS.format(
            kind=Literal(view), view=Identifier(view), values=SQL(values), bound=SQL(bound), most=Literal(MOST_READINGS)
        )
        for view, values, bound in (
            ("glucose", "ARRAY[v.value]", "v.bound"),
            ("ketone", "ARRAY[v.value]", "v.bound"),
            ("blood_pressure", "ARRAY[v.systolic, v.diastolic, v.pulse]", "NULL::numeric"),
        )
    ]
) + SQL(" ORDER BY effective_time DESC, reading_id")


async def facts_of(conn: Connection, patient_id: UUID, now: datetime) -> Facts:
    """What is known of the way of this patient."""
    return (await facts_of_all(conn, [patient_id], now))[patient_id]


async def facts_of_all(conn: Connection, patient_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, Facts]:
    """What is known of the way of each of these patients."""
    asked = {"patients": list(patient_ids), "now": now}
    entries = await _of(conn, Entry, _NEWEST_ENTRIES, asked)
    slots = await _of(conn, SlotLine, _SLOTS, asked)
    team = await _of(conn, Member, _TEAM, asked)
    cards = await _of(conn, CardLine, _CARDS, asked)
    devices = await _of(conn, HandedOut, _DEVICES, asked)
    readings = await _of(conn, TestReading, _ALL_READINGS, asked)
    decided = _by_patient(await consents.decided(conn, list(patient_ids)))
    return {
        patient_id: Facts(
            entries={(entry.step, entry.item): entry for entry in entries[patient_id]},
            consent=next(iter(decided[patient_id]), None),
            slots=slots[patient_id],
            team=team[patient_id],
            card=next(iter(cards[patient_id]), None),
            devices=devices[patient_id],
            readings=readings[patient_id],
        )
        for patient_id in patient_ids
    }


async def _of(conn: Connection, row: type[_T], query: Any, asked: Mapping[str, object]) -> Mapping[UUID, list[_T]]:
    async with conn.cursor(row_factory=class_row(row)) as cursor:
        await cursor.execute(query, asked)
        return _by_patient(await cursor.fetchall())


def _by_patient(rows: Iterable[_T]) -> defaultdict[UUID, list[_T]]:
    found: defaultdict[UUID, list[_T]] = defaultdict(list)
    for row in rows:
        found[row.patient_id].append(row)
    return found
