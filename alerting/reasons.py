"""Why, as data: one class per kind of decision. The sentence that a person reads is made of it, and of nothing else.

Every reason carries the figure, the limit and its authority (``RegimeLimit``: source, since, version, why), so that a
case shows today what was true when it opened. ``alerting.sentences`` says them.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from alerting.limits import Measure
from alerting.regimes import RegimeLimit, Source
from alerting.sufficiency import Sufficiency
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReason:
    """A figure beyond its limit. ``readings`` is how many stand behind the figure (1 for a single reading)."""

    figure: Quantity
    limit: RegimeLimit
    readings: int = 1
    sufficiency: Sufficiency | None = None  # of an average; None for a reading and a session


@dataclass(frozen=True, slots=True, kw_only=True)
class DifferenceReason:
    """Two figures that lie further apart than the limit: this week and the last, morning and evening, two sessions."""

    now: Quantity
    before: Quantity
    difference: Decimal
    unit: Unit
    limit: RegimeLimit
    sufficiency: Sufficiency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedReason:
    """Several readings beyond one limit; readings close together are one occurrence."""

    worst: Quantity
    occurrences: int
    within: timedelta
    limit: RegimeLimit


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReason:
    """A risk index beyond its limit."""

    value: Decimal
    unit: Unit  # of the readings behind it
    band: str
    limit: RegimeLimit
    sufficiency: Sufficiency


class Answer(StrEnum):
    """What became of "measure again"."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemeasureReason:
    """The first reading, and what measuring again said by ``due``. ``again`` is the answer that decided, if any."""

    first: LimitReason
    first_at: datetime
    due: datetime
    answer: Answer
    again: Quantity | None
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SustainedReason:
    """A home average at or above its limit in this many weeks running."""

    weeks: tuple[LimitReason, ...]  # the newest last


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmReason:
    """The cuff saw an irregular pulse again and again. It is no diagnosis: an ECG is."""

    sessions: int
    on_days: tuple[date, ...]
    needed_days: int
    within: timedelta
    source: Source


class SilenceStep(StrEnum):
    """What a missed measurement asks for, one after the other."""

    REMIND_PATIENT = "remind_patient"
    CHECK_TECHNICALLY = "check_technically"
    CALL_PATIENT = "call_patient"


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceReason:
    """Nothing measured since a measurement was due. ``limit`` is the time after which this step is taken."""

    kind: Kind
    step: SilenceStep
    missed_since: datetime
    missed: int
    limit: timedelta
    source: Source
    heightened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LateReason:
    """A finding on a reading that reached us late: it is looked at in retrospect."""

    finding: "Reason"
    effective_time: datetime
    received_at: datetime
    late_after: timedelta
    source: Source


class RedFlag(StrEnum):
    """A symptom that makes an emergency of whatever was measured. A nurse asks; no device tells."""

    CHEST_PAIN = "chest_pain"
    BREATHLESSNESS = "breathlessness"
    BACK_PAIN = "back_pain"
    NUMBNESS_OR_WEAKNESS = "numbness_or_weakness"
    CHANGE_OF_VISION = "change_of_vision"
    DIFFICULTY_SPEAKING = "difficulty_speaking"
    FAINTING = "fainting"
    CONFUSION = "confusion"
    VOMITING = "vomiting"
    ABDOMINAL_PAIN = "abdominal_pain"
    DEEP_FAST_BREATHING = "deep_fast_breathing"
    FRUITY_BREATH = "fruity_breath"
    CANNOT_KEEP_FLUIDS = "cannot_keep_fluids"
    NEEDS_HELP_OF_OTHERS = "needs_help_of_others"


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomReason:
    """A finding, and what the patient answered when asked about it."""

    finding: "Reason"
    flags: tuple[RedFlag, ...]
    asked_at: datetime
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfamiliarReason:
    """A figure so far from the patient's own history that it may be somebody else's, of a device that is shared.

    ``usual``: the median of the last ``readings`` within ``within``; from ``far`` on it is asked about.
    """

    measure: Measure
    figure: Quantity
    usual: Decimal
    difference: Decimal
    far: Decimal
    readings: int
    within: timedelta
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReason:
    """A grave finding on a reading that is perhaps not the patient's: it is not kept back for that."""

    finding: "Reason"
    doubt: UnfamiliarReason


class Concern(StrEnum):
    """What a patient answers that is no emergency, and that somebody has to speak with them about."""

    GETTING_WORSE = "getting_worse"
    MEDICATION_STOPPED = "medication_stopped"
    SIDE_EFFECT = "side_effect"
    NO_MEDICATION_LEFT = "no_medication_left"
    WOUND = "wound"
    SWELLING = "swelling"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionnaireReason:
    """What a patient answered to a questionnaire and somebody must hear of. ``title``: the questionnaire's, English."""

    title: str
    version: int
    flags: tuple[RedFlag, ...]
    concerns: tuple[Concern, ...]
    answered_at: datetime
    source: Source


Reason = (
    LimitReason
    | DifferenceReason
    | RepeatedReason
    | IndexReason
    | RemeasureReason
    | SustainedReason
    | RhythmReason
    | SilenceReason
    | LateReason
    | SymptomReason
    | UnfamiliarReason
    | HeldReason
    | QuestionnaireReason
)
