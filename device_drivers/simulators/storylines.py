"""Named stories that a simulated device's memory tells: what a nurse sees when a patient is well, or is not.

A story is pure: the same name, profile, moment and seed give the same records. Figures are made up; each story has one
thing in it that a test or a demonstration can look for. Ages are true ages: a device that lost its clock shows others.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from device_drivers.simulators.spec import RecordSpec
from firmware_profiles.schema import Profile

# What the device shows once its battery has been changed and nobody has set the clock.
RESET_CLOCK = datetime(2010, 1, 1)  # noqa: DTZ001 - a device's wall clock has no zone
CLOCK_LOST_BEFORE = timedelta(days=2)

_DAYS = range(6, -1, -1)
_MG_PER_MMOL = Decimal("18.0182")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement of a story, at the home's wall-clock time; glucose in mg/dL, ketones in mmol/L.

    ``pressure`` is systolic, diastolic, pulse.
    """

    at: datetime
    glucose: int | str | None = None
    ketone: str | None = None
    pressure: tuple[int, int, int] | None = None
    flags: tuple[str, ...] = ()
    user: int = 1


@dataclass(frozen=True, slots=True)
class Scene:
    """What a story is told with: the home's wall clock now, and the chances of one seed."""

    now: datetime
    chance: random.Random
    profile: Profile

    def day(self, before: int, hour: int, minute: int = 0) -> datetime:
        """So many days ago at about this time of day, some minutes early or late."""
        day = datetime.combine(self.now.date() - timedelta(days=before), time(hour, minute))
        return day + timedelta(minutes=self.chance.randint(-12, 12), seconds=self.chance.randint(0, 59))

    def about(self, centre: int, spread: int = 8) -> int:
        """A figure near this one."""
        return self.chance.randint(centre - spread, centre + spread)


@dataclass(frozen=True, slots=True)
class Story:
    """Records for a device's specification; ``clock_skew_s`` is how far its clock is off because of the story."""

    records: tuple[RecordSpec, ...]
    clock_skew_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Storyline:
    """What a name tells, of which devices, and how; ``loses_clock`` resets the device's clock on the way."""

    about: str
    suits: Callable[[Profile], bool]
    tell: Callable[[Scene], Iterator[Measured]]
    loses_clock: bool = False


def tell(name: str, profile: Profile, local: datetime, seed: int = 0) -> Story:
    """A story for a device of this profile, up to the wall-clock time ``local`` (naive).

    ValueError where no storyline has this name, or such a device cannot tell it.
    """
    if (storyline := STORYLINES.get(name.replace("-", "_"))) is None:
        raise ValueError(f"no storyline is called {name!r}; known: {', '.join(STORYLINES)}")
    if not storyline.suits(profile):
        raise ValueError(f"{profile.id} cannot tell {name!r}; it can tell {', '.join(storylines_of(profile))}")
    scene = Scene(local, random.Random(f"{name} {seed}"), profile)  # noqa: S311 - figures, not secrets
    measured = sorted((each for each in storyline.tell(scene) if each.at <= local), key=lambda each: each.at)
    lost_at = local - CLOCK_LOST_BEFORE
    skew = RESET_CLOCK - lost_at if storyline.loses_clock else timedelta(0)
    return Story(
        tuple(
            _record(each, profile, local, still_right_by=-skew if each.at < lost_at else timedelta(0))
            for each in measured
        ),
        clock_skew_s=skew.total_seconds(),
    )


def storylines_of(profile: Profile) -> tuple[str, ...]:
    """The names of those that a device of this profile can tell."""
    return tuple(name for name, storyline in STORYLINES.items() if storyline.suits(profile))


def _record(measured: Measured, profile: Profile, local: datetime, still_right_by: timedelta) -> RecordSpec:
    age_s, clock_off_s = (local - measured.at).total_seconds(), still_right_by.total_seconds()
    if measured.pressure is not None:
        systolic, diastolic, pulse = measured.pressure
        return RecordSpec(
            age_s=age_s, clock_off_s=clock_off_s, flags=measured.flags, user=measured.user,
            systolic=systolic, diastolic=diastolic, mean=diastolic + (systolic - diastolic) // 3, pulse=pulse,
        )  # fmt: skip
    analyte, value = ("glucose", _glucose(measured.glucose, profile)) if measured.ketone is None else (
        "ketone", measured.ketone
    )  # fmt: skip
    return RecordSpec(age_s=age_s, clock_off_s=clock_off_s, flags=measured.flags, analyte=analyte, value=value)


def _glucose(figure: int | str | None, profile: Profile) -> str:
    """As the wire of this model says it."""
    if isinstance(figure, int) and profile.firmware.values.unit == "mmol/L":
        return str((figure / _MG_PER_MMOL).quantize(Decimal("0.1")))
    return str(figure)


# The stories ----------------------------------------------------------------------------------------------------------

_GLUCOSE_DAY = ((7, 105), (12, 118), (18, 124), (22, 132))
_PRESSURE_DAY = ((7, (128, 79, 66)), (20, (124, 77, 70)))


def _quiet_week(scene: Scene) -> Iterator[Measured]:
    for before in _DAYS:
        yield from _quiet_day(scene, before)


def _quiet_day(scene: Scene, before: int) -> Iterator[Measured]:
    if scene.profile.device.kind == "glucose":
        for hour, glucose in _GLUCOSE_DAY:
            yield Measured(scene.day(before, hour), glucose=scene.about(glucose, 14))
    else:
        for hour, pressure in _PRESSURE_DAY:
            yield Measured(scene.day(before, hour), pressure=_near(scene, pressure))


def _near(scene: Scene, pressure: tuple[int, int, int]) -> tuple[int, int, int]:
    systolic, diastolic, pulse = pressure
    return scene.about(systolic, 5), scene.about(diastolic, 4), scene.about(pulse, 6)


def _night_hypo(scene: Scene) -> Iterator[Measured]:
    for before in _DAYS[:-1]:
        yield from _quiet_day(scene, before)
    # The last night that is wholly over.
    night = scene.now - timedelta(hours=4)
    yield Measured(scene.day((scene.now.date() - night.date()).days + 1, 22, 30), glucose=scene.about(96, 6))
    start = scene.day((scene.now.date() - night.date()).days, 2, 50)
    for minutes, glucose in ((0, 58), (16, 51), (33, 63), (55, 88)):
        yield Measured(start + timedelta(minutes=minutes), glucose=scene.about(glucose, 2))


def _morning_surge(scene: Scene) -> Iterator[Measured]:
    for before in _DAYS:
        yield Measured(scene.day(before, 6, 30), pressure=_near(scene, (171, 102, 84)))
        yield Measured(scene.day(before, 12), pressure=_near(scene, (142, 86, 74)))
        yield Measured(scene.day(before, 21), pressure=_near(scene, (133, 80, 70)))


def _control_solution(scene: Scene) -> Iterator[Measured]:
    yield from _quiet_week(scene)
    yield Measured(scene.day(1, 10), glucose=scene.about(112, 4), flags=("control_solution",))
    yield Measured(scene.day(1, 10, 30), glucose=scene.about(304, 8), flags=("control_solution",))


def _hi_and_lo(scene: Scene) -> Iterator[Measured]:
    yield from _quiet_week(scene)
    yield Measured(scene.day(2, 15), glucose="HI")
    yield Measured(scene.day(2, 16), glucose=scene.about(410, 20))
    yield Measured(scene.day(1, 4), glucose="LO")
    yield Measured(scene.day(1, 5), glucose=scene.about(74, 4))


def _ketones(scene: Scene) -> Iterator[Measured]:
    yield from _quiet_week(scene)
    for hour, glucose, ketone in ((8, 312, "1.2"), (11, 356, "2.3"), (14, 298, "1.7"), (19, 214, "0.5")):
        at = scene.day(1, hour)
        yield Measured(at, glucose=scene.about(glucose, 9))
        yield Measured(at + timedelta(minutes=3), ketone=ketone)


def _irregular_pulse(scene: Scene) -> Iterator[Measured]:
    for before in _DAYS:
        yield Measured(scene.day(before, 8), pressure=_near(scene, (131, 80, 68)))
        irregular = before % 2 == 1
        pressure = _near(scene, (127, 78, 96 if irregular else 70))
        yield Measured(scene.day(before, 20), pressure=pressure, flags=("irregular_pulse",) if irregular else ())


def _two_users(scene: Scene) -> Iterator[Measured]:
    for before in _DAYS:
        yield Measured(scene.day(before, 7), pressure=_near(scene, (124, 77, 64)), user=1)
        yield Measured(scene.day(before, 7, 40), pressure=_near(scene, (152, 91, 81)), user=2)


def _any(_profile: Profile) -> bool:
    return True


def _meter(profile: Profile) -> bool:
    return profile.device.kind == "glucose"


def _ketone_meter(profile: Profile) -> bool:
    """A meter whose profile speaks of ketones."""
    knows = profile.firmware.values.ketone_high is not None
    return _meter(profile) and (knows or any("ketone" in quirk.name for quirk in profile.firmware.quirks))


def _cuff(profile: Profile) -> bool:
    return profile.device.kind == "blood_pressure"


def _shared_cuff(profile: Profile) -> bool:
    return _cuff(profile) and profile.device.users > 1


STORYLINES: dict[str, Storyline] = {
    "quiet_week": Storyline("seven days of ordinary figures", _any, _quiet_week),
    "night_hypo": Storyline("quiet days, then 50s mg/dL at three in the morning", _meter, _night_hypo),
    "morning_surge": Storyline("a week of high mornings and ordinary evenings", _cuff, _morning_surge),
    "lost_clock": Storyline(
        "a quiet week; two days ago the clock fell back to 2010", _any, _quiet_week, loses_clock=True
    ),
    "control_solution": Storyline("a quiet week with two control-solution tests", _meter, _control_solution),
    "hi_and_lo": Storyline("a quiet week with one HI and one LO", _meter, _hi_and_lo),
    "ketones": Storyline("a sick day: high glucose and ketones up to 2.3 mmol/L", _ketone_meter, _ketones),
    "irregular_pulse": Storyline("every other evening with an irregular pulse", _cuff, _irregular_pulse),
    "two_users": Storyline("two people share a cuff, forty minutes apart", _shared_cuff, _two_users),
}
