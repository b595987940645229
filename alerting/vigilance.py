"""How closely a patient is watched: the first period after the start is heightened (tighter silence, nothing closes
by itself, every reading is looked at once). As data, so that a programme can change it. All figures are proposals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.regimes import Evidence, Source


class Vigilance(StrEnum):
    """The two periods."""

    HEIGHTENED = "heightened"
    STEADY = "steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceLimits:
    """After how long without a measurement that was due each step is taken; in rising order."""

    remind_patient: timedelta
    check_technically: timedelta
    call_patient: timedelta
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What holds in a period."""

    vigilance: Vigilance
    silence: SilenceLimits
    may_close_automatically: bool
    every_reading_is_reviewed: bool


OURS = Source(text="a proposal of this project", evidence=Evidence.PROPOSED)
HEIGHTENED_FOR = timedelta(days=14)

WATCH: Mapping[Vigilance, Watch] = {
    Vigilance.HEIGHTENED: Watch(
        vigilance=Vigilance.HEIGHTENED,
        silence=SilenceLimits(
            remind_patient=timedelta(hours=2), check_technically=timedelta(hours=12),
            call_patient=timedelta(hours=24), source=OURS),
        may_close_automatically=False,
        every_reading_is_reviewed=True,
    ),
    Vigilance.STEADY: Watch(
        vigilance=Vigilance.STEADY,
        silence=SilenceLimits(
            remind_patient=timedelta(hours=2), check_technically=timedelta(hours=24),
            call_patient=timedelta(hours=48), source=OURS),
        may_close_automatically=True,
        every_reading_is_reviewed=False,
    ),
}  # fmt: skip


def watch(heightened_until: datetime | None, at: datetime) -> Watch:
    """What holds at this time; from ``heightened_until`` on it is steady, and so it is where there is no such time."""
    heightened = heightened_until is not None and at < heightened_until
    return WATCH[Vigilance.HEIGHTENED if heightened else Vigilance.STEADY]
