"""What happens to patients whatever they measure: crises, spells, silences, and readings that come late."""

from datetime import UTC, datetime, time, timedelta

import numpy as np

from alerting.adherence import Schedule, Slot
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.synthetic.assumptions import LATE_SHARE, OUTAGES_A_YEAR, WORSENING_MMHG
from alerting.synthetic.calendars import Calendar
from alerting.synthetic.truth import Crisis, CrisisKind, Spell
from alerting.vigilance import HEIGHTENED_FOR
from alerting.windows import Column, Flags, Times
from device_drivers.readings import Kind


def reaches_us(rng: np.random.Generator, over: Calendar, times: Times) -> Times:
    """Half a minute as a rule; hours where it was left for later; at an outage's end."""
    delay = rng.exponential(20, len(times)) + 5
    late = rng.random(len(times)) < LATE_SHARE
    delay[late] = rng.uniform(7, 72, int(late.sum())) * 3600
    received: Times = times + (delay * 1e6).astype(np.int64).astype("timedelta64[us]")
    for start in times_in_year(rng, OUTAGES_A_YEAR, over):
        end = start + (rng.uniform(4, 60) * 3600e6 * np.ones(1)).astype(np.int64).astype("timedelta64[us]")[0]
        held = (times >= start) & (times < end)
        received[held] = np.maximum(received[held], end)
    return received


def times_in_year(rng: np.random.Generator, a_year: float, over: Calendar) -> Times:
    """Poisson, awake hours, ascending."""
    count = int(rng.poisson(a_year * over.days / 365))
    return np.sort(over.utc(rng.integers(0, over.days, count), rng.uniform(7 * 60, 22 * 60, count)))


def spells(rng: np.random.Generator, a_year: float, length: tuple[int, int], days: int) -> list[tuple[int, int]]:
    """First day and the day after the last, in order, not overlapping."""
    found: list[tuple[int, int]] = []
    for start in sorted(rng.integers(0, days, int(rng.poisson(a_year * days / 365)))):
        end = int(start) + int(rng.integers(length[0], length[1] + 1))
        if not found or start > found[-1][1] + length[1]:
            found.append((int(start), min(end, days)))
    return found


def days_of(spells: list[tuple[int, int]], days: int) -> Flags:
    mask = np.zeros(days + 1, dtype=np.bool_)
    for start, end in spells:
        mask[start:end] = True
    return mask


def worsening_of(spells: list[tuple[int, int]], days: int) -> Column:
    """Rising over three days, then held."""
    found = np.zeros(days)
    for start, end in spells:
        found[start:end] = WORSENING_MMHG * np.minimum(1, np.arange(1, end - start + 1) / 3)
    return found


def apart_from(times: Times, is_crisis: Flags) -> Flags:
    keep = np.ones(len(times), dtype=np.bool_)
    for n in np.flatnonzero(is_crisis):
        keep &= (np.abs(times - times[n]) > np.timedelta64(30, "m")) | (np.arange(len(times)) == n)
    return keep


def crisis_of(kind: CrisisKind, at: Times, received: Times) -> Crisis:
    return Crisis(
        kind=kind,
        at=_aware(at[0]),
        last_at=_aware(at[-1]),
        measured_again=len(at) > 1,
        received_at=_aware(received[0]),
    )


def spell_of(spell: tuple[int, int], over: Calendar) -> Spell:
    first = datetime.combine(over.start, time(), tzinfo=over.zone)
    return Spell(start=first + timedelta(days=spell[0]), end=first + timedelta(days=spell[1]))


def history_of(over: Calendar, schedule: Schedule, series: PressureSeries | GlucoseSeries) -> History:
    return History(
        start=schedule.since,
        days=over.days,
        pressure=(series,) if isinstance(series, PressureSeries) else (),
        glucose=(series,) if isinstance(series, GlucoseSeries) else (),
        schedules=(schedule,),
        heightened_until=schedule.since + HEIGHTENED_FOR,
    )


def schedule_of(kind: Kind, over: Calendar, slots: tuple[Slot, ...]) -> Schedule:
    return Schedule(
        kind=kind, zone=over.zone, slots=slots, since=datetime.combine(over.start, time(), tzinfo=over.zone)
    )


def clock(minute: float) -> time:
    return time(int(minute) // 60, int(minute) % 60)


def _aware(at: np.datetime64) -> datetime:
    found: datetime = at.astype("datetime64[us]").item()
    return found.replace(tzinfo=UTC)
