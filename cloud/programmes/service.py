"""The programmes with what follows of them, and each change with its audit row."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from psycopg import AsyncConnection

from alerting.regimes import unsigned
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.plans import rules
from cloud.plans.fields import Refusal, Refused
from cloud.programmes import entries, store
from cloud.programmes.models import ProgrammeEntry, Shown

Connection = AsyncConnection[Any]
Form = Mapping[str, str]


async def programmes(conn: Connection, now: datetime) -> list[Shown]:
    """All of them, the standard one first."""
    patients = await store.patients(conn, now)
    rows = sorted(await store.programmes(conn), key=lambda row: (row.programme_id != rules.STANDARD, row.display_name))
    return [
        Shown(
            row=row,
            patients=patients.get(row.programme_id, 0),
            terms=rules.programme(row).terms,
            own={own.tier: own for own in row.terms},
            unsigned=unsigned(rules.regime(row.regimes)),
        )
        for row in rows
    ]


async def add(conn: Connection, session: Session, form: Form, now: datetime) -> str:
    """A new programme; gives its id. Refused where it cannot be taken."""
    programme_id = entries.new_id(form)
    try:
        entry = entries.programme(form)
    except Refused as refused:
        raise Refused("new", refused.refusals, form) from refused
    if not await store.add(conn, programme_id, entry, session.account_id, now):
        raise Refused("new", {"programme_id": Refusal("there_already")}, form)
    await audit.record_by(conn, session, now, "programme.add", f"programme:{programme_id}", detail=_detail(entry))
    return programme_id


async def change(conn: Connection, session: Session, programme_id: str, form: Form, now: datetime) -> bool:
    """False: there is no such programme. Refused where it cannot be taken."""
    entry = entries.programme(form)
    if not await store.change(conn, programme_id, entry, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "programme.change", f"programme:{programme_id}", detail=_detail(entry))
    return True


async def change_terms(conn: Connection, session: Session, programme_id: str, form: Form, now: datetime) -> bool:
    """False: there is no such programme. Refused where it cannot be taken."""
    terms = entries.terms(form)
    if not await store.change_terms(conn, programme_id, terms, session.account_id, now):
        return False
    detail = {name: _plain(value) for name, value in terms._asdict().items()}
    await audit.record_by(conn, session, now, "programme.terms", f"programme:{programme_id}", detail=detail)
    return True


def _detail(entry: ProgrammeEntry) -> Mapping[str, object]:
    """What was chosen; no person is in it."""
    return {name: _plain(value) for name, value in asdict(entry).items()}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    return str(value) if isinstance(value, Decimal) else value
