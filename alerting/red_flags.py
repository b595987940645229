"""Symptoms that make an emergency of a finding: the questions that a nurse asks, and what an answer does.

Which question belongs to what, and who says so, is data. Any yes makes an emergency, whatever the figure: at normal
glucose, ketoacidosis is told by its symptoms (SGLT2 inhibitors, pregnancy).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from alerting.assess import Finding
from alerting.limits import Measure
from alerting.reasons import RedFlag, SymptomReason
from alerting.regimes import Evidence, Source
from alerting.tiers import Tier

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
