"""What new observations say at once, and the cases that findings open or join."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid4

from alerting.closing import REST, rested
from alerting.pipeline import on_doubted, on_reading, quantities
from alerting.quiet import Quiet, is_quiet, quiet
from alerting.reasons import HeldReason, UnfamiliarReason
from alerting.regimes import Figure
from alerting.sessions import SESSION_GAP
from alerting.tiers import Tier, graver
from cloud.alerts import due, store
from cloud.alerts.due import Due, Timer, What
from cloud.alerts.models import Doubted, Episode, Key, PatientFinding, closed_at_once, continued, opened
from cloud.alerts.store import Identity, StoredEvent
from cloud.db.connect import Connection
from cloud.observations.models import Observation
from cloud.plans.models import PatientRules
from cloud.plans.store import held_for
from device_drivers.readings import Kind, Sample

# What is assessed later because of a reading of this kind: sessions once they close, repetition at once.
_LATER: Mapping[Kind, What] = {Kind.BLOOD_PRESSURE: What.PRESSURE, Kind.GLUCOSE: What.GLUCOSE}
# Nobody is to wait with these for an answer to "was it you?".
_CANNOT_WAIT = frozenset({Tier.EMERGENCY, Tier.URGENT})


def evaluate(
    connection: Connection, observations: Sequence[Observation], at: datetime, doubted: Sequence[Doubted] = ()
) -> Sequence[StoredEvent]:
    """What these observations say on their own, in cases; and what must be assessed later. The caller commits.

    Of a patient whom nobody watches, and of what was measured before somebody did, they say nothing.
    Gives the events of the cases for the live stream. Idempotent: a finding that is known is not filed again. What is
    ``doubted`` waits for an answer, unless it is so grave that waiting for one is no safe choice.
    """
    own, unsure = _by_patient(observations), _by_patient(one.observation for one in doubted)
    if not own and not unsure:
        return ()
    rules, watched_from = held_for(connection, {*own, *unsure}, at)
    own, unsure = _watched(own, watched_from), _watched(unsure, watched_from)
    found, timers = _assessed(own, rules)
    doubts = {one.observation.reading.reading_id: one.doubt for one in doubted}
    found += [finding for patient_id, of in unsure.items() for finding in _grave(of, doubts, rules[patient_id])]
    # Before the cases: everybody takes these locks in this order.
    due.start(connection, timers)
    due.ask(connection, _later(own, at), {timer.patient_id for timer in timers}, own, at)
    return file_findings(connection, found, at)


def file_findings(connection: Connection, found: Sequence[PatientFinding], at: datetime) -> Sequence[StoredEvent]:
    """Put findings into the open case of their patient and condition, opening it where there is none."""
    waiting: dict[Key, list[PatientFinding]] = defaultdict(list)
    for one in sorted(found, key=lambda f: f.finding.at):
        waiting[one.key].append(one)
    events: list[StoredEvent] = []
    while waiting:
        joined = _continue_open(connection, waiting, at)
        # Opening may lose against another worker, whose case is then found open by the next round.
        new, done = _open_missing(connection, {k: v for k, v in waiting.items() if k not in joined}, at)
        changed = [episode for episode in joined.values() if episode.events]
        store.update_cases(connection, changed, at)
        events += store.record(connection, [*changed, *new], at)
        for key in (*joined, *done):
            del waiting[key]
    return events


# Rules that patients share outlive a batch (``cloud.plans.rules``): what is worked out of them does, too. A patient
# with limits of their own has an object of their own each time, so room is made.
_QUIET: dict[int, tuple[PatientRules, Quiet]] = {}
_QUIET_KEPT = 256


def _quiet(rules: PatientRules) -> Quiet:
    kept = _QUIET.get(id(rules))
    if kept is None:
        if len(_QUIET) >= _QUIET_KEPT:
            _QUIET.clear()
        single = [limit for limit in rules.limits if limit.figure is Figure.READING and limit.times == 1]
        kept = _QUIET[id(rules)] = (rules, quiet(single))
    return kept[1]


def _by_patient(observations: Iterable[Observation]) -> dict[UUID, list[Observation]]:
    """The patients' own samples. Those of a message come together, and have one patient: a UUID is slow to hash."""
    found: dict[UUID, list[Observation]] = {}
    patient_id, mine = None, list[Observation]()
    for observation in observations:
        if observation.reading.sample is not Sample.PATIENT:
            continue
        if observation.patient_id is not patient_id:
            patient_id = observation.patient_id
            mine = found.setdefault(patient_id, [])
        mine.append(observation)
    return found


def _watched(
    own: dict[UUID, list[Observation]], watched_from: Mapping[UUID, datetime]
) -> dict[UUID, list[Observation]]:
    """Without what was measured while nobody watched; who never needed to be activated is in no ``watched_from``."""
    if not watched_from:
        return own
    kept: dict[UUID, list[Observation]] = {}
    for patient_id, mine in own.items():
        since = watched_from.get(patient_id)
        counting = mine if since is None else [o for o in mine if o.effective_time >= since]
        if counting:
            kept[patient_id] = counting
    return kept


def _assessed(
    own: Mapping[UUID, Iterable[Observation]], rules: Mapping[UUID, PatientRules]
) -> tuple[list[PatientFinding], list[Timer]]:
    found: list[PatientFinding] = []
    timers: list[Timer] = []
    for patient_id, observations in own.items():
        of = rules[patient_id]
        between = _quiet(of)
        for observation in observations:
            reading = observation.reading
            if is_quiet(reading, between):
                continue
            said = on_reading(
                quantities(reading),
                of.limits,
                observation.effective_time,
                observation.received_at,
                of.programme.late_after,
            )
            reading_id = reading.reading_id
            found += [
                PatientFinding(patient_id=patient_id, finding=finding, terms=of.programme.terms, reading_id=reading_id)
                for finding in said.findings
            ]
            timers += [Timer(patient_id=patient_id, reading_id=reading_id, remeasure=timer) for timer in said.timers]
    return found, timers


def _grave(
    observations: Iterable[Observation], doubts: Mapping[str, UnfamiliarReason], of: PatientRules
) -> Iterator[PatientFinding]:
    """What of doubted readings cannot wait: emergencies and what is urgent, with the question in the reason."""
    for observation in observations:
        reading = observation.reading
        doubt = doubts[reading.reading_id]
        for finding in on_doubted(
            quantities(reading),
            doubt,
            of.limits,
            observation.effective_time,
            observation.received_at,
            of.programme.late_after,
        ):
            if finding.tier in _CANNOT_WAIT:
                asking = HeldReason(finding=finding.reason, doubt=doubt)
                yield PatientFinding(
                    patient_id=observation.patient_id,
                    finding=replace(finding, reason=asking),
                    terms=of.programme.terms,
                    reading_id=reading.reading_id,
                )


def _later(own: Mapping[UUID, Sequence[Observation]], at: datetime) -> list[Due]:
    """One for each patient and kind: since when there is something new, and when its oldest session is closed."""
    asked = []
    for patient_id, observations in own.items():
        for kind, what in _LATER.items():
            new = [o for o in observations if o.reading.kind is kind]
            if not new:
                continue
            since = min([o.effective_time for o in new])
            asked.append(
                Due(
                    patient_id=patient_id,
                    what=what,
                    due_at=max(at, since + SESSION_GAP) if what is What.PRESSURE else at,
                    since=since,
                    heard_since=min([o.received_at for o in new]),
                )
            )
    return asked


def _continue_open(
    connection: Connection, waiting: Mapping[Key, Sequence[PatientFinding]], at: datetime
) -> dict[Key, Episode]:
    cases = store.lock_open_cases(connection, waiting)
    if not cases:
        return {}
    known = store.known(connection, [found for key in cases for found in waiting[key]])
    return {
        key: continued(Episode(case=case, events=(), speaks=None), _fresh(waiting[key], known), at)
        for key, case in cases.items()
    }


def _open_missing(
    connection: Connection, missing: Mapping[Key, Sequence[PatientFinding]], at: datetime
) -> tuple[list[Episode], Collection[Key]]:
    """The episodes that are new, and the keys with which nothing is left to do."""
    if not missing:
        return [], ()
    known = store.known(connection, [found for of in missing.values() for found in of])
    fresh = {key: _fresh(of, known) for key, of in missing.items()}
    wanted = _not_resting(connection, {key: of for key, of in fresh.items() if of}, at)
    made: list[Episode] = []
    for of in wanted.values():
        asking = [found for found in of if found.closes_as is None]
        if asking:
            made.append(continued(opened(uuid4(), asking[0], at), [f for f in of if f is not asking[0]], at))
        else:
            made += [closed_at_once(uuid4(), found, at) for found in of]
    won = store.open_cases(connection, made, at)
    new = [episode for episode in made if episode.case.case_id in won]
    lost = {episode.events[0].cause.key for episode in made if episode.case.case_id not in won}
    return new, [key for key in missing if key not in lost]


def _fresh(found: Iterable[PatientFinding], known: Mapping[Identity, Tier]) -> list[PatientFinding]:
    """Without what is written down already, at this tier or a graver one; each once."""
    seen = dict(known)
    fresh = []
    for one in found:
        key = store.identity(one)
        if key not in seen or graver(seen[key], one.tier) is not seen[key]:
            fresh.append(one)
            seen[key] = one.tier
    return fresh


def _not_resting(
    connection: Connection, fresh: Mapping[Key, list[PatientFinding]], at: datetime
) -> dict[Key, list[PatientFinding]]:
    """Without what a person has dealt with lately: such a trend stays true for weeks."""
    may_rest = [key for key, of in fresh.items() if any(_may_rest(found) for found in of)]
    closed = store.last_closed(connection, may_rest)
    awake = {
        key: [
            found
            for found in of
            if not _may_rest(found) or (last := closed.get(key)) is None or rested(last.at, last.tier, found.tier, at)
        ]
        for key, of in fresh.items()
    }
    return {key: of for key, of in awake.items() if of}


def _may_rest(found: PatientFinding) -> bool:
    return found.rests and found.closes_as is None and bool(REST[found.tier])
