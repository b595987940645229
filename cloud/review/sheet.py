"""A review in a reader's language: the same lines for the page and for the report. Pure.

Where there is not enough for a figure, no figure is shown as one: the line says what is missing. What is counted is
shown with how many it was counted among.
"""

from collections.abc import Iterable
from datetime import timedelta

from alerting.limits import Measure
from alerting.regimes import Figure, RegimeLimit
from cloud.console.spoken import Spoken
from cloud.review import glucose, pressure
from cloud.review.models import Part, PressureFigures, Review
from cloud.review.saying import sources
from cloud.worklist.models import Case
from device_drivers.nomenclature import Unit


def parts(review: Review, spoken: Spoken) -> list[Part]:
    """Each kind and unit: whether there is enough to act on, then its figures."""
    return [
        pressure.part(one, review, spoken) if isinstance(one, PressureFigures) else glucose.part(one, spoken)
        for one in review.figures
    ]


def period(review: Review, days: int, spoken: Spoken) -> str:
    """The days that the charts show."""
    first = review.today - timedelta(days=days - 1)
    return spoken.words.gettext("{first} to {last}").format(first=spoken.day(first), last=spoken.day(review.today))


def facts(review: Review, spoken: Spoken, by: str) -> list[str]:
    """What stands below the patient's name on the report."""
    words = spoken.words
    born = review.patient.birth_date
    regimes = ", ".join(spoken.word(name, spoken.REGIMES) for name in review.regime.name.split("+"))
    return [
        *([words.gettext("Born {day}.").format(day=spoken.day(born))] if born else []),
        words.gettext("Readings of {period}. Made {moment} ({zone}) for {name}.").format(
            period=period(review, review.days, spoken),
            moment=spoken.local(review.made_at, review.patient.time_zone),
            zone=review.patient.time_zone,
            name=by,
        ),
        words.gettext("Held against: {regimes}.").format(regimes=regimes),
    ]


def limits(review: Review, spoken: Spoken) -> list[str]:
    """The limits in force for what the patient measures, a doctor's own first."""
    words = spoken.words
    units = {one.unit for one in review.figures}
    if any(isinstance(one, PressureFigures) for one in review.figures):
        units.add(Unit.PER_MIN)
    said = []
    for limit in sorted(review.limits, key=lambda one: one.version is None):
        values = _values(limit, units, spoken)
        if not values:
            continue
        line = words.gettext("{condition}: {figure} {relation} {values}").format(
            condition=spoken.word(limit.condition, spoken.CONDITIONS),
            figure=spoken.FIGURES[limit.figure],
            relation=spoken.RELATIONS[limit.relation],
            values=" / ".join(values),
        )
        said.append(f"{line} [{sources([limit], spoken)}]" if limit.version else line)
    return said


def _values(limit: RegimeLimit, units: set[Unit], spoken: Spoken) -> list[str]:
    held = {
        unit: value for unit, value in limit.values.items() if unit in units and limit.measure is not Measure.KETONE
    }
    if limit.figure is Figure.LOW_GLUCOSE_INDEX:
        # An index has no unit.
        return [spoken.number(value) for value in list(held.values())[:1]]
    return spoken.bounds(held, limit.measure)


def cases(found: Iterable[Case], zone: str, spoken: Spoken) -> list[str]:
    """The open cases: how grave, what, since when."""
    return [
        f"{spoken.word(case.tier, spoken.TIERS)}, {spoken.local(case.raised_at, zone, '%d %b, %H:%M')}: "
        f"{spoken.told(case, zone)}"
        for case in found
    ]
