"""Cases as HTML: the same rows in the page, in the answer to a click and in the live stream."""

from collections.abc import Iterable
from datetime import datetime

from cloud.auth.models import Session
from cloud.console.pages import fragment
from cloud.worklist.models import Case


def rows(cases: Iterable[Case], session: Session, now: datetime) -> str:
    """The worklist's rows as HTML, without what surrounds them."""
    return "".join(row(case, session, now) for case in cases)


def row(case: Case, session: Session, now: datetime, notice: str | None = None) -> str:
    """One case as HTML: an ``li`` with id ``case-{case_id}`` and data attributes."""
    return fragment("case_row.html", case=case, session=session, now=now, notice=notice)
