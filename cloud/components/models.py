"""What our own side cannot do at the moment."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OurSide:
    """Whether readings are taken and silence is watched, and where not, since when; None: nobody knows."""

    is_storing: bool
    storing_stopped_at: datetime | None
    is_watching: bool
    watching_stopped_at: datetime | None
