"""Billing evidence: a month of one's patients, the minutes that people write, and months that are closed.

None: no such patient for this account.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection, errors

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.crm.billing import entries, evaluation, store
from cloud.crm.billing.models import (
    Basis,
    Closed,
    Count,
    DeviceReading,
    Evidence,
    Known,
    Listed,
    Minutes,
    Month,
    PatientMonth,
    PeriodDays,
    UnbookedCall,
    Worked,
)
from cloud.crm.billing.rulebooks import RULEBOOKS
from cloud.crm.spreadsheets import head_of, lines_of
from cloud.db.acting import acting
from cloud.db.pool import Pool
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused
from device_drivers.wall_clocks import Zones

Connection = AsyncConnection[Any]

A_PAGE: Final = 50
# So many are closed, or written into a file, at a time.
AT_ONCE: Final = 500
# What a zone may be away from ours; and what a period that ends in the month may have begun before it.
_AFTER: Final = timedelta(days=2)
_BEFORE: Final = timedelta(days=max(book.supply_days for book in RULEBOOKS)) + _AFTER
COLUMNS: Final = (
    "month", "patient_id", "code", "state", "units", "counts", "figure", "needed", "missing", "why", "other_code",
    "first_day", "last_day", "rulebook", "closed_at",
)  # fmt: skip


async def listed(conn: Connection, session: Session, month: Month, page: int, now: datetime) -> Listed:
    """A page of the account's patients, by name."""
    many = await store.how_many(conn, session.account_id)
    pages = max(1, -(-many // A_PAGE))
    page = min(max(1, page), pages)
    known = await store.patients(conn, session.account_id, A_PAGE, (page - 1) * A_PAGE)
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="billing.list", subject="billing:own"
    )
    return Listed(month=month, shown=await months(conn, known, month, now), page=page, pages=pages, patients=many)


async def counts(conn: Connection, month: Month) -> list[Count]:
    """What was closed of all patients of the centre, of nobody in particular."""
    return await store.counts(conn, month)


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Known | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id)


async def month_of(conn: Connection, known: Known, month: Month, now: datetime) -> PatientMonth:
    """One patient's month."""
    [found] = await months(conn, [known], month, now)
    return found


async def behind(conn: Connection, shown: PatientMonth) -> tuple[list[PeriodDays], list[Minutes], list[UnbookedCall]]:
    """What the lines rest on: readings by period and day, minutes with what was withdrawn, and calls not booked."""
    patient_id, lines = shown.patient.patient_id, shown.evidence.lines
    first = min([shown.month.first, *(line.first for line in lines)])
    last = max([shown.month.last, *(line.last for line in lines)])
    taken = await store.readings(conn, patient_id, _noon(first) - _AFTER, _noon(last) + _AFTER)
    by_day: dict[date, list[DeviceReading]] = {}
    for one in taken:
        if first <= one.day <= last:
            by_day.setdefault(one.day, []).append(one)
    ledger = await store.minutes(conn, [patient_id], shown.starts, shown.ends)
    calls = await store.unbooked_calls(conn, patient_id, shown.starts, shown.ends)
    return by_period(shown.evidence, by_day), ledger.get(patient_id, []), calls


def by_period(evidence: Evidence, days: Mapping[date, Sequence[DeviceReading]]) -> list[PeriodDays]:
    """Each supply period of the lines with its days, and those that lie in none of them, if there are any."""
    periods = sorted({(line.first, line.last) for line in evidence.lines if line.basis is Basis.DAYS})
    found = [
        PeriodDays(first=first, last=last, days={day: of for day, of in days.items() if first <= day <= last})
        for first, last in periods
    ]
    shown = {day for period in found for day in period.days}
    others = {day: of for day, of in days.items() if day not in shown}
    return [*found, PeriodDays(first=None, last=None, days=others)] if others else found


async def record_reading(conn: Connection, session: Session, known: Known, now: datetime) -> None:
    """Somebody read the patient's evidence."""
    await audit.record_by(conn, session, now, "billing.read", f"patient:{known.patient_id}", known.patient_id)


async def months(conn: Connection, known: Sequence[Known], month: Month, now: datetime) -> list[PatientMonth]:
    """The month of each, in a handful of queries for all of them."""
    ids = [one.patient_id for one in known]
    zones = await store.zones_of(conn, ids)
    # One that runs has no day after today, and so after the month.
    since, until = _noon(month.first) - _BEFORE, _noon(month.last) + _AFTER
    days = await store.days(conn, ids, since, until)
    ledger = await store.minutes(conn, ids, _noon(month.first) - _AFTER, _noon(month.last) + _AFTER)
    frozen, around = await store.closed(conn, ids, month), await store.closed_around(conn, ids, month)
    # Beside the loop that serves everybody else: of a whole centre this takes seconds.
    return await asyncio.to_thread(_months, known, month, zones, days, ledger, frozen, around, now)


def _months(
    known: Sequence[Known],
    month: Month,
    zones: Mapping[UUID, Zones],
    days: Mapping[UUID, Mapping[date, int]],
    ledger: Mapping[UUID, Sequence[Minutes]],
    frozen: Mapping[UUID, Closed],
    around: Mapping[tuple[UUID, date], tuple[datetime, datetime]],
    now: datetime,
) -> list[PatientMonth]:
    return [
        _month(
            one,
            month,
            of := _known(zones.get(one.patient_id)),
            _edges(one.patient_id, month, of, around),
            days.get(one.patient_id, {}),
            ledger.get(one.patient_id, []),
            frozen.get(one.patient_id),
            now,
        )
        for one in known
    ]


def _edges(
    patient_id: UUID, month: Month, zones: Zones, around: Mapping[tuple[UUID, date], tuple[datetime, datetime]]
) -> tuple[datetime, datetime]:
    """Of the month on the patient's clock, and never over a closed one: minutes count in one month.

    These differ where somebody says only later that the patient had moved.
    """
    starts, ends = evaluation.edges_of(month, zones)
    before, after = around.get((patient_id, month.before.first)), around.get((patient_id, month.next.first))
    return before[1] if before else starts, after[0] if after else ends


async def write(conn: Connection, session: Session, known: Known, form: Form, now: datetime) -> Month:
    """Minutes of the person who writes; the month that they are of. Refused where they cannot be taken."""
    zones = await _zones(conn, known)
    entry = entries.minutes(form, zones, now)
    try:
        async with conn.transaction():
            entry_id = await store.write(conn, known.patient_id, session.account_id, entry, now)
    except errors.ExclusionViolation:
        raise Refused("minutes", {"starts_at": Refusal("minutes_taken")}, form) from None
    except errors.RestrictViolation:
        raise Refused("minutes", {"starts_at": Refusal("month_closed")}, form) from None
    detail = {"activity": str(entry.activity), "interactive": entry.interactive}
    await audit.record_by(conn, session, now, "minutes.write", f"minutes:{entry_id}", known.patient_id, detail)
    return Month(entry.starts.astimezone(zones.at(entry.starts) or UTC).date().replace(day=1))


async def withdraw(conn: Connection, session: Session, known: Known, entry_id: UUID, form: Form, now: datetime) -> bool:
    """Minutes count no longer, and stay to be read. Refused without a reason; False: not this person's to withdraw."""
    refusals: dict[str, Refusal] = {}
    why = fields.reason(form, refusals, "why")
    if refusals:
        raise Refused("withdraw", refusals, form)
    try:
        async with conn.transaction():
            done = await store.withdraw(conn, known.patient_id, entry_id, session.account_id, why, now)
    except errors.RestrictViolation:
        raise Refused("withdraw", {"why": Refusal("month_closed")}, form) from None
    if done:
        await audit.record_by(conn, session, now, "minutes.withdraw", f"minutes:{entry_id}", known.patient_id)
    return done


async def close(conn: Connection, session: Session, known: Known, month: Month, now: datetime) -> bool:
    """Freeze one patient's month. False: it is not over there yet, or it is closed already."""
    return await _close(conn, session, [known], month, now) == 1


async def close_all(conn: Connection, session: Session, month: Month, now: datetime) -> int:
    """Freeze the month of all of the account's patients for whom it is over; how many, at most AT_ONCE."""
    done = skip = 0
    while done < AT_ONCE:
        known = await store.patients(conn, session.account_id, AT_ONCE, skip)
        frozen = await store.closed(conn, [one.patient_id for one in known], month)
        left = [one for one in known if one.patient_id not in frozen][: AT_ONCE - done]
        done += await _close(conn, session, left, month, now)
        if len(known) < AT_ONCE:
            break
        skip += AT_ONCE
    return done


async def begin_export(conn: Connection, session: Session, month: Month, now: datetime) -> list[UUID]:
    """Whose lines somebody is about to be given; it is in the audit before the first of them leaves."""
    whose = await store.ids(conn, session.account_id)
    detail = {"patients": len(whose), "month": str(month)}
    await audit.record_by(conn, session, now, "billing.export", "billing:own", None, detail)
    return whose


async def exported(
    pool: Pool, session: Session, whose: Sequence[UUID], month: Month, now: datetime, at_once: int = AT_ONCE
) -> AsyncIterator[str]:
    """Every line of these patients as CSV, some patients at a time: by their ids, without a name.

    Each part is read in a transaction of its own, so that a slow reader holds none, with the rights of then: whoever
    has left the account's care meanwhile is not in it.
    """
    yield head_of(COLUMNS)
    for first in range(0, len(whose), at_once):
        async with acting(pool, session.account_id) as conn:
            known = await store.these(conn, session.account_id, whose[first : first + at_once])
            found = await months(conn, known, month, now)
        yield await asyncio.to_thread(lines_of, [row for shown in found for row in rows_of(shown)])


async def _close(conn: Connection, session: Session, known: Sequence[Known], month: Month, now: datetime) -> int:
    # First the lock, then what is frozen: what somebody writes meanwhile is either in it, or refused.
    await store.lock(conn, [one.patient_id for one in known])
    done = 0
    for shown in await months(conn, known, month, now):
        if shown.closed or not shown.is_over:
            continue
        during, of = (shown.starts, shown.ends), shown.patient
        if await store.close(conn, of.patient_id, month, during, shown.evidence, session.account_id, now):
            detail = {"month": str(month), "rulebook": shown.evidence.rulebook}
            await audit.record_by(
                conn, session, now, "billing.close", f"patient:{of.patient_id}", of.patient_id, detail
            )
            done += 1
    return done


async def _zones(conn: Connection, known: Known) -> Zones:
    return _known((await store.zones_of(conn, [known.patient_id])).get(known.patient_id))


def _known(zones: Zones | None) -> Zones:
    return Zones(UTC) if zones is None or zones.otherwise is None else zones


def _month(
    known: Known,
    month: Month,
    zones: Zones,
    edges: tuple[datetime, datetime],
    days: Mapping[date, int],
    ledger: Sequence[Minutes],
    closed: Closed | None,
    now: datetime,
) -> PatientMonth:
    starts, ends = edges
    counted = [one for one in ledger if one.withdrawn_at is None and one.starts < ends and one.ends > starts]
    found = evaluation.evidence(
        month,
        days=days,
        supplied=[
            (_day(since, zones), None if until is None else _day(until, zones))
            for since, until in zip(known.supplied_since, known.supplied_until, strict=True)
        ],
        worked=[Worked(one.starts, one.ends, one.interactive) for one in counted],
        edges=edges,
        today=_day(now, zones),
        entries=tuple(one.entry_id for one in counted),
        rulebooks=RULEBOOKS,
    )
    return PatientMonth(
        patient=known,
        month=month,
        starts=starts,
        ends=ends,
        evidence=closed.evidence if closed else found,
        closed=closed,
        changed=closed is not None and _said(closed.evidence) != _said(found),
        is_over=ends <= now,
    )


def _said(evidence: Evidence) -> tuple[object, ...]:
    return evidence.lines, evidence.minutes, dict(evidence.days)


def rows_of(shown: PatientMonth) -> list[tuple[object, ...]]:
    """The lines of a month under COLUMNS."""
    return [
        (
            str(shown.month),
            str(shown.patient.patient_id),
            line.code,
            line.state,
            line.units,
            line.basis,
            line.figure,
            line.needed,
            line.missing,
            line.why,
            line.other,
            line.first,
            line.last,
            shown.closed.rulebook if shown.closed else shown.evidence.rulebook,
            shown.closed.closed_at if shown.closed else None,
        )
        for line in shown.evidence.lines
    ]


def _day(at: datetime, zones: Zones) -> date:
    return (at + zones.offset(at)).astimezone(UTC).date()


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
