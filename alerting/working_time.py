"""Hours of working days on the calendar: a deadline "within 24 hours" of Friday afternoon is Monday afternoon.

A working day counts from midnight to midnight by the site's wall clock, whatever its opening hours are.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from alerting.duty import instant_of

MONDAY_TO_FRIDAY = frozenset(range(5))
# A calendar without a single working day must not be counted through for ever.
LONGEST_WAIT = timedelta(days=370)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingDays:
    """Weekdays (Monday is 0) that are worked on, but for holidays."""

    zone: tzinfo
    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    holidays: Collection[date] = frozenset()

    def has(self, day: date) -> bool:
        """Whether this day counts."""
        return day.weekday() in self.weekdays and day not in self.holidays


def deadline(days: WorkingDays, start: datetime, within: timedelta) -> datetime:
    """When so much of working days has passed since ``start`` (UTC).

    Where the calendar has no working day for a year, it counts every hour: nothing waits for ever.
    """
    left, at = within, start.astimezone(UTC)
    while at < start + LONGEST_WAIT:
        day = at.astimezone(days.zone).date()
        midnight = instant_of(day + timedelta(days=1), time(), days.zone)
        if days.has(day):
            if at + left <= midnight:
                return at + left
            left -= midnight - at
        at = midnight
    return start.astimezone(UTC) + within
