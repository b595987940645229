"""A survey as data, when it is asked, and what comes of it. It has no red flag and no clinical meaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from cloud.auth.models import Role
from cloud.crm.questionnaires.models import Answers, Questionnaire

# Results are of the whole centre: for whoever answers for it.
LEADING: Final = frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR})
# Who has content marks at least this.
CONTENT: Final = 4


class Kind(StrEnum):
    """After what it is asked; of the staff, in rounds."""

    CONTACT = "contact"
    DISCHARGE = "discharge"
    ENROLMENT = "enrolment"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """``form`` is asked as a questionnaire is. ``marks`` by question and answer, 1 to 5: more is better."""

    form: Questionnaire
    marks: Mapping[tuple[str, str], int]

    @property
    def first(self) -> str:
        """The question that says whether somebody is content."""
        return self.form.questions[0].question_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``after_days``: of the staff, how often. ``set_by`` None: nobody has set it, and nobody is asked."""

    kind: Kind
    is_on: bool
    after_days: int
    percent: int
    apart_days: int
    set_by: str | None = None
    set_at: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))


# Until somebody sets something else; nothing is asked before it is switched on. Proposals of this project.
DEFAULTS: Final[Mapping[Kind, Rule]] = {
    Kind.CONTACT: Rule(kind=Kind.CONTACT, is_on=False, after_days=1, percent=25, apart_days=60),
    Kind.DISCHARGE: Rule(kind=Kind.DISCHARGE, is_on=False, after_days=7, percent=100, apart_days=30),
    Kind.ENROLMENT: Rule(kind=Kind.ENROLMENT, is_on=False, after_days=30, percent=100, apart_days=30),
    Kind.STAFF: Rule(kind=Kind.STAFF, is_on=False, after_days=180, percent=100, apart_days=180),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Something about which a patient can be asked, once: what, when, and who of the staff it concerned."""

    about: UUID
    patient_id: UUID
    at: datetime
    concerned: UUID | None


class Wants(StrEnum):
    """What a patient wants to come of what they wrote."""

    NOTHING = "nothing"
    COMPLAINT = "complaint"
    SUGGESTION = "suggestion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """All that was typed into a survey."""

    answers: Answers
    body: str
    wants: Wants
    call_me: bool
    harm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One that a patient was asked, as they see it. ``form`` None: of a version that this software does not have."""

    sent_id: UUID
    survey: str
    version: int
    sent_at: datetime
    until: datetime
    answers: Answers | None
    answered_at: datetime | None
    form: Questionnaire | None

    def standing(self, now: datetime) -> str:
        """open, answered or over."""
        if self.answered_at is not None:
            return "answered"
        return "open" if now < self.until else "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What a patient wrote beside their marks; never the marks."""

    comment_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    in_care: bool
    kind: Kind
    body: str
    written_at: datetime
    seen_by: str | None
    seen_at: datetime | None
    themes: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One in which the staff is asked."""

    round_id: UUID
    survey: str
    version: int
    begins_on: date
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """So many gave this answer, in a month: never fewer than five answers are counted together."""

    survey: str
    version: int
    month: date
    question: str
    answer: str
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """A question of a survey over some months: how often each answer (by its English text), and the mean mark."""

    survey: str
    text: str
    n: int
    mean: Decimal
    answers: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Satisfaction:
    """Of so many answers to the first question, how many per cent have a mark of CONTENT and more."""

    survey: str
    month: date
    n: int
    percent: Decimal
    mean: Decimal
