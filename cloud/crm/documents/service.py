"""Documents: who may have which, and each production, download and change with its audit row, which has ids alone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import CLINICAL, Session
from cloud.console.spoken import zone_of
from cloud.crm.documents import entries, making, store, templates
from cloud.crm.documents.models import (
    CLINICAL_ONLY,
    OF_A_PATIENT,
    OF_THE_CENTRE,
    Clinic,
    Device,
    Document,
    File,
    Kind,
    Patient,
    Template,
    Unknown,
    Version,
    number,
)
from cloud.crm.documents.scans import ENDINGS, PDF
from cloud.plans.fields import Form

Connection = AsyncConnection[Any]

SHOWN: Final = 100
# Documents are kept for ever: a patient makes no more of their own in a day (a proposal).
MOST_A_DAY: Final = 20
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPatient:
    """What a patient's page of documents shows."""

    documents: Sequence[Document]
    devices: Sequence[Device]
    kinds: Sequence[Kind]


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id)


async def oneself(conn: Connection, session: Session) -> Patient | None:
    """Whoever is signed in, if a patient."""
    return await store.oneself(conn, session.patient_id) if session.patient_id else None


def kinds_for(session: Session) -> tuple[Kind, ...]:
    """Which documents about a patient this person may have made, or read: readings are for those who may see them."""
    may_all = session.role in CLINICAL or session.patient_id is not None
    return tuple(kind for kind in OF_A_PATIENT if may_all or kind not in CLINICAL_ONLY)


async def of_patient(conn: Connection, session: Session, of: Patient, now: datetime) -> OfPatient:
    """All of a patient; opening it is noted."""
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="document_list.read",
        subject=f"patient:{of.patient_id}",
        patient_id=of.patient_id,
    )
    kinds = kinds_for(session)
    found = await store.documents(conn, of.patient_id, kinds, SHOWN)
    scans = await store.scans(conn, of.patient_id, [one.document_id for one in found])
    return OfPatient(
        documents=[
            replace(one, scans=[scan for scan in scans if scan.document_id == one.document_id]) for one in found
        ],
        devices=await store.devices(conn, of.patient_id),
        kinds=kinds,
    )


async def of_centre(conn: Connection) -> list[Document]:
    """Those that are about nobody."""
    return await store.documents(conn, None, OF_THE_CENTRE, SHOWN)


async def make(
    conn: Connection, session: Session, of: Patient | None, kinds: Collection[Kind], form: Form, now: datetime
) -> UUID:
    """Produce one; gives its id. Refused, Unknown, FontMissing."""
    zone = of.time_zone if of else (await store.zone_and_phone(conn))[0]
    wanted = entries.wanted(form, kinds, now.astimezone(zone_of(zone)).date())
    if session.patient_id is not None and await store.made_since(conn, session.account_id, now - DAY) >= MOST_A_DAY:
        raise Unknown("enough")
    made = await making.make(conn, session, of, wanted, now)
    await audit.record_by(
        conn,
        session,
        now,
        "document.make",
        f"document:{made.document_id}",
        made.patient_id,
        {
            "kind": wanted.kind,
            "language": made.language,
            "template": str(made.template.template_id or "shipped"),
            "version": made.template.version,
        },
    )
    return made.document_id


async def file(conn: Connection, session: Session, of: Patient | None, document_id: UUID, now: datetime) -> File | None:
    """The octets of one, as they were given out; taking them is noted. None: none that this person may have."""
    kinds = kinds_for(session) if of else OF_THE_CENTRE
    patient_id = of.patient_id if of else None
    found = await store.documents(conn, patient_id, kinds, 1, document_id)
    if not found:
        return None
    await audit.record_by(conn, session, now, "document.read", f"document:{document_id}", patient_id)
    return File(
        kind=found[0].kind,
        name=f"{found[0].kind}-{number(document_id)}.pdf",
        media_type=PDF,
        octets=await store.octets(conn, document_id),
    )


# Scans ----------------------------------------------------------------------------------------------------------------


async def attach(
    conn: Connection, session: Session, of: Patient, document_id: UUID, form: Form, octets: bytes | None, now: datetime
) -> bool:
    """A signed paper. False: there is no such document. Refused."""
    if not await store.documents(conn, of.patient_id, kinds_for(session), 1, document_id):
        return False
    entry = entries.scan(form, octets, now.astimezone(zone_of(of.time_zone)).date())
    scan_id = await store.attach(conn, of.patient_id, document_id, entry, session.account_id, now)
    if scan_id is not None:  # else it is there already: somebody pressed twice
        await audit.record_by(conn, session, now, "document_scan.add", f"document_scan:{scan_id}", of.patient_id)
    return True


async def scanned(conn: Connection, session: Session, of: Patient, scan_id: UUID, now: datetime) -> File | None:
    """A scan's octets; taking them is noted. None: none that this person may have."""
    found = await store.scan(conn, of.patient_id, scan_id)
    if found is None or found[0] not in kinds_for(session):
        return None
    kind, document_id, media_type, octets = found
    await audit.record_by(conn, session, now, "document_scan.read", f"document_scan:{scan_id}", of.patient_id)
    name = f"{kind}-{number(document_id)}-scan.{ENDINGS[media_type]}"
    return File(kind=kind, name=name, media_type=media_type, octets=octets)


async def withdraw_scan(
    conn: Connection, session: Session, of: Patient, scan_id: UUID, form: Form, now: datetime
) -> bool:
    """It was attached in error. False: there is no such scan. Refused."""
    found = await store.scan(conn, of.patient_id, scan_id)
    if found is None or found[0] not in kinds_for(session):
        return False
    why = entries.why(form)
    if not await store.withdraw_scan(conn, of.patient_id, scan_id, why, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "document_scan.withdraw", f"document_scan:{scan_id}", of.patient_id)
    return True


# The clinic and its wording -------------------------------------------------------------------------------------------


async def clinic(conn: Connection) -> Clinic:
    """What it says of itself."""
    return await store.clinic(conn)


async def set_clinic(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """Refused."""
    await store.set_clinic(conn, entries.clinic(form), session.account_id, now)
    await audit.record_by(conn, session, now, "clinic.set", "clinic:facts")


async def versions(conn: Connection, kind: Kind | None = None) -> list[Version]:
    """The clinic's own wordings."""
    return await store.versions(conn, kind)


async def write(conn: Connection, session: Session, kind: Kind, form: Form, now: datetime) -> None:
    """A draft of the clinic's own wording. Refused."""
    version = await store.add_version(conn, kind, dict(entries.texts(form, kind)), session.account_id, now)
    await audit.record_by(conn, session, now, "document_template.write", f"document_template:{kind}:{version}")


async def approve(conn: Connection, session: Session, template_id: UUID, now: datetime) -> bool:
    """From now on documents are made of it. False: there is no such draft, or it is one's own."""
    if not await store.approve(conn, template_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "document_template.approve", f"document_template:{template_id}")
    return True


async def withdraw(conn: Connection, session: Session, template_id: UUID, now: datetime) -> bool:
    """From now on the version before it holds, or the software's. False: there is none, or it is withdrawn."""
    if not await store.withdraw_version(conn, template_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "document_template.withdraw", f"document_template:{template_id}")
    return True


async def preview(conn: Connection, template_id: UUID, language: str, now: datetime) -> bytes | None:
    """A version as it would look. None: there is none. FontMissing, BadTemplate."""
    found = await store.version(conn, template_id)
    if found is None:
        return None
    read = templates.template(Kind(found.kind), found.version, found.texts)
    return await making.preview(replace(read, template_id=template_id), language, now)


async def in_force(conn: Connection, kind: Kind) -> Template:
    """What documents are made of now. Unknown."""
    return await making.in_force(conn, kind)
