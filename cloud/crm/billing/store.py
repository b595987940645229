"""All SQL of billing evidence. Row security shows what the person who asks may see."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb
from psycopg.types.range import TimestamptzRange

from cloud.auth.care_team import IN_CARE, IN_CARE_TEAM
from cloud.crm.billing.models import (
    Closed,
    Count,
    DeviceReading,
    Entry,
    Evidence,
    Known,
    Minutes,
    Month,
    UnbookedCall,
)
from cloud.zones import store as zones
from device_drivers.wall_clocks import Zones

Connection = AsyncConnection[Any]

# Fewer than these are not told apart: who knows the ward would know who it is.
FEWEST: Final = 5

# When there was a device: from the first handed out in a participation (patients of before it was kept: ever) until it
# ended, or all were back.
_KNOWN: Final = SQL(
    """SELECT p.patient_id, p.display_name, p.time_zone, coalesce(supplied.since, '{{}}') AS supplied_since,
              coalesce(supplied.until, '{{}}') AS supplied_until
       FROM ({whose}) p
       LEFT JOIN LATERAL (
           SELECT array_agg(s.since ORDER BY s.since) AS since, array_agg(s.until ORDER BY s.since) AS until
           FROM (SELECT min(greatest(lower(a.valid), x.begun_at)) AS since,
                        nullif(max(least(coalesce(upper(a.valid), 'infinity'), x.ended_at)), 'infinity') AS until
                 FROM device_assignment a
                 LEFT JOIN participation x ON x.patient_id = a.patient_id
                     AND lower(a.valid) < coalesce(x.ended_at, 'infinity')
                     AND coalesce(upper(a.valid), 'infinity') > x.begun_at
                 WHERE a.patient_id = p.patient_id AND isfinite(lower(a.valid))
                 GROUP BY x.participation_id) s) supplied ON true
       ORDER BY p.display_name, p.patient_id"""
)
_WHOSE: Final = SQL("SELECT p.patient_id, p.display_name, p.time_zone FROM patient p WHERE NOT p.training AND {}")
# The page first, and then what is looked up for each on it.
_MINE: Final = _KNOWN.format(
    whose=_WHOSE.format(IN_CARE_TEAM) + SQL(" ORDER BY p.display_name, p.patient_id LIMIT %(limit)s OFFSET %(skip)s")
)
_THESE: Final = _KNOWN.format(whose=_WHOSE.format(SQL("p.patient_id = ANY(%(patients)s) AND {}").format(IN_CARE_TEAM)))
_IDS: Final = SQL(
    "SELECT p.patient_id FROM patient p WHERE NOT p.training AND {} ORDER BY p.display_name, p.patient_id"
)
_MINE_BY_NAME: Final = _IDS.format(IN_CARE_TEAM)
_ONE: Final = _KNOWN.format(whose=_WHOSE.format(SQL("p.patient_id = %(patient_id)s AND {}").format(IN_CARE)))
_HOW_MANY: Final = SQL("SELECT count(*) FROM patient p WHERE NOT p.training AND {}").format(IN_CARE_TEAM)

# What counts is the patient's own sample, with a result, at a time that a clock vouches for. What is held back, in
# quarantine or doubted is in none of these views, and nothing in them was typed by hand but a stated time.
_VALID: Final = (
    "sample = 'patient' AND state IN ('measured', 'above_range', 'below_range')"
    " AND time_quality IN ('synchronised', 'mapped')"
)
_TAKEN: Final = """
    SELECT patient_id, reading_id, effective_time, device_id, '{kind}' AS kind, sample, state, time_quality FROM {kind}
    WHERE patient_id = ANY(%(patients)s) AND effective_time >= %(since)s AND effective_time < %(until)s"""
_READINGS: Final = " UNION ALL ".join(_TAKEN.format(kind=kind) for kind in ("glucose", "ketone", "blood_pressure"))
# On the calendar of where the patient was then.
_ON_DAYS: Final = f"""
    WITH whose AS MATERIALIZED (
        SELECT p.patient_id, known_zone(p.time_zone) AS zone FROM patient p WHERE p.patient_id = ANY(%(patients)s)),
    stays AS MATERIALIZED (
        SELECT z.patient_id, known_zone(z.time_zone) AS zone, z.valid FROM patient_zone z
        WHERE z.patient_id = ANY(%(patients)s)),
    taken AS ({_READINGS})
    SELECT t.*, (t.effective_time AT TIME ZONE coalesce(s.zone, w.zone))::date AS day, coalesce(s.zone, w.zone) AS zone
    FROM taken t JOIN whose w USING (patient_id)
    LEFT JOIN stays s ON s.patient_id = t.patient_id AND s.valid @> t.effective_time"""  # noqa: S608 -- our own text alone
# One row for each patient: of a centre there would be a million.
_DAYS: Final = f"""
    SELECT patient_id, array_agg(day), array_agg(readings)
    FROM (SELECT patient_id, day, count(*) AS readings FROM ({_ON_DAYS}) r WHERE {_VALID} GROUP BY 1, 2) d
    GROUP BY 1"""  # noqa: S608 -- our own text alone

# None is longer than 8 hours (0025): of years of them, those of the span are found by when they began.
_MINUTES: Final = """
    SELECT m.entry_id, m.patient_id, m.account_id, a.display_name AS name, m.starts_at AS starts,
           upper(m.during) AS ends, m.activity, m.interactive, m.origin, m.call_id, m.case_id, m.note,
           m.written_at, m.withdrawn_at, w.display_name AS withdrawn_by, m.withdrawn_why
    FROM care_minutes m JOIN account a USING (account_id) LEFT JOIN account w ON w.account_id = m.withdrawn_by
    WHERE m.patient_id = ANY(%(patients)s) AND m.during && tstzrange(%(since)s, %(until)s)
      AND m.starts_at >= %(since)s::timestamptz - interval '8 hours' AND m.starts_at < %(until)s
    ORDER BY m.starts_at, m.written_at"""


async def patients(conn: Connection, account_id: UUID, limit: int, skip: int) -> list[Known]:
    """Those in the account's care team, by name."""
    async with conn.cursor(row_factory=class_row(Known)) as cursor:
        await cursor.execute(_MINE, {"account_id": account_id, "limit": limit, "skip": skip})
        return await cursor.fetchall()


async def ids(conn: Connection, account_id: UUID) -> list[UUID]:
    """Of all of them, by name."""
    cursor = await conn.execute(_MINE_BY_NAME, {"account_id": account_id})
    return [patient_id for (patient_id,) in await cursor.fetchall()]


async def these(conn: Connection, account_id: UUID, patients: Sequence[UUID]) -> list[Known]:
    """Those of them who are in the account's care team now, by name."""
    async with conn.cursor(row_factory=class_row(Known)) as cursor:
        await cursor.execute(_THESE, {"account_id": account_id, "patients": list(patients)}, prepare=False)
        return await cursor.fetchall()


async def how_many(conn: Connection, account_id: UUID) -> int:
    """How many there are."""
    cursor = await conn.execute(_HOW_MANY, {"account_id": account_id})
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Known | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Known)) as cursor:
        await cursor.execute(_ONE, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def zones_of(conn: Connection, patients: Sequence[UUID]) -> Mapping[UUID, Zones]:
    """Where they were, ever."""
    cursor = await conn.execute(zones.ZONES, (list(patients),))
    return zones.of_rows(await cursor.fetchall())


async def days(
    conn: Connection, patients: Sequence[UUID], since: datetime, until: datetime
) -> Mapping[UUID, Mapping[date, int]]:
    """How many readings count on each day of the patient's calendar: one query, however many patients."""
    # Planned for these patients and this span each time: the plan for any takes ten times as long.
    cursor = await conn.execute(_DAYS, {"patients": list(patients), "since": since, "until": until}, prepare=False)
    return {patient_id: dict(zip(on, readings, strict=True)) for patient_id, on, readings in await cursor.fetchall()}


async def readings(conn: Connection, patient_id: UUID, since: datetime, until: datetime) -> list[DeviceReading]:
    """When the patient's devices measured, and what of it does not count; no value."""
    cursor = await conn.execute(
        f"""SELECT r.reading_id, r.kind, r.day, r.effective_time, r.zone, d.manufacturer || ' ' || d.model, {_VALID},
                   CASE WHEN r.sample <> 'patient' THEN r.sample
                        WHEN r.time_quality NOT IN ('synchronised', 'mapped') THEN r.time_quality
                        WHEN NOT ({_VALID}) THEN 'not_a_number' END
            FROM ({_ON_DAYS}) r JOIN device d USING (device_id) ORDER BY r.effective_time, r.reading_id""",  # noqa: S608
        {"patients": [patient_id], "since": since, "until": until},
        prepare=False,
    )
    return [
        DeviceReading(
            reading_id=reading_id, kind=kind, day=day, at=at, zone=zone, device=device, counts=counts, why_not=why
        )
        for reading_id, kind, day, at, zone, device, counts, why in await cursor.fetchall()
    ]


async def minutes(
    conn: Connection, patients: Sequence[UUID], since: datetime, until: datetime
) -> Mapping[UUID, list[Minutes]]:
    """The ledger of these patients, with what was withdrawn, by when it was."""
    found: dict[UUID, list[Minutes]] = {}
    async with conn.cursor(row_factory=class_row(Minutes)) as cursor:
        await cursor.execute(_MINUTES, {"patients": list(patients), "since": since, "until": until})
        for entry in await cursor.fetchall():
            found.setdefault(entry.patient_id, []).append(entry)
    return found


async def unbooked_calls(conn: Connection, patient_id: UUID, since: datetime, until: datetime) -> list[UnbookedCall]:
    """Calls in which somebody was reached and of which nothing was booked: too long, or something was in the way."""
    async with conn.cursor(row_factory=class_row(UnbookedCall)) as cursor:
        await cursor.execute(
            """SELECT c.call_id, a.display_name AS name, c.account_id, c.started_at, c.ended_at
               FROM call c JOIN account a USING (account_id)
               WHERE c.patient_id = %s AND c.started_at < %s AND c.ended_at > %s AND c.outcome = 'reached'
                 AND c.ended_at > c.started_at
                 AND NOT EXISTS (SELECT FROM care_minutes m
                                 WHERE m.patient_id = c.patient_id AND m.account_id = c.account_id
                                   AND m.during && tstzrange(c.started_at, c.ended_at))
               ORDER BY c.started_at""",
            (patient_id, until, since),
        )
        return await cursor.fetchall()


async def write(conn: Connection, patient_id: UUID, account_id: UUID, entry: Entry, at: datetime) -> UUID:
    """A new entry by hand. ExclusionViolation: this person's minutes are taken; RestrictViolation: a closed month."""
    cursor = await conn.execute(
        """INSERT INTO care_minutes (patient_id, account_id, during, activity, interactive, origin, note, written_by,
                                     written_at)
           VALUES (%s, %s, %s, %s, %s, 'hand', %s, %s, %s) RETURNING entry_id""",
        (
            patient_id,
            account_id,
            TimestamptzRange(entry.starts, entry.ends),
            entry.activity,
            entry.interactive,
            entry.note,
            account_id,
            at,
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("minutes that were written have no id")
    entry_id: UUID = row[0]
    return entry_id


async def withdraw(
    conn: Connection, patient_id: UUID, entry_id: UUID, account_id: UUID, why: str, at: datetime
) -> bool:
    """It counts no longer. False: no such entry that this person may withdraw. RestrictViolation in a closed month."""
    cursor = await conn.execute(
        """UPDATE care_minutes SET withdrawn_by = %s, withdrawn_at = %s, withdrawn_why = %s
           WHERE entry_id = %s AND patient_id = %s AND withdrawn_at IS NULL""",
        (account_id, at, why, entry_id, patient_id),
    )
    return cursor.rowcount == 1


async def closed(conn: Connection, patients: Sequence[UUID], month: Month) -> Mapping[UUID, Closed]:
    """What was frozen of this month."""
    cursor = await conn.execute(
        """SELECT b.patient_id, b.evidence, b.rulebook, a.display_name, b.closed_at
           FROM billing_month b JOIN account a ON a.account_id = b.closed_by
           WHERE b.patient_id = ANY(%s) AND b.month = %s""",
        (list(patients), month.first),
    )
    return {
        patient_id: Closed(
            evidence=msgspec.convert(evidence, Evidence, strict=False), rulebook=rulebook, closed_by=name, closed_at=at
        )
        for patient_id, evidence, rulebook, name, at in await cursor.fetchall()
    }


async def closed_around(
    conn: Connection, patients: Sequence[UUID], month: Month
) -> Mapping[tuple[UUID, date], tuple[datetime, datetime]]:
    """When the months before and after began and ended, where they are closed; by patient and month."""
    cursor = await conn.execute(
        "SELECT patient_id, month, lower(during), upper(during) FROM billing_month"
        " WHERE patient_id = ANY(%s) AND month IN (%s, %s)",
        (list(patients), month.before.first, month.next.first),
    )
    return {(patient_id, of): (begins, ends) for patient_id, of, begins, ends in await cursor.fetchall()}


async def lock(conn: Connection, patients: Sequence[UUID]) -> None:
    """Nobody writes minutes of these patients until this transaction ends.

    They are locked in the order in which they are given: whoever closes months goes by names, some patients at a time.
    """
    await conn.execute("SELECT lock_minutes(NULL, x) FROM unnest(%s::uuid[]) AS x", (list(patients),))


async def close(
    conn: Connection,
    patient_id: UUID,
    month: Month,
    during: tuple[datetime, datetime],
    evidence: Evidence,
    account_id: UUID,
    at: datetime,
) -> bool:
    """Freeze it. False: it was closed already."""
    cursor = await conn.execute(
        """INSERT INTO billing_month (patient_id, month, during, rulebook, evidence, closed_by, closed_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (patient_id, month) DO NOTHING""",
        (
            patient_id,
            month.first,
            TimestamptzRange(*during),
            evidence.rulebook or "",
            Jsonb(msgspec.to_builtins(evidence)),
            account_id,
            at,
        ),
    )
    return cursor.rowcount == 1


async def counts(conn: Connection, month: Month) -> list[Count]:
    """Of all patients of the centre, what was closed; what is about few is not told apart."""
    cursor = await conn.execute("SELECT code, patients, units FROM billing_counts(%s) ORDER BY code", (month.first,))
    return [
        Count(code=code, patients=many if many >= FEWEST else None, units=units if many >= FEWEST else None)
        for code, many, units in await cursor.fetchall()
    ]
