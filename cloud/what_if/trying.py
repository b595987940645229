"""Trying a proposal on patients' stored readings: for the jobs process in slices, for the command all at once."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from alerting.comparison import compare
from alerting.proposals import ProposalRefused, changed, regime_of, with_prescribed
from alerting.rulesets import Programme
from cloud.db.connect import Connection
from cloud.plans.models import PatientRules
from cloud.plans.store import rules_of
from cloud.what_if import runs
from cloud.what_if.histories import histories_of
from cloud.what_if.models import Proposal, Result

# So many patients' histories are in memory at a time, and so many are between two looks at the clock.
AT_A_TIME = 5
AT_ONCE = timedelta()
# The other sees what is left when it has done its slice; this is for what it does not see any more.
WHERE_ANOTHER_IS_AT_IT = timedelta(seconds=5)

IN_FORCE = "rules in force"
PROPOSED = "proposal"


def rule_sets(rules: PatientRules, proposal: Proposal, *, of_one_patient: bool) -> tuple[Programme, Programme]:
    """What holds for a patient, and what would: as the replay takes them. ProposalRefused.

    A change of the programme leaves a doctor's own limits; a change for one patient replaces them, and nothing else.
    """
    programme = rules.programme
    if of_one_patient:
        limits = changed(rules.limits, proposal.limits)
    else:
        regime = regime_of(proposal.regimes or programme.regimes)
        limits = with_prescribed(changed(regime.limits, proposal.limits), rules.limits)
    closing = programme.automatic_closing if proposal.closing is None else frozenset(proposal.closing)
    return (
        Programme(
            name=IN_FORCE,
            limits=rules.limits,
            terms=programme.terms,
            closing=programme.automatic_closing,
            late_after=programme.late_after,
        ),
        Programme(
            name=PROPOSED,
            limits=limits,
            terms=programme.terms,
            closing=closing,
            late_after=programme.late_after,
        ),
    )


def tried(
    connection: Connection,
    patient_ids: Sequence[UUID],
    proposal: Proposal,
    at: datetime,
    days: int,
    result: Result,
    *,
    of_one_patient: bool,
) -> Iterator[Sequence[UUID]]:
    """Adds patient after patient to the result; gives those that are in it now, a few at a time. ProposalRefused."""
    for first in range(0, len(patient_ids), AT_A_TIME):
        few = patient_ids[first : first + AT_A_TIME]
        rules = rules_of(connection, few, at)
        for patient_id, history in histories_of(connection, few, at, days):
            in_force, proposed = rule_sets(rules[patient_id], proposal, of_one_patient=of_one_patient)
            result.add(patient_id, compare(in_force, proposed, [history]))
        yield few


def take_slice(connection: Connection, now: Callable[[], datetime], until: datetime) -> timedelta | None:
    """Goes on with one run until that time, in the caller's transaction; after how long to come again.

    None where nothing is left to do.

    Smallest first: a doctor's question about one patient does not wait for a whole programme. One slice at a time,
    whoever takes it: a process that dies in one has done nothing of it, and the next to come does it again.
    """
    if not runs.only_one(connection):
        return WHERE_ANOTHER_IS_AT_IT
    run = runs.next_run(connection)
    if run is None:
        return None
    waiting = runs.patients_of(connection, run)
    done, last = 0, run.last_patient
    try:
        for few in tried(
            connection,
            waiting,
            run.proposal,
            run.asked_at,
            run.days,
            run.result,
            of_one_patient=run.patient_id is not None,
        ):
            done, last = done + len(few), few[-1]
            if now() >= until:
                break
    except ProposalRefused as refused:
        runs.fail(connection, run, str(refused), now())
        return AT_ONCE
    runs.keep(
        connection,
        run,
        patients=run.done + len(waiting),
        done=run.done + done,
        last_patient=last,
        ended_at=now() if done == len(waiting) else None,
    )
    return AT_ONCE
