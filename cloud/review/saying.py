"""What every line of a review is said with: how much there is, how much is needed, limits with their sources. Pure."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from alerting.adherence import READINGS_A_WEEK, Adherence
from alerting.averages import HomeAverage
from alerting.comparators import beyond
from alerting.limits import AlarmLimit, Measure
from alerting.regimes import Evidence, Figure, RegimeLimit
from alerting.sufficiency import Sufficiency
from cloud.console.spoken import UNKNOWN, Spoken
from cloud.review.figures import ADHERENCE_DAYS
from cloud.review.models import Line
from device_drivers.nomenclature import Unit

_RANGE: Final = {Unit.MG_DL: ("54", "70", "180", "250"), Unit.MMOL_L: ("3.0", "3.9", "10.0", "13.9")}


def verdict(of: Sufficiency, spoken: Spoken) -> str:
    """Whether there is enough."""
    return spoken.words.gettext("Yes, enough") if of.enough else spoken.words.gettext("No, not enough yet")


def needed(of: Sufficiency, spoken: Spoken) -> str:
    """How much a figure asks for, and who says so."""
    return spoken.words.gettext("Needed: {readings} on {days} ({source}).").format(
        readings=readings(of.needed_readings, spoken),
        days=days_of(of.needed_days, spoken),
        source=spoken.cited(of.source),
    )


def missing(of: Sufficiency, spoken: Spoken) -> str:
    """What is still missing; empty where nothing is."""
    lacks = []
    if of.readings < of.needed_readings:
        lacks.append(readings(of.needed_readings - of.readings, spoken))
    if of.days < of.needed_days:
        lacks.append(days_of(of.needed_days - of.days, spoken))
    return spoken.words.gettext("Missing: {what}.").format(what=", ".join(lacks)) if lacks else ""


def lacking(label: str, of: Sufficiency, note: str, spoken: Spoken, source: str = "") -> Line:
    """The line of a figure for which there is not enough: what there is, and what it asks for, in place of a value."""
    value = spoken.words.gettext("not enough")
    there = spoken.words.gettext("{readings} on {days}; needed: {needed_readings} on {needed_days}.").format(
        readings=readings(of.readings, spoken),
        days=days_of(of.days, spoken),
        needed_readings=readings(of.needed_readings, spoken),
        needed_days=days_of(of.needed_days, spoken),
    )
    cited = "; ".join(filter(None, (spoken.cited(of.source), source)))
    return Line(label=label, value=value, note=f"{there} {note}".strip(), source=cited, tone="lacking")


def readings(many: int, spoken: Spoken) -> str:
    """``1 reading``, ``12 readings``."""
    return spoken.words.ngettext("{n} reading", "{n} readings", many).format(n=many)


def days_of(many: int, spoken: Spoken) -> str:
    """``1 day``, ``3 days``."""
    return spoken.words.ngettext("{n} day", "{n} days", many).format(n=many)


def of_figure(limits: Iterable[RegimeLimit], figure: Figure, unit: Unit) -> tuple[RegimeLimit, ...]:
    """The limits of this figure in this unit."""
    return tuple(limit for limit in limits if limit.figure is figure and unit in limit.values)


def against(limits: Sequence[RegimeLimit], unit: Unit, spoken: Spoken) -> str:
    """``Limit: at or above 135/85 mmHg.``; empty where there is none."""
    if not limits:
        return ""
    words = spoken.words
    values = [limit.values[unit] for limit in limits]
    return words.gettext("Limit: {relation} {value}.").format(
        relation=spoken.RELATIONS[limits[0].relation], value=spoken.quantity(values, unit, limits[0].measure)
    )


def sources(limits: Iterable[RegimeLimit], spoken: Spoken) -> str:
    """Who says so, and how well we know it, each once."""
    return "; ".join(dict.fromkeys(_source(limit, spoken) for limit in limits))


def _source(limit: RegimeLimit, spoken: Spoken) -> str:
    if limit.evidence is Evidence.PRESCRIBED:
        return f"{limit.source}, {spoken.EVIDENCE[Evidence.PRESCRIBED]}"
    return f"{spoken.cited(limit.source)}, {spoken.EVIDENCE[limit.evidence]}"


def is_beyond(average: HomeAverage, limit: AlarmLimit) -> bool:
    """Whether an average is beyond a limit; one that is not there is beyond nothing."""
    value, bound = average.figures.get(limit.measure), limit.values.get(average.unit)
    if value is None or bound is None:
        return False
    return beyond(value, limit.relation, bound)


def pair(average: HomeAverage, spoken: Spoken) -> str | None:
    """``139.0/88.1``, in the unit of the readings; None where there is no average."""
    figures = pressures(average)
    return "/".join(map(spoken.number, figures)) if figures else None


def pressures(average: HomeAverage) -> tuple[Decimal, Decimal] | None:
    """The averages of both pressures; None where there is none."""
    systolic, diastolic = average.figures.get(Measure.SYSTOLIC), average.figures.get(Measure.DIASTOLIC)
    if systolic is None or diastolic is None:
        return None
    return _even(systolic, average.unit), _even(diastolic, average.unit)


def _even(value: Decimal, unit: Unit) -> Decimal:
    """Both figures of a pair with the same digits: ``139.0/88.1``."""
    return value.quantize(Decimal("0.01") if unit is Unit.KPA else Decimal("0.1"))


def plus(value: Decimal, spoken: Spoken) -> str:
    """A difference with its sign; the minus is the typographic one."""
    said = spoken.number(abs(value))
    return said if not value else f"{'+' if value > 0 else '−'}{said}"


def signed(value: Decimal, unit: Unit, spoken: Spoken) -> str:
    """A difference of pressures with its sign and unit."""
    return spoken.quantity([value], unit, "blood_pressure", signs=True)


def deviation(value: Decimal, unit: Unit, measure: str, spoken: Spoken) -> str:
    """A spread in the unit of the figure beside it, which need not be said again where there is but one."""
    if spoken.words.units.of(measure, unit) is None:
        return spoken.number(value)
    return spoken.quantity([value], unit, measure)


def bounds(unit: Unit, spoken: Spoken) -> tuple[str, str, str, str]:
    """54, 70, 180 and 250 mg/dL, or what is published for the other unit."""
    very_low, low, high, very_high = (spoken.number(Decimal(value)) for value in _RANGE[unit])
    return very_low, low, high, very_high


def adhered(of: Adherence | None, spoken: Spoken, *, weekly: bool) -> Line:
    """How much of the schedule was measured; ``weekly``: with the count by the week."""
    words = spoken.words
    label = words.gettext("Measured as agreed")
    if of is None or of.percent is None:
        return Line(
            label=label, value=UNKNOWN, note=words.gettext("Nothing was due in the schedule of the last 28 days."),
            tone="lacking",
        )  # fmt: skip
    value = words.gettext("{made} of {due} in 28 days ({percent} %)").format(
        made=of.made, due=of.due, percent=spoken.number(of.percent)
    )
    note = ""
    if weekly:
        a_week = (Decimal(of.readings) * 7 / ADHERENCE_DAYS).quantize(Decimal("0.1"))
        note = words.gettext("{count} readings a week; reference: {needed}.").format(
            count=spoken.number(a_week), needed=READINGS_A_WEEK
        )
    source = words.gettext("HyperLink: 73 % of its patients measured at least 6 times a week") if weekly else ""
    return Line(label=label, value=value, note=note, source=source)
