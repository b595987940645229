"""Facts made up for the tests of what the home is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.home.facts import Card, Facts, HomeDevice, cards
from gateway.home.plan import Due, Plan, Window
from gateway.outbox import Measured
from gateway.wire.v1 import Fate

BERLIN = ZoneInfo("Europe/Berlin")
# Sunday, half past eight in the morning.
NOW = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)
CUFF = HomeDevice("cuff", "blood_pressure", read_at=NOW - timedelta(minutes=2))
METER = HomeDevice("meter", "glucose")


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A wall-clock time of that day in Berlin."""
    return datetime(2026, 11, 22, hour, minute, tzinfo=BERLIN).astimezone(UTC) + timedelta(days=days)


def window(hour: int, *, days: int = 0) -> Window:
    """Due at this hour, from an hour before until two hours after it."""
    return at(hour, days=days), at(hour - 1, days=days), at(hour + 2, days=days)


MORNING_AND_EVENING = (window(8), window(20))


def due(*windows: Window, kind: str = "blood_pressure", device: str = "cuff", user: int | None = None) -> Due:
    return Due(devices=((device, user),), kind=kind, zone="Europe/Berlin", windows=windows or MORNING_AND_EVENING)


def plan(*dues: Due) -> Plan:
    return Plan(said_at=NOW - timedelta(hours=1), until=NOW + timedelta(days=6), due=dues)


def measured(when: datetime, kind: str = "blood_pressure", user: int | None = None) -> Measured:
    """Measured, and not yet received."""
    return Measured(kind=kind, user=user, at=when, exact=True)


def received(one: Measured, after_s: float = 60.0, fate: Fate = Fate.STORED) -> Measured:
    """The same with its receipt."""
    return replace(one, fate=fate, received_at=one.at + timedelta(seconds=after_s))


def cards_of(
    known: Plan | None,
    taken: Mapping[str, Sequence[Measured]] | None = None,
    devices: Sequence[HomeDevice] = (CUFF,),
    now: datetime = NOW,
) -> tuple[Card, ...]:
    return cards(devices, taken or {}, known, now, ZoneInfo, UTC)


def facts(
    *told: Card, waiting: int = 0, away_since: datetime | None = None, trouble: bool = False, now: datetime = NOW
) -> Facts:
    return Facts(
        at=now,
        zone=BERLIN,
        cards=told,
        waiting=waiting,
        waits_more=False,
        away_since=away_since,
        trouble=trouble,
    )
