"""By when a complaint is acknowledged and answered, whichever way it came, a survey among them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerting.working_time import WorkingDays, deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """``working``: days of the site's working days, else of the calendar. ``source``: a code of texts.TERM_SOURCES."""

    days: int
    working: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    acknowledge: Term
    answer: Term


# The strictest of what three countries ask for is no country's law: each clinic has to look at its own.
TERMS: Final[Mapping[bool, Terms]] = {
    False: Terms(
        # S.I. 2009/309 (England), reg. 13(3): not later than 3 working days after the day on which it was received.
        acknowledge=Term(days=3, working=True, source="england"),
        # Federal Law 59-FZ (Russia), art. 12(1): within 30 days of registration.
        answer=Term(days=30, working=False, source="russia"),
    ),
    # It names harm. Proposals of this project.
    True: Terms(
        acknowledge=Term(days=1, working=False, source="proposal"),
        answer=Term(days=10, working=False, source="proposal"),
    ),
}


def terms(received_at: datetime, harm: bool, working: WorkingDays) -> list[datetime]:
    """Acknowledge by, answer by."""
    of = TERMS[harm]
    return [_end(of.acknowledge, received_at, working), _end(of.answer, received_at, working)]


def _end(term: Term, start: datetime, working: WorkingDays) -> datetime:
    within = timedelta(days=term.days)
    return deadline(working, start, within) if term.working else start + within
