"""How a case ended, as data: what became of it, whether that needs a word of explanation, and whether it was worth it.

The actionable share of a programme's cases is the share of those that a person closed whose disposition is
``actionable``: something was done for the patient or the measurement that would not have been done otherwise. The codes
are a proposal of this project; no standard fixes such a set.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

SOURCE = "proposal of this project; no standard fixes it"


class Disposition(StrEnum):
    """In the order in which they are offered."""

    ADVICE_GIVEN = "advice_given"
    TECHNIQUE_CORRECTED = "technique_corrected"
    TREATMENT_CHANGED_BY_DOCTOR = "treatment_changed_by_doctor"
    REFERRED_TO_DOCTOR = "referred_to_doctor"
    EMERGENCY_SERVICE_CALLED = "emergency_service_called"
    EXPECTED_FOR_THIS_PATIENT = "expected_for_this_patient"
    DEVICE_OR_MEASUREMENT_ERROR = "device_or_measurement_error"
    PATIENT_NOT_REACHED = "patient_not_reached"
    NO_ACTION_NEEDED = "no_action_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """``needs_note``: a case is not closed so without a word on why. ``actionable``: somebody needed it."""

    needs_note: bool
    actionable: bool


MEANINGS: Mapping[Disposition, Meaning] = {
    Disposition.ADVICE_GIVEN: Meaning(needs_note=False, actionable=True),
    Disposition.TECHNIQUE_CORRECTED: Meaning(needs_note=False, actionable=True),
    Disposition.TREATMENT_CHANGED_BY_DOCTOR: Meaning(needs_note=True, actionable=True),
    Disposition.REFERRED_TO_DOCTOR: Meaning(needs_note=True, actionable=True),
    Disposition.EMERGENCY_SERVICE_CALLED: Meaning(needs_note=True, actionable=True),
    Disposition.EXPECTED_FOR_THIS_PATIENT: Meaning(needs_note=True, actionable=False),
    Disposition.DEVICE_OR_MEASUREMENT_ERROR: Meaning(needs_note=False, actionable=False),
    Disposition.PATIENT_NOT_REACHED: Meaning(needs_note=True, actionable=False),
    Disposition.NO_ACTION_NEEDED: Meaning(needs_note=False, actionable=False),
}

# What a row of the worklist offers; the others are asked for on the case's own page.
WITHOUT_NOTE = tuple(code for code in Disposition if not MEANINGS[code].needs_note)


def actionable_share(closed: Iterable[Disposition]) -> float | None:
    """Of cases that people closed, the share that somebody needed, 0 to 1; None where there was none."""
    codes = list(closed)
    return sum(MEANINGS[code].actionable for code in codes) / len(codes) if codes else None
