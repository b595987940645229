"""Samples, checklists, audits, findings and what is done about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

from alerting.tiers import Tier
from cloud.auth.models import CLINICAL, Role
from cloud.worklist.models import Alert, Change

# Who draws and audits; everybody else sees what was found in their own work.
AUDITING: Final = frozenset({Role.LEAD_NURSE, Role.AUDITOR})
CONCERNED: Final = CLINICAL | AUDITING
# A rate of fewer cases is none: it is said how many there were.
FEWEST: Final = 5
# What the source documents ask for at least, in hundredths of the cases that somebody closed.
PERCENT: Final = 10


class Stratum(StrEnum):
    """What a sample draws from separately, so that it misses none of them."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    OTHER = "other"
    AUTOMATIC = "automatic"  # closed by nobody


class Closed(NamedTuple):
    """A case as it was closed; ``closed_by`` None: by nobody."""

    case_id: UUID
    patient_id: UUID
    closed_by: UUID | None
    tier: str


class Drawn(NamedTuple):
    """A case of a sample. ``place``: in the order of the draw within its person and stratum, from 1."""

    case_id: UUID
    patient_id: UUID
    closed_by: UUID | None
    stratum: Stratum
    place: int


class Of(StrEnum):
    """Which cases an item of a checklist is for."""

    PERSON = "person"
    AUTOMATIC = "automatic"


class Answer(StrEnum):
    """What an auditor says to an item; NO is a finding."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "not_applicable"


class Kind(StrEnum):
    """What is done about a finding."""

    BRIEFING = "briefing"
    RETRAINING = "retraining"
    SCRIPT = "script"
    LIMIT = "limit"
    CONTRAINDICATION = "contraindication"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """English text, translated where it is shown; ``source``: why it is asked."""

    item_id: str
    of: Of
    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """``signed_by`` None: nobody has signed it, it is a proposal. What was audited keeps its version."""

    version: int
    since: date
    title: str
    signed_by: str | None
    items: Sequence[Item]

    def items_of(self, stratum: Stratum) -> list[Item]:
        """Those that are asked about such a case."""
        of = Of.AUTOMATIC if stratum is Stratum.AUTOMATIC else Of.PERSON
        return [item for item in self.items if item.of is of]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """``seed``, ``rule`` and ``percent`` make the draw; ``frame``: the hash of the ``closed`` cases it is of."""

    sample_id: UUID
    month: date
    starts: datetime
    ends: datetime
    rule: str
    percent: int
    seed: str
    closed: int
    frame: str
    drawn_by: str
    drawn_at: datetime
    cases: int
    audited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """A case of a sample as its page lists it; ``own``: of whoever looks, who does not audit it."""

    case_id: UUID
    patient_id: UUID
    closed_by: UUID | None
    closed_by_name: str | None
    stratum: Stratum
    place: int
    own: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "stratum", Stratum(self.stratum))


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """One person's audit of one case. ``closed_by`` None: nobody closed it."""

    audit_id: UUID
    sample_id: UUID
    month: date
    case_id: UUID
    patient_id: UUID
    stratum: Stratum
    closed_by: UUID | None
    closed_by_name: str | None
    auditor: UUID
    auditor_name: str
    checklist: int
    script: str | None
    script_version: int | None
    begun_at: datetime
    remark: str
    finished_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "stratum", Stratum(self.stratum))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was said to an item."""

    item: str
    answer: Answer
    remark: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "answer", Answer(self.answer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the person whose work it was says about it."""

    name: str
    written_at: datetime
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An action as it is typed."""

    kind: Kind
    what: str
    owner: UUID
    due_on: date
    check_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is done about an audit. ``answered_by``: the version of the script that came of it."""

    action_id: UUID
    audit_id: UUID
    patient_id: UUID
    kind: Kind
    what: str
    owner: UUID
    owner_name: str
    due_on: date
    check_on: date
    script: str | None
    script_version: int | None
    answered_by: int | None
    made_by: str
    made_at: datetime
    outcome: str | None
    done_by: UUID | None
    done_name: str | None
    done_at: datetime | None
    effective: bool | None
    check_note: str | None
    checked_name: str | None
    checked_at: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))

    def is_late(self, today: date) -> bool:
        """Its day has passed, or that of looking whether it helped."""
        return (self.done_at is None and self.due_on < today) or (
            self.done_at is not None and self.checked_at is None and self.check_on < today
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A finished audit with its answers, as rates are reckoned from it."""

    case_id: UUID
    closed_by: UUID | None
    name: str | None
    auditor: UUID
    finished_at: datetime
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRate:
    """Of one person's ``cases`` those without a finding; ``percent`` None: too few to be a rate. Automatic: no name."""

    name: str | None
    cases: int
    without: int
    percent: Decimal | None
    findings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRate:
    """How often an item was answered with no, of those cases where it applied."""

    item: str
    no: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of cases that two audited: how many answers were the same."""

    cases: int
    same: int
    of: int
    percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCall:
    """A call as an auditor reads it: no number, no name of whom was called. ``contact_id`` None: the patient."""

    caller: str
    contact_id: UUID | None
    contact_name: str | None
    relation: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCase:
    """A case as an auditor reads it: nobody's name but that of who worked on it."""

    case_id: UUID
    time_zone: str
    condition: str
    tier: Tier
    state: str
    round: int
    sentence: str
    reason: Mapping[str, Any]
    opened_at: datetime
    raised_at: datetime
    deadline: datetime
    contact_by: datetime | None
    contacted_at: datetime | None
    resolved_at: datetime | None
    disposition: str | None
    resolved_why: str | None
    closed_automatically: str | None
    owner_name: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tier", Tier(self.tier))


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkSeen:
    """A walk through a script as it was then; ``title`` None: this software does not have that version any more."""

    walker: str
    script: str
    version: int
    title: str | None
    answered: Sequence[tuple[str, str]]
    end: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The case as it was."""

    case: SeenCase
    alerts: Sequence[Alert]
    history: Sequence[Change]
    calls: Sequence[SeenCall]
    walks: Sequence[WalkSeen]
