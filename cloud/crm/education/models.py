"""An article, what was given to whom, and a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from cloud.auth.models import Role
from cloud.crm.education.markup import Block, blocks

LONGEST_TITLE: Final = 120
LONGEST_BODY: Final = 3000
LONGEST_SOURCES: Final = 1000
LONGEST_QUESTION: Final = 1000
LONGEST_ANSWER: Final = 2000

# Until when a question is answered: proposals of this project. One about symptoms waits for less; whoever asked it was
# told before whom to call.
ANSWER_WITHIN: Final = timedelta(days=2)
ANSWER_SYMPTOMS_WITHIN: Final = timedelta(hours=4)
DOCTOR_ANSWERS_WITHIN: Final = timedelta(days=3)
# After a year somebody reads an article again (a proposal).
READ_AGAIN_AFTER: Final = timedelta(days=365)


class Topic(StrEnum):
    MEASURING = "measuring"
    LOW = "low"
    HIGH = "high"
    MEDICATION = "medication"
    FOOD = "food"
    ACTIVITY = "activity"
    FEET = "feet"
    ILLNESS = "illness"
    CALLING = "calling"
    QUESTIONS = "questions"
    OTHER = "other"


class Condition(StrEnum):
    """Whom it concerns."""

    ANY = "any"
    DIABETES = "diabetes"
    HYPERTENSION = "hypertension"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is written: ``titles`` and ``bodies`` by language; ``link`` empty: the body is all of it."""

    name: str
    topic: Topic
    condition: Condition
    titles: Mapping[str, str]
    bodies: Mapping[str, str]
    link: str
    sources: str
    proposal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article(Draft):
    """One version. Names of people are display names; ``retired_by`` None though it is retired: by itself."""

    article_id: UUID
    version: int
    written_by: str
    author_id: UUID
    written_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    review_on: date | None
    retired_by: str | None
    retired_at: datetime | None
    retired_why: str | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic", Topic(self.topic))
        object.__setattr__(self, "condition", Condition(self.condition))

    @property
    def standing(self) -> str:
        """draft, approved or retired."""
        if self.retired_at is not None:
            return "retired"
        return "draft" if self.approved_at is None else "approved"

    def wants_a_look(self, today: date) -> bool:
        """Whether it is in force, and somebody is to read it again."""
        return self.standing == "approved" and self.review_on is not None and self.review_on <= today

    def title(self, language: str) -> str:
        return self.titles.get(language) or self.titles["en"]

    def laid_out(self, language: str) -> Sequence[Block]:
        """The body, ready to be written."""
        return blocks(self.bodies.get(language) or self.bodies["en"])

    @property
    def site(self) -> str:
        """Whose material the link leads to; empty without one."""
        return urlsplit(self.link).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """``article``: as it is now in force under the name of what was given; None: it was retired.

    ``read_at``: when it was first opened on the patient's own page. That says nothing of whether they read it to the
    end, or understood.
    """

    title: Mapping[str, str]
    given_by: str
    given_at: datetime
    case_id: UUID | None
    read_at: datetime | None
    article_id: UUID | None

    def titled(self, language: str) -> str:
        return self.title.get(language) or self.title["en"]


class QuestionState(StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    TURNED = "turned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``owner`` None: whoever of ``for_role`` comes first."""

    question_id: UUID
    patient_id: UUID
    patient_name: str
    time_zone: str
    body: str
    asked_at: datetime
    about_symptoms: bool
    for_role: Role
    owner: str | None
    owner_id: UUID | None
    due_at: datetime
    state: QuestionState
    answer: str | None
    turned_into: str | None
    ended_by: str | None
    ended_by_role: str | None
    ended_at: datetime | None
    read_at: datetime | None
    may_publish: bool
    article_id: UUID | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "for_role", Role(self.for_role))
        object.__setattr__(self, "state", QuestionState(self.state))

    @property
    def is_open(self) -> bool:
        return self.state is QuestionState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is typed. ``about_symptoms``: as was ticked, or a word of it says; then they were shown whom to call."""

    body: str
    about_symptoms: bool
    may_publish: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Whom a patient calls: the emergency number of the card, and the centre's own (E.164); None: not written down."""

    emergency: str | None
    centre: str | None
