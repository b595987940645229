"""A script as data, and a walk through one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.dispositions import Disposition


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``to`` names a question or an end state."""

    answer_id: str
    text: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    question_id: str
    text: str
    answers: Sequence[Answer]

    def leads_to(self, answer_id: str) -> str | None:
        """None: it has no such answer."""
        return next((answer.to for answer in self.answers if answer.answer_id == answer_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What the script proposes: exactly one of closing the case so, or escalating it to that role."""

    end_id: str
    text: str
    disposition: Disposition | None
    escalate_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """English text, translated where it is shown. ``signed_by`` None: no clinician has signed it, it is a proposal.

    ``changed``: what is other than in the version before; the first has nothing of it.
    """

    script_id: str
    version: int
    title: str
    conditions: frozenset[str]
    first: str
    signed_by: str | None
    questions: Mapping[str, Question]
    ends: Mapping[str, End]
    changed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """``path``: what was answered to what. ``end_state`` None: it goes on."""

    walk_id: UUID
    script: str
    version: int
    path: Sequence[Mapping[str, str]]
    end_state: str | None
    account_id: UUID
    walker: str
    started_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What a case's page shows: the script of its condition, how far somebody is, and what comes now."""

    script: Script
    walk: Walk | None
    answered: Sequence[tuple[str, str]]  # question and answer, in English
    question: Question | None
    end: End | None
