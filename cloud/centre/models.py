"""Who might be calling, and what is handed over at the end of a shift."""

from collections.abc import Sequence
from dataclasses import dataclass

from cloud.crm.households.models import Household
from cloud.patients.models import Patient, Readings
from cloud.worklist.models import Case, Colleague


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A patient whose number it is, or one of whose contact persons (``persons``: name and relation) has it.

    ``household``: with whom of one's own patients they live, and what each contact person may be told.
    """

    patient: Patient
    is_own: bool
    persons: Sequence[tuple[str, str]]
    readings: Readings
    cases: Sequence[Case]
    household: Household


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """``mine`` are open cases of this person, ``offered`` those that others offer them.

    ``colleagues``: who may take cases of mine, and how many of them.
    """

    mine: Sequence[Case]
    offered: Sequence[Case]
    colleagues: Sequence[tuple[Colleague, int]]
