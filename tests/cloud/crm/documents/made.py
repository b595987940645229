"""Documents as tests need them: who makes one, and what its pages say."""

import io
import re
from typing import cast
from uuid import UUID

import httpx
from pypdf import PdfReader
from pypdf.generic import DictionaryObject, NameObject

from tests.fix_console import Console, Person

CLINIC = {
    "name": "Clinic of Hope", "address": "Nørregade 1, København", "phone": "+45 33 11 22 33",
    "email": "post@clinic.example", "hours": "Mon–Fri 7–19", "privacy_contact": "dpo@clinic.example",
    "authority": "The Authority", "records_kept": "25 years",
}  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 17 + b"\x00\x00\x00\x00IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\x00" * 40 + b"\xff\xd9"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"


def pages(octets: bytes) -> list[str]:
    """What each page of a PDF says.

    The encoding of Chinese letters is the identity, given as a stream; pypdf 7.1 knows it by its name alone, and would
    read the two octets of a letter as two.
    """
    found = PdfReader(io.BytesIO(octets)).pages
    for page in found:
        for font in cast(DictionaryObject, cast(DictionaryObject, page["/Resources"])["/Font"]).values():
            cast(DictionaryObject, font.get_object())[NameObject("/Encoding")] = NameObject("/Identity-H")
    return [page.extract_text() for page in found]


def said(octets: bytes) -> str:
    """All that a PDF says, without the ends of its lines."""
    return re.sub(r"\s+", " ", " ".join(pages(octets)))


def dense(octets: bytes) -> str:
    """The same without any space, for languages that have none."""
    return said(octets).replace(" ", "")


def of(console: Console) -> str:
    """Where the documents of the ward's patient are."""
    return f"/patients/{console.ward.patient_id}/documents"


def made(console: Console, person: Person, kind: str, language: str = "en", **fields: str) -> bytes:
    """Have one made, and take it."""
    answer = person.post(of(console), {"kind": kind, "language": language, **fields})
    assert answer.status_code == 303, answer.text
    document_id = newest(console)
    taken = person.get(f"{of(console)}/{document_id}")
    assert taken.status_code == 200
    return taken.content


def newest(console: Console) -> UUID:
    """The one that was made last."""
    [(document_id,)] = console.ward.rows("SELECT document_id FROM document ORDER BY document_no DESC LIMIT 1")
    found: UUID = document_id
    return found


def administrator(console: Console, login: str = "ben") -> Person:
    """Somebody who keeps the wording."""
    console.ward.admin.execute("UPDATE account SET role = 'administrator' WHERE login = %s", (login,))
    return console.sign_in(login)


def set_clinic(console: Console) -> None:
    """The clinic says all of itself."""
    fields = list(CLINIC)
    console.ward.admin.execute(
        f"INSERT INTO clinic_facts ({', '.join(fields)}, set_by, set_at) VALUES ({', '.join(['%s'] * len(fields))}, %s,"  # noqa: S608
        " now())",
        (*CLINIC.values(), console.accounts["nora"]),
    )


def attach(person: Person, path: str, octets: bytes, signed_on: str = "2026-11-20", **headers: str) -> httpx.Response:
    """A scan, as a browser sends it."""
    return person.client.post(
        path,
        data={"csrf_token": person.csrf_token(), "signed_on": signed_on},
        files={"file": ("Asta Example.html", octets, "text/html")},
        headers=headers,
    )
