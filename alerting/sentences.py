"""What a person reads of a reason: the value, the limit, who set it and since when. One function per kind of reason.

Every word stands in a call of ``gettext`` or ``ngettext``, so that Babel finds it (``pybabel extract alerting``); the
language is an argument. Figures are written as devices show them.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from alerting.language import ENGLISH as ENGLISH  # given on: whoever asks for a sentence asks for its language, too
from alerting.language import Language as Language
from alerting.limits import Measure, Relation
from alerting.reasons import (
    Answer,
    Concern,
    DifferenceReason,
    HeldReason,
    IndexReason,
    LateReason,
    LimitReason,
    QuestionnaireReason,
    Reason,
    RedFlag,
    RemeasureReason,
    RepeatedReason,
    RhythmReason,
    SilenceReason,
    SilenceStep,
    SustainedReason,
    SymptomReason,
    UnfamiliarReason,
)
from alerting.regimes import Evidence, Figure, RegimeLimit, Source
from alerting.sufficiency import Sufficiency
from alerting.units import converted
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity, QuantityState


def sentence(reason: Reason, words: Language = ENGLISH) -> str:  # noqa: C901  (one case for each kind; mypy misses none)
    """The reason in this language."""
    match reason:
        case LimitReason():
            return limit_sentence(reason, words)
        case DifferenceReason():
            return difference_sentence(reason, words)
        case RepeatedReason():
            return repeated_sentence(reason, words)
        case IndexReason():
            return index_sentence(reason, words)
        case RemeasureReason():
            return remeasure_sentence(reason, words)
        case SustainedReason():
            return sustained_sentence(reason, words)
        case RhythmReason():
            return rhythm_sentence(reason, words)
        case SilenceReason():
            return silence_sentence(reason, words)
        case LateReason():
            return late_sentence(reason, words)
        case SymptomReason():
            return symptom_sentence(reason, words)
        case UnfamiliarReason():
            return unfamiliar_sentence(reason, words)
        case HeldReason():
            return held_sentence(reason, words)
        case QuestionnaireReason():
            return questionnaire_sentence(reason, words)


def limit_sentence(reason: LimitReason, words: Language = ENGLISH) -> str:
    """``Systolic pressure, home average of 24 readings on 6 days, 137 mmHg: at or above the limit of 135 mmHg (…)``."""
    text = words.gettext("{what} {figure}: {beyond} ({authority})").format(
        what=_what(reason, words),
        figure=quantity_text(reason.figure, reason.limit.measure, words),
        beyond=_beyond(reason.limit, reason.figure.unit, words),
        authority=authority_text(reason.limit, words),
    )
    return _with_off_scale(text, reason.sufficiency, words)


def difference_sentence(reason: DifferenceReason, words: Language = ENGLISH) -> str:
    """This figure, that figure, how far apart, and the limit of that."""
    return _difference_text(_difference_template(reason.limit.figure, words), reason, words)


def _difference_template(figure: Figure, words: Language) -> str:
    return {
        Figure.WEEK_RISE: words.gettext(
            "{measure}: home average {now}, {difference} more than {before} in the week before: {beyond} ({authority})"
        ),
        Figure.MORNING_EXCESS: words.gettext(
            "{measure}: morning average {now}, {difference} more than {before} in the evening: {beyond} ({authority})"
        ),
        Figure.SESSION_RISE: words.gettext(
            "{measure}: {now}, {difference} more than {before} in the session before: {beyond} ({authority})"
        ),
    }[figure]


def _difference_text(template: str, reason: DifferenceReason, words: Language) -> str:
    return template.format(
        measure=measure_name(reason.limit.measure, words),
        now=quantity_text(reason.now, reason.limit.measure, words),
        before=quantity_text(reason.before, reason.limit.measure, words),
        difference=figure_text(reason.difference, reason.unit, reason.limit.measure, words),
        beyond=_beyond(reason.limit, reason.unit, words),
        authority=authority_text(reason.limit, words),
    )


def repeated_sentence(reason: RepeatedReason, words: Language = ENGLISH) -> str:
    """How often within which time, and the gravest figure."""
    return words.gettext(
        "{measure} {beyond} {times} within {within}, {worst} at worst; {needed} is the limit ({authority})"
    ).format(
        measure=measure_name(reason.limit.measure, words),
        beyond=_beyond(reason.limit, reason.worst.unit, words),
        times=_times(reason.occurrences, words),
        within=duration_text(reason.within, words),
        worst=quantity_text(reason.worst, reason.limit.measure, words),
        needed=_times(reason.limit.times, words),
        authority=authority_text(reason.limit, words),
    )


def index_sentence(reason: IndexReason, words: Language = ENGLISH) -> str:
    """The index with its band, and the readings behind it."""
    text = words.gettext(
        "Low blood glucose index {value} ({band} risk) of {readings}: above the limit of {limit} ({authority})"
    ).format(
        value=words.number(reason.value),
        band=band_name(reason.band, words),
        readings=_readings_on_days(reason.sufficiency, words),
        limit=words.number(reason.limit.values[reason.unit]),
        authority=authority_text(reason.limit, words),
    )
    return _with_off_scale(text, reason.sufficiency, words)


def remeasure_sentence(reason: RemeasureReason, words: Language = ENGLISH) -> str:
    """The first figure, and what measuring again said."""
    again = quantity_text(reason.again, reason.first.limit.measure, words) if reason.again is not None else ""
    template = {
        Answer.WAITING: words.gettext("{first}; asked to measure again, an answer is due at {due}"),
        Answer.CONFIRMED: words.gettext("{first}; confirmed by measuring again: {again}"),
        Answer.CLEARED: words.gettext("{first}; not confirmed by measuring again: {again}"),
        Answer.UNANSWERED: words.gettext("{first}; nobody measured again until {due}"),
    }[reason.answer]
    return template.format(first=limit_sentence(reason.first, words), again=again, due=moment_text(reason.due, words))


def sustained_sentence(reason: SustainedReason, words: Language = ENGLISH) -> str:
    """The newest week's sentence, and for how many weeks it has been so."""
    weeks = len(reason.weeks)
    return words.ngettext("{newest}; for {weeks} week", "{newest}; for {weeks} weeks running", weeks).format(
        newest=limit_sentence(reason.weeks[-1], words), weeks=weeks
    )


def rhythm_sentence(reason: RhythmReason, words: Language = ENGLISH) -> str:
    """What the cuff saw and how often; an ECG decides what it is."""
    return words.gettext(
        "Irregular pulse seen by the cuff in {sessions} on {days} within {within}, from {first} to {last}; "
        "{needed} is the limit ({authority}): confirm with an ECG"
    ).format(
        sessions=words.ngettext("{n} session", "{n} sessions", reason.sessions).format(n=reason.sessions),
        days=_days(len(reason.on_days), words),
        within=duration_text(reason.within, words),
        first=words.day(reason.on_days[0]),
        last=words.day(reason.on_days[-1]),
        needed=_days(reason.needed_days, words),
        authority=set_by_text(reason.source, words),
    )


def silence_sentence(reason: SilenceReason, words: Language = ENGLISH) -> str:
    """What is missing since when, and what is to be done."""
    kind = {
        Kind.GLUCOSE: words.gettext("No glucose reading"),
        Kind.BLOOD_PRESSURE: words.gettext("No blood-pressure reading"),
        Kind.KETONE: words.gettext("No ketone reading"),
    }[reason.kind]
    task = {
        SilenceStep.REMIND_PATIENT: words.gettext("remind the patient"),
        SilenceStep.CHECK_TECHNICALLY: words.gettext("check gateway and device"),
        SilenceStep.CALL_PATIENT: words.gettext("call the patient"),
    }[reason.step]
    missed = words.ngettext("{n} measurement missed", "{n} measurements missed", reason.missed).format(n=reason.missed)
    text = words.gettext(
        "{kind} since one was due at {since}, {missed}: {task} after {limit} ({authority})"
    ).format(
        kind=kind, since=moment_text(reason.missed_since, words), missed=missed, task=task,
        limit=duration_text(reason.limit, words), authority=set_by_text(reason.source, words),
    )  # fmt: skip
    return words.gettext("{text}; heightened attention").format(text=text) if reason.heightened else text


def late_sentence(reason: LateReason, words: Language = ENGLISH) -> str:
    """The finding, and that it is history."""
    return words.gettext(
        "In retrospect: {finding}; measured at {measured}, reached us at {received}, later than {limit} ({authority})"
    ).format(
        finding=sentence(reason.finding, words),
        measured=moment_text(reason.effective_time, words),
        received=moment_text(reason.received_at, words),
        limit=duration_text(reason.late_after, words),
        authority=set_by_text(reason.source, words),
    )


def symptom_sentence(reason: SymptomReason, words: Language = ENGLISH) -> str:
    """The finding, and the symptoms that make it an emergency."""
    return words.gettext("{finding}; with {flags}, as answered at {asked}: an emergency ({authority})").format(
        finding=sentence(reason.finding, words),
        flags=", ".join(red_flag_name(flag, words) for flag in reason.flags),
        asked=moment_text(reason.asked_at, words),
        authority=set_by_text(reason.source, words),
    )


def unfamiliar_sentence(reason: UnfamiliarReason, words: Language = ENGLISH) -> str:
    """How far the figure is from what the patient usually has, and from which distance on we ask."""
    unit = reason.figure.unit
    return words.gettext(
        "{measure} {figure} is {difference} away from the usual {usual} ({readings} within {within}); "
        "from {far} on we ask whose it is ({authority})"
    ).format(
        measure=measure_name(reason.measure, words),
        figure=quantity_text(reason.figure, reason.measure, words),
        difference=figure_text(reason.difference, unit, reason.measure, words),
        usual=figure_text(reason.usual, unit, reason.measure, words),
        readings=words.ngettext("{n} reading", "{n} readings", reason.readings).format(n=reason.readings),
        within=duration_text(reason.within, words),
        far=figure_text(reason.far, unit, reason.measure, words),
        authority=set_by_text(reason.source, words),
    )


def held_sentence(reason: HeldReason, words: Language = ENGLISH) -> str:
    """The finding, and the question that is still open. A rise is one over what is usual (``pipeline.on_doubted``)."""
    if isinstance(reason.finding, DifferenceReason):
        usual = words.gettext("{measure}: {now}, {difference} more than the usual {before}: {beyond} ({authority})")
        finding = _difference_text(usual, reason.finding, words)
    else:
        finding = sentence(reason.finding, words)
    return words.gettext("{finding}. Was it the patient? Others use this device, and {doubt}").format(
        finding=finding, doubt=unfamiliar_sentence(reason.doubt, words)
    )


def questionnaire_sentence(reason: QuestionnaireReason, words: Language = ENGLISH) -> str:
    """What the patient answered, and to which questions; with a red flag it is an emergency until somebody asked."""
    template = (
        words.gettext("“{title}”, answered at {answered}: {said}: an emergency until somebody has asked ({authority})")
        if reason.flags
        else words.gettext("“{title}”, answered at {answered}: {said}: speak with the patient ({authority})")
    )
    said = [red_flag_name(flag, words) for flag in reason.flags]
    said += [concern_name(concern, words) for concern in reason.concerns]
    return template.format(
        title=words.gettext(reason.title) if reason.title else "",
        answered=moment_text(reason.answered_at, words),
        said=", ".join(said),
        authority=set_by_text(reason.source, words),
    )


def concern_name(concern: Concern, words: Language = ENGLISH) -> str:
    """What somebody has to speak about."""
    return {
        Concern.GETTING_WORSE: words.gettext("getting worse"),
        Concern.MEDICATION_STOPPED: words.gettext("medication not taken"),
        Concern.SIDE_EFFECT: words.gettext("a suspected side effect"),
        Concern.NO_MEDICATION_LEFT: words.gettext("no medication left"),
        Concern.WOUND: words.gettext("a wound that hurts or is red"),
        Concern.SWELLING: words.gettext("swollen legs"),
    }[concern]


def red_flag_name(flag: RedFlag, words: Language = ENGLISH) -> str:
    """The symptom as one asks for it."""
    return {
        RedFlag.CHEST_PAIN: words.gettext("chest pain"),
        RedFlag.BREATHLESSNESS: words.gettext("shortness of breath"),
        RedFlag.BACK_PAIN: words.gettext("back pain"),
        RedFlag.NUMBNESS_OR_WEAKNESS: words.gettext("numbness or weakness"),
        RedFlag.CHANGE_OF_VISION: words.gettext("a change of vision"),
        RedFlag.DIFFICULTY_SPEAKING: words.gettext("difficulty speaking"),
        RedFlag.FAINTING: words.gettext("fainting"),
        RedFlag.CONFUSION: words.gettext("confusion"),
        RedFlag.VOMITING: words.gettext("vomiting"),
        RedFlag.ABDOMINAL_PAIN: words.gettext("abdominal pain"),
        RedFlag.DEEP_FAST_BREATHING: words.gettext("deep, fast breathing"),
        RedFlag.FRUITY_BREATH: words.gettext("breath that smells of fruit"),
        RedFlag.CANNOT_KEEP_FLUIDS: words.gettext("fluids that do not stay down"),
        RedFlag.NEEDS_HELP_OF_OTHERS: words.gettext("a state that needs the help of others"),
    }[flag]


def sufficiency_sentence(sufficiency: Sufficiency, words: Language = ENGLISH) -> str:
    """Whether there is enough, and how much that would be."""
    template = (
        words.gettext("Enough readings: {have}; {needed} are needed (set by {source})")
        if sufficiency.enough
        else words.gettext("Too few readings for a figure: {have}; {needed} are needed (set by {source})")
    )
    return template.format(
        have=_readings_on_days(sufficiency, words),
        needed=_readings_and_days(sufficiency.needed_readings, sufficiency.needed_days, words),
        source=sufficiency.source,
    )


def authority_text(limit: RegimeLimit, words: Language = ENGLISH) -> str:
    """Who set the limit, since when, which version and why; and whether it is no more than a proposal.

    Of a default: the source, and since when our rules go by it, which is not the date of the source.
    """
    if limit.evidence is not Evidence.PRESCRIBED and limit.since is not None:
        return set_by_text(Source(text=limit.source, evidence=limit.evidence, since=limit.since), words)
    parts = [words.gettext("set by {source}").format(source=limit.source)]
    if limit.since is not None:
        parts[0] = words.gettext("set by {source} since {since}").format(
            source=limit.source, since=words.day(limit.since)
        )
    if limit.version is not None:
        parts.append(words.gettext("version {version}").format(version=limit.version))
    if limit.why:
        parts.append(limit.why)
    return ", ".join(parts)


def set_by_text(source: Source, words: Language = ENGLISH) -> str:
    """``set by 722 protocol, in use since 2026-11-22``."""
    return words.gettext("set by {source}, in use since {since}").format(
        source=source_text(source, words), since=words.day(source.since)
    )


def source_text(source: Source, words: Language = ENGLISH) -> str:
    """The source, its prose in the reader's words; a figure that nobody has confirmed says so."""
    text = words.gettext(source.text) if source.text else ""
    if source.evidence is Evidence.UNCONFIRMED:
        return words.gettext("{source}, not confirmed by a clinician").format(source=text)
    return text


def measure_name(measure: Measure, words: Language = ENGLISH) -> str:
    """The measure as people call it."""
    return {
        Measure.GLUCOSE: words.gettext("Glucose"),
        Measure.KETONE: words.gettext("Blood ketones"),
        Measure.SYSTOLIC: words.gettext("Systolic pressure"),
        Measure.DIASTOLIC: words.gettext("Diastolic pressure"),
        Measure.PULSE: words.gettext("Pulse"),
    }[measure]


def quantity_text(quantity: Quantity, measure: Measure, words: Language = ENGLISH) -> str:
    """The figure with its unit, or HI and LO in words."""
    match quantity.state:
        case QuantityState.ABOVE_RANGE:
            return words.gettext("above the meter's range (HI)")
        case QuantityState.BELOW_RANGE:
            return words.gettext("below the meter's range (LO)")
        case _:
            return figure_text(quantity.value, quantity.unit, measure, words)


def figure_text(value: Decimal | None, unit: Unit, measure: Measure, words: Language = ENGLISH) -> str:
    """``128 mmHg``, ``72/min``: written out, never as 1.8E+2; ``2.7 mmol/L (48 mg/dL)`` where the reader wants that.

    Figure and limit of one sentence are of one unit, so both are converted or neither; what was compared stays beside.
    """
    wanted = words.units.of(measure.value, unit)
    if value is None or wanted is None:
        return _with_unit(value, unit, words)
    return words.gettext("{figure} ({original})").format(
        figure=_with_unit(converted(value, unit, wanted), wanted, words), original=_with_unit(value, unit, words)
    )


def _with_unit(value: Decimal | None, unit: Unit, words: Language) -> str:
    template = {
        Unit.MM_HG: words.gettext("{} mmHg"),
        Unit.PER_MIN: words.gettext("{}/min"),
        Unit.MG_DL: words.gettext("{} mg/dL"),
        Unit.MMOL_L: words.gettext("{} mmol/L"),
        Unit.KPA: words.gettext("{} kPa"),
    }[unit]
    return template.format("–" if value is None else words.number(value))


def duration_text(duration: timedelta, words: Language = ENGLISH) -> str:
    """In the largest unit that says it exactly."""
    minutes = int(duration.total_seconds()) // 60
    if minutes % 1440 == 0 and minutes >= 2880:
        return words.ngettext("{n} day", "{n} days", minutes // 1440).format(n=minutes // 1440)
    if minutes % 60 == 0:
        return words.ngettext("{n} hour", "{n} hours", minutes // 60).format(n=minutes // 60)
    return words.ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)


def moment_text(moment: datetime, words: Language = ENGLISH) -> str:
    """To the minute, in the zone that the datetime carries unless the language knows the reader's."""
    return words.moment(moment)


def band_name(band: str, words: Language = ENGLISH) -> str:
    """The band of a risk index (``alerting.glycaemia``)."""
    return {
        "minimal": words.gettext("minimal"),
        "low": words.gettext("low"),
        "moderate": words.gettext("moderate"),
        "high": words.gettext("high"),
    }[band]


def _what(reason: LimitReason, words: Language) -> str:
    measure = measure_name(reason.limit.measure, words)
    counted = _readings_on_days(reason.sufficiency, words) if reason.sufficiency else _readings(reason.readings, words)
    template = {
        Figure.SESSION_MEAN: words.gettext("{measure}, mean of a session of {counted},"),
        Figure.HOME_AVERAGE: words.gettext("{measure}, home average of {counted},"),
        Figure.MORNING_AVERAGE: words.gettext("{measure}, morning average of {counted},"),
        Figure.FASTING_MEAN: words.gettext("{measure}, fasting mean of {counted},"),
    }.get(reason.limit.figure)
    return template.format(measure=measure, counted=counted) if template else measure


def _beyond(limit: RegimeLimit, unit: Unit, words: Language) -> str:
    template = {
        Relation.BELOW: words.gettext("below the limit of {limit}"),
        Relation.ABOVE: words.gettext("above the limit of {limit}"),
        Relation.AT_OR_ABOVE: words.gettext("at or above the limit of {limit}"),
    }[limit.relation]
    return template.format(limit=figure_text(limit.values[unit], unit, limit.measure, words))


def _with_off_scale(text: str, sufficiency: Sufficiency | None, words: Language) -> str:
    if sufficiency is None or not sufficiency.off_scale:
        return text
    left_out = words.ngettext(
        "{text}; {n} reading of HI or LO is left out",
        "{text}; {n} readings of HI or LO are left out",
        sufficiency.off_scale,
    )
    return left_out.format(text=text, n=sufficiency.off_scale)


def _readings_on_days(sufficiency: Sufficiency, words: Language) -> str:
    return _readings_and_days(sufficiency.readings, sufficiency.days, words)


def _readings_and_days(readings: int, days: int, words: Language) -> str:
    return words.gettext("{readings} on {days}").format(readings=_readings(readings, words), days=_days(days, words))


def _readings(n: int, words: Language) -> str:
    return words.ngettext("{n} reading", "{n} readings", n).format(n=n)


def _days(n: int, words: Language) -> str:
    return words.ngettext("{n} day", "{n} days", n).format(n=n)


def _times(n: int, words: Language) -> str:
    return words.ngettext("{n} time", "{n} times", n).format(n=n)
