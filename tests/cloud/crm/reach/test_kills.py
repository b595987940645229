"""Kill -9 of the process that tells a patient, at the two worst moments: told at least once, and once by one key.

That is all that can be promised: a provider that does not know a message by its key may send it a second time. What
nobody can know stands in the log as lost.
"""

import signal
from datetime import UTC, datetime

import psycopg
import pytest

from cloud.clock import now
from cloud.crm.reach import store
from cloud.crm.reach.models import What
from deploy.receivers.gateways import Fault, Gateway
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.jobs.test_worker import PATIENCE_S, Jobs, jobs, until
from tests.cloud.made import Ward


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, phone_gateway: Gateway) -> None:
    """Of the jobs processes."""
    monkeypatch.setenv("PULSEPOST_NOTIFY_BASE_URL", "https://pulsepost.example")
    monkeypatch.setenv("PULSEPOST_NOTIFY_SMS_URL", phone_gateway.url)
    monkeypatch.setenv("PULSEPOST_NOTIFY_SMS_CONFIRM", "answer")
    monkeypatch.setenv("PULSEPOST_NOTIFY_SWEEP_EVERY_S", "1")


def ready(running: Jobs) -> None:
    assert running.ready.wait(PATIENCE_S), "".join(running.said)


def killed(running: Jobs) -> None:
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(PATIENCE_S)


def due(told: Reaching) -> None:
    """The time after which somebody looks for what a dead process has left is over: it is not waited for."""
    told.ward.admin.execute("UPDATE outside_message SET next_at = %s", (datetime(2026, 1, 1, tzinfo=UTC),))


def outcomes(told: Reaching) -> list[str]:
    return [outcome for (outcome,) in told.ward.rows("SELECT outcome FROM outside_attempt ORDER BY attempt_id")]


def awake(told: Reaching) -> None:
    """No quiet hours, whenever this test runs."""
    told.agree()
    told.ward.admin.execute(
        "INSERT INTO patient_reach (patient_id, quiet_from, quiet_until, language, set_by, set_at)"
        " VALUES (%s, '03:00', '03:00', 'en', %s, now())",
        (told.ward.patient_id, told.ward.nurse_id),
    )


def test_killed_before_our_commit_and_killed_before_the_answer_the_patient_is_told_once(
    ward: Ward, phone_gateway: Gateway
) -> None:
    with reaching(ward, phone_gateway) as told:
        awake(told)
        phone_gateway.held.clear()
        with jobs(ward) as first, psycopg.connect(ward.database.admin_url) as holding:
            ready(first)
            store.tell(told.jobs, ward.patient_id, What.VISIT, "test:1", now())
            until(phone_gateway.arrived.is_set, "the provider has the request")
            # Whoever writes down how the try ended waits for us: the answer is there, and the commit is not.
            holding.execute("SELECT FROM outside_attempt FOR UPDATE")
            phone_gateway.held.set()
            until(lambda: waits(ward), "the answer has come, and how it went is being written down")
            killed(first)
        assert outcomes(told) == ["sending"]
        assert len(phone_gateway.pages) == 1

        phone_gateway.faults.append(Fault.DONE_AND_SILENT)
        due(told)
        with jobs(ward, "jobs-2") as second:
            until(lambda: len(phone_gateway.requests) == 2, "the second has asked with the same key")
            killed(second)

        due(told)
        with jobs(ward, "jobs-3") as third:
            until(lambda: told.states() == [("visit", "sent", None)], "the third has told the patient")
            assert third.end() == 0
    # Asked three times with one key: the provider sent one message. What nobody can know stands as lost.
    assert outcomes(told) == ["lost", "lost", "sent"]
    assert len(phone_gateway.requests) == 3
    assert len(phone_gateway.pages) == 1
    assert {request.key for request in phone_gateway.requests} == set(phone_gateway.pages)


def waits(ward: Ward) -> bool:
    """Whether somebody in this database waits to write down how a try ended."""
    return ward.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND query LIKE 'UPDATE outside_attempt%'"
    ) == [(1,)]
