"""A silence as a page says it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.technical.silence import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A measurement that was expected and has not come. No cause: it cannot be told yet. ``why``: a ``Said``."""

    cause: Cause | None
    since: datetime
    every: timedelta | None
    why: str
