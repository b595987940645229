"""Blood pressure in a reader's language: whether there is enough, the averages against the target, and tables. Pure."""

from alerting.limits import Measure
from alerting.regimes import Figure
from alerting.reviews import difference
from alerting.rhythm import IRREGULAR_PULSE
from cloud.console.spoken import UNKNOWN, Spoken
from cloud.review.models import Line, Part, PressureFigures, Review, Table
from cloud.review.saying import (
    adhered,
    against,
    days_of,
    deviation,
    is_beyond,
    lacking,
    missing,
    needed,
    of_figure,
    pair,
    pressures,
    readings,
    signed,
    sources,
    verdict,
)
from device_drivers.nomenclature import Unit


def part(one: PressureFigures, review: Review, spoken: Spoken) -> Part:
    """Whether there is enough for a home average, and what it and its neighbours say."""
    words = spoken.words
    of = one.average.sufficiency
    because = words.gettext(
        "{readings} on {days} in the 7 days to {day}: {mornings} in the morning, {evenings} in the evening."
    ).format(
        readings=readings(of.readings, spoken), days=days_of(of.days, spoken), day=spoken.day(one.average.last_day),
        mornings=one.counted.mornings, evenings=one.counted.evenings,
    )  # fmt: skip
    if one.average.left_out_day is not None:
        left_out = words.gettext("The first day, {day}, is left out.").format(day=spoken.day(one.average.left_out_day))
        because = f"{because} {left_out}"
    lines = [
        adhered(one.adherence, spoken, weekly=True),
        _average(one, review, spoken),
        *_times_of_day(one, review, spoken),
        _trend(one, review, spoken),
        _variability(one, spoken),
        _irregular(one, spoken),
    ]
    return Part(
        kind="blood_pressure", name=spoken.KINDS["blood_pressure"], unit=spoken.unit(one.unit), enough=of.enough,
        verdict=verdict(of, spoken), because=because, needed=needed(of, spoken), missing=missing(of, spoken),
        lines=lines,
    )  # fmt: skip


def _average(one: PressureFigures, review: Review, spoken: Spoken) -> Line:
    words = spoken.words
    label = words.gettext("Home average (722)")
    targets = of_figure(review.limits, Figure.HOME_AVERAGE, one.unit)
    target = against(targets, one.unit, spoken) or words.gettext("This programme has no target for a home average.")
    cited = sources(targets, spoken)
    average = pressures(one.average)
    if average is None:
        return lacking(label, one.average.sufficiency, target, spoken, cited)
    beyond = any(is_beyond(one.average, limit) for limit in targets)
    notes = [target]
    if one.category is not None:
        notes.append(
            words.gettext("Range {name}: no diagnosis.").format(name=spoken.HOME_CATEGORIES[one.category.name])
        )
    value = spoken.quantity(average, one.unit, "blood_pressure")
    if targets:
        # Words, not colour alone.
        stands = words.gettext("above target") if beyond else words.gettext("below target")
        value = f"{value}, {stands}"
    pulse = one.average.figures.get(Measure.PULSE)
    if pulse is not None:
        notes.append(words.gettext("Pulse {value}.").format(value=spoken.measured(spoken.number(pulse), Unit.PER_MIN)))
    tone = ("bad" if beyond else "good") if targets else ""
    return Line(label=label, value=value, note=" ".join(notes), source=cited, tone=tone)


def _times_of_day(one: PressureFigures, review: Review, spoken: Spoken) -> list[Line]:
    words = spoken.words
    limits = of_figure(review.limits, Figure.MORNING_AVERAGE, one.unit)
    found = []
    for label, of, held in (
        (words.gettext("Mornings"), one.morning, limits),
        (words.gettext("Evenings"), one.evening, ()),
    ):
        average = pressures(of)
        note = against(held, one.unit, spoken)
        if average is None:
            found.append(lacking(label, of.sufficiency, note, spoken, sources(held, spoken)))
            continue
        counted = readings(of.sufficiency.readings, spoken)
        tone = "bad" if any(is_beyond(of, limit) for limit in held) else ""
        found.append(
            Line(
                label=label,
                value=spoken.quantity(average, one.unit, "blood_pressure"),
                note=f"{counted}. {note}".strip(),
                source=sources(held, spoken),
                tone=tone,
            )
        )
    excess = difference(one.morning, one.evening, Measure.SYSTOLIC)
    if excess is not None:
        held = of_figure(review.limits, Figure.MORNING_EXCESS, one.unit)
        found.append(
            Line(
                label=words.gettext("Mornings minus evenings"),
                value=signed(excess, one.unit, spoken),
                note=f"{words.gettext('Systolic.')} {against(held, one.unit, spoken)}".strip(),
                source=sources(held, spoken),
            )
        )
    return found


def _trend(one: PressureFigures, review: Review, spoken: Spoken) -> Line:
    words = spoken.words
    label = words.gettext("Against the week before")
    held = of_figure(review.limits, Figure.WEEK_RISE, one.unit)
    note = f"{words.gettext('Systolic.')} {against(held, one.unit, spoken)}".strip()
    cited = sources(held, spoken)
    week_before = one.weeks[-2]
    rise = difference(one.average, week_before, Measure.SYSTOLIC)
    if rise is None:
        lacks = week_before if one.average.sufficiency.enough else one.average
        return lacking(label, lacks.sufficiency, note, spoken, cited)
    return Line(label=label, value=signed(rise, one.unit, spoken), note=note, source=cited)


def _variability(one: PressureFigures, spoken: Spoken) -> Line:
    words = spoken.words
    label = words.gettext("Variation of mornings")
    note = words.gettext("Systolic, from day to day; shown only.")
    if one.variability.spread is None:
        return lacking(label, one.variability.sufficiency, note, spoken)
    return Line(
        label=label,
        value=spread_said(one, spoken),
        note=note,
        source=spoken.cited(one.variability.sufficiency.source),
    )


def spread_said(one: PressureFigures, spoken: Spoken) -> str:
    """SD, CV and ARV of the days' systolic means."""
    spread = one.variability.spread
    if spread is None:
        return UNKNOWN
    return spoken.words.gettext("SD {deviation}, CV {variation} %, ARV {successive}").format(
        deviation=deviation(spread.standard_deviation, one.unit, "blood_pressure", spoken),
        variation=spoken.number(spread.coefficient_of_variation),
        successive=spoken.quantity([spread.average_real_variability], one.unit, "blood_pressure"),
    )


def _irregular(one: PressureFigures, spoken: Spoken) -> Line:
    words = spoken.words
    of = one.irregular
    value = words.gettext("{count} of {readings} in 30 days").format(
        count=of.irregular, readings=readings(of.readings, spoken)
    )
    note = words.gettext("The cuff’s own flag, without movement: no diagnosis.")
    if not of.irregular:
        return Line(label=words.gettext("Irregular pulse"), value=value, note=note)
    confirm = words.gettext("Confirm with an ECG.")
    rule = spoken.cited(IRREGULAR_PULSE.source.text) if one.rhythm is not None else ""
    return Line(
        label=words.gettext("Irregular pulse"), value=f"{value}. {confirm}", note=note, source=rule,
        tone="bad" if one.rhythm is not None else "",
    )  # fmt: skip


def session_table(one: PressureFigures, zone: str, spoken: Spoken) -> Table:
    """The last sessions, the newest first; HI and LO speak for theirs."""
    words = spoken.words
    head = (
        words.gettext("Session"), spoken.unit(one.unit), words.gettext("Pulse"), words.gettext("Readings"),
    )  # fmt: skip
    rows = []
    for session in one.sessions:
        said = {
            measure: spoken.figure(of.value, of.state, None, of.unit, measure)
            for measure, of in session.figures.items()
        }
        number = {
            measure: spoken.number(of.value) if of.value is not None else said[measure]
            for measure, of in session.figures.items()
        }
        pressure = f"{number.get(Measure.SYSTOLIC, UNKNOWN)}/{number.get(Measure.DIASTOLIC, UNKNOWN)}"
        rows.append(
            (
                spoken.local(session.started_at, zone, "%d %b, %H:%M"),
                pressure,
                said.get(Measure.PULSE, UNKNOWN),
                str(session.readings),
            )
        )
    return Table(caption=words.gettext("Sessions: the mean of the readings of one sitting"), head=head, rows=rows)


def week_table(one: PressureFigures, spoken: Spoken) -> Table:
    """The 722 average of each week, the newest first."""
    words = spoken.words
    head = (words.gettext("7 days to"), words.gettext("Average"), words.gettext("Readings"), words.gettext("Days"))
    rows = [
        (
            spoken.day(week.last_day),
            pair(week, spoken) or words.gettext("not enough"),
            str(week.sufficiency.readings),
            str(week.sufficiency.days),
        )
        for week in reversed(one.weeks)
    ]
    return Table(caption=words.gettext("Average of each week, its first day left out"), head=head, rows=rows)
