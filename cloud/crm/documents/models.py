"""Documents: which there are, what fills them, what was produced, and what was scanned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.auth.models import CLINICAL, Role
from cloud.review.report import Content

CARING: Final = CLINICAL | {Role.COORDINATOR}
# Who sees what is about nobody, and the wording.
READING: Final = CARING | {Role.ADMINISTRATOR}
APPROVING: Final = frozenset({Role.ADMINISTRATOR, Role.LEAD_NURSE, Role.DOCTOR})

# Of one text in one language, in characters (a proposal): twice the longest of ours.
LONGEST_TEXT: Final = 12_000
LONGEST_FACT: Final = 500


class Kind(StrEnum):
    """What a document is; the first four are about a patient."""

    CONSENT = "consent"
    HAND_OVER = "hand_over"
    REPORT = "report"
    PRIVACY = "privacy"
    SOP_PROGRAMME = "sop_programme"
    SOP_ESCALATION = "sop_escalation"
    SOP_ROLES = "sop_roles"


OF_A_PATIENT: Final = (Kind.CONSENT, Kind.HAND_OVER, Kind.REPORT, Kind.PRIVACY)
OF_THE_CENTRE: Final = (Kind.PRIVACY, Kind.SOP_PROGRAMME, Kind.SOP_ESCALATION, Kind.SOP_ROLES)
# What patients make for themselves, on their own page.
BY_PATIENTS: Final = (Kind.CONSENT, Kind.PRIVACY)
# Readings are in it: for those who may see them.
CLINICAL_ONLY: Final = frozenset({Kind.REPORT})


# On paper -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Points:
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table. An empty cell is there to be filled by hand; ``widths`` are shares of the line."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


@dataclass(frozen=True, slots=True)
class Signature:
    """A line to be signed, and what stands under it."""

    label: str


@dataclass(frozen=True, slots=True)
class Blank:
    """Lines to be filled by hand."""

    lines: int


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """The page of a patient's review, as ``cloud.review`` draws it."""

    content: Content


Block = Heading | Paragraph | Points | Grid | Signature | Blank | ReviewPage
Blocks = Sequence[Block]
# What a field is filled with. Where nobody knows: '' for words, which become a line to write on, None for whole parts.
Values = Mapping[str, str | Blocks | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document, about to be drawn. ``foot`` stands on each page; ``is_draft``: nobody has approved its wording."""

    title: str
    language: str
    blocks: Blocks
    foot: str
    made_at: datetime
    is_draft: bool = False
    draft_word: str = ""


# Templates ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A template in one language: its title, and its parts with the fields still in them."""

    title: str
    parts: Blocks


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One version of one document. ``template_id`` None: the software's own. ``sources`` are the texts, by language."""

    kind: Kind
    version: int
    sources: Mapping[str, str]
    template_id: UUID | None = None
    wordings: Mapping[str, Wording] = field(repr=False)

    @property
    def is_own(self) -> bool:
        """Whether the clinic wrote it."""
        return self.template_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The clinic's wording of a template, with what became of it. Names are display names."""

    template_id: UUID
    kind: str
    version: int
    texts: Mapping[str, str]
    author_id: UUID
    written_by: str
    written_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    @property
    def standing(self) -> str:
        if self.withdrawn_at is not None:
            return "withdrawn"
        return "draft" if self.approved_at is None else "approved"


# Kept -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whose documents; ``language``: in which the patient is spoken with."""

    patient_id: UUID
    display_name: str
    birth_date: date | None
    time_zone: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clinic:
    """What the clinic says of itself; '': nobody has said it."""

    name: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    hours: str = ""
    privacy_contact: str = ""
    authority: str = ""
    records_kept: str = ""

    @property
    def lacks(self) -> tuple[str, ...]:
        """What a privacy notice cannot be without."""
        return tuple(name for name in ("name", "address", "privacy_contact") if not getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One that the patient has."""

    item_id: UUID
    kind: str
    name: str
    serial_number: str
    owner: str
    lessor: str | None
    lease_ends_on: date | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A signed paper. ``octets`` are read only when somebody asks for them."""

    scan_id: UUID
    document_id: UUID
    media_type: str
    length: int
    sha256: bytes
    signed_on: date
    attached_by: str
    attached_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    why_withdrawn: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One that was produced."""

    document_id: UUID
    kind: str
    is_own_wording: bool
    template_version: int
    language: str
    length: int
    sha256: bytes
    made_by: str
    made_at: datetime
    scans: Sequence[Scan] = ()

    @property
    def number(self) -> str:
        """As it stands at the foot of each page."""
        return number(self.document_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document, about to be kept."""

    document_id: UUID
    patient_id: UUID | None
    template: Template
    language: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What is given out."""

    kind: str
    name: str
    media_type: str
    octets: bytes


class Unknown(Exception):
    """The data that the document is made of are not there; ``code`` says which, for the page's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def number(document_id: UUID) -> str:
    """The first eight signs of its id: enough to find a paper's document among a patient's."""
    return document_id.hex[:8]
