"""All SQL of the roster. What the jobs process asks for is sync, what pages ask for is async: the same statements."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from alerting.duty import Absence, DatedShift, DutyRole, Holiday, Hours, Roster, WeeklyShift
from alerting.duty import on_duty as turns_on_duty
from alerting.working_time import WorkingDays
from cloud.db.connect import Connection, one
from cloud.duty.models import Away, DutyPerson, HolidayRow, NewShift, Plan, Shift, SiteEntry, Staff
from cloud.zones.store import zone

log = logging.getLogger(__name__)

AsyncConn = AsyncConnection[Any]

# A shift may have begun the day before, and an hour of another zone is another day.
LOOK_BACK: Final = timedelta(days=2)

_SITE: Final = "SELECT time_zone, working_days, changed_by IS NOT NULL FROM duty_site"
_STAFF: Final = """SELECT account_id, display_name, role FROM account
                   WHERE role IN ('nurse', 'lead_nurse', 'doctor') AND disabled_at IS NULL"""
_SHIFTS: Final = """SELECT role, account_id, weekday, starts, ends, first_day, last_day, call_order
                    FROM duty_shift WHERE withdrawn_at IS NULL AND (last_day IS NULL OR last_day >= %(since)s)
                    ORDER BY shift_id"""
_ROLES: Final = "SELECT DISTINCT role FROM duty_shift WHERE withdrawn_at IS NULL"
_HOLIDAYS: Final = "SELECT day, name, own_roster FROM duty_holiday WHERE day >= %(long_since)s ORDER BY day"
_ABSENCES: Final = """SELECT account_id, starts, ends, cover FROM duty_absence
                      WHERE withdrawn_at IS NULL AND ends > %(since)s ORDER BY absence_id"""
_ALL: Final = (_SITE, _STAFF, _SHIFTS, _ROLES, _HOLIDAYS, _ABSENCES)


def on_duty(connection: Connection, role: DutyRole, at: datetime) -> Sequence[DutyPerson]:
    """Whoever is on duty for the role, in on-call order; everybody of the role where it has no roster at all."""
    return people_on_duty(plan(connection, at), role, at)


def people_on_duty(plan: Plan, role: DutyRole, at: datetime) -> Sequence[DutyPerson]:
    """The same, of a plan that has been read."""
    if not plan.roster.knows(role):
        return plan.people(role)
    return [
        DutyPerson(
            account_id=turn.account_id,
            display_name=plan.staff[turn.account_id].display_name,
            role=role,
            order=turn.order,
            until=turn.ends,
            instead_of=turn.instead_of,
        )
        for turn in turns_on_duty(plan.roster, role, at)
    ]


def plan(connection: Connection, at: datetime) -> Plan:
    """The roster as it stands, from two days before ``at`` on."""
    return _plan([connection.execute(query, _bounds(at)).fetchall() for query in _ALL])


async def read_plan(conn: AsyncConn, at: datetime) -> Plan:
    """The same for a page."""
    return _plan([await (await conn.execute(query, _bounds(at))).fetchall() for query in _ALL])


def _bounds(at: datetime) -> dict[str, date]:
    # Working days are counted from when a case was raised.
    return {"since": (at - LOOK_BACK).date(), "long_since": (at - timedelta(days=400)).date()}


def _plan(rows: Sequence[Sequence[TupleRow]]) -> Plan:
    [(zone_name, working_days, is_placed)], staff_rows, shifts, roles, holidays, absences = rows
    staff = {row[0]: Staff(account_id=row[0], display_name=row[1], role=row[2]) for row in staff_rows}
    site = zone(zone_name)
    if site is None:
        # Its shifts cannot be read. Telling everybody is better than telling nobody.
        log.error("the roster's time zone %r is unknown here (tzdata?): everybody of a role is on duty", zone_name)
        site, is_placed, shifts, roles = UTC, False, [], []
    # Whoever left is on duty no longer, and covers for nobody: a hole, and not a page to nobody.
    made = [_shift(row) for row in shifts if row[1] in staff]
    roster = Roster(
        zone=site,
        weekly=[shift for shift in made if isinstance(shift, WeeklyShift)],
        dated=[shift for shift in made if isinstance(shift, DatedShift)],
        holidays=[Holiday(day=day, name=name, own_roster=own) for day, name, own in holidays],
        absences=[
            Absence(account_id=who, starts=starts, ends=ends, cover=cover if cover in staff else None)
            for who, starts, ends, cover in absences
        ],
        known=frozenset(DutyRole(role) for (role,) in roles),
    )
    days = frozenset(day for day, _, _ in holidays)
    working = WorkingDays(zone=site, weekdays=frozenset(working_days), holidays=days)
    return Plan(roster=roster, working=working, zone_name=zone_name, is_placed=is_placed, staff=staff)


def _shift(row: TupleRow) -> WeeklyShift | DatedShift:
    role, account_id, weekday, starts, ends, first_day, last_day, order = row
    hours = Hours(starts=starts, ends=ends)
    if weekday is None:
        return DatedShift(role=DutyRole(role), account_id=account_id, day=first_day, hours=hours, order=order)
    return WeeklyShift(
        role=DutyRole(role),
        account_id=account_id,
        weekday=weekday,
        hours=hours,
        first_day=first_day,
        last_day=last_day,
        order=order,
    )


# What people change ---------------------------------------------------------------------------------------------------


async def one_change_at_a_time(conn: AsyncConn) -> None:
    """Whoever checks for overlaps and then writes is alone with the roster until this transaction ends."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('duty roster', 0))")


async def shifts(conn: AsyncConn, since: date) -> list[Shift]:
    """All that are in force or coming, from this day on."""
    async with conn.cursor(row_factory=class_row(Shift)) as cursor:
        await cursor.execute(
            """SELECT shift_id, role, account_id, weekday, starts, ends, first_day, last_day, call_order AS "order"
               FROM duty_shift WHERE withdrawn_at IS NULL AND (last_day IS NULL OR last_day >= %s)
               ORDER BY role, weekday NULLS LAST, first_day, starts, call_order, shift_id""",
            (since,),
        )
        return await cursor.fetchall()


async def absences(conn: AsyncConn, at: datetime) -> list[Away]:
    """Those that are not over."""
    async with conn.cursor(row_factory=class_row(Away)) as cursor:
        await cursor.execute(
            """SELECT absence_id, account_id, starts, ends, cover FROM duty_absence
               WHERE withdrawn_at IS NULL AND ends > %s ORDER BY starts, absence_id""",
            (at,),
        )
        return await cursor.fetchall()


async def holidays(conn: AsyncConn, since: date) -> list[HolidayRow]:
    """From this day on."""
    async with conn.cursor(row_factory=class_row(HolidayRow)) as cursor:
        await cursor.execute("SELECT day, name, own_roster FROM duty_holiday WHERE day >= %s ORDER BY day", (since,))
        return await cursor.fetchall()


async def add_shift(conn: AsyncConn, shift: NewShift, by: UUID, at: datetime) -> UUID:
    """Its id."""
    cursor = await conn.execute(
        """INSERT INTO duty_shift (role, account_id, weekday, starts, ends, first_day, last_day, call_order, set_by,
                                   set_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING shift_id""",
        (
            shift.role,
            shift.account_id,
            shift.weekday,
            shift.hours.starts,
            shift.hours.ends,
            shift.first_day,
            shift.first_day if shift.weekday is None else shift.last_day,
            shift.order,
            by,
            at,
        ),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an INSERT that returns gave no row")
    shift_id: UUID = row[0]
    return shift_id


async def end_shift(conn: AsyncConn, shift_id: UUID, last_day: date, at: datetime) -> bool:
    """Its last day; one that ends before it began never counted. False: there is none that is in force."""
    cursor = await conn.execute(
        """UPDATE duty_shift SET last_day = CASE WHEN %(last_day)s >= first_day THEN %(last_day)s ELSE last_day END,
                                 withdrawn_at = CASE WHEN %(last_day)s < first_day THEN %(at)s END
           WHERE shift_id = %(shift_id)s AND withdrawn_at IS NULL
             AND (last_day IS NULL OR last_day > %(last_day)s)""",
        {"shift_id": shift_id, "last_day": last_day, "at": at},
    )
    return cursor.rowcount == 1


async def add_absence(
    conn: AsyncConn, account_id: UUID, starts: datetime, ends: datetime, cover: UUID | None, by: UUID, at: datetime
) -> None:
    await conn.execute(
        """INSERT INTO duty_absence (account_id, starts, ends, cover, set_by, set_at)
           VALUES (%s, %s, %s, %s, %s, %s)""",
        (account_id, starts, ends, cover, by, at),
    )


async def withdraw_absence(conn: AsyncConn, absence_id: UUID, at: datetime) -> bool:
    cursor = await conn.execute(
        "UPDATE duty_absence SET withdrawn_at = %s WHERE absence_id = %s AND withdrawn_at IS NULL", (at, absence_id)
    )
    return cursor.rowcount == 1


async def add_holiday(conn: AsyncConn, holiday: HolidayRow, by: UUID, at: datetime) -> bool:
    """False: that day is one already."""
    cursor = await conn.execute(
        """INSERT INTO duty_holiday (day, name, own_roster, set_by, set_at) VALUES (%s, %s, %s, %s, %s)
           ON CONFLICT (day) DO NOTHING""",
        (holiday.day, holiday.name, holiday.own_roster, by, at),
    )
    return cursor.rowcount == 1


async def remove_holiday(conn: AsyncConn, day: date) -> bool:
    cursor = await conn.execute("DELETE FROM duty_holiday WHERE day = %s", (day,))
    return cursor.rowcount == 1


async def place(conn: AsyncConn, entry: SiteEntry, by: UUID, at: datetime) -> None:
    """Where the site is, on which weekdays it works, and the number that patients call."""
    await conn.execute(
        "UPDATE duty_site SET time_zone = %s, working_days = %s, phone = %s, changed_by = %s, changed_at = %s",
        (entry.time_zone, sorted(entry.working_days), entry.phone, by, at),
    )


async def site_zone(conn: AsyncConn) -> str:
    """The IANA zone of the clinic's clock."""
    return str(one(await (await conn.execute("SELECT time_zone FROM duty_site")).fetchone())[0])


async def phone(conn: AsyncConn) -> str:
    """The number that patients call, E.164; empty: nobody has written one down."""
    row = await (await conn.execute("SELECT phone FROM duty_site")).fetchone()
    return str(row[0]) if row else ""
