"""A silence as a page says it."""

from dataclasses import dataclass
from datetime import datetime

from alerting.technical.silence import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A measurement that was expected and has not come. No cause: it cannot be told yet. ``why``: a ``Said``.

    ``since``: of the last measurement; ``missed_since``: when the first of the ``missed`` ones was due.
    """

    cause: Cause | None
    since: datetime
    missed: int
    missed_since: datetime
    why: str
