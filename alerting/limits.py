"""Alarm limits as data: value, unit and source; a patient's own limit replaces the default of its condition.

A reading compares in its own unit against the limit published for that unit (70 mg/dL is published as 3.9 mmol/L, not
as 3.886), so every limit carries one value per unit and nothing is converted at run time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from device_drivers.nomenclature import Mdc, Unit


class Priority(StrEnum):
    """IEC 60601-1-8 alarm condition priority."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Measure(StrEnum):
    """The figure that a limit looks at."""

    GLUCOSE = "glucose"
    KETONE = "ketone"
    SYSTOLIC = "systolic"
    DIASTOLIC = "diastolic"
    PULSE = "pulse"


MEASURE_OF: Mapping[Mdc, Measure] = {
    **{code: Measure.GLUCOSE for code in Mdc if code.name.startswith("CONC_GLU") and code is not Mdc.CONC_GLU_CONTROL},
    Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD: Measure.KETONE,
    Mdc.PRESS_BLD_NONINV_SYS: Measure.SYSTOLIC,
    Mdc.PRESS_BLD_NONINV_DIA: Measure.DIASTOLIC,
    Mdc.PULS_RATE_NON_INV: Measure.PULSE,
}


class Relation(StrEnum):
    """When the limit is violated."""

    BELOW = "below"  # value < limit
    ABOVE = "above"  # value > limit
    AT_OR_ABOVE = "at_or_above"  # value >= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLimit:
    """One limit of one condition.

    ``values`` holds the published value per unit. ``source`` says who set it: a guideline for a default, a person for a
    patient's own limit, then with ``since``.
    """

    condition: str
    measure: Measure
    relation: Relation
    values: Mapping[Unit, Decimal]
    priority: Priority
    source: str
    since: datetime | None = None


def _glucose(mg_dl: str, mmol_l: str) -> Mapping[Unit, Decimal]:
    return {Unit.MG_DL: Decimal(mg_dl), Unit.MMOL_L: Decimal(mmol_l)}


def _pressure(mmhg: str) -> Mapping[Unit, Decimal]:
    # 1 mm[Hg] = 0.133322 kPa (UCUM); no guideline publishes kPa, so here the conversion is the publication.
    return {Unit.MM_HG: Decimal(mmhg), Unit.KPA: (Decimal(mmhg) * Decimal("0.133322")).quantize(Decimal("0.1"))}


_ADA = "ADA Standards of Care, section 6"
_AHA = "2025 AHA/ACC high blood pressure guideline"
_BEAT_HF = "BEAT-HF trial, Trials 2014;15:124, table 1"
# The trial has narrower limits for patients with symptoms. A cuff knows of none, so what lies between is asked about.
_BEAT_HF_SYMPTOMS = f"{_BEAT_HF}, for patients with symptoms"
_KETONES = "Diabetes Care consensus table of cut points for ketosis"

# In the order in which they are looked at; within one measure and direction the gravest comes first and hides the rest.
DEFAULT_LIMITS: tuple[AlarmLimit, ...] = (
    AlarmLimit(condition="hypoglycaemia_level_2", measure=Measure.GLUCOSE, relation=Relation.BELOW,
               values=_glucose("54", "3.0"), priority=Priority.HIGH, source=_ADA),
    AlarmLimit(condition="hypoglycaemia_level_1", measure=Measure.GLUCOSE, relation=Relation.BELOW,
               values=_glucose("70", "3.9"), priority=Priority.MEDIUM, source=_ADA),
    AlarmLimit(condition="hyperglycaemia_urgent", measure=Measure.GLUCOSE, relation=Relation.ABOVE,
               values=_glucose("300", "16.7"), priority=Priority.HIGH, source="CDC/ADA patient advice"),
    AlarmLimit(condition="hyperglycaemia", measure=Measure.GLUCOSE, relation=Relation.ABOVE,
               values=_glucose("250", "13.9"), priority=Priority.MEDIUM, source="CGM consensus, above range level 2"),
    AlarmLimit(condition="ketones_very_high", measure=Measure.KETONE, relation=Relation.ABOVE,
               values={Unit.MMOL_L: Decimal("3.0")}, priority=Priority.HIGH, source=_KETONES),
    AlarmLimit(condition="ketones_high", measure=Measure.KETONE, relation=Relation.ABOVE,
               values={Unit.MMOL_L: Decimal("1.5")}, priority=Priority.MEDIUM, source=_KETONES),
    AlarmLimit(condition="severe_hypertension_systolic", measure=Measure.SYSTOLIC, relation=Relation.AT_OR_ABOVE,
               values=_pressure("180"), priority=Priority.HIGH, source=_AHA),
    AlarmLimit(condition="hypertension_systolic", measure=Measure.SYSTOLIC, relation=Relation.ABOVE,
               values=_pressure("160"), priority=Priority.LOW, source=_BEAT_HF_SYMPTOMS),
    AlarmLimit(condition="severe_hypertension_diastolic", measure=Measure.DIASTOLIC, relation=Relation.AT_OR_ABOVE,
               values=_pressure("120"), priority=Priority.HIGH, source=_AHA),
    AlarmLimit(condition="severe_hypotension_systolic", measure=Measure.SYSTOLIC, relation=Relation.BELOW,
               values=_pressure("80"), priority=Priority.HIGH, source=_BEAT_HF),
    AlarmLimit(condition="hypotension_systolic", measure=Measure.SYSTOLIC, relation=Relation.BELOW,
               values=_pressure("90"), priority=Priority.MEDIUM, source=_BEAT_HF_SYMPTOMS),
    AlarmLimit(condition="bradycardia", measure=Measure.PULSE, relation=Relation.BELOW,
               values={Unit.PER_MIN: Decimal("40")}, priority=Priority.MEDIUM, source=_BEAT_HF),
    AlarmLimit(condition="tachycardia", measure=Measure.PULSE, relation=Relation.ABOVE,
               values={Unit.PER_MIN: Decimal("110")}, priority=Priority.MEDIUM, source=_BEAT_HF),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLimit:
    """A patient's own value for one condition in one unit: who set it, when, until when."""

    condition: str
    unit: Unit
    value: Decimal
    priority: Priority
    set_by: str
    set_at: datetime
    expires_at: datetime | None = None
