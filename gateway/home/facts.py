"""The three facts of each measurement that is made in this home: due, measured, received. Pure.

They are told by device and user slot, never by person, and say what the gateway knows and nothing else: what has not
arrived here may have been measured all the same.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum

from gateway.home.plan import DeviceUser, Due, Plan, Window
from gateway.outbox import Measured
from gateway.wire.v1 import Fate

# A strip meter measures both.
KIND_OF_DEVICE = {"glucose": "glucose", "ketone": "glucose", "blood_pressure": "blood_pressure"}


class SlotState(StrEnum):
    """How it stands with one measurement of today's plan."""

    MADE = "made"
    NOW = "now"
    LATER = "later"
    NOT_SEEN = "not_seen"  # its time is over, and no reading of it has come here


class Known(StrEnum):
    """Whether anybody said what is due."""

    SAID = "said"
    NOTHING = "nothing"  # somebody did, and nothing is planned with this device
    UNKNOWN = "unknown"  # nobody did, or it is too long ago


@dataclass(frozen=True, slots=True)
class HomeDevice:
    """A device of the roster as this home shows it; ``kind`` is its profile's, ``read_at`` its last whole visit."""

    name: str
    kind: str
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One measurement of today's plan; ``made_at`` where a reading met it."""

    start: datetime
    end: datetime
    state: SlotState
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The facts of one kind of measurement.

    ``today``: what was measured today, oldest first. ``last``: the newest measurement of the days before. ``unclear``:
    the newest of the readings that came today and whose own time nobody can tell. ``zone`` is that of all its times.
    """

    kind: str
    devices: tuple[DeviceUser, ...]
    zone: tzinfo
    known: Known
    slots: tuple[Slot, ...]
    today: tuple[Measured, ...]
    last: Measured | None
    unclear: Measured | None
    read_at: datetime | None

    @property
    def to_send(self) -> tuple[Measured, ...]:
        """What came today and is for the clinic, in the order of its times."""
        unclear = () if self.unclear is None else (self.unclear,)
        return tuple(sorted((*self.today, *unclear), key=lambda one: one.at))

    @property
    def waiting(self) -> int:
        """How many of today's measurements the clinic has not said that it has."""
        return sum(one.fate is None for one in self.to_send)

    @property
    def received(self) -> Measured | None:
        """The newest of today's measurements that the clinic has."""
        return next((one for one in reversed(self.to_send) if one.fate is not None), None)

    @property
    def is_checked(self) -> bool:
        """Whether the clinic looks at one of today's before it counts."""
        return any(one.fate is Fate.QUARANTINED for one in self.to_send)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the page and the lamps show. ``waiting``: all readings here that have no receipt, of whatever day.

    ``waits_more``: that it is at least so many. ``away_since``: since when the clinic cannot be reached; None where it
    can. ``trouble``: the gateway cannot keep readings, or not tell of them. ``zone`` is for what belongs to no card.
    """

    at: datetime
    zone: tzinfo
    cards: tuple[Card, ...]
    waiting: int
    waits_more: bool
    away_since: datetime | None
    trouble: bool


Taken = Mapping[str, Sequence[Measured]]  # by the device's name, oldest first


def cards(
    devices: Sequence[HomeDevice],
    taken: Taken,
    plan: Plan | None,
    now: datetime,
    zone_of: Callable[[str], tzinfo],
    here: tzinfo,
) -> tuple[Card, ...]:
    """One for each thing that is due, and one for each device and user beside; what is due first.

    ``zone_of`` gives the zone of a name, ``here`` is this computer's.
    """
    by_name = {device.name: device for device in devices}
    planned = [
        _planned(due, plan, by_name, taken, now, zone_of(due.zone))
        for due in (plan.due if plan else ())
        if _own_devices(due, by_name)
    ]
    zone = planned[0].zone if planned else here
    spoken_for = {(name, user, card.kind) for card in planned for name, user in card.devices}
    is_known = plan is not None and now < plan.until
    others = [
        _card(
            kind, ((device.name, user),), by_name, taken, now, zone, known=Known.NOTHING if is_known else Known.UNKNOWN
        )
        for device in devices
        for user, kind in _uses(device, taken.get(device.name, ()))
        if not {(device.name, user, kind), (device.name, None, kind)} & spoken_for
        and not (user is None and any(name == device.name for name, _, _ in spoken_for))
    ]
    return (*planned, *others)


def _own_devices(due: Due, by_name: Mapping[str, HomeDevice]) -> tuple[DeviceUser, ...]:
    """Those of this home that can measure it."""
    wanted = KIND_OF_DEVICE.get(due.kind, due.kind)
    return tuple(
        (name, user) for name, user in due.devices if (known := by_name.get(name)) is not None and known.kind == wanted
    )


def _uses(device: HomeDevice, taken: Iterable[Measured]) -> list[tuple[int | None, str]]:
    """Who measured what with it lately, by user slot; where nobody did: that nobody did."""
    found = sorted({(one.user, one.kind) for one in taken}, key=lambda use: (use[0] or 0, use[1]))
    return list(found) or [(None, device.kind)]


def _planned(
    due: Due, plan: Plan | None, by_name: Mapping[str, HomeDevice], taken: Taken, now: datetime, zone: tzinfo
) -> Card:
    known = Known.SAID if plan is not None and now < plan.until else Known.UNKNOWN
    return _card(due.kind, _own_devices(due, by_name), by_name, taken, now, zone, known=known, windows=due.windows)


def _card(
    kind: str,
    devices: tuple[DeviceUser, ...],
    by_name: Mapping[str, HomeDevice],
    taken: Taken,
    now: datetime,
    zone: tzinfo,
    *,
    known: Known,
    windows: Sequence[Window] = (),
) -> Card:
    own = sorted(
        (
            one
            for name, user in devices
            for one in taken.get(name, ())
            if one.kind == kind and (user is None or one.user == user)
        ),
        key=lambda one: one.at,
    )
    day = now.astimezone(zone).date()
    made = [one for one in own if one.exact and one.at <= now]
    reads = [at for name, _ in devices if (at := by_name[name].read_at) is not None]
    return Card(
        kind=kind,
        devices=devices,
        zone=zone,
        known=known,
        slots=_slots(windows, made, now, day, zone) if known is Known.SAID else (),
        today=tuple(one for one in made if one.at.astimezone(zone).date() == day),
        last=next((one for one in reversed(made) if one.at.astimezone(zone).date() < day), None),
        unclear=next((o for o in reversed(own) if not o.exact and o.at.astimezone(zone).date() == day), None),
        read_at=max(reads, default=None),
    )


def _slots(
    windows: Sequence[Window], made: Sequence[Measured], now: datetime, day: date, zone: tzinfo
) -> tuple[Slot, ...]:
    """Of today, and any other day's that can be met now."""
    return tuple(
        _slot(start, end, made, now)
        for at, start, end in sorted(windows)
        if at.astimezone(zone).date() == day or start <= now <= end
    )


def _slot(start: datetime, end: datetime, made: Sequence[Measured], now: datetime) -> Slot:
    met = next((one.at for one in made if start <= one.at <= end), None)
    if met is not None:
        return Slot(start, end, SlotState.MADE, met)
    if now < start:
        return Slot(start, end, SlotState.LATER)
    return Slot(start, end, SlotState.NOW if now <= end else SlotState.NOT_SEEN)


class Pattern(StrEnum):
    """What a lamp does."""

    OFF = "off"
    STEADY = "steady"
    BLINKING = "blinking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamps:
    """What the three lamps of a home do: all its people and devices together."""

    due: Pattern
    measured: Pattern
    received: Pattern


def lamps(facts: Facts) -> Lamps:
    """Due: blinking while something is to be measured now, steady where something is later today. Measured: steady once
    something was today, blinking where the gateway cannot keep readings. Received: steady where the clinic has all of
    today's, blinking while any reading waits here.
    """
    states = {slot.state for card in facts.cards for slot in card.slots}
    measured = any(card.today for card in facts.cards)
    return Lamps(
        due=_first((SlotState.NOW in states, Pattern.BLINKING), (SlotState.LATER in states, Pattern.STEADY)),
        measured=_first((facts.trouble, Pattern.BLINKING), (measured, Pattern.STEADY)),
        received=_first((facts.waiting > 0, Pattern.BLINKING), (measured, Pattern.STEADY)),
    )


def _first(*cases: tuple[bool, Pattern]) -> Pattern:
    return next((pattern for holds, pattern in cases if holds), Pattern.OFF)


# Measurements are kept, and shown, for so long.
KEPT_FOR = timedelta(days=3)
