"""Segments, risk strata and tags: what somebody saved, and whom it finds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from cloud.auth.models import Role

# Who may take a list of people with names out of the console.
EXPORTING: Final = frozenset({Role.LEAD_NURSE, Role.DOCTOR})
# Who writes the centre's set of strata; a doctor signs it.
PROPOSING: Final = frozenset({Role.LEAD_NURSE, Role.DOCTOR})

MOST_CONDITIONS: Final = 8
MOST_STRATA: Final = 20
# Of one person: the list counts all that are shared (a proposal).
MOST_OWN: Final = 100
MOST_TAGS: Final = 12
LONGEST_TAG: Final = 30
# People on a page, and in a file.
SHOWN: Final = 100
MOST_EXPORTED: Final = 10_000
# At once: no event has more places, and a page lists them all.
MOST_INVITED: Final = 1000


class Kind(StrEnum):
    """What a condition is about. There is no other way to ask: nobody writes SQL."""

    PROGRAMME = "programme"
    PLAN = "plan"
    TAG = "tag"
    AGE = "age"
    CONTROL = "control"
    PRESSURE = "pressure"
    GLUCOSE = "glucose"
    LAST_READING = "last_reading"
    OPEN_CASES = "open_cases"
    CASES = "cases"
    ADHERENCE = "adherence"
    DISCHARGE = "discharge"
    HEIGHTENED = "heightened"
    CARER = "carer"
    LANGUAGE = "language"
    HOUSEHOLD = "household"


class Stratum(StrEnum):
    """How much attention somebody asks for, the most first."""

    HIGH = "high"
    RISING = "rising"
    STABLE = "stable"
    NOT_ENOUGH = "not_enough"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One of those that all have to hold. ``values`` are texts of the fields that ``vocabulary`` lists for its kind.

    ``source``: what its limit rests on, as its author says; empty: nobody said.
    """

    kind: Kind
    values: Mapping[str, str]
    source: str = ""

    def stored(self) -> dict[str, str]:
        return {"kind": self.kind.value, "source": self.source, **self.values}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody typed of a segment, checked."""

    name: str
    description: str
    shared: bool
    conditions: Sequence[Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One version of it. ``owner`` None: it comes with Pulsepost. ``written_by`` is a display name."""

    segment_id: UUID
    version: int
    name: str
    description: str
    conditions: Sequence[Condition]
    owner: UUID | None
    owner_name: str | None
    shared: bool
    written_by: str | None
    written_at: datetime
    retired_at: datetime | None

    @property
    def is_shipped(self) -> bool:
        return self.owner is None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody whom a segment finds. ``found``: for each of its conditions what holds of them (``saying`` reads it)."""

    patient_id: UUID
    display_name: str
    birth_date: date | None
    language: str
    programme: str
    found: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a set of strata: whom this segment finds first is of this stratum."""

    place: int
    stratum: Stratum
    segment: Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Strata:
    """The set in force. ``written_by`` None: it comes with Pulsepost; ``signed_by`` None: a proposal."""

    set_no: int
    places: Sequence[Place]
    written_by: str | None
    author_id: UUID | None
    written_at: datetime
    signed_by: str | None
    signed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """In which stratum somebody is now, and what of them says so; worked out, and stored nowhere."""

    place: Place
    found: Sequence[Mapping[str, Any]]
    signed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """To what people can be invited; ``code``: its address below the root. ``starts_at`` None: a group."""

    code: str
    name: str
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many of one's own patients there are, and how many of them each finds, in the order that was asked.

    ``firsts``: how many each place is the first to find, and at the end how many none of them finds.
    ``oldest``: since when the figures out of readings stand as they do, the oldest of them; None: there are none.
    """

    patients: int
    many: Sequence[int]
    firsts: Sequence[int]
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    tag_id: UUID
    tag: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What may be chosen in a form, by the name of a source of choices: code and, where it is data, its name."""

    of: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
