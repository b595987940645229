"""Quiet hours: when somebody may be told, by the clock on their own wall. Pure."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

# A clock that is moved may swallow what is left of a day between two quiet hours: then the next day is looked at.
_DAYS: Final = range(-1, 4)


def is_quiet(at: datetime, quiet_from: time, quiet_until: time, zone: tzinfo) -> bool:
    """Whether the clock there shows a time from ``quiet_from`` on and before ``quiet_until``; two equal ones: never."""
    return is_quiet_then(at.astimezone(zone).time().replace(fold=0), quiet_from, quiet_until)


def is_quiet_then(shown: time, quiet_from: time, quiet_until: time) -> bool:
    """The same of a time that the clock there shows."""
    if quiet_from <= quiet_until:
        return quiet_from <= shown < quiet_until
    return shown >= quiet_from or shown < quiet_until


def next_allowed(at: datetime, quiet_from: time, quiet_until: time, zone: tzinfo) -> datetime:
    """``at`` itself, or the first end of quiet hours after it (UTC).

    An end that the clock skips in spring is when it has moved on; of one that it shows twice, the next one counts.
    """
    if not is_quiet(at, quiet_from, quiet_until, zone):
        return at
    today = at.astimezone(zone).date()
    ends = (
        datetime.combine(today + timedelta(days=day), quiet_until, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for day in _DAYS
        for fold in (0, 1)
    )
    return min(end for end in ends if end > at and not is_quiet(end, quiet_from, quiet_until, zone))
