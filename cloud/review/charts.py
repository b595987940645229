"""The charts of a review as geometry: where each mark and label lies. The page and the report draw the same. Pure.

Coordinates are in a box of WIDTH × HEIGHT with the origin at the top left. HI and LO are words at the edge, never a
number. A limit that lies far outside the readings is left to the table of limits.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from alerting.limits import Measure, Relation
from alerting.regimes import Figure, RegimeLimit
from alerting.reviews import Middle, by_hour
from alerting.windows import Column, GlucoseWindow, PressureWindow, finite
from cloud.console.spoken import UNKNOWN, Spoken
from cloud.review import glucose, pressure
from cloud.review.models import SHOWN_DAYS, Figures, PressureFigures, Review, Table
from cloud.review.saying import days_of
from device_drivers.nomenclature import Unit

WIDTH: Final = 460.0
HEIGHT: Final = 250.0
LEFT: Final = 38.0
RIGHT: Final = WIDTH - 8
TOP: Final = 12.0
BOTTOM: Final = HEIGHT - 26
MARK: Final = 2.8
# A label is so high.
LABEL: Final = 13.0

_MEASURES: Final = (Measure.SYSTOLIC, Measure.DIASTOLIC)
STEPS: Final = (0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200)
MOST_TICKS: Final = 6
SIGNS: Final = {Relation.BELOW: "<", Relation.ABOVE: ">", Relation.AT_OR_ABOVE: "≥"}
LONGEST_GAP_H: Final = 6
# A limit is drawn where it lies this close to the readings, as a share of what they span.
NEAR: Final = 0.6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """``beneath``: the label lies under its line, where the label above it leaves no room."""

    at: float
    label: str
    beneath: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One measure: its marks, and the line of its averages or medians, broken where there is none."""

    measure: Measure
    name: str
    marks: Sequence[Point]
    line: Sequence[Sequence[Point]]

    @property
    def marks_path(self) -> str:
        """All marks as one SVG path: triangles up and down for pressures, squares for glucose."""
        r = MARK
        shape = {
            Measure.SYSTOLIC: f"l{r} {2 * r}h{-2 * r}z",
            Measure.DIASTOLIC: f"l{r} {-2 * r}h{-2 * r}z",
        }.get(self.measure, f"m{-r} {-r}h{2 * r}v{2 * r}h{-2 * r}z")
        lift = {Measure.SYSTOLIC: -r, Measure.DIASTOLIC: r}.get(self.measure, 0.0)
        return "".join(f"M{x:.1f} {y + lift:.1f}{shape}" for x, y in self.marks)

    @property
    def line_path(self) -> str:
        """The line as an SVG path; a point alone is a short dash."""
        return "".join(
            f"M{piece[0][0] - 3:.1f} {piece[0][1]:.1f}h6"
            if len(piece) == 1
            else "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in piece)
            for piece in self.line
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """``said`` is the caption; ``table`` says the same to whoever does not see it."""

    name: str
    said: str
    series: Sequence[Series]
    x: Sequence[Tick]
    y: Sequence[Tick]
    limits: Sequence[Tick]
    off_scale: Sequence[tuple[float, str]]
    table: Table


def charts(one: Figures, review: Review, spoken: Spoken) -> tuple[Chart, Chart]:
    """The trend of the shown days, and the profile of a day."""
    return _trend(one, review, spoken), _profile(one, review, spoken)


def _trend(one: Figures, review: Review, spoken: Spoken) -> Chart:
    first = review.today - timedelta(days=review.days - 1)
    shown = one.window.of_days(first, review.today)
    columns = _columns(shown)
    y = _Axis.around(columns.values(), _limits(review, one), one.unit)
    x = (shown.local - np.datetime64(first, "us")) / np.timedelta64(1, "D")
    day = _Axis(0.0, float(review.days))
    words = spoken.words
    is_pressure = isinstance(one, PressureFigures)
    many = words.ngettext("{n} reading", "{n} readings", len(shown)).format(n=len(shown))
    name = spoken.KINDS["blood_pressure" if is_pressure else "glucose"]
    said = (
        words.gettext("{name}, {unit}: {readings} in 13 weeks")
        if review.days == SHOWN_DAYS
        else words.gettext("{name}, {unit}: {readings} in {days}")
    )
    return Chart(
        name="trend",
        said=said.format(name=name, unit=spoken.unit(one.unit), readings=many, days=days_of(review.days, spoken)),
        series=[
            Series(
                measure=measure,
                name=_name(measure, spoken),
                marks=_marks(x, values, day, y),
                line=_weekly(one, measure, first, day, y) if isinstance(one, PressureFigures) else (),
            )
            for measure, values in columns.items()
        ],
        x=[
            Tick(at=day.x(float(n)), label=words.short_day(first + timedelta(days=n)))
            for n in range(review.days // 30, review.days, max(review.days * 21 // SHOWN_DAYS, 1))
        ],
        y=y.ticks(spoken),
        limits=_drawn(review, one, y, spoken),
        off_scale=_off_scale(x, columns, day),
        table=pressure.week_table(one, spoken) if isinstance(one, PressureFigures) else glucose.low_table(one, spoken),
    )


def _profile(one: Figures, review: Review, spoken: Spoken) -> Chart:
    first = review.today - timedelta(days=27)
    shown = one.window.of_days(first, review.today)
    columns = _columns(shown)
    y = _Axis.around(columns.values(), _limits(review, one), one.unit)
    hours = (shown.local - shown.local.astype("datetime64[D]")) / np.timedelta64(1, "h")
    day = _Axis(0.0, 24.0)
    middles = {measure: by_hour(shown.local, values, one.unit) for measure, values in columns.items()}
    words = spoken.words
    name = spoken.KINDS["blood_pressure" if isinstance(one, PressureFigures) else "glucose"]
    said = words.gettext(
        "{name} by the hour of the day, {unit}, the last 28 days; lines join the middle values"
    ).format(name=name, unit=spoken.unit(one.unit))
    return Chart(
        name="profile",
        said=said,
        series=[
            Series(
                measure=measure, name=_name(measure, spoken), marks=_marks(hours, values, day, y),
                line=_pieces({hour: float(of.median) for hour, of in middles[measure].items()}, day, y),
            )
            for measure, values in columns.items()
        ],
        x=[Tick(at=day.x(float(hour)), label=f"{hour:02}:00") for hour in range(0, 24, 6)],
        y=y.ticks(spoken),
        limits=_drawn(review, one, y, spoken),
        off_scale=_off_scale(hours, columns, day),
        table=_hours_table(middles, spoken),
    )  # fmt: skip


def _hours_table(middles: dict[Measure, dict[int, Middle]], spoken: Spoken) -> Table:
    words = spoken.words
    rows = [
        (
            f"{hour:02}:00–{hour + 1:02}:00",
            *(_middle(of.get(hour), spoken) for of in middles.values()),
            str(max(of[hour].readings for of in middles.values() if hour in of)),
        )
        for hour in sorted({hour for of in middles.values() for hour in of})
    ]
    head = (
        words.gettext("Hour"),
        *(words.gettext("{name}: middle (least to most)").format(name=_name(measure, spoken)) for measure in middles),
        words.gettext("Readings"),
    )
    return Table(caption=words.gettext("By the hour of the day"), head=head, rows=rows)


def _middle(of: Middle | None, spoken: Spoken) -> str:
    if of is None:
        return UNKNOWN
    return f"{spoken.number(of.median)} ({spoken.number(of.least)}–{spoken.number(of.most)})"


def _columns(window: PressureWindow | GlucoseWindow) -> dict[Measure, Column]:
    if isinstance(window, PressureWindow):
        return {Measure.SYSTOLIC: window.systolic, Measure.DIASTOLIC: window.diastolic}
    return {Measure.GLUCOSE: window.values}


def _name(measure: Measure, spoken: Spoken) -> str:
    return spoken.MEASURES[measure]


def _limits(review: Review, one: Figures) -> list[RegimeLimit]:
    """The home average's targets over pressure, the limits of a reading over glucose."""
    figure, measures = (
        (Figure.HOME_AVERAGE, _MEASURES) if isinstance(one, PressureFigures) else (Figure.READING, (Measure.GLUCOSE,))
    )
    return [
        limit
        for limit in review.limits
        if limit.figure is figure and limit.measure in measures and one.unit in limit.values
    ]


def _drawn(review: Review, one: Figures, y: "_Axis", spoken: Spoken) -> list[Tick]:
    """Each value once, those that the axis reaches, from the top."""
    said: dict[float, str] = {}
    for limit in _limits(review, one):
        bound = limit.values[one.unit]
        if y.least <= float(bound) <= y.most:
            said.setdefault(float(bound), f"{SIGNS[limit.relation]} {spoken.number(bound)}")
    found: list[Tick] = []
    for value in sorted(said, reverse=True):
        at = y.y(value)
        crowded = bool(found) and at - found[-1].at < LABEL
        found.append(Tick(at=at, label=said[value], beneath=crowded))
    return found


def _weekly(one: PressureFigures, measure: Measure, first: date, x: "_Axis", y: "_Axis") -> list[list[Point]]:
    """The averages in the middle of their weeks; a week without one breaks the line."""
    pieces: list[list[Point]] = [[]]
    for week in one.weeks:
        value = week.figures.get(measure)
        if value is None:
            pieces.append([])
            continue
        middle = (week.last_day - first).days - 2.5
        if middle < 0:
            continue
        pieces[-1].append((x.x(middle), y.y(float(value))))
    return [piece for piece in pieces if piece]


def _pieces(values: Mapping[int, float], x: "_Axis", y: "_Axis") -> list[list[Point]]:
    """By hour; an hour without readings is passed over, a gap of more than six hours breaks the line."""
    pieces: list[list[Point]] = []
    last = None
    for hour in sorted(values):
        if last is None or hour - last > LONGEST_GAP_H:
            pieces.append([])
        pieces[-1].append((x.x(hour + 0.5), y.y(values[hour])))
        last = hour
    return pieces


def _marks(x: Column, values: Column, across: "_Axis", up: "_Axis") -> list[Point]:
    given = np.isfinite(values)
    return [(across.x(a), up.y(b)) for a, b in zip(x[given].tolist(), values[given].tolist(), strict=True)]


def _off_scale(x: Column, columns: Mapping[Measure, Column], across: "_Axis") -> list[tuple[float, str]]:
    found = []
    for values in columns.values():
        for at, value in zip(x[np.isinf(values)].tolist(), values[np.isinf(values)].tolist(), strict=True):
            found.append((across.x(at), "HI" if value > 0 else "LO"))
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Axis:
    """Values between ``least`` and ``most``, laid along the box; upwards for ``y``."""

    least: float
    most: float

    @classmethod
    def around(cls, columns: Iterable[Column], limits: Iterable[RegimeLimit], unit: Unit) -> "_Axis":
        """What holds all figures and the limits near them, widened to whole steps."""
        figures = np.concatenate([finite(column) for column in columns])
        bounds = [float(limit.values[unit]) for limit in limits]
        if not len(figures):
            figures = np.array(bounds or [0.0, 1.0])
        low, high = float(figures.min()), float(figures.max())
        near = NEAR * max(high - low, 0.2 * high)
        close = [bound for bound in bounds if low - near <= bound <= high + near]
        low, high = min([low, *close]), max([high, *close])
        step = _step(high - low or 1.0)
        return cls(max(0.0, np.floor((low - step / 4) / step) * step), float(np.ceil((high + step / 4) / step) * step))

    def x(self, value: float) -> float:
        return LEFT + (RIGHT - LEFT) * (value - self.least) / (self.most - self.least)

    def y(self, value: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (value - self.least) / (self.most - self.least)

    def ticks(self, spoken: Spoken) -> list[Tick]:
        """Up the side, at most MOST_TICKS or so."""
        step = _step(self.most - self.least)
        many = int((self.most - self.least) / step + 1e-9)
        values = [self.least + n * step for n in range(many + 1)]
        return [Tick(at=self.y(value), label=spoken.number(Decimal(f"{value:g}"))) for value in values]


def _step(span: float) -> float:
    return next((step for step in STEPS if span / step <= MOST_TICKS), STEPS[-1])
