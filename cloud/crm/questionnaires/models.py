"""A questionnaire as data, and one that a patient was asked to fill in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from alerting.reasons import Concern, RedFlag

Answers = Mapping[str, str]
# By whose name a form field begins.
FIELD: Final = "q-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer: ``flag`` makes an emergency of it until somebody asked, ``concern`` a case for the same shift."""

    answer_id: str
    text: str
    flag: RedFlag | None
    concern: Concern | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    question_id: str
    text: str
    choices: Sequence[Choice]

    @property
    def field(self) -> str:
        return f"{FIELD}{self.question_id}"

    def choice(self, answer_id: str | None) -> Choice | None:
        """None: there is no such answer to it."""
        return next((one for one in self.choices if one.answer_id == answer_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Questionnaire:
    """English text, translated where it is shown. ``since``: from that day on it is asked."""

    questionnaire_id: str
    version: int
    since: date
    title: str
    intro: str
    questions: Sequence[Question]

    def chosen(self, answers: Answers) -> list[Choice]:
        """What was answered, in the order of the questions."""
        found = [one.choice(answers.get(one.question_id)) for one in self.questions]
        return [choice for choice in found if choice is not None]

    def is_urgent(self, answers: Answers) -> bool:
        """Whether the reader is told to call for help now."""
        return any(choice.flag is not None for choice in self.chosen(answers))


class Standing(StrEnum):
    """How one that was sent stands."""

    OPEN = "open"
    ANSWERED = "answered"
    OVER = "over"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """``form`` None: of a version that this software does not have. Names are display names; ``sent_by`` None: it was
    due by a follow-up; ``entered_by`` None: answered by the link.
    """

    sent_id: UUID
    patient_id: UUID
    questionnaire: str
    version: int
    sent_by: str | None
    sent_at: datetime
    until: datetime
    withdrawn_at: datetime | None
    answers: Answers | None
    entered_by: str | None
    answered_at: datetime | None
    form: Questionnaire | None

    def standing(self, now: datetime) -> Standing:
        if self.answered_at is not None:
            return Standing.ANSWERED
        if self.withdrawn_at is not None:
            return Standing.WITHDRAWN
        return Standing.OPEN if now < self.until else Standing.OVER

    @property
    def said(self) -> list[tuple[str, Choice]]:
        """Question and answer, in English."""
        if self.form is None or self.answers is None:
            return []
        pairs = ((one.text, one.choice(self.answers.get(one.question_id))) for one in self.form.questions)
        return [(text, choice) for text, choice in pairs if choice is not None]
