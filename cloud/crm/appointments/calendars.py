"""Appointments as iCalendar (RFC 5545), for calendar programs outside. Pure.

What is in a calendar is read by whoever looks at a telephone or runs a calendar service: when, where and with whom, and
never why: no diagnosis, no reading, no invitation's words. A member of the staff reads that there is one, and no
patient's name.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from uuid import UUID

from icalendar import CLASS, STATUS, Calendar, Event

from cloud.console.spoken import Spoken, zone_of
from cloud.crm.appointments.models import Dated, Gathering, State
from cloud.visits.models import Way

PRODUCT: Final = "-//Pulsepost//Appointments//EN"


def calendar(
    appointments: Sequence[Dated],
    spoken: Spoken,
    zone: str,
    *,
    for_patient: bool,
    gatherings: Sequence[Gathering] = (),
) -> bytes:
    """The file: one event for each, on the clock of this IANA zone, which it brings along. Times of UTC where unknown.

    A cancelled one stays as such, so that programs that had it take it out.
    """
    there = zone_of(zone)
    made = Calendar.new(prodid=PRODUCT, method="PUBLISH", name="Pulsepost")
    for one in appointments:
        made.add_component(_event(one, spoken, there, for_patient=for_patient))
    for gathering in gatherings:
        made.add_component(_gathering(gathering, spoken, there))
    if there is not UTC and made.events:
        made.add_missing_timezones()
    made_of: bytes = made.to_ical()
    return made_of


def uid(appointment_id: UUID) -> str:
    """The same for each version of an appointment."""
    return f"{appointment_id}@pulsepost"


def _event(one: Dated, spoken: Spoken, zone: tzinfo, *, for_patient: bool) -> Event:
    way = spoken.VISIT_WAYS[one.way]
    texts = spoken.CALENDAR
    title = texts["with"].format(name=one.seen_by_name) if for_patient else texts["somebody"].format(way=way)
    return Event.new(
        uid=uid(one.appointment_id),
        summary=title,
        start=_at(one.starts_at, zone),
        end=_at(one.ends_at, zone),
        location=_where(one, way, for_patient=for_patient),
        url=one.link if for_patient and one.way is Way.VIDEO and one.link else None,
        status=STATUS.CANCELLED if one.state is State.CANCELLED else STATUS.CONFIRMED,
        **_version(one),
    )


def _gathering(one: Gathering, spoken: Spoken, zone: tzinfo) -> Event:
    """Its title may say what somebody has: it is known to the page alone, and to whoever asks for the one file."""
    return Event.new(
        uid=f"{one.event_id}@pulsepost",
        summary=spoken.EVENT_KINDS[one.kind],
        start=_at(one.starts_at, zone),
        end=_at(one.ends_at, zone),
        location=one.place or one.link,
        url=one.link or None,
        status=STATUS.CANCELLED if one.is_cancelled else STATUS.CONFIRMED,
        **_version(one),
    )


def _version(one: Dated | Gathering) -> dict[str, Any]:
    changed_at = one.changed_at.astimezone(UTC)
    return {
        "sequence": one.sequence,
        "stamp": changed_at,
        "last_modified": changed_at,
        "classification": CLASS.PRIVATE,
    }


def _where(one: Dated, way: str, *, for_patient: bool) -> str:
    if one.way is Way.CLINIC and one.place:
        return one.place
    if one.way is Way.VIDEO and one.link and for_patient:
        return one.link
    return way


def _at(moment: datetime, zone: tzinfo) -> datetime:
    """The second of two times that a clock shows alike could not be told from the first: it is written in UTC."""
    there = moment.astimezone(zone)
    return moment.astimezone(UTC) if there.fold else there
