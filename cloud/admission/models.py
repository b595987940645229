"""The way in: forms as data, what was entered, and how each step stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from cloud.auth.models import CLINICAL, Role
from cloud.consent.models import Decided, Text
from cloud.participation.models import Participation
from cloud.planning.models import SlotEntry

ENROLLING = CLINICAL | {Role.COORDINATOR}


class Step(StrEnum):
    """In the order in which they are shown; the last one is pressed, not entered."""

    ELIGIBILITY = "eligibility"
    CONSENT = "consent"
    PLAN = "plan"
    CARE_TEAM = "care_team"
    CARD = "card"
    DEVICES = "devices"
    TRAINING = "training"
    READINGS = "readings"


class Effect(StrEnum):
    """What an answer does to whether somebody can take part."""

    NONE = "none"
    ASKS_DOCTOR = "asks_doctor"
    EXCLUDES = "excludes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    answer_id: str
    text: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    question_id: str
    text: str
    why: str
    answers: Sequence[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityForm:
    """English text, translated where it is shown. ``signed_by`` None: no clinician has signed it, it is a proposal."""

    form_id: str
    version: int
    title: str
    programmes: frozenset[str]
    signed_by: str | None
    questions: Sequence[Question]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """When somebody in a programme measures, to begin with."""

    template_id: str
    version: int
    title: str
    programmes: frozenset[str]
    slots: Sequence[SlotEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    item_id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """What is taught of one kind of measurement. ``readings``: how many have to arrive before it is believed."""

    kind: str
    version: int
    title: str
    readings: int
    items: Sequence[Item]

    def key(self, item: Item) -> str:
        """As entries name it: what was taught by an older list is not what this one asks."""
        return f"{self.kind}.{self.version}.{item.item_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is to be taken in, as typed. ``is_other``: not whoever has the same name and birth date;
    ``is_back``: whoever has the same name, birth date and number, and whose record is closed.
    """

    display_name: str
    birth_date: date
    time_zone: str
    language: str
    mrn: str | None
    programme_id: str
    is_other: bool
    is_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Of whom a page is. ``language``: in which they are spoken with."""

    patient_id: UUID
    display_name: str
    birth_date: date | None
    time_zone: str
    language: str
    mrn: str | None
    programme_id: str
    programme: str  # its display name
    heightened_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that was entered on the way. ``entered_by`` is a display name."""

    entry_id: int
    patient_id: UUID
    participation_id: UUID
    step: str
    item: str
    outcome: str
    detail: Mapping[str, Any]
    note: str
    entered_by: str
    entered_at: datetime

    @property
    def is_done(self) -> bool:
        return self.outcome == "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotLine:
    """A measurement time of somebody's plan."""

    patient_id: UUID
    kind: str
    at: time
    weekdays: list[int]
    before: timedelta
    after: timedelta
    set_by: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of a care team."""

    patient_id: UUID
    account_id: UUID
    display_name: str
    role: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """A device that is the patient's now."""

    patient_id: UUID
    device_id: str
    name: str
    serial_number: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLine:
    patient_id: UUID
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReading:
    """A measurement that came by a gateway from a device that the patient has, before anybody watches.

    ``figures``: measure → value, unit, state and bound, as devices say them.
    """

    patient_id: UUID
    kind: str
    reading_id: UUID
    effective_time: datetime
    received_at: datetime
    device: str
    gateway_id: str | None
    state: str
    unit: str
    values: Sequence[Decimal | None]
    bound: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beyond:
    """A limit that a test reading is beyond; ``reason``: JSON of ``cloud.alerts.reasons``."""

    tier: str
    condition: str
    sentence: str
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A test reading, the gravest limit that it is beyond, and whether somebody has confirmed it."""

    reading: TestReading
    beyond: Beyond | None
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What a step lacks: a code of texts.ADMISSION_MISSING, with the kind of measurement and a number."""

    code: str
    kind: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """``by`` and ``at``: who did what speaks last, where anybody did."""

    step: Step
    missing: Sequence[Missing]
    by: str | None = None
    at: datetime | None = None

    @property
    def holds(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one patient's way in."""

    entries: Mapping[tuple[str, str], Entry]  # the newest, by step and item
    consent: Decided | None
    slots: Sequence[SlotLine]
    team: Sequence[Member]
    card: CardLine | None
    devices: Sequence[HandedOut]
    readings: Sequence[TestReading]

    @property
    def kinds(self) -> list[str]:
        """What the plan asks the patient to measure."""
        return sorted({slot.kind for slot in self.slots})


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheWay:
    """A line of the list: somebody who is not active yet, and the first step that does not hold."""

    patient: Patient
    takes_part: Participation
    steps: Sequence[StepState]
    warns: bool  # a test reading is beyond a limit of the upper tiers

    @property
    def at(self) -> StepState | None:
        """None: all of them hold."""
        return next((state for state in self.steps if not state.holds), None)

    @property
    def later(self) -> list[StepState]:
        """The others that do not hold."""
        return [state for state in self.steps if not state.holds and state is not self.at]

    @property
    def done(self) -> int:
        return sum(state.holds for state in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """Somebody whose participation has ended, and what is left before the record can be closed."""

    patient: Patient
    takes_part: Participation
    missing: Sequence[Missing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    pause_id: UUID
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Everything that the page of one patient shows."""

    patient: Patient
    takes_part: Participation | None
    facts: Facts
    steps: Mapping[str, StepState]
    form: EligibilityForm
    answered: Mapping[str, str]
    effect: Effect
    text: Text
    templates: Sequence[Template]
    preview: Template | None
    checklists: Sequence[Checklist]
    readings: Sequence[Judged]
    asked: Sequence[tuple[UUID, str, str]]  # who may be asked into the care team: account, name, role
    decisions: Sequence[Decided]
    history: Sequence[Entry]
    pauses: Sequence[Pause]
    to_close: Sequence[Missing]
    heightened_for: timedelta
    limits: int = 0
    warns: bool = field(default=False)

    @property
    def has_newer_text(self) -> bool:
        """Agreed to an older consent text than the one in use."""
        return bool(self.decisions) and self.decisions[0].is_older_than(self.text)

    @property
    def missing(self) -> Sequence[Missing]:
        """All that activation waits for, in the order of the steps."""
        return [one for state in self.steps.values() for one in state.missing]
