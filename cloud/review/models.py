"""A patient's review: the readings it is made of, its figures, and what it says in a reader's language."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Final
from uuid import UUID

from alerting.adherence import Adherence, Schedule
from alerting.averages import HomeAverage
from alerting.glycaemia import GlucoseSummary, PointsInRange
from alerting.histories import GlucoseSeries, PressureSeries
from alerting.reasons import RhythmReason
from alerting.regimes import Category, Regime, RegimeLimit
from alerting.reviews import Counted, IrregularPulse, LowWeek, Span
from alerting.sessions import MeasurementSession
from alerting.variability import Variability
from alerting.windows import GlucoseWindow, PressureWindow
from device_drivers.nomenclature import Unit

# How long the spans on both sides of a change may be, in days.
LENGTHS: Final = (7, 14, 28)
# What the charts show.
SHOWN_DAYS: Final = 91


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Whose review it is."""

    patient_id: UUID
    display_name: str
    birth_date: date | None
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is read for one review: readings since a day, one series for each unit, and the schedules of that time."""

    zone: tzinfo
    pressure: tuple[PressureSeries, ...]
    glucose: tuple[GlucoseSeries, ...]
    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureFigures:
    """Of the readings in one unit; ``average`` is of the last week."""

    window: PressureWindow
    average: HomeAverage
    counted: Counted
    morning: HomeAverage
    evening: HomeAverage
    weeks: tuple[HomeAverage, ...]  # the oldest first; the last is ``average``
    variability: Variability
    irregular: IrregularPulse
    rhythm: RhythmReason | None
    category: Category | None
    controlled: bool | None
    adherence: Adherence | None
    sessions: tuple[MeasurementSession, ...]  # the newest first

    @property
    def unit(self) -> Unit:
        return self.window.unit

    @property
    def enough(self) -> bool:
        return self.average.sufficiency.enough


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseFigures:
    """Of the readings in one unit; ``summary`` is of the last two weeks."""

    window: GlucoseWindow
    recent: GlucoseWindow
    summary: GlucoseSummary
    points: PointsInRange  # of ``recent``, HI and LO too
    weeks: tuple[LowWeek, ...]  # the oldest first
    adherence: Adherence | None

    @property
    def unit(self) -> Unit:
        return self.window.unit

    @property
    def enough(self) -> bool:
        return self.summary.sufficiency.enough


Figures = PressureFigures | GlucoseFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A day that parts two spans, as a doctor chose it, or as it was noted."""

    changed_on: date
    again_from: date
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The same figures on both sides of a change."""

    change: Change
    before: Span
    after: Span
    figures: tuple[tuple[Figures, Figures], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything that the page and the report say, as figures. ``today`` is the patient's day, and the last one shown.

    ``at``: until when; ``made_at``: when somebody asked, which is later where a time of the past is shown. ``days``:
    how many the charts show.
    """

    patient: Patient
    at: datetime
    made_at: datetime
    days: int
    today: date
    regime: Regime
    limits: tuple[RegimeLimit, ...]
    figures: tuple[Figures, ...]


# In words ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure: what it is, its value, and what it is held against; ``source``: who says so.

    ``tone``: good, bad, lacking, or nothing to say.
    """

    label: str
    value: str
    note: str = ""
    source: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What a chart shows, for whoever does not see it, and what fits no chart."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind in one unit. ``because``: what there is; ``needed``: how much a figure asks for, and who says so."""

    kind: str
    name: str
    unit: str
    enough: bool
    verdict: str
    because: str
    needed: str
    missing: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Versus:
    """Both sides of a change, for one kind and unit: a table with a line for each figure."""

    name: str
    table: Table
    notes: Sequence[str] = field(default=())
