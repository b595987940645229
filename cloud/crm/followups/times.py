"""When a follow-up is due: a day of the patient's calendar, wherever they are. Pure."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo


def begins(day: date, zone: tzinfo) -> datetime:
    """When the clock there first shows this day, or, of a day that is skipped there, the next (UTC)."""
    at = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    # A midnight that the clock skips (or that comes twice) is read with the offset from before it: an hour off at most.
    earlier = at - timedelta(hours=1)
    return earlier if earlier.astimezone(zone).date() >= day else at


def is_due(day: date, zone: tzinfo, now: datetime) -> bool:
    """Whether the patient's calendar shows this day or a later one."""
    return now.astimezone(zone).date() >= day
