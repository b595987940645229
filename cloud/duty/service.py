"""What the page of the roster shows, and what people change there: each change has an audit row."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.duty import DatedShift, DutyRole, WeeklyShift, clash, holes, instant_of, turns
from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.duty import entries, gaps, store
from cloud.duty.models import Cell, Day, DutyGap, NewShift, Plan, RoleNow, RosterPage, Shift
from cloud.plans.fields import Form, Refusal, Refused

AsyncConn = AsyncConnection[Any]

DAYS_SHOWN: Final = 14
# Of lead nurses all are told where nobody else can be: theirs is no hole in the path.
NEVER_WITHOUT: Final = (DutyRole.NURSE, DutyRole.DOCTOR)


async def roster_page(conn: AsyncConn, now: datetime) -> RosterPage:
    """Who is on duty now, and the coming days with their holes."""
    plan = await store.read_plan(conn, now)
    today = now.astimezone(plan.roster.zone).date()
    days = [_day(plan, today + timedelta(days=n), now, is_first=n == 0) for n in range(DAYS_SHOWN)]
    return RosterPage(
        plan=plan,
        today=today,
        now=[
            RoleNow(role=role, has_roster=plan.roster.knows(role), people=store.people_on_duty(plan, role, now))
            for role in DutyRole
        ],
        days=days,
        holes=sum(len(day.cells[role].holes) for day in days for role in NEVER_WITHOUT),
        shifts=_grouped(await store.shifts(conn, today - timedelta(days=1))),
        absences=await store.absences(conn, now),
        holidays=await store.holidays(conn, today),
    )


def _grouped(shifts: Sequence[Shift]) -> list[list[Shift]]:
    groups: dict[object, list[Shift]] = {}
    for shift in shifts:
        same = (shift.role, shift.account_id, shift.hours, shift.first_day, shift.last_day, shift.order)
        groups.setdefault(same if shift.weekday is not None else shift.shift_id, []).append(shift)
    return list(groups.values())


def _day(plan: Plan, day: date, now: datetime, *, is_first: bool) -> Day:
    zone = plan.roster.zone
    starts, ends = instant_of(day, time(), zone), instant_of(day + timedelta(days=1), time(), zone)
    begins = max(starts, now) if is_first else starts
    names = {holiday.day: holiday.name for holiday in plan.roster.holidays}
    cells = {}
    for role in DutyRole:
        found = turns(plan.roster, role, begins, ends)
        shown = [turn for turn in found if turn.starts >= starts or is_first]
        has_roster = plan.roster.knows(role)
        missing = holes(plan.roster, role, begins, ends) if has_roster else ()
        cells[role] = Cell(has_roster=has_roster, turns=shown, holes=missing)
    return Day(day=day, holiday=names.get(day), cells=cells)


async def add_shifts(conn: AsyncConn, session: Session, form: Form, now: datetime) -> None:
    """Refused where one of them overlaps another of the same person and role."""
    await store.one_change_at_a_time(conn)
    plan = await store.read_plan(conn, now)
    today = now.astimezone(plan.roster.zone).date()
    added = entries.shifts(form, plan.staff, today)
    there = [_as_rule(shift) for shift in await store.shifts(conn, today - timedelta(days=1))]
    own_roster = {holiday.day for holiday in plan.roster.holidays if holiday.own_roster}
    for shift in added:
        rule = _as_rule(shift)
        if any(clash(rule, other, own_roster) for other in there):
            raise Refused("shift", {"starts": Refusal("overlap")}, form)
        there.append(rule)
    for shift in added:
        shift_id = await store.add_shift(conn, shift, session.account_id, now)
        await _record(conn, session, "duty.add_shift", f"shift:{shift_id}", now, {"role": shift.role})


def _as_rule(shift: Shift | NewShift) -> WeeklyShift | DatedShift:
    if shift.weekday is None:
        return DatedShift(role=shift.role, account_id=shift.account_id, day=shift.first_day, hours=shift.hours)
    return WeeklyShift(
        role=shift.role,
        account_id=shift.account_id,
        weekday=shift.weekday,
        hours=shift.hours,
        first_day=shift.first_day,
        last_day=shift.last_day,
    )


async def end_shifts(conn: AsyncConn, session: Session, form: Form, now: datetime) -> bool:
    """False: there is none that could end then. Refused."""
    plan = await store.read_plan(conn, now)
    shift_ids = entries.shift_ids(form)
    day = entries.last_day(form, now.astimezone(plan.roster.zone).date())
    ended = [shift_id for shift_id in shift_ids if await store.end_shift(conn, shift_id, day, now)]
    for shift_id in ended:
        await _record(conn, session, "duty.end_shift", f"shift:{shift_id}", now, {"last_day": day.isoformat()})
    return bool(ended)


async def add_absence(conn: AsyncConn, session: Session, form: Form, now: datetime) -> None:
    """Refused."""
    plan = await store.read_plan(conn, now)
    entry = entries.absence(form, plan.staff, plan.roster.zone, now)
    await store.add_absence(conn, entry.account_id, entry.starts, entry.ends, entry.cover, session.account_id, now)
    detail = {"cover": str(entry.cover) if entry.cover else None}
    await _record(conn, session, "duty.add_absence", f"account:{entry.account_id}", now, detail)


async def withdraw_absence(conn: AsyncConn, session: Session, absence_id: UUID, now: datetime) -> bool:
    """False: there is none."""
    if not await store.withdraw_absence(conn, absence_id, now):
        return False
    await _record(conn, session, "duty.withdraw_absence", f"absence:{absence_id}", now, {})
    return True


async def add_holiday(conn: AsyncConn, session: Session, form: Form, now: datetime) -> None:
    """Refused, also where that day is one already."""
    plan = await store.read_plan(conn, now)
    holiday = entries.holiday(form, now.astimezone(plan.roster.zone).date())
    if not await store.add_holiday(conn, holiday, session.account_id, now):
        raise Refused("holiday", {"day": Refusal("there_already")}, form)
    await _record(conn, session, "duty.add_holiday", f"day:{holiday.day}", now, {"own_roster": holiday.own_roster})


async def remove_holiday(conn: AsyncConn, session: Session, day: date, now: datetime) -> bool:
    """False: that day is none."""
    if not await store.remove_holiday(conn, day):
        return False
    await _record(conn, session, "duty.remove_holiday", f"day:{day}", now, {})
    return True


async def place(conn: AsyncConn, session: Session, form: Form, now: datetime) -> None:
    """Refused."""
    entry = entries.site(form)
    await store.place(conn, entry, session.account_id, now)
    await _record(conn, session, "duty.place", "duty:site", now, {"time_zone": entry.time_zone})


async def gaps_for(conn: AsyncConn, session: Session, now: datetime) -> list[DutyGap]:
    """The open gaps, for lead nurses and whoever stands in for them; nothing for others."""
    found = await gaps.open_gaps(conn)
    if not found or not await may_see_gaps(conn, session, now):
        return []
    return found


async def may_see_gaps(conn: AsyncConn, session: Session, now: datetime) -> bool:
    """A lead nurse, or whoever is on duty as one."""
    if session.role is Role.LEAD_NURSE:
        return True
    plan = await store.read_plan(conn, now)
    on_duty = store.people_on_duty(plan, DutyRole.LEAD_NURSE, now)
    return session.account_id in {person.account_id for person in on_duty}


async def acknowledge_gap(conn: AsyncConn, session: Session, gap_id: UUID, now: datetime) -> bool:
    """It is being seen to: nobody is told again. False: it is over, or somebody was faster."""
    if not await gaps.acknowledge(conn, gap_id, session.account_id, now):
        return False
    await _record(conn, session, "duty.acknowledge_gap", f"gap:{gap_id}", now, {})
    return True


async def _record(
    conn: AsyncConn, session: Session, action: str, subject: str, now: datetime, detail: Mapping[str, object]
) -> None:
    await audit.record(conn, at=now, account_id=session.account_id, action=action, subject=subject, detail=dict(detail))
