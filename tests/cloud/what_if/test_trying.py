"""Runs as the jobs process does them: whom they are about, slice by slice, and what stops them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import psycopg
import pytest

from alerting.limits import Priority
from alerting.proposals import Change
from alerting.tiers import Tier
from cloud.config import JobsSettings
from cloud.db.connect import Connection, one, open_connection
from cloud.jobs.desk import Desk
from cloud.jobs.trying_limits import slice_of
from cloud.plans.store import set_limit
from cloud.what_if.models import Found, Proposal, Run, Totals
from cloud.what_if.trying import AT_A_TIME, AT_ONCE, WHERE_ANOTHER_IS_AT_IT, take_slice
from device_drivers.nomenclature import Unit
from tests.cloud.made import NOW, Ward, new_patient
from tests.cloud.what_if.made import low_mornings, store_glucose, store_pressure

LOWER = Proposal(limits=(Change(condition="hypoglycaemia_level_1", unit=Unit.MG_DL, value=Decimal(60)),))
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def jobs(ward: Ward) -> Iterator[Connection]:
    """A connection of the jobs process."""
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as connection:
        yield connection


@pytest.fixture
def desk(ward: Ward) -> Iterator[Desk]:
    """What jobs have at hand; the clock stands."""
    made = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
    made.pool.open()
    try:
        yield made
    finally:
        made.pool.close()


def care_for(ward: Ward, patient_id: UUID) -> None:
    """The nurse's."""
    ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, ward.nurse_id))


def ask(
    ward: Ward,
    proposal: Proposal = LOWER,
    *,
    programme_id: str | None = "standard",
    patient_id: UUID | None = None,
    at: datetime = NOW,
    days: int = 28,
) -> UUID:
    """As the console does."""
    row = ward.admin.execute(
        "INSERT INTO what_if_run (asked_by, asked_at, programme_id, patient_id, days, proposal)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING run_id",
        (ward.nurse_id, at, None if patient_id else programme_id, patient_id, days,
         msgspec.json.encode(proposal).decode()),
    ).fetchone()  # fmt: skip
    run_id: UUID = one(row)[0]
    return run_id


def run_of(ward: Ward, run_id: UUID) -> Run:
    """As it is stored."""
    with ward.admin.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        row = cursor.execute("SELECT * FROM what_if_run WHERE run_id = %s", (run_id,)).fetchone()
    assert row is not None
    return Run.of_row(row)


def do_all(jobs: Connection, until: datetime = LATER) -> int:
    """Slices until nothing is left; how many it took."""
    slices = 0
    while True:
        with jobs.transaction():
            if take_slice(jobs, lambda: NOW, until) is None:
                return slices
        slices += 1


def test_a_run_counts_both_rule_sets_over_the_patients_of_the_care_team(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    low_mornings(ward.admin, ward.patient_id)
    low_mornings(ward.admin, new_patient(ward.admin, "Not in care"))
    run_id = ask(ward)
    assert do_all(jobs) == 1
    run = run_of(ward, run_id)
    assert (run.state, run.patients, run.done, run.ended_at) == ("done", 1, 1, NOW)
    now, then = run.result.in_force, run.result.proposed
    assert (now.patient_days, now.readings) == (28, 30)
    assert now.by_tier[Tier.SAME_SHIFT] == 10
    assert Tier.SAME_SHIFT not in then.by_tier
    # That they repeat, and the risk index, is looked at in either case: these limits were not changed.
    assert now.by_tier[Tier.ROUTINE] == then.by_tier[Tier.ROUTINE] == 2
    assert (run.result.urgent, run.result.missed) == (0, 0)


def test_patients_and_days_before_an_activation_are_in_no_figure(ward: Ward, jobs: Connection) -> None:
    on_the_way = new_patient(ward.admin, "On the way")
    for patient_id, activated in ((ward.patient_id, NOW - timedelta(days=10)), (on_the_way, None)):
        care_for(ward, patient_id)
        low_mornings(ward.admin, patient_id)
        ward.admin.execute(
            "INSERT INTO participation (patient_id, begun_at, activated_at) VALUES (%s, %s, %s)",
            (patient_id, NOW - timedelta(days=30), activated),
        )
    run_id = ask(ward)
    do_all(jobs)
    run = run_of(ward, run_id)
    now = run.result.in_force
    # Ten evenings, and the low mornings of every other of them.
    assert (run.patients, now.patient_days, now.readings, now.by_tier[Tier.SAME_SHIFT]) == (1, 10, 15, 5)


def test_an_urgent_case_that_would_be_missed_is_named_with_its_readings(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    store_glucose(ward.admin, ward.patient_id, NOW - timedelta(days=3), 50)
    low = tuple(
        Change(condition=condition, unit=Unit.MG_DL, value=Decimal(45))
        for condition in ("hypoglycaemia_level_1", "hypoglycaemia_level_2")
    )
    run_id = ask(ward, Proposal(limits=low))
    do_all(jobs)
    result = run_of(ward, run_id).result
    assert (result.urgent, result.missed, result.later, result.calmer) == (1, 1, 0, 0)
    [found] = result.found
    assert found == Found(
        patient_id=ward.patient_id,
        condition="hypoglycaemia_level_2",
        tier=Tier.EMERGENCY,
        opened_at=NOW - timedelta(days=3) + timedelta(seconds=30),
        about=(NOW - timedelta(days=3), NOW - timedelta(days=3)),
    )


def test_a_programmes_change_leaves_a_doctors_limit_and_a_patients_change_does_not(
    ward: Ward, jobs: Connection
) -> None:
    care_for(ward, ward.patient_id)
    low_mornings(ward.admin, ward.patient_id)
    set_limit(
        ward.admin, patient_id=ward.patient_id, condition="hypoglycaemia_level_1", unit=Unit.MG_DL,
        value=Decimal(80), priority=Priority.HIGH, reason="unaware", set_by=ward.nurse_id, at=NOW - timedelta(days=60),
    )  # fmt: skip
    of_programme, of_patient = ask(ward), ask(ward, patient_id=ward.patient_id)
    do_all(jobs)
    unchanged = run_of(ward, of_programme).result
    assert unchanged.proposed == unchanged.in_force
    changed = run_of(ward, of_patient).result
    assert changed.in_force.by_tier[Tier.URGENT] == 10
    assert Tier.URGENT not in changed.proposed.by_tier
    assert changed.missed == 10


def test_a_run_goes_on_where_the_slice_before_ended(ward: Ward, jobs: Connection) -> None:
    patients = [new_patient(ward.admin, f"Patient {n}") for n in range(2 * AT_A_TIME + 1)]
    for patient_id in patients:
        care_for(ward, patient_id)
        store_glucose(ward.admin, patient_id, NOW - timedelta(days=1), 62)
    run_id = ask(ward)
    with jobs.transaction():
        assert take_slice(jobs, lambda: NOW, NOW) == AT_ONCE
    run = run_of(ward, run_id)
    assert (run.state, run.patients, run.done, run.percent) == ("running", len(patients), AT_A_TIME, 45)
    assert do_all(jobs, until=NOW) == 2
    run = run_of(ward, run_id)
    assert (run.state, run.done, run.result.in_force.readings) == ("done", len(patients), len(patients))


def test_a_slice_that_dies_has_done_nothing(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    run_id = ask(ward)

    def dies() -> None:
        with jobs.transaction():
            take_slice(jobs, lambda: NOW, LATER)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dies()
    assert run_of(ward, run_id).state == "waiting"
    do_all(jobs)
    assert run_of(ward, run_id).done == 1


def test_two_processes_never_take_the_same_slice(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    run_id = ask(ward)
    with open_connection(ward.database.jobs_url, "other jobs", autocommit=True) as other, jobs.transaction():
        take_slice(jobs, lambda: NOW, LATER)
        with other.transaction():
            assert take_slice(other, lambda: NOW, LATER) == WHERE_ANOTHER_IS_AT_IT
    assert run_of(ward, run_id).done == 1


def test_a_run_that_is_cancelled_in_the_middle_of_a_slice_stays_cancelled(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    run_id = ask(ward)

    def cancelled_meanwhile() -> datetime:
        ward.admin.execute("UPDATE what_if_run SET state = 'cancelled', ended_at = %s WHERE run_id = %s", (NOW, run_id))
        return NOW

    with jobs.transaction():
        assert take_slice(jobs, cancelled_meanwhile, LATER) == AT_ONCE
    assert (run_of(ward, run_id).state, run_of(ward, run_id).done) == ("cancelled", 0)
    assert do_all(jobs) == 0


def test_one_patient_does_not_wait_for_a_whole_programme(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    whole = ask(ward, at=NOW - timedelta(hours=1))
    single = ask(ward, patient_id=ward.patient_id)
    with jobs.transaction():
        take_slice(jobs, lambda: NOW, NOW)
    assert (run_of(ward, single).state, run_of(ward, whole).state) == ("done", "waiting")


def test_whoever_leaves_the_care_team_is_not_looked_at_any_more(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    run_id = ask(ward)
    ward.admin.execute("UPDATE care_team SET until = now() - interval '1 hour', since = now() - interval '2 hours'")
    do_all(jobs)
    assert run_of(ward, run_id).patients == 0


def test_a_proposal_that_does_not_fit_fails_with_its_reason(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    run_id = ask(ward, Proposal(limits=(Change(condition="ennui", unit=Unit.MG_DL, value=Decimal(1)),)))
    do_all(jobs)
    run = run_of(ward, run_id)
    assert (run.state, run.ended_at) == ("failed", NOW)
    assert "no condition 'ennui'" in (run.error or "")


def test_a_defect_fails_its_own_run_and_the_next_goes_on(ward: Ward, desk: Desk) -> None:
    care_for(ward, ward.patient_id)
    store_pressure(ward.admin, ward.patient_id, NOW - timedelta(days=1), 120, unit="cubits")
    broken = ask(ward, at=NOW - timedelta(minutes=1))
    assert slice_of(desk) == AT_ONCE
    ward.admin.execute("DELETE FROM blood_pressure_observation")
    following = ask(ward)
    assert slice_of(desk) == AT_ONCE
    assert slice_of(desk) is None
    assert [run_of(ward, run_id).state for run_id in (broken, following)] == ["failed", "done"]
    assert "cubits" not in (run_of(ward, broken).error or "")


def test_what_the_programme_closes_by_itself_can_be_tried(ward: Ward, jobs: Connection) -> None:
    care_for(ward, ward.patient_id)
    at = NOW - timedelta(days=2)
    for minutes, systolic in ((0, 195), (4, 130), (6, 128)):
        store_pressure(ward.admin, ward.patient_id, at + timedelta(minutes=minutes), systolic)
    run_id = ask(ward, Proposal(closing=("not_confirmed",)))
    do_all(jobs)
    result = run_of(ward, run_id).result
    assert result.in_force.automatic == 0
    assert result.proposed.closed == {"severe_hypertension_systolic, not confirmed": 1}
    assert result.proposed.manual < result.in_force.manual


def test_the_console_cannot_write_a_result_and_the_jobs_process_cannot_ask(ward: Ward, jobs: Connection) -> None:
    with open_connection(ward.database.console_url, "test console", autocommit=True) as console:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            console.execute("UPDATE what_if_run SET result = '{}'")
        console.execute("SELECT try_limits()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        jobs.execute("INSERT INTO what_if_run (asked_by, asked_at, days, proposal) VALUES (NULL, now(), 1, '{}')")
    assert ward.rows("SELECT task_name, status::text FROM procrastinate_jobs") == [("try_limits", "todo")]


def test_totals_add_up() -> None:
    totals = Totals(patient_days=10, by_tier={Tier.URGENT: 2, Tier.ROUTINE: 1}, closed={"calm": 3})
    assert (totals.manual, totals.automatic, totals.minutes) == (3, 3, 35)
    outcome = totals.outcome("now")
    assert (outcome.manual_per_patient_day, outcome.share_closed_automatically) == (0.3, 0.5)
