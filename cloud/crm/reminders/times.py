"""When a time of day comes, on which days of the patient's calendar. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo


def moments(at: time, zone: tzinfo, after: datetime, until: datetime) -> Iterator[tuple[date, datetime]]:
    """(day, instant) of each such time after ``after`` and not after ``until``, in order.

    One that the clock skips in spring is when it has moved on, and one that it shows twice the first: each day has one.
    A day that a zone leaves out has none.
    """
    day, last = after.astimezone(zone).date() - timedelta(days=1), until.astimezone(zone).date() + timedelta(days=1)
    while day <= last:
        comes = datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
        if after < comes <= until and comes.astimezone(zone).date() == day:
            yield day, comes
        day += timedelta(days=1)


def day_of(at: time, zone: tzinfo, now: datetime, late: timedelta) -> date:
    """Of which day's dose somebody speaks now: of one due less than ``late`` ago, even yesterday; else of today's."""
    came = [day for day, _ in moments(at, zone, now - late, now)]
    return came[-1] if came else now.astimezone(zone).date()
