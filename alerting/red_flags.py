"""Symptoms that make an emergency of a finding: the questions that a nurse asks, and what an answer does.

Which question belongs to what, and who says so, is data. Any yes makes an emergency, whatever the figure: at normal
glucose, ketoacidosis is told by its symptoms (SGLT2 inhibitors, pregnancy).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from alerting.limits import DEFAULT_LIMITS, Measure
from alerting.pipeline import Finding
from alerting.reasons import (
    HeldReason,
    LateReason,
    QuestionnaireReason,
    Reason,
    RedFlag,
    RemeasureReason,
    RhythmReason,
    SilenceReason,
    SustainedReason,
    SymptomReason,
    UnfamiliarReason,
)
from alerting.regimes import Evidence, Source
from alerting.sentences import ENGLISH, Language, red_flag_name
from alerting.tiers import Tier
from device_drivers.readings import Kind

AHA_SYMPTOMS = Source(text="AHA, symptoms of a hypertensive emergency", evidence=Evidence.SUMMARISED)
KETOACIDOSIS = Source(text="CDC/ADA patient advice, signs of ketoacidosis", evidence=Evidence.SUMMARISED)
HYPOTENSION = Source(text="symptoms of low pressure or a slow or fast pulse", evidence=Evidence.UNCONFIRMED)
LEVEL_3 = Source(text="ADA Standards of Care, section 6, level 3", evidence=Evidence.SUMMARISED)

# In the order in which they are asked.
QUESTIONS: Mapping[RedFlag, tuple[frozenset[Measure], Source]] = {
    **dict.fromkeys(
        (
            RedFlag.CHEST_PAIN,
            RedFlag.BREATHLESSNESS,
            RedFlag.BACK_PAIN,
            RedFlag.NUMBNESS_OR_WEAKNESS,
            RedFlag.CHANGE_OF_VISION,
            RedFlag.DIFFICULTY_SPEAKING,
        ),
        (frozenset({Measure.SYSTOLIC, Measure.DIASTOLIC, Measure.PULSE}), AHA_SYMPTOMS),
    ),
    RedFlag.FAINTING: (frozenset({Measure.SYSTOLIC, Measure.PULSE}), HYPOTENSION),
    RedFlag.NEEDS_HELP_OF_OTHERS: (frozenset({Measure.GLUCOSE}), LEVEL_3),
    **dict.fromkeys(
        (
            RedFlag.VOMITING,
            RedFlag.ABDOMINAL_PAIN,
            RedFlag.DEEP_FAST_BREATHING,
            RedFlag.FRUITY_BREATH,
            RedFlag.CONFUSION,
            RedFlag.CANNOT_KEEP_FLUIDS,
        ),
        (frozenset({Measure.GLUCOSE, Measure.KETONE}), KETOACIDOSIS),
    ),
}


_MEASURES_OF: Mapping[Kind, frozenset[Measure]] = {
    Kind.GLUCOSE: frozenset({Measure.GLUCOSE}),
    Kind.KETONE: frozenset({Measure.KETONE}),
    Kind.BLOOD_PRESSURE: frozenset({Measure.SYSTOLIC, Measure.DIASTOLIC, Measure.PULSE}),
}


def measures_of(reason: Reason) -> frozenset[Measure]:
    """Of what the reason speaks."""
    match reason:
        case LateReason() | SymptomReason() | HeldReason():
            return measures_of(reason.finding)
        case RemeasureReason():
            return frozenset({reason.first.limit.measure})
        case SustainedReason():
            return frozenset({reason.weeks[-1].limit.measure})
        case RhythmReason():
            return frozenset({Measure.PULSE})
        case SilenceReason():
            return _MEASURES_OF[reason.kind]
        case UnfamiliarReason():
            return frozenset({reason.measure})
        case QuestionnaireReason():
            return frozenset(Measure)
        case _:
            return frozenset({reason.limit.measure})


def questions_about(condition: str, reason: Reason | None) -> tuple[RedFlag, ...]:
    """What is asked about a case, in order; all of it where neither its reason nor its condition tells the measure."""
    if reason is not None:
        about = measures_of(reason)
    else:
        about = frozenset(limit.measure for limit in DEFAULT_LIMITS if limit.condition == condition) or frozenset(
            Measure
        )
    return tuple(flag for flag, (measures, _) in QUESTIONS.items() if measures & about)


def questions(measure: Measure) -> tuple[RedFlag, ...]:
    """What is asked about a finding of this measure, in order."""
    return tuple(flag for flag, (measures, _) in QUESTIONS.items() if measure in measures)


def after_answers(finding: Finding, yes: Iterable[RedFlag], asked_at: datetime) -> Finding:
    """The finding as it stands when these were answered with yes; unchanged where none was."""
    flags = tuple(sorted(set(yes), key=list(QUESTIONS).index))
    if not flags:
        return finding
    reason = SymptomReason(finding=finding.reason, flags=flags, asked_at=asked_at, source=QUESTIONS[flags[0]][1])
    return replace(finding, tier=Tier.EMERGENCY, reason=reason)


def flags_in(reason: Reason | None) -> tuple[RedFlag, ...]:
    """What was answered with yes so far."""
    return reason.flags if isinstance(reason, SymptomReason) else ()


def finding_in(reason: Reason) -> Reason:
    """What was measured, without the answers to it."""
    return reason.finding if isinstance(reason, SymptomReason) else reason


def told_sentence(finding: str, yes: Iterable[RedFlag], words: Language = ENGLISH) -> str:
    """The sentence where the finding is known by its words only."""
    flags = sorted(set(yes), key=list(QUESTIONS).index)
    return words.gettext("{finding}; with {flags}: an emergency").format(
        finding=finding, flags=", ".join(red_flag_name(flag, words) for flag in flags)
    )
