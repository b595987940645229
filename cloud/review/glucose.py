"""Glucose in a reader's language: points in range, counts, means and risk indices, each with its n. Pure."""

from decimal import Decimal

from alerting.glycaemia import Figures as GlucoseSpread
from cloud.console.spoken import Spoken
from cloud.review.models import GlucoseFigures, Line, Part, Table
from cloud.review.saying import adhered, bounds, days_of, deviation, lacking, missing, needed, readings, verdict
from device_drivers.nomenclature import Unit


def part(one: GlucoseFigures, spoken: Spoken) -> Part:
    """Whether there is enough for means and indices, and what they and the counts say."""
    words = spoken.words
    of = one.summary.sufficiency
    because = words.gettext("{readings} on {days} in the last 14 days.").format(
        readings=readings(of.readings, spoken), days=days_of(of.days, spoken)
    )
    if of.off_scale:
        because += " " + words.gettext("HI or LO: {n}; no mean counts them.").format(n=of.off_scale)
    spread = one.summary.figures
    derived = (
        [_range_line(one, spread, spoken), *_counts(one, spoken), *_means(spread, one.unit, spoken)]
        if spread is not None
        else [
            lacking(words.gettext("Points in range, mean, risk indices"), of, "", spoken), *_counts(one, spoken)
        ]
    )  # fmt: skip
    return Part(
        kind="glucose", name=spoken.KINDS["glucose"], unit=spoken.unit(one.unit), enough=of.enough,
        verdict=verdict(of, spoken), because=because, needed=needed(of, spoken), missing=missing(of, spoken),
        lines=[adhered(one.adherence, spoken, weekly=False), *derived],
    )  # fmt: skip


def _range_line(one: GlucoseFigures, spread: GlucoseSpread, spoken: Spoken) -> Line:
    words = spoken.words
    _, low, high, _ = bounds(one.unit, spoken)
    value = words.gettext("{percent} % ({count} of {n})").format(
        percent=spoken.number(spread.points.percent_in_range), count=spread.points.in_range, n=spread.points.points
    )
    return Line(
        label=words.gettext("Points in range, {low} to {high}").format(low=low, high=high), value=value,
        note=words.gettext("Finger-sticks at uneven times: this is no time in range."),
        source=words.gettext("CGM consensus; used here to sort finger-sticks"),
    )  # fmt: skip


def _counts(one: GlucoseFigures, spoken: Spoken) -> list[Line]:
    words = spoken.words
    very_low, low, high, very_high = bounds(one.unit, spoken)
    of = points(one)
    return [
        Line(
            label=words.gettext("Below {low}, of these below {very_low}").format(low=low, very_low=very_low),
            value=words.gettext("{count} and {among} of {n}").format(count=of[1], among=of[0], n=of[4]),
            note=words.gettext("Low by week, the oldest first: {times}.").format(
                times=", ".join(str(week.low) for week in one.weeks)
            ),
            tone="bad" if of[1] else "",
        ),
        Line(
            label=words.gettext("Above {high}, of these above {very_high}").format(high=high, very_high=very_high),
            value=words.gettext("{count} and {among} of {n}").format(count=of[2], among=of[3], n=of[4]),
        ),
    ]


def _means(spread: GlucoseSpread, unit: Unit, spoken: Spoken) -> list[Line]:
    words = spoken.words
    value = words.gettext("{mean}, SD {deviation}, CV {variation} %").format(
        mean=spoken.quantity([spread.mean], unit, "glucose"),
        deviation=deviation(spread.standard_deviation, unit, "glucose", spoken),
        variation=spoken.number(spread.coefficient_of_variation),
    )
    return [
        Line(
            label=words.gettext("Mean"), value=value,
            note=words.gettext("CV of at most 36 % is a target of sensors (CGM-derived), not of finger-sticks."),
        ),
        Line(
            label=words.gettext("Risk of low glucose (LBGI)"),
            value=_banded(spread.low_index, spread.low_band, spoken),
            note=words.gettext(
                "Minimal up to 1.1, low up to 2.5, moderate up to 5, else high."
            ),
            source=words.gettext("Kovatchev and Cox 1998, risk of severe hypoglycaemia"),
            tone="bad" if spread.low_band in ("moderate", "high") else "",
        ),
        Line(
            label=words.gettext("Risk of high glucose (HBGI)"),
            value=_banded(spread.high_index, spread.high_band, spoken),
            note=words.gettext("Low up to 4.5, moderate up to 9, else high."),
            source=words.gettext("Kovatchev"),
            tone="bad" if spread.high_band == "high" else "",
        ),
    ]  # fmt: skip


def points(one: GlucoseFigures) -> tuple[int, int, int, int, int]:
    """Below 54, below 70, above 180, above 250, all: of the readings that the summary is of."""
    of = one.points
    return (
        of.below_54, of.below_54 + of.from_54_to_70, of.above_180_to_250 + of.above_250, of.above_250, of.points,
    )  # fmt: skip


def low_table(one: GlucoseFigures, spoken: Spoken) -> Table:
    """Low glucose by week, the newest first."""
    words = spoken.words
    very_low, low, _, _ = bounds(one.unit, spoken)
    head = (
        words.gettext("7 days to"), words.gettext("Readings"), words.gettext("Times below {}").format(low),
        words.gettext("Times below {}").format(very_low),
    )  # fmt: skip
    rows = [
        (spoken.day(week.span.last), str(week.points.points), str(week.low), str(week.very_low))
        for week in reversed(one.weeks)
    ]
    caption = words.gettext("Low glucose by week; readings within 30 minutes count once")
    return Table(caption=caption, head=head, rows=rows)


def _banded(index: Decimal, band: str, spoken: Spoken) -> str:
    return f"{spoken.number(index)} ({spoken.RISK_BANDS[band]})"
