"""What is tried, how far it is, and what came out: as it is stored, in JSON, and as it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from alerting.comparison import Comparison, Difference
from alerting.proposals import Change
from alerting.replay import MINUTES, Outcome
from alerting.tiers import Tier
from cloud.auth.models import Role

# Who may think of other limits. Nothing is saved here: a plan is changed on the plan's own page.
PROPOSING: Final = frozenset({Role.DOCTOR, Role.LEAD_NURSE})
# Spans that can be asked for, in days.
SPANS: Final = (28, 90, 365)
# Differences that are kept one by one; beyond it they are counted.
KEPT: Final = 200
# Times of readings that are kept of one case: enough to find it by.
ABOUT: Final = 5


class RunState(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """The change. None: as the programme has it. ``closing`` names the classes that may close by themselves."""

    limits: tuple[Change, ...] = ()
    regimes: tuple[str, ...] | None = None
    closing: tuple[str, ...] | None = None


class Totals(msgspec.Struct, kw_only=True):
    """The figures of one rule set over the patients so far."""

    patient_days: int = 0
    readings: int = 0
    pages: int = 0
    by_tier: dict[Tier, int] = {}
    closed: dict[str, int] = {}

    def add(self, outcome: Outcome) -> None:
        """One more patient."""
        self.patient_days += outcome.patient_days
        self.readings += outcome.readings
        self.pages += outcome.pages
        for tier, count in outcome.by_tier.items():
            self.by_tier[tier] = self.by_tier.get(tier, 0) + count
        for name, count in outcome.closed_automatically.items():
            self.closed[name] = self.closed.get(name, 0) + count

    def outcome(self, name: str) -> Outcome:
        """As ``alerting.replay`` counts and prints it."""
        found = Outcome(name=name, patient_days=self.patient_days, readings=self.readings, pages=self.pages)
        found.by_tier.update(self.by_tier)
        found.closed_automatically.update(self.closed)
        return found

    @property
    def manual(self) -> int:
        """Cases that people work."""
        return sum(self.by_tier.values())

    @property
    def minutes(self) -> int:
        """Nurse minutes of these."""
        return sum(MINUTES[tier] * count for tier, count in self.by_tier.items())

    @property
    def automatic(self) -> int:
        """What closed by itself."""
        return sum(self.closed.values())


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one urgent case of the rules in force; ``later_s`` is None where it would be missed.

    ``as_tier`` is the gravest tier of what the proposal opens about it.
    """

    patient_id: UUID
    condition: str
    tier: Tier
    opened_at: datetime
    about: tuple[datetime, ...]
    later_s: int | None = None
    as_tier: Tier | None = None

    @property
    def later(self) -> timedelta:
        """By how much it would be opened later; nothing where it would be missed."""
        return timedelta(seconds=self.later_s or 0)

    @property
    def weight(self) -> tuple[int, int]:
        """By which the worst come first."""
        return (0, 0) if self.later_s is None else (1, -self.later_s)


class Result(msgspec.Struct, kw_only=True):
    """Both rule sets, and the urgent cases that would have gone otherwise; of these the worst are kept in ``found``."""

    in_force: Totals = msgspec.field(default_factory=Totals)
    proposed: Totals = msgspec.field(default_factory=Totals)
    urgent: int = 0
    missed: int = 0
    later: int = 0
    calmer: int = 0  # opened at the same time, with more time to act
    found: list[Found] = []

    def add(self, patient_id: UUID, comparison: Comparison) -> None:
        """One more patient."""
        self.in_force.add(comparison.in_force)
        self.proposed.add(comparison.proposed)
        self.urgent += comparison.urgent
        for one in comparison.differences:
            self.missed += one.is_missed
            self.later += bool(one.later)
            self.calmer += one.later is not None and not one.later
            self.found.append(_found(patient_id, one))
        self.found = sorted(self.found, key=lambda one: one.weight)[:KEPT]


def _found(patient_id: UUID, one: Difference) -> Found:
    return Found(
        patient_id=patient_id,
        condition=one.case.condition,
        tier=one.case.tier,
        opened_at=one.case.opened_at,
        about=tuple(one.case.about[:ABOUT]),
        later_s=None if one.later is None else int(one.later.total_seconds()),
        as_tier=one.tier,
    )


# What a Run is made of.
COLUMNS: Final = (
    "run_id, asked_by, asked_at, programme_id, patient_id, days, proposal, state, patients, done, last_patient, result,"
    " error, ended_at"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as its page shows it."""

    run_id: UUID
    asked_by: UUID
    asked_at: datetime
    programme_id: str | None
    patient_id: UUID | None
    days: int
    proposal: Proposal
    state: RunState
    patients: int | None
    done: int
    last_patient: UUID | None
    result: Result
    error: str | None
    ended_at: datetime | None

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> "Run":
        """From the columns of COLUMNS by name, the two documents as psycopg reads JSON."""
        return msgspec.convert(row, cls)

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * self.done // self.patients if self.patients else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A patient as people know them."""

    patient_id: UUID
    display_name: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one programme asked of people in a span of days."""

    programme_id: str
    display_name: str
    budget: Decimal
    days: int
    cases: int
    patient_days: Decimal
    counted_at: datetime
