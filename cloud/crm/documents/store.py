"""All SQL of documents. What was produced is written once; the caller has checked who asks."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from cloud.auth.care_team import IN_CARE
from cloud.crm.documents.entries import ScanEntry
from cloud.crm.documents.models import Clinic, Device, Document, Kind, Made, Patient, Scan, Version
from cloud.db.connect import one

Connection = AsyncConnection[Any]

_OF: Final = SQL("SELECT p.patient_id, p.display_name, p.birth_date, p.time_zone, p.language FROM patient p")
_PATIENT: Final = SQL("{of} WHERE p.patient_id = %(patient_id)s AND {in_care}").format(of=_OF, in_care=IN_CARE)
_ONESELF: Final = SQL("{of} WHERE p.patient_id = %s").format(of=_OF)

_DOCUMENTS: Final = """
SELECT d.document_id, d.kind, d.template_id IS NOT NULL AS is_own_wording, d.template_version, d.language,
       length(d.octets) AS length, d.sha256, a.display_name AS made_by, d.made_at
FROM document d JOIN account a ON a.account_id = d.made_by
WHERE d.patient_id IS NOT DISTINCT FROM %(patient_id)s AND d.kind = ANY(%(kinds)s)
  AND (%(document_id)s::uuid IS NULL OR d.document_id = %(document_id)s)
ORDER BY d.document_no DESC LIMIT %(most)s
"""

_SCANS: Final = """
SELECT s.scan_id, s.document_id, s.media_type, length(s.octets) AS length, s.sha256, s.signed_on,
       a.display_name AS attached_by, s.attached_at, w.display_name AS withdrawn_by, s.withdrawn_at, s.why_withdrawn
FROM document_scan s JOIN account a ON a.account_id = s.attached_by LEFT JOIN account w ON w.account_id = s.withdrawn_by
WHERE s.patient_id = %s AND s.document_id = ANY(%s) ORDER BY s.attached_at, s.scan_id
"""

_DEVICES: Final = """
SELECT i.item_id, i.kind, i.manufacturer || ' ' || i.model AS name, i.serial_number, i.owner, i.lessor, i.lease_ends_on,
       h.since
FROM stock_holding h JOIN stock_item i USING (item_id)
WHERE h.patient_id = %s AND h.until IS NULL ORDER BY i.kind, name, i.serial_number
"""

_VERSIONS: Final = """
SELECT t.template_id, t.kind, t.version, t.texts, t.written_by AS author_id, w.display_name AS written_by, t.written_at,
       a.display_name AS approved_by, t.approved_at, x.display_name AS withdrawn_by, t.withdrawn_at
FROM document_template t JOIN account w ON w.account_id = t.written_by
LEFT JOIN account a ON a.account_id = t.approved_by LEFT JOIN account x ON x.account_id = t.withdrawn_by
"""


async def patient(conn: Connection, account_id: UUID, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_PATIENT, {"account_id": account_id, "patient_id": patient_id})
        return await cursor.fetchone()


async def oneself(conn: Connection, patient_id: UUID) -> Patient | None:
    """Whoever is signed in as a patient."""
    async with conn.cursor(row_factory=class_row(Patient)) as cursor:
        await cursor.execute(_ONESELF, (patient_id,))
        return await cursor.fetchone()


# The clinic -----------------------------------------------------------------------------------------------------------


async def clinic(conn: Connection) -> Clinic:
    """What was said last."""
    async with conn.cursor(row_factory=class_row(Clinic)) as cursor:
        await cursor.execute(
            """SELECT name, address, phone, email, hours, privacy_contact, authority, records_kept
               FROM clinic_facts ORDER BY facts_no DESC LIMIT 1"""
        )
        return await cursor.fetchone() or Clinic()


async def set_clinic(conn: Connection, said: Clinic, by: UUID, at: datetime) -> None:
    await conn.execute(
        """INSERT INTO clinic_facts (name, address, phone, email, hours, privacy_contact, authority, records_kept,
                                     set_by, set_at)
           VALUES (%(name)s, %(address)s, %(phone)s, %(email)s, %(hours)s, %(privacy_contact)s, %(authority)s,
                   %(records_kept)s, %(by)s, %(at)s)""",
        {**asdict(said), "by": by, "at": at},
    )


async def zone_and_phone(conn: Connection) -> tuple[str, str]:
    """Of the monitoring centre."""
    cursor = await conn.execute("SELECT time_zone, phone FROM duty_site")
    zone, phone = one(await cursor.fetchone())
    return zone, phone


# Wording --------------------------------------------------------------------------------------------------------------


async def versions(conn: Connection, kind: Kind | None = None) -> list[Version]:
    """The clinic's own, the newest first; of one kind, or of all."""
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        await cursor.execute(
            f"{_VERSIONS} WHERE %(kind)s::text IS NULL OR t.kind = %(kind)s ORDER BY t.kind, t.version DESC",
            {"kind": kind},
        )
        return await cursor.fetchall()


async def version(conn: Connection, template_id: UUID) -> Version | None:
    async with conn.cursor(row_factory=class_row(Version)) as cursor:
        await cursor.execute(f"{_VERSIONS} WHERE t.template_id = %s", (template_id,))
        return await cursor.fetchone()


async def add_version(conn: Connection, kind: Kind, texts: object, by: UUID, at: datetime) -> int:
    """The next version; gives its number."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('document_template ' || %s, 0))", (kind,))
    cursor = await conn.execute(
        """INSERT INTO document_template (kind, version, texts, written_by, written_at)
           SELECT %(kind)s, coalesce(max(version), 0) + 1, %(texts)s, %(by)s, %(at)s
           FROM document_template WHERE kind = %(kind)s RETURNING version""",
        {"kind": kind, "texts": Jsonb(texts), "by": by, "at": at},
    )
    return int(one(await cursor.fetchone())[0])


async def approve(conn: Connection, template_id: UUID, by: UUID, at: datetime) -> bool:
    """It is in force. False: not there, not a draft, or one's own."""
    cursor = await conn.execute(
        """UPDATE document_template SET approved_by = %s, approved_at = %s
           WHERE template_id = %s AND approved_at IS NULL AND withdrawn_at IS NULL AND written_by <> %s""",
        (by, at, template_id, by),
    )
    return cursor.rowcount == 1


async def withdraw_version(conn: Connection, template_id: UUID, by: UUID, at: datetime) -> bool:
    """False: not there, or withdrawn already."""
    cursor = await conn.execute(
        "UPDATE document_template SET withdrawn_by = %s, withdrawn_at = %s"
        " WHERE template_id = %s AND withdrawn_at IS NULL",
        (by, at, template_id),
    )
    return cursor.rowcount == 1


# What was produced ----------------------------------------------------------------------------------------------------


async def devices(conn: Connection, patient_id: UUID) -> list[Device]:
    """Of the stock, those that the patient has."""
    async with conn.cursor(row_factory=class_row(Device)) as cursor:
        await cursor.execute(_DEVICES, (patient_id,))
        return await cursor.fetchall()


async def text_sha256(conn: Connection, consent_id: UUID) -> bytes:
    """Of the text that was agreed to, as it was then."""
    cursor = await conn.execute("SELECT text_sha256 FROM consent WHERE consent_id = %s", (consent_id,))
    return bytes(one(await cursor.fetchone())[0])


async def add(conn: Connection, made: Made, by: UUID, at: datetime) -> None:
    """Keep it, as it is given out."""
    await conn.execute(
        """INSERT INTO document (document_id, patient_id, kind, template_id, template_version, language, octets, sha256,
                                 made_by, made_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            made.document_id,
            made.patient_id,
            made.template.kind,
            made.template.template_id,
            made.template.version,
            made.language,
            made.octets,
            sha256(made.octets).digest(),
            by,
            at,
        ),
    )


async def made_since(conn: Connection, account_id: UUID, since: datetime) -> int:
    """How many this person had made since then; until the transaction ends they make no other."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('documents:' || %s, 0))", (str(account_id),))
    cursor = await conn.execute(
        "SELECT count(*) FROM document WHERE made_by = %s AND made_at > %s", (account_id, since)
    )
    return int(one(await cursor.fetchone())[0])


async def documents(
    conn: Connection, patient_id: UUID | None, kinds: Sequence[Kind], most: int, document_id: UUID | None = None
) -> list[Document]:
    """Of a patient or of the centre (None), the newest first; or the one with this id."""
    asked = {"patient_id": patient_id, "kinds": list(kinds), "document_id": document_id, "most": most}
    async with conn.cursor(row_factory=class_row(Document)) as cursor:
        await cursor.execute(_DOCUMENTS, asked)
        return await cursor.fetchall()


async def octets(conn: Connection, document_id: UUID) -> bytes:
    """As they were given out."""
    cursor = await conn.execute("SELECT octets FROM document WHERE document_id = %s", (document_id,))
    return bytes(one(await cursor.fetchone())[0])


# Scans ----------------------------------------------------------------------------------------------------------------


async def scans(conn: Connection, patient_id: UUID, document_ids: Sequence[UUID]) -> list[Scan]:
    """Of these documents, the oldest first, withdrawn ones too."""
    async with conn.cursor(row_factory=class_row(Scan)) as cursor:
        await cursor.execute(_SCANS, (patient_id, list(document_ids)))
        return await cursor.fetchall()


async def attach(
    conn: Connection, patient_id: UUID, document_id: UUID, entry: ScanEntry, by: UUID, at: datetime
) -> UUID | None:
    """None: this very file is there already."""
    cursor = await conn.execute(
        """INSERT INTO document_scan (document_id, patient_id, media_type, octets, sha256, signed_on, attached_by,
                                      attached_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
           ON CONFLICT (document_id, sha256) WHERE withdrawn_at IS NULL DO NOTHING RETURNING scan_id""",
        (
            document_id,
            patient_id,
            entry.media_type,
            entry.octets,
            sha256(entry.octets).digest(),
            entry.signed_on,
            by,
            at,
        ),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def scan(conn: Connection, patient_id: UUID, scan_id: UUID) -> tuple[str, UUID, str, bytes] | None:
    """Kind and id of its document, type and octets; None: there is none, or it is withdrawn."""
    cursor = await conn.execute(
        """SELECT d.kind, d.document_id, s.media_type, s.octets
           FROM document_scan s JOIN document d USING (document_id)
           WHERE s.patient_id = %s AND s.scan_id = %s AND s.withdrawn_at IS NULL""",
        (patient_id, scan_id),
    )
    row = await cursor.fetchone()
    return (row[0], row[1], row[2], bytes(row[3])) if row else None


async def withdraw_scan(conn: Connection, patient_id: UUID, scan_id: UUID, why: str, by: UUID, at: datetime) -> bool:
    """False: not there, or withdrawn already."""
    cursor = await conn.execute(
        """UPDATE document_scan SET withdrawn_by = %s, withdrawn_at = %s, why_withdrawn = %s
           WHERE patient_id = %s AND scan_id = %s AND withdrawn_at IS NULL""",
        (by, at, why, patient_id, scan_id),
    )
    return cursor.rowcount == 1
