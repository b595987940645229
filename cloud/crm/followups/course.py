"""When the owner of a follow-up is told that it is due: while they work. Pure."""

from datetime import datetime, time
from typing import Final
from uuid import UUID

from alerting.duty import DutyRole, Roster, on_duty
from alerting.working_time import WorkingDays

# Of whom the roster says nothing: these hours of a working day, on the site's clock (a proposal).
FROM: Final = time(8)
UNTIL: Final = time(18)


def is_at_work(roster: Roster, working: WorkingDays, account_id: UUID, now: datetime) -> bool:
    """By their shifts, where the roster has any of theirs; else by the hours of a working day."""
    if any(turn.account_id == account_id for role in DutyRole for turn in on_duty(roster, role, now)):
        return True
    rostered = {shift.account_id for shift in roster.weekly} | {shift.account_id for shift in roster.dated}
    if account_id in rostered:
        return False
    if any(away.account_id == account_id and away.starts <= now < away.ends for away in roster.absences):
        return False
    there = now.astimezone(working.zone)
    return working.has(there.date()) and FROM <= there.time() < UNTIL
