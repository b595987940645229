"""One judgement of the fleet: read, judge, write the difference, in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.reasons import SilenceStep
from alerting.technical.judge import judge
from alerting.technical.limits import DEFAULT_LIMITS, TechnicalLimits
from alerting.technical.own_side import own_side
from alerting.technical.silence import Cause, Silence
from cloud.alerts import missing
from cloud.db.components import forget_dead
from cloud.db.connect import Connection
from cloud.fleet import alarms, evidence, schedules
from cloud.fleet.schedules import Memory, Overdue

# A process that was killed and never came back, while others did its work for so long: it was moved.
FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a judgement found and did."""

    in_force: int
    raised: int
    changed: int
    resolved: int
    cases: int


def judge_fleet(
    connection: Connection,
    judging_since: datetime,
    now: datetime,
    limits: TechnicalLimits = DEFAULT_LIMITS,
    memory: Memory | None = None,
) -> Judged | None:
    """Bring technical alarms and the cases of missing measurements up to date. None: somebody else is at it.

    On an autocommit connection: it commits by itself. ``judging_since``: from when on a sign of life could be heard.
    ``memory`` is of former turns, and spares working out what cannot have changed.
    """
    with connection.transaction():
        if not alarms.only_one_judges(connection):
            return None
        forget_dead(connection, now - FORGOTTEN_AFTER, now - limits.component_silent)
        turn = schedules.turn(connection, memory if memory is not None else Memory(), now)
        # The first step is the patient's own: nobody asks for a cause yet.
        late = [one for one in turn.overdue if one.reason.step is not SilenceStep.REMIND_PATIENT]
        pairs = evidence.uses(connection, late, now)
        fleet = evidence.fleet(connection, judging_since, [use for _, use in pairs])
        known = alarms.open_alarms(connection)
        judgement = judge(fleet, known.values(), now, limits)
        found = alarms.difference(known, judgement.conditions)
        alarms.write(connection, found, now)
        # While nothing reaches us, everybody looks silent: nobody is reminded or called for that.
        hears = not own_side(fleet, now, limits).is_down
        if hears:
            schedules.record_steps(connection, turn.overdue, now)
        silences = [(one, silence) for (one, _), (_, silence) in zip(pairs, judgement.silences, strict=True)]
        cases = missing.file(connection, _to_be_called(late, silences) if hears else (), turn.measured, now)
    return Judged(
        in_force=len(judgement.conditions),
        raised=len(found.raised),
        changed=len(found.changed),
        resolved=len(found.resolved),
        cases=cases,
    )


def _to_be_called(late: Iterable[Overdue], silences: Sequence[tuple[Overdue, Silence]]) -> list[missing.Absent]:
    """Those whose last step is reached, and who measured with none of their devices; without a device nobody can."""
    has_device = {one.key for one, _ in silences}
    nobody = {one.key for one, silence in silences if silence.cause is Cause.NOBODY_MEASURED}
    return [
        missing.Absent(patient_id=one.patient_id, reason=one.reason)
        for one in late
        if one.reason.step is SilenceStep.CALL_PATIENT and (one.key in nobody or one.key not in has_device)
    ]
