"""What was made against what the database holds: what was lost, doubled, misattributed, misdated, and which cases.

Pure. A row is matched to its measurement by what the device said: its figures, its user, and its own clock. Where two
measurements are alike in all three, each row may stand for either.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from deploy.chaos.plan import OPENS_AT_ONCE, STARTS_A_TIMER, Figures
from deploy.chaos.truth import Alerted, Case, Found, Held, Jump, Made, Stored, Timed, Truth

# What opens a case also while it waits for "was it you?", and starts no timer then (alerting.pipeline.on_doubted).
GRAVE = frozenset({"severe_hypertension_systolic", "severe_hypertension_diastolic", "severe_hypotension_systolic"})
# What may lie between the answer of a device's clock and the gateway's look at its own, on a machine that is busy.
SLACK = timedelta(seconds=5)
# Between the moment that an order's answer names and the device's look at its clock.
ORDERED_WITHIN = timedelta(seconds=1)
MINUTE_S = 60
# What a gateway's wrong clock may rightly do to a reading.
OF_A_CLOCK = frozenset({"unknown_timeline", "impossible_time"})

Key = tuple[str, int | None, Figures]
EpisodeKey = tuple[int, str, str]
"""Round, patient, condition."""


@dataclass(slots=True)
class Verdict:
    """The counts of the result, and for each thing that is wrong a sentence with its ids."""

    made: int = 0
    stored: int = 0
    lost: int = 0
    doubled: int = 0
    misattributed: int = 0
    misdated: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)  # by reason, where a wrong clock explains it
    cases_expected: int = 0
    cases_opened: int = 0
    timers_expected: int = 0
    timers_started: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(truth: Truth, found: Found, resolution_s: Mapping[str, int]) -> Verdict:
    """Everything that is wrong; nothing is, where ``wrong`` is empty. ``resolution_s``: of each device's clock."""
    verdict = Verdict(made=len(truth.made), stored=len(found.stored))
    pairs, lost, unclaimed = _paired(truth.made, [*found.stored, *found.held], resolution_s)
    verdict.lost, verdict.doubled = len(lost), len(unclaimed)
    verdict.wrong += [f"lost: {_named(made)}" for made in lost]
    verdict.wrong += [
        f"doubled: {_row(row)} stands for no measurement, or for one that has its row" for row in unclaimed
    ]
    stored = list[tuple[Made, Stored]]()
    for made, row in pairs:
        if isinstance(row, Stored):
            stored.append((made, row))
            _compare(made, row, resolution_s[made.device], verdict)
        else:
            _judge_held(made, row, truth.jumps, verdict)
    _judge_cases(stored, found.alerts, found.cases, verdict)
    _judge_timers(stored, found.timers, verdict)
    return verdict


def _paired(
    made: Iterable[Made], rows: Iterable[Stored | Held], resolution_s: Mapping[str, int]
) -> tuple[list[tuple[Made, Stored | Held]], list[Made], list[Stored | Held]]:
    """Each measurement with its row; measurements without one; rows that nobody claims."""
    waiting: dict[Key, list[Stored | Held]] = defaultdict(list)
    for row in rows:
        waiting[row.device, row.user, row.figures].append(row)
    pairs, left = list[tuple[Made, Stored | Held]](), sorted(made, key=lambda each: each.at)
    # What fits exactly goes first: near the turn of a second two rows may fit one measurement.
    for within in (timedelta(0), ORDERED_WITHIN):
        unpaired = list[Made]()
        for each in left:
            candidates = waiting[each.device, each.user, figures_of(each.figures)]
            found = next((row for row in candidates if _fits(row, each, resolution_s[each.device], within)), None)
            if found is None:
                unpaired.append(each)
            else:
                candidates.remove(found)
                pairs.append((each, found))
        left = unpaired
    return pairs, left, [row for rows_left in waiting.values() for row in rows_left]


def figures_of(figures: Figures) -> Figures:
    """The figures that every device and every table has: not the mean pressure."""
    return tuple((name, value) for name, value in figures if name != "mean")


def _fits(row: Stored | Held, made: Made, resolution_s: int, within: timedelta) -> bool:
    """Whether the row says what the device's clock showed, cut to its resolution, or at most so much later."""
    if row.reported is None:
        return False
    shown = made.shown.replace(microsecond=0, second=made.shown.second if resolution_s < MINUTE_S else 0)
    latest = made.shown + within
    return shown <= row.reported <= max(latest, shown)


def _judge_held(made: Made, held: Held, jumps: Sequence[Jump], verdict: Verdict) -> None:
    if held.reason in OF_A_CLOCK and any(jump.touches(held.read_at) for jump in jumps):
        verdict.quarantined[held.reason] = verdict.quarantined.get(held.reason, 0) + 1
    else:
        verdict.wrong.append(f"quarantined without need: {_named(made)} as {_row(held)}")


def _compare(made: Made, row: Stored, resolution_s: int, verdict: Verdict) -> None:
    if row.patient != made.patient:
        verdict.misattributed += 1
        verdict.wrong.append(f"misattributed: {_named(made)} of {made.patient} as {_row(row)} of {row.patient}")
    if abs(row.effective - made.at) > timedelta(seconds=resolution_s) + SLACK:
        verdict.misdated += 1
        verdict.wrong.append(
            f"misdated: {_named(made)} as {_row(row)}, {(row.effective - made.at).total_seconds()} s off"
        )


def _judge_cases(
    pairs: Iterable[tuple[Made, Stored]], alerts: Iterable[Alerted], cases: Sequence[Case], verdict: Verdict
) -> None:
    case_of = {(alert.reading_id, alert.condition): alert.case_id for alert in alerts}
    episodes: dict[EpisodeKey, list[str | None]] = defaultdict(list)
    for made, row in pairs:
        at_once = GRAVE if row.doubted else OPENS_AT_ONCE
        if made.condition in at_once:
            key = (made.round, made.patient, made.condition)
            episodes[key].append(case_of.get((row.reading_id, made.condition)))
            if episodes[key][-1] is None:
                verdict.wrong.append(f"no alert: {_named(made)} as {_row(row)} meets {made.condition}")
    verdict.cases_expected, verdict.cases_opened = len(episodes), len(cases)
    owners: dict[str, EpisodeKey] = {}
    for key, found in episodes.items():
        different = {case_id for case_id in found if case_id is not None}
        if len(different) != 1:
            verdict.wrong.append(f"cases of the episode {key}: {sorted(different)}, not exactly one")
        for case_id in different:
            if owners.setdefault(case_id, key) != key:
                verdict.wrong.append(f"case {case_id} is of two episodes: {owners[case_id]} and {key}")
    verdict.wrong += [
        f"case {case.case_id} ({case.patient}, {case.condition}) is of no episode"
        for case in cases
        if case.case_id not in owners
    ]


def _judge_timers(pairs: Iterable[tuple[Made, Stored]], timers: Sequence[Timed], verdict: Verdict) -> None:
    expected = {
        (row.reading_id, made.condition): made
        for made, row in pairs
        if made.condition in STARTS_A_TIMER and not row.doubted
    }
    started = Counter((timer.reading_id, timer.condition) for timer in timers)
    verdict.timers_expected, verdict.timers_started = len(expected), started.total()
    verdict.wrong += [
        f"no timer: {_named(made)} meets {made.condition}" for key, made in expected.items() if key not in started
    ]
    verdict.wrong += [
        f"timer of {reading_id} ({condition}): {count}, but none is needed"
        if (reading_id, condition) not in expected
        else f"timer of {reading_id} ({condition}): {count}, not one"
        for (reading_id, condition), count in started.items()
        if count > 1 or (reading_id, condition) not in expected
    ]


def _named(made: Made) -> str:
    return f"{made.id} ({made.device}, measured {made.at:%H:%M:%S.%f})"


def _row(row: Stored | Held) -> str:
    if isinstance(row, Held):
        return f"{row.reading_id} (in quarantine, {row.reason}; {row.device}, reported {row.reported})"
    return f"{row.reading_id} ({row.device}, effective {row.effective:%Y-%m-%d %H:%M:%S.%f})"
