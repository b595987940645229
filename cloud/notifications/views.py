"""Who was told of a case, and the pages of a person, as HTML."""

from collections.abc import Sequence
from datetime import datetime

from cloud.auth.models import Session
from cloud.console.pages import fragment
from cloud.notifications.models import Page, Told


def log(told: Sequence[Told], session: Session, zone: str) -> str:
    """Who was told of a case what when, and whether it arrived, in this zone; ``told.html`` for its page to include."""
    return fragment("told.html", told=told, session=session, zone=zone)


def banner(pages: Sequence[Page], session: Session, now: datetime) -> str:
    """What the person was paged with and nobody took yet. Empty where there is nothing."""
    return fragment("paged.html", pages=pages, session=session, now=now)
