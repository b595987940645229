"""What our own side cannot do at the moment."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSide:
    """Since when nothing did a kind of work; None: it is done, or has never been done here."""

    storing_stopped_at: datetime | None
    watching_stopped_at: datetime | None
