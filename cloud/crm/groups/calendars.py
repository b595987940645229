"""An event as iCalendar (RFC 5545), for calendar programs outside. Pure.

It holds what the event says of itself, and nobody's name: who opens it is known to the page alone.
"""

from datetime import UTC, datetime, tzinfo
from typing import Final

from icalendar import CLASS, STATUS, Calendar
from icalendar import Event as CalendarEvent

from cloud.console.spoken import zone_of
from cloud.crm.groups.models import Event

PRODUCT: Final = "-//Pulsepost//Events//EN"


def calendar(event: Event, zone: str) -> bytes:
    """The file, on the clock of this IANA zone, which it brings along; a cancelled event says so."""
    there = zone_of(zone)
    made = Calendar.new(prodid=PRODUCT, method="PUBLISH", name="Pulsepost")
    made.add_component(
        CalendarEvent.new(
            uid=f"{event.event_id}@pulsepost",
            summary=event.title,
            start=_at(event.starts_at, there),
            end=_at(event.ends_at, there),
            location=event.place or event.link,
            url=event.link or None,
            status=STATUS.CANCELLED if event.cancelled_at else STATUS.CONFIRMED,
            sequence=event.sequence,
            stamp=event.changed_at.astimezone(UTC),
            last_modified=event.changed_at.astimezone(UTC),
            classification=CLASS.PRIVATE,
        )
    )
    if there is not UTC:
        made.add_missing_timezones()
    text: bytes = made.to_ical()
    return text


def _at(moment: datetime, zone: tzinfo) -> datetime:
    """The second of two times that a clock shows alike could not be told from the first: it is written in UTC."""
    there = moment.astimezone(zone)
    return moment.astimezone(UTC) if there.fold else there
