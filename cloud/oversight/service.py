"""The audit looked up, exported, and told to the patient whom it concerns; each of these is in the audit, too."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from uuid import UUID

import msgspec

from cloud.audit import store as audit
from cloud.audit.models import Entry, Wanted
from cloud.auth.models import Session
from cloud.console.edge import Connection
from cloud.oversight.models import Asked, Found

A_PAGE: Final = 50
# What a spreadsheet takes and one request may cost; whoever needs more asks for one month after the other.
MOST_EXPORTED: Final = 10_000
AT_A_TIME: Final = 1_000
LAST_YEAR: Final = 9_000
COLUMNS: Final = (
    "audit_id", "at", "account_id", "login", "name", "role", "action", "subject", "patient_id", "detail",
)  # fmt: skip


class Refused(Exception):
    """The filter cannot be read: ``fields`` says why, by field, as a code of texts.AUDIT_REFUSALS."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {why}" for name, why in fields.items()))
        self.fields = fields


async def looked_up(conn: Connection, session: Session, asked: Asked, after: int, now: datetime) -> Found:
    """A page of the rows that are asked for. Refused."""
    found = await _from(conn, wanted(asked), after)
    await audit.record_reading_on(conn, at=now, account_id=session.account_id, action="audit.read", subject="audit:all")
    return found


async def exported(conn: Connection, session: Session, asked: Asked, now: datetime) -> str:
    """The rows that are asked for as CSV (RFC 4180), newest first. Refused, also where they are too many."""
    which = wanted(asked)
    found: list[Entry] = []
    while len(found) <= MOST_EXPORTED:
        after = found[-1].place if found else None
        some = await audit.entries(conn, which, after=after, limit=AT_A_TIME)
        found += some
        if len(some) < AT_A_TIME:
            break
    if len(found) > MOST_EXPORTED:
        raise Refused({"since": "too_many"})
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="audit.export",
        subject="audit:all",
        patient_id=which.patient_id,
        detail={"rows": len(found), **{name: text for name, text in asked.typed().items() if text}},
    )
    return _csv(found)


async def who_looked(conn: Connection, session: Session, patient_id: UUID, after: int, now: datetime) -> Found:
    """What others did with this patient's data, for the patient."""
    since = await audit.place(conn, after) if after else None
    found = await audit.of_patient(conn, patient_id, session.account_id, after=since, limit=A_PAGE + 1)
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="access.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
    )
    return _one_page(found)


async def zone_of(conn: Connection, patient_id: UUID) -> str:
    """The patient's zone, for times."""
    return await audit.zone_of(conn, patient_id)


async def people(conn: Connection) -> Sequence[tuple[UUID, str, str]]:
    """Everybody of the staff, to choose from."""
    return await audit.people(conn)


def wanted(asked: Asked) -> Wanted:
    """The filter as the store takes it. Refused."""
    wrong: dict[str, str] = {}
    person, patient = _id(asked.person, "person", wrong), _id(asked.patient, "patient", wrong)
    since, until = _day(asked.since, "since", wrong), _day(asked.until, "until", wrong)
    if since and until and until < since:
        wrong["until"] = "before_since"
    if wrong:
        raise Refused(wrong)
    return Wanted(
        account_id=person,
        patient_id=patient,
        action=asked.action,
        since=since,
        until=until + timedelta(days=1) if until else None,
    )


async def _from(conn: Connection, which: Wanted, after: int) -> Found:
    place = await audit.place(conn, after) if after else None
    return _one_page(await audit.entries(conn, which, after=place, limit=A_PAGE + 1))


def _one_page(found: Sequence[Entry]) -> Found:
    shown = found[:A_PAGE]
    return Found(entries=shown, older=shown[-1].audit_id if len(found) > A_PAGE else None)


def _id(text: str, field: str, wrong: dict[str, str]) -> UUID | None:
    if not text:
        return None
    try:
        return UUID(text)
    except ValueError:
        wrong[field] = "no_id"
        return None


def _day(text: str, field: str, wrong: dict[str, str]) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        day = None
    # Beyond that the day after cannot be reckoned.
    if day is None or day.year > LAST_YEAR:
        wrong[field] = "no_day"
        return None
    return day


def _csv(found: Sequence[Entry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in found:
        fields = (getattr(entry, name) for name in COLUMNS[:-1])
        writer.writerow(
            [*map(_cell, fields), _cell(msgspec.json.encode(entry.detail).decode() if entry.detail else "")]
        )
    return out.getvalue()


def _cell(value: object) -> str:
    """As text; a spreadsheet must not take what somebody typed for a formula."""
    text = "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
