"""What is known of a synthetic patient: the history, and the truth about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from alerting.histories import History
from alerting.windows import Times


class Truth(IntEnum):
    """What a reading truly is."""

    ORDINARY = 0
    TRANSIENT = 1  # a true peak that is gone minutes later
    ARTEFACT = 2  # moved, spoken, a wrong cuff
    WORSENING = 3  # weeks of pressure above the patient's own level, until treatment changes
    CRISIS = 4


class CrisisKind(StrEnum):
    """What was injected."""

    SEVERE_HYPERTENSION = "severe_hypertension"
    HYPOTENSION = "hypotension"
    HYPOGLYCAEMIA = "hypoglycaemia"
    HYPERGLYCAEMIA = "hyperglycaemia"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crisis:
    """An injected crisis: its first reading, whether the patient measured again, and whether it reached us late."""

    kind: CrisisKind
    at: datetime
    last_at: datetime
    measured_again: bool
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch of time: a worsening, or a silence."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PatientYear:
    """One patient's history and the truth about it. A patient has one series: of blood pressure or of glucose.

    ``truth`` has a Truth for each reading, ``measurement`` numbers the sittings.
    """

    number: int
    history: History
    truth: NDArray[np.int8]
    measurement: NDArray[np.int64]
    crises: tuple[Crisis, ...]
    worsenings: tuple[Spell, ...]
    fibrillates: bool

    @property
    def times(self) -> Times:
        """When each reading was made."""
        [series] = self.history.series
        return series.window.times

    @property
    def received(self) -> Times:
        """When each reading reached us."""
        [series] = self.history.series
        return series.received
