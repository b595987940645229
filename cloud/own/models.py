"""A patient's own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from alerting.adherence import Task
from alerting.regimes import RegimeLimit
from cloud.patients.models import BloodPressure, Concentration
from cloud.planning.models import Pause, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that keeps readings from coming. ``what``: a code of texts.TROUBLES; ``device``: its name."""

    what: str
    device: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """Whom to call. ``emergency``: as the card has it; ``centre``: E.164. None: nobody has written it down."""

    emergency: str | None
    centre: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A reading of the patient's own, of whatever kind; the days are those of the patient's clock."""

    kind: str
    reading: Concentration | BloodPressure
    day: date
    received_on: date

    @property
    def was_received_another_day(self) -> bool:
        return self.received_on != self.day


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What is due: ``tasks`` in order. ``pause``: the one that holds now. ``has_schedule``: anything is agreed."""

    tasks: Sequence[Task]
    pause: Pause | None
    has_schedule: bool

    @property
    def is_all_done(self) -> bool:
        return bool(self.tasks) and all(task.standing == "done" for task in self.tasks)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlan:
    """What is to be measured when, and the limits of single readings that a doctor set, or the programme has."""

    slots: Sequence[Slot]
    pauses: Sequence[Pause]
    limits: Sequence[RegimeLimit]
