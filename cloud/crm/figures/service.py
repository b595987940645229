"""The figures of some months, each look at them with its audit row."""

import asyncio
from datetime import date, datetime
from typing import Any

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.crm.figures import measures, sheets, store
from cloud.crm.figures.models import MOST_MONTHS, Figures, Period
from cloud.crm.surveys import counting as surveyed
from cloud.crm.surveys import store as surveys
from cloud.duty import store as duty
from cloud.plans import fields, rules

Connection = AsyncConnection[Any]


async def period(conn: Connection, first: str, last: str, now: datetime) -> Period:
    """The months that were asked for, as ``2026-10``; this month for what cannot be read; at most MOST_MONTHS."""
    today = (await store.today(conn, now)).replace(day=1)
    asked = fields.month(first), fields.month(last)
    begins, ends = asked[0] or asked[1] or today, asked[1] or asked[0] or today
    begins, ends = min(begins, ends, today), min(max(begins, ends), today)
    earliest = _back(ends, MOST_MONTHS - 1)
    return await store.period(conn, max(begins, earliest), ends)


async def figures(conn: Connection, of: Period, now: datetime) -> Figures:
    """All that the page shows; what is reckoned is reckoned beside the loop that serves the others."""
    waits, work = await store.waits(conn, of), await store.work(conn, of)
    terms = {row.programme_id: rules.programme(row).terms for row in await store.programmes(conn)}
    staff, plan = await store.staff(conn), await duty.read_plan(conn, of.starts)
    counted, ways = await store.months(conn, of), await store.appointments(conn, of)
    satisfaction = surveyed.satisfaction(await surveys.counts(conn, of.starts, of.ends, now))
    until = min(of.ends, now)

    def reckoned() -> Figures:
        tiers, few_cases = measures.tier_figures(waits, terms, plan.working, now)
        programmes, few_patients = measures.programme_figures(counted)
        attended, few_appointments = measures.attended(ways)
        return Figures(
            period=of,
            tiers=tiers,
            few_cases=few_cases,
            workload=measures.workload(work, staff, plan.roster, of.starts, until),
            programmes=programmes,
            few_patients=few_patients,
            attended=attended,
            few_appointments=few_appointments,
            satisfaction=satisfaction,
        )

    return await asyncio.to_thread(reckoned)


async def read(conn: Connection, session: Session, of: Period, now: datetime) -> Figures:
    """The figures for a page."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="figures.read", subject="figures:all"
    )
    return await figures(conn, of, now)


async def exported(conn: Connection, session: Session, of: Period, form: str, now: datetime) -> bytes:
    """The same as a file: ``csv`` or ``parquet``."""
    rows = sheets.rows_of(await figures(conn, of, now))
    detail = {"form": form, "rows": len(rows), "first": of.first.isoformat(), "last": of.last.isoformat()}
    await audit.record_by(conn, session, now, "figures.export", "figures:all", None, detail)
    if form == "csv":
        return sheets.csv_text(rows).encode()
    return await asyncio.to_thread(sheets.parquet, rows)


def _back(month: date, by: int) -> date:
    whole = month.year * 12 + month.month - 1 - by
    return date(whole // 12, whole % 12 + 1, 1)
