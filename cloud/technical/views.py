"""Technical alarms as HTML: the same rows in the page, in the answer to a click and in the live stream."""

from datetime import datetime

from cloud.auth.models import SUPPORTING, Session
from cloud.console.pages import fragment
from cloud.technical.models import Alarm, Entry, Queue


def rows(queue: Queue, session: Session, now: datetime) -> str:
    """The whole queue as HTML, without what surrounds it."""
    return fragment("technical_queue.html", queue=queue, session=session, now=now, may_acknowledge=may(session))


def row(alarm: Alarm, session: Session, now: datetime, notice: str | None = None) -> str:
    """One alarm as HTML, without what it hides: an ``li`` with id ``alarm-{alarm_id}``."""
    return fragment(
        "technical_row.html",
        entry=Entry(alarm=alarm),
        session=session,
        now=now,
        may_acknowledge=may(session),
        notice=notice,
    )


def may(session: Session) -> bool:
    """Whether this person looks after technical alarms; the others read."""
    return session.role in SUPPORTING
