"""A patient's own page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from alerting.adherence import Task
from alerting.limits import Measure, Relation
from cloud.patients.models import BloodPressure, Concentration
from cloud.planning.models import Pause, Slot
from device_drivers.nomenclature import Unit


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
class OwnLimit:
    """A limit of single readings in the units of the patient's devices. ``set_by``: the doctor; None: the programme."""

    measure: Measure
    relation: Relation
    values: tuple[tuple[Unit, Decimal], ...]
    set_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlan:
    """What is to be measured when, and the limits at which the care team is told, each once."""

    slots: Sequence[Slot]
    pauses: Sequence[Pause]
    limits: Sequence[OwnLimit]
