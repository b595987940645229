"""Gaps as HTML: the same in the page and in the live stream."""

from collections.abc import Sequence

from cloud.auth.models import Session
from cloud.console.pages import fragment
from cloud.duty.models import DutyGap


def html(gaps: Sequence[DutyGap], session: Session) -> str:
    """What stands above the worklist; empty without a gap."""
    return fragment("duty_gaps.html", gaps=gaps, session=session)
