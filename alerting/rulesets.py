"""The rule sets that can be replayed: today's limits on single readings, and the rules of a programme.

Both call the rules as the cloud does; the replay brings no rules of its own.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import pairwise

import numpy as np

from alerting import pipeline
from alerting.adherence import Schedule, silence
from alerting.closing import CLASSES, NOT_CONFIRMED
from alerting.comparators import violates
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.limits import DEFAULT_LIMITS, AlarmLimit, Measure, Priority, Relation
from alerting.pipeline import Assessment, Finding
from alerting.reasons import Answer, SilenceStep
from alerting.regimes import Figure, Regime, RegimeLimit
from alerting.remeasure import Answering, Remeasure
from alerting.replay import Raised
from alerting.replayed import Timed, by_measure, figures_of, readings_of, sessions_of
from alerting.sessions import MeasurementSession
from alerting.tiers import TERMS, TIER_OF, Terms, Tier, in_time
from alerting.vigilance import watch
from alerting.windows import Times, aware
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity

SILENT = "no_measurement"
_AN_INSTANT = timedelta(microseconds=1)
_NEVER: Times = np.array([], dtype="datetime64[us]")
_OF_KIND: Mapping[Kind, Callable[[History], tuple[PressureSeries | GlucoseSeries, ...]]] = {
    Kind.BLOOD_PRESSURE: lambda history: history.pressure,
    Kind.GLUCOSE: lambda history: history.glucose,
    Kind.KETONE: lambda history: history.ketone,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleReadings:
    """Each reading on its own against a set of limits; nothing closes by itself."""

    name: str = "today's limits on single readings"
    limits: tuple[AlarmLimit, ...] = DEFAULT_LIMITS
    terms: Mapping[Tier, Terms] = field(default_factory=lambda: TERMS)

    def raised(self, history: History) -> list[Raised]:
        """An alert for each violated limit of each reading, in the order in which readings came."""
        found = []
        for reading, about, at in readings_of(history):
            for limit in _gravest(pipeline.quantities(reading), self.limits):
                tier = in_time(TIER_OF[limit.priority], age=at - about, late_after=pipeline.LATE_AFTER)
                found.append(Raised(condition=limit.condition, tier=tier, at=at, about=about))
        return sorted(found, key=lambda one: one.at)


_RANK = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


def _gravest(figures: Mapping[Measure, Quantity], limits: Sequence[AlarmLimit]) -> Iterable[AlarmLimit]:
    """The violated limits, the gravest only for each measure and direction."""
    found: dict[tuple[Measure, bool], AlarmLimit] = {}
    for limit in limits:
        if limit.measure in figures and violates(figures[limit.measure], limit):
            key = (limit.measure, limit.relation is Relation.BELOW)
            if key not in found or _RANK[limit.priority] < _RANK[found[key].priority]:
                found[key] = limit
    return found.values()


def every_reading_above_target(regime: Regime) -> SingleReadings:
    """Each reading against the limits of home averages, each sitting a case of its own: no averages, no rests."""
    targets = tuple(
        replace(limit, condition="above_home_limit", priority=Priority.MEDIUM)
        for limit in regime.limits
        if limit.figure is Figure.HOME_AVERAGE
    )
    return SingleReadings(name=f"every reading against the home limit of {regime.name}", limits=targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme's rules: sessions, measuring again, averages, silence; with what may close by itself.

    ``closing`` names the classes of cases that close by themselves; ``review_every`` is how often averages, trends and
    rhythm are looked at.
    """

    name: str
    limits: tuple[RegimeLimit, ...]
    terms: Mapping[Tier, Terms] = field(default_factory=lambda: TERMS)
    closing: frozenset[str] = CLASSES
    late_after: timedelta = pipeline.LATE_AFTER
    review_every: timedelta = timedelta(days=1)

    def raised(self, history: History) -> list[Raised]:
        """Everything that comes up, in order."""
        parts = (
            self._of_readings(history),
            self._of_sessions(history),
            _of_repetition(history, self.limits),
            _of_reviews(history, self.limits, self.review_every),
            _of_silence(history),
        )
        return sorted((one for part in parts for one in part), key=lambda one: one.at)

    def _of_readings(self, history: History) -> Iterator[Raised]:
        readings = figures_of(history)
        single = by_measure(readings)
        for figures, at, received_at in readings:
            assessed = pipeline.on_reading(figures, self.limits, at, received_at, self.late_after)
            yield from self._followed(history, assessed, received_at, single)

    def _of_sessions(self, history: History) -> Iterator[Raised]:
        sat = sorted(sessions_of(history), key=lambda one: one[0].started_at)
        means = by_measure([(session.figures, session.last_at, received_at) for session, received_at in sat])
        before: MeasurementSession | None = None
        for session, received_at in sat:
            assessed = pipeline.on_session(session, before, self.limits, received_at, self.late_after)
            yield from self._followed(history, assessed, max(received_at, session.closes_at), means)
            before = session

    def _followed(
        self, history: History, assessed: Assessment, at: datetime, series: dict[Measure, list[Timed]]
    ) -> Iterator[Raised]:
        """The findings now, and what becomes of the timers."""
        for finding in assessed.findings:
            yield _raised(finding, at)
        for timer in assessed.timers:
            yield from self._answered(history, timer, at, series.get(timer.limit.measure, []))

    def _answered(self, history: History, timer: Remeasure, at: datetime, series: list[Timed]) -> Iterator[Raised]:
        """The timer is looked at whenever an answer arrives, and when it is due."""
        first = bisect_right(series, timer.first_at, key=lambda one: one.at)
        later = [one for one in series[first : first + 12] if one.at <= timer.due]
        arrivals = {max(at, one.received_at) for one in later if one.received_at <= timer.due}
        for moment in sorted(arrivals | {max(at, timer.due)}):
            known = [Answering(figure=one.figure, at=one.at) for one in later if one.received_at <= moment]
            answer, finding = pipeline.on_timer(timer, known, moment)
            if finding is not None:
                yield _raised(finding, moment)
                return
            if answer is Answer.CLEARED:
                if timer.limit.confirm is not None and not timer.limit.confirm.at_once:  # else a nurse has the case
                    yield self._cleared(history, timer, moment)
                return

    def _cleared(self, history: History, timer: Remeasure, at: datetime) -> Raised:
        """Closed by itself where that is allowed; elsewhere, and in the heightened period, routine for a nurse."""
        condition = timer.limit.condition
        if NOT_CONFIRMED in self.closing and watch(history.heightened_until, at).may_close_automatically:
            return Raised(
                condition=condition, tier=None, at=at, about=timer.first_at, closed_as=f"{condition}, not confirmed"
            )
        return Raised(condition=condition, tier=Tier.ROUTINE, at=at, about=timer.first_at)


def programme(regime: Regime) -> Programme:
    """The regime's limits without any patient's own."""
    return Programme(name=f"programme {regime.name}", limits=regime.limits)


# What comes up ------------------------------------------------------------------------------------------------------


def _of_repetition(history: History, limits: Sequence[RegimeLimit]) -> Iterator[Raised]:
    """Asked only where a reading is beyond such a limit: any other repeats nothing."""
    repeats = [limit for limit in limits if limit.measure is Measure.GLUCOSE and limit.times > 1]
    for series in history.glucose:
        own, received = series.own, series.received[series.samples == 0]
        for n, value in enumerate(own.values.tolist()):
            if any(_beyond(value, limit, own.unit) for limit in repeats):
                at = aware(own.times[n])
                window = own.rows(slice(None, n + 1)).between(at - pipeline.GLUCOSE_LOOK_BACK, at + _AN_INSTANT)
                for finding in pipeline.on_glucose(window, repeats, at):
                    yield _raised(finding, aware(received[n]))


def _of_reviews(history: History, limits: Sequence[RegimeLimit], every: timedelta) -> Iterator[Raised]:
    """Each at six in the patient's morning."""
    at = datetime.combine(history.start.date(), time(6), tzinfo=history.start.tzinfo) + every
    while at <= history.end:
        for pressure in history.pressure:
            window = pressure.window.between(at - max(pipeline.PRESSURE_LOOK_BACK, pipeline.RHYTHM_LOOK_BACK), at)
            yesterday = (at.astimezone(history.start.tzinfo) - timedelta(days=1)).date()
            for finding in pipeline.daily_pressure(window, limits, yesterday, at):
                yield _raised(finding, at)
        for strips in history.glucose:
            for finding in pipeline.daily_glucose(strips.own.between(at - pipeline.GLUCOSE_LOOK_BACK, at), limits, at):
                yield _raised(finding, at)
        at += every


def _of_silence(history: History) -> Iterator[Raised]:
    """The nurse's step of each silence: the same shift in the heightened period, routine after it."""
    for schedule in history.schedules:
        series = _OF_KIND[schedule.kind](history)
        # Silence is what we have not heard.
        times = np.sort(np.concatenate([one.received for one in series])) if series else _NEVER
        heard = [schedule.since, *(aware(time) for time in times), history.end]
        for last, following in pairwise(heard):
            if following - last > timedelta(hours=24):
                yield from _silent(history, schedule, times, (last, min(following, history.end)))


def _silent(history: History, schedule: Schedule, times: Times, between: tuple[datetime, datetime]) -> Iterator[Raised]:
    at, until = between
    while at < until:
        found = silence(schedule, times, watch(history.heightened_until, at), at, timedelta(days=3))
        if found.reason is not None and found.reason.step is SilenceStep.CALL_PATIENT:
            tier = Tier.SAME_SHIFT if found.reason.heightened else Tier.ROUTINE
            yield Raised(condition=SILENT, tier=tier, at=at, about=found.reason.missed_since)
            return
        if found.next_at is None:
            return
        at = found.next_at


def _raised(finding: Finding, at: datetime) -> Raised:
    return Raised(condition=finding.condition, tier=finding.tier, at=at, about=finding.at)


def _beyond(value: float, limit: RegimeLimit, unit: Unit) -> bool:
    bound = limit.values.get(unit)
    if bound is None or limit.figure is not Figure.READING:
        return False
    return value < float(bound) if limit.relation is Relation.BELOW else value >= float(bound)
