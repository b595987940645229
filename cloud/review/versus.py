"""The same figures before and after a change of treatment, in a reader's language. Pure."""

from decimal import Decimal

from alerting.limits import Measure
from alerting.reviews import difference
from cloud.console.spoken import UNKNOWN, Spoken
from cloud.review.glucose import points
from cloud.review.models import Compared, Figures, GlucoseFigures, PressureFigures, Table, Versus
from cloud.review.pressure import spread_said
from cloud.review.saying import bounds, days_of, missing, pair, plus, readings


def versus(found: Compared, spoken: Spoken) -> list[Versus]:
    """Both sides of a change, for each kind and unit."""
    return [_versus(before, after, found, spoken) for before, after in found.figures]


def _versus(before: Figures, after: Figures, found: Compared, spoken: Spoken) -> Versus:
    words = spoken.words
    rows: list[tuple[str, str, str, str]]
    if isinstance(before, PressureFigures) and isinstance(after, PressureFigures):
        name, lacks = spoken.KINDS["blood_pressure"], (before.average.sufficiency, after.average.sufficiency)
        rows = _pressure_rows(before, after, spoken)
    elif isinstance(before, GlucoseFigures) and isinstance(after, GlucoseFigures):
        name, lacks = spoken.KINDS["glucose"], (before.summary.sufficiency, after.summary.sufficiency)
        rows = _glucose_rows(before, after, spoken)
    else:
        raise TypeError("both sides of a change are of one kind")
    counts = tuple(
        words.gettext("{readings} on {days}").format(
            readings=readings(of.readings, spoken), days=days_of(of.days, spoken)
        )
        for of in lacks
    )
    head = (
        words.gettext("Figure"),
        *(words.gettext("{first} to {last}").format(first=spoken.day(span.first), last=spoken.day(span.last))
          for span in (found.before, found.after)),
        words.gettext("Difference"),
    )  # fmt: skip
    sides = (words.gettext("Before"), words.gettext("After"))
    notes = [f"{side}: {missing(of, spoken)}" for side, of in zip(sides, lacks, strict=True) if not of.enough]
    enough = (words.gettext("Enough"), words.gettext("Not enough"))
    verdicts = tuple(enough[0] if of.enough else enough[1] for of in lacks)
    table = Table(
        caption=words.gettext("{name} ({unit}): equal spans of {days}").format(
            name=name, unit=spoken.unit(before.unit), days=days_of(found.before.days, spoken)
        ),
        head=head,
        rows=[
            (words.gettext("Enough for a figure?"), *(f"{v}: {c}" for v, c in zip(verdicts, counts, strict=True)), ""),
            *rows,
        ],
    )
    return Versus(name=name, table=table, notes=notes)


def _pressure_rows(one: PressureFigures, other: PressureFigures, spoken: Spoken) -> list[tuple[str, str, str, str]]:
    words = spoken.words
    rows = []
    for label, before, after in (
        (words.gettext("Average, the first day left out"), one.average, other.average),
        (words.gettext("Mornings"), one.morning, other.morning),
        (words.gettext("Evenings"), one.evening, other.evening),
    ):
        change = [difference(after, before, measure) for measure in (Measure.SYSTOLIC, Measure.DIASTOLIC)]
        said = "/".join(plus(value, spoken) for value in change if value is not None)
        rows.append((label, pair(before, spoken) or UNKNOWN, pair(after, spoken) or UNKNOWN, said or UNKNOWN))
    rows.append(
        (words.gettext("Variation of mornings"), spread_said(one, spoken),
         spread_said(other, spoken), "")
    )  # fmt: skip
    flagged = [
        words.gettext("{count} of {n}").format(count=of.irregular.irregular, n=of.irregular.readings)
        for of in (one, other)
    ]
    rows.append((words.gettext("Irregular pulse"), flagged[0], flagged[1], ""))
    return rows


def _glucose_rows(one: GlucoseFigures, other: GlucoseFigures, spoken: Spoken) -> list[tuple[str, str, str, str]]:
    words = spoken.words
    very_low, low, high, very_high = bounds(one.unit, spoken)
    before, after = one.summary.figures, other.summary.figures

    def derived(label: str, left: Decimal | None, right: Decimal | None) -> tuple[str, str, str, str]:
        change = plus(right - left, spoken) if left is not None and right is not None else UNKNOWN
        return label, spoken.number(left), spoken.number(right), change

    def counted(label: str, place: int) -> tuple[str, str, str, str]:
        said = [words.gettext("{count} of {n}").format(count=points(of)[place], n=points(of)[4]) for of in (one, other)]
        return label, said[0], said[1], ""

    below, above = words.gettext("Below {}"), words.gettext("Above {}")
    week, next_week = one.weeks[-1], other.weeks[-1]
    return [
        derived(
            words.gettext("Points in range, {low} to {high}").format(low=low, high=high) + ", %",
            before.points.percent_in_range if before else None,
            after.points.percent_in_range if after else None,
        ),
        counted(below.format(low), 1),
        counted(below.format(very_low), 0),
        counted(above.format(high), 2),
        counted(above.format(very_high), 3),
        (words.gettext("Times below {}").format(low), str(week.low), str(next_week.low), ""),
        derived(words.gettext("Mean"), before.mean if before else None, after.mean if after else None),
        derived("SD", before.standard_deviation if before else None, after.standard_deviation if after else None),
        derived(
            "CV, %",
            before.coefficient_of_variation if before else None,
            after.coefficient_of_variation if after else None,
        ),
        derived("LBGI", before.low_index if before else None, after.low_index if after else None),
        derived("HBGI", before.high_index if before else None, after.high_index if after else None),
    ]
