"""A case on its way along the duty roster, with the real jobs process and promises of seconds; killed in between."""

import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from alerting.tiers import Tier
from cloud.clock import now
from tests.cloud.escalation.made import Clinic, acknowledge, made_clinic, shift
from tests.cloud.jobs.test_worker import PATIENCE_S, Jobs, jobs, until
from tests.cloud.made import Ward

PROMISES = """
INSERT INTO programme_terms (programme_id, tier, acknowledge_within, contact_within, escalate_after, lease)
VALUES ('standard', 'urgent', %s, '1 hour', %s, '1 hour')
"""


def promise(ward: Ward, acknowledge_within: timedelta, escalate_after: timedelta) -> None:
    """The programme's own promises for urgent cases."""
    ward.admin.execute(PROMISES, (acknowledge_within, escalate_after))


def on_duty(clinic: Clinic) -> None:
    """All three, around the clock."""
    for role, person in (("nurse", clinic.nurse), ("doctor", clinic.doctor), ("lead_nurse", clinic.lead)):
        shift(clinic.ward.admin, role, person)


def raised(clinic: Clinic, at: datetime) -> UUID:
    """An urgent case as the ingest opens it, with its wake."""
    with clinic.ward.admin.transaction():
        case_id = clinic.open_case(Tier.URGENT, at)
        clinic.ward.admin.execute("SELECT wake_case(%s, %s)", (case_id, at))
    return case_id


def people(clinic: Clinic, case_id: UUID) -> Callable[[], set[UUID]]:
    """Who was told so far."""
    return lambda: {who for _, _, who in clinic.told(case_id)}


def ready(running: Jobs) -> None:
    """Once it works."""
    assert running.ready.wait(PATIENCE_S), "".join(running.said)


def test_nurse_then_doctor_then_an_acknowledgement_and_nothing_more_through_a_kill_in_between(ward: Ward) -> None:
    with made_clinic(ward) as clinic:
        on_duty(clinic)
        promise(ward, timedelta(seconds=2), timedelta(seconds=5))
        with jobs(ward) as first:
            ready(first)
            case_id = raised(clinic, now())
            told = people(clinic, case_id)
            until(lambda: clinic.nurse in told(), "the nurse was told")
            first.process.send_signal(signal.SIGKILL)
            first.process.wait(PATIENCE_S)
        with jobs(ward, "jobs-2") as second:
            ready(second)
            until(lambda: clinic.doctor in told(), "the doctor was told")
            acknowledge(ward.admin, case_id, clinic.doctor, now(), timedelta(hours=1))
            pages = clinic.told(case_id)
            until(lambda: clinic.case(case_id)["next_at"] > now().isoformat(), "the escalation saw it")
            assert second.end() == 0

        assert clinic.told(case_id) == pages
        assert len(pages) == len(set(pages))
        assert [who for _, step, who in pages if step == 1] == [clinic.nurse]
        assert clinic.events(case_id)[-1] == "acknowledge"
        assert clinic.case(case_id)["state"] == "acknowledged"
        waiting = ward.rows("SELECT count(*) FROM notification WHERE state IN ('waiting', 'sent')")
        assert waiting == [(0,)]


def test_a_case_whose_job_was_lost_is_swept_up_and_two_processes_tell_each_person_once(ward: Ward) -> None:
    with made_clinic(ward) as clinic:
        on_duty(clinic)
        cases = [clinic.open_case(at=now() - timedelta(hours=2), condition=f"condition_{n}") for n in range(5)]
        with jobs(ward) as first, jobs(ward, "jobs-2") as second:
            ready(first)
            ready(second)
            # As the sweep does it; two at once.
            for _ in range(2):
                for case_id in cases:
                    ward.admin.execute("SELECT wake_case(%s, now())", [case_id])
            for case_id in cases:
                told = people(clinic, case_id)
                until(lambda told=told: clinic.doctor in told(), "the doctor was told")  # type: ignore[misc]
            assert (first.end(), second.end()) == (0, 0)
        for case_id in cases:
            assert sorted(clinic.told(case_id)) == sorted({(1, 5, clinic.nurse), (1, 5, clinic.doctor)})


def test_a_look_that_died_with_its_process_is_made_up_for_within_seconds(ward: Ward) -> None:
    with made_clinic(ward) as clinic:
        on_duty(clinic)
        with jobs(ward) as first:
            ready(first)
            until(lambda: has_swept(ward), "it has swept once")
            case_id = clinic.open_case(Tier.URGENT, now())
            with clinic.jobs.transaction():
                # Whoever looks at the case waits for us, and holds each job that was to: ours, and that of a sweep.
                clinic.jobs.execute("SELECT FROM alert_case WHERE case_id = %s FOR UPDATE", [case_id])
                ward.admin.execute("SELECT wake_case(%s, now())", [case_id])
                until(lambda: looks(ward) == {"doing"}, "somebody looks at the case, and nobody else is to")
                first.process.send_signal(signal.SIGKILL)
                first.process.wait(PATIENCE_S)
        with jobs(ward, "jobs-2") as second:
            ready(second)
            told = people(clinic, case_id)
            until(lambda: clinic.nurse in told(), "the nurse was told")
            assert second.end() == 0
        assert clinic.told(case_id) == [(1, 1, clinic.nurse)]


def looks(ward: Ward) -> set[str]:
    """How far the looks at cases are that somebody asked for."""
    return {status for (status,) in ward.rows("SELECT status FROM procrastinate_jobs WHERE task_name = 'look_at_case'")}


def has_swept(ward: Ward) -> bool:
    """Whether a sweep of the cases is over: whoever comes next does not begin with one."""
    [(begun, under_way)] = ward.rows(
        """SELECT (SELECT count(*) FROM procrastinate_periodic_defers WHERE task_name = 'sweep_cases'),
                  (SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'sweep_cases')"""
    )
    return bool(begun) and not under_way
