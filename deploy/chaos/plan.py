"""What happens when, drawn from a seed: the same seed gives the same plan, whatever the machine makes of it.

A plan is a row of rounds. In each round devices measure and faults strike, at random moments; then everything settles,
and a nurse resolves the cases. So the next round's episodes are new ones.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from deploy.chaos import cast
from deploy.chaos.kinds import Kind
from deploy.chaos.proxy import Direction

ROUND_FAULTS = 50
# So long may something be down that a backlog comes of it.
LONG_DOWN_S = 10.0
# Between two faults; on average one a second.
FAULT_GAP_S = (0.3, 1.5)
HISTORY = {cast.METER: 40, cast.CUFF: 20, cast.CABLE_METER: 40, cast.CABLE_CUFF: 30}
EPISODES = 6
SAME_VALUE_AGAIN = 0.1
CUFF_DIFFERS_FOR = 5
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
# Each is more than a minute: less is within what the product promises of a time.
JUMPS_S = (-400 * DAY, -DAY, -HOUR, -10 * MINUTE, -90.0, -65.0, 65.0, 90.0, 10 * MINUTE, HOUR, DAY, 400 * DAY)
LINKS = ("gateway", "ingest", "database")
BACKUP_EVERY_S = 6.0
BACKUPS = 4

Figures = tuple[tuple[str, int], ...]
"""What a device shows: (("value", 112),) or the four figures of a cuff."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Somebody measures; ``condition`` is the alarm condition that the figures meet, if any."""

    device: str
    figures: Figures
    user: int | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something goes wrong; what its kind does not need is left at its default."""

    kind: Kind
    for_s: float = 0.0  # how long it lasts, or how long the dead stay dead
    link: str = ""
    octets: int = 0  # of the link until it is cut; of the cable, or values of the radio
    direction: Direction = Direction.UP
    device: str = ""
    offset_s: float = 0.0
    back: int = 0  # how many backups ago


@dataclass(frozen=True, slots=True)
class Reassign:
    """``cast.REASSIGNED`` goes on to its next patient."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup of the gateway's data is made."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event, so many seconds after the round began."""

    at_s: float
    what: Measure | Fault | Reassign | Backup


@dataclass(frozen=True, slots=True)
class Past:
    """A measurement that stands in a device's memory when it is first read."""

    age_s: float
    measure: Measure


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will happen."""

    seed: int
    history: tuple[Past, ...]  # each device's oldest first
    rounds: tuple[tuple[Step, ...], ...]

    @property
    def faults(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        kinds = [step.what.kind for steps in self.rounds for step in steps if isinstance(step.what, Fault)]
        return {kind: kinds.count(kind) for kind in Kind if kind in kinds}


def draw(faults: int, seed: int) -> Plan:
    """The plan of this many faults and this seed."""
    rng = random.Random(seed)  # noqa: S311 -- to be repeated, not to be secret
    history = tuple(past for device in cast.DEVICES for past in _history(device, rng))
    sizes = [min(ROUND_FAULTS, faults - start) for start in range(0, faults, ROUND_FAULTS)] or [0]
    middle = len(sizes) // 2
    rounds = tuple(_round(size, rng, reassigns=number == middle) for number, size in enumerate(sizes))
    return Plan(seed, history, rounds)


def _history(device: cast.Device, rng: random.Random) -> Iterator[Past]:
    # Nothing close to the moment at which the device changed hands.
    handed_over_s = 1.5 * DAY
    ages = sorted(
        (rng.uniform(10 * MINUTE, cast.HISTORY_DAYS * DAY) for _ in range(HISTORY[device.name])), reverse=True
    )
    for age_s in ages:
        if abs(age_s - handed_over_s) > 10 * MINUTE:
            yield Past(age_s, Measure(device.name, _quiet(device, rng), _user(device, rng)))


def _round(faults: int, rng: random.Random, *, reassigns: bool) -> tuple[Step, ...]:
    steps: list[Step] = []
    at_s = 0.0
    for _ in range(faults):
        at_s += rng.uniform(*FAULT_GAP_S)
        steps.append(Step(at_s, _fault(rng)))
    end_s = max(at_s, 3.0)
    for device in cast.DEVICES:
        steps += _measurements(device, end_s, rng)
    steps += _episodes(end_s, rng)
    steps += [Step(BACKUP_EVERY_S * n, Backup()) for n in range(1, int(end_s / BACKUP_EVERY_S) + 1)]
    if reassigns:
        steps.append(Step(end_s / 2, Reassign()))
    return tuple(_with_pauses(sorted(steps, key=lambda step: step.at_s)))


def _with_pauses(steps: Iterable[Step]) -> Iterator[Step]:
    """A measurement takes a cuff half a minute; here it does not, and two that are equal in one second would be one.

    The cuff on the radio gives neither a sequence number nor a count to tell them apart by.
    """
    lately: deque[Figures] = deque(maxlen=CUFF_DIFFERS_FOR)
    for step in steps:
        if isinstance(step.what, Measure) and step.what.device == cast.CUFF:
            figures = dict(step.what.figures)
            while tuple(figures.items()) in lately:
                figures["diastolic"] += 1  # in no condition does one more matter
            lately.append(tuple(figures.items()))
            yield replace(step, what=replace(step.what, figures=lately[-1]))
        else:
            yield step


def _fault(rng: random.Random) -> Fault:
    kind = rng.choice(list(Kind))
    down_s = rng.choice((0.0, rng.uniform(0.0, 2.0), rng.uniform(0.0, 2.0), rng.choice((1.0, LONG_DOWN_S))))
    match kind:
        case Kind.GATEWAY_LINK_CUT | Kind.INGEST_LINK_CUT | Kind.DATABASE_LINK_CUT:
            link = kind.removesuffix("_link_cut")
            return Fault(kind, link=link, octets=_octets(rng), direction=rng.choice(list(Direction)))
        case Kind.LINK_BLACK_HOLED | Kind.LINK_DELAYED:
            return Fault(kind, for_s=rng.uniform(0.3, 3.0), link=rng.choice(LINKS))
        case Kind.DISK_FULL:
            return Fault(kind, for_s=rng.uniform(0.3, 3.0))
        case Kind.CLOCK_JUMP:
            return Fault(kind, for_s=rng.uniform(0.3, 3.0), offset_s=rng.choice(JUMPS_S))
        case Kind.DEVICE_UNPLUGGED:
            device = rng.choice(cast.DEVICES)
            most = 6 if device.home.address else 400
            return Fault(kind, for_s=rng.uniform(0.1, 1.0), device=device.name, octets=rng.randint(1, most))
        case Kind.GATEWAY_RESTORED:
            return Fault(kind, for_s=down_s, back=rng.randint(1, BACKUPS))
        case _:
            return Fault(kind, for_s=down_s)


def _octets(rng: random.Random) -> int:
    """Small numbers as often as large ones: a cut in the handshake, in a header, in a payload."""
    return round(2 ** rng.uniform(0, 13))


def _measurements(device: cast.Device, end_s: float, rng: random.Random) -> Iterator[Step]:
    at_s = rng.expovariate(1 / device.every_s)
    figures = _quiet(device, rng)
    while at_s < end_s:
        if rng.random() > SAME_VALUE_AGAIN:
            figures = _quiet(device, rng)
        yield Step(at_s, Measure(device.name, figures, _user(device, rng)))
        at_s += rng.expovariate(1 / device.every_s)


def _episodes(end_s: float, rng: random.Random) -> Iterator[Step]:
    """One to three readings each, of a device (and user) and a condition; which may be the same for two of them."""
    for _ in range(EPISODES):
        device = rng.choice(cast.DEVICES)
        conditions = PRESSURES if device.name in (cast.CUFF, cast.CABLE_CUFF) else GLUCOSE
        condition = rng.choice(list(conditions))
        user = _user(device, rng)
        for _ in range(rng.randint(1, 3)):
            measure = Measure(device.name, conditions[condition](rng), user, condition)
            yield Step(rng.uniform(0.0, end_s), measure)


def _user(device: cast.Device, rng: random.Random) -> int | None:
    return rng.choice(device.users) if device.users else None


def _quiet(device: cast.Device, rng: random.Random) -> Figures:
    """Within every limit."""
    if device.name in (cast.CUFF, cast.CABLE_CUFF):
        return _pressure(rng.randint(105, 150), rng.randint(60, 88), rng.randint(50, 100))
    return (("value", rng.randint(80, 240)),)


def _pressure(systolic: int, diastolic: int, pulse: int) -> Figures:
    mean = diastolic + (systolic - diastolic) // 3
    return (("systolic", systolic), ("diastolic", diastolic), ("mean", mean), ("pulse", pulse))


# Figures that meet this condition of the standard programme (alerting/regimes.py), and no other of single readings.
GLUCOSE: Mapping[str, Callable[[random.Random], Figures]] = {
    "hypoglycaemia_level_2": lambda rng: (("value", rng.randint(30, 53)),),
    "hypoglycaemia_level_1": lambda rng: (("value", rng.randint(54, 69)),),
    "hyperglycaemia_urgent": lambda rng: (("value", rng.randint(301, 500)),),
    "hyperglycaemia_extreme": lambda _: (("value", 600),),
}
PRESSURES: Mapping[str, Callable[[random.Random], Figures]] = {
    "severe_hypertension_systolic": lambda rng: _pressure(rng.randint(180, 220), rng.randint(80, 110), 80),
    "severe_hypertension_diastolic": lambda rng: _pressure(rng.randint(145, 155), rng.randint(120, 128), 80),
    "hypotension_systolic": lambda rng: _pressure(rng.randint(80, 89), rng.randint(45, 55), 80),
    "severe_hypotension_systolic": lambda rng: _pressure(rng.randint(62, 79), rng.randint(35, 45), 80),
    "bradycardia": lambda rng: _pressure(120, 75, rng.randint(33, 39)),
    "tachycardia": lambda rng: _pressure(120, 75, rng.randint(111, 160)),
}
# The ingest opens a case of these at once. Of all others but one it starts a timer, and the jobs process, which is not
# part of a chaos run, opens the case when nobody has measured again; of hypoglycaemia_level_2 it does both.
OPENS_AT_ONCE = frozenset({"hypoglycaemia_level_2", "hyperglycaemia_extreme"})
STARTS_A_TIMER = frozenset({*GLUCOSE, *PRESSURES}) - {"hyperglycaemia_extreme"}
