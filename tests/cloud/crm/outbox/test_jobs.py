"""The jobs process itself: a CRM that hangs holds up nobody's page, and kill -9 in the middle tells nothing twice."""

import base64
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from typing import Final

import pytest

from cloud.clock import now
from deploy.receivers.crm import Crm
from tests.cloud.crm.outbox.made import KEY, SECRET, add_destination
from tests.cloud.escalation.made import Clinic, join_team, made_clinic
from tests.cloud.jobs.forked import jobs
from tests.cloud.made import Ward, new_patient
from tests.cloud.worklist.made import planted_case

PATIENCE_S: Final = 60.0
FORKS: Final = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["cloud.jobs.worker", "cloud.__main__", "tests.cloud.jobs.forked"])


def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds; another process makes it true."""
    patience = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if holds():
            return
        patience.wait(0.02)
    raise AssertionError(f"it did not come about that {what}")


@contextmanager
def running(ward: Ward) -> Iterator[ForkServerProcess]:
    """A jobs process that is at work, and is killed at the end."""
    environ = {
        "PULSEPOST_DATABASE_URL": ward.database.jobs_url,
        "PULSEPOST_JUDGE_EVERY_S": "59",
        "PULSEPOST_CRM_KEY": base64.b64encode(KEY).decode(),
        "PULSEPOST_CRM_EVERY_S": "0.1",
    }
    process = FORKS.Process(target=jobs, args=(environ,))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(PATIENCE_S)
        process.close()


@pytest.fixture
def crm() -> Iterator[Crm]:
    """On the real clock."""
    made = Crm(secret=base64.b64decode(SECRET), now=now)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def clinic(ward: Ward, crm: Crm) -> Iterator[Clinic]:
    """People who are paged, and a CRM that is told."""
    add_destination(ward, crm.url)
    with made_clinic(ward) as made:
        yield made


def waiting(ward: Ward) -> int:
    [(count,)] = ward.rows("SELECT count(*) FROM crm_outbox WHERE state = 'waiting'")
    return int(count)


@pytest.mark.timeout(200)
def test_a_crm_that_hangs_holds_up_no_page_and_who_is_killed_meanwhile_tells_nothing_twice(
    ward: Ward, clinic: Clinic, crm: Crm
) -> None:
    cases = [planted_case(ward, at=now())]
    for verb in ("upsert_contact", "add_todo"):
        crm.silent = verb
        crm.released.clear()
        seen = len(crm.requests)
        with running(ward):
            until(lambda: any(verb in str(r.body) for r in crm.requests[seen:]), "it was asked, and hangs")  # noqa: B023
            patient_id = new_patient(ward.admin, verb)
            join_team(ward.admin, patient_id, clinic.nurse)
            cases.append(planted_case(ward, at=now(), patient_id=patient_id))
            ward.admin.execute("SELECT wake_case(%s, now())", (cases[-1],))
            until(lambda: clinic.told(cases[-1]) != [], "somebody was paged meanwhile")
            assert not crm.released.is_set()
        crm.released.set()
        # The lease's time passes.
        ward.admin.execute("UPDATE crm_outbox SET leased_until = now() WHERE leased_until IS NOT NULL")
    crm.silent = ""
    with running(ward):
        until(lambda: waiting(ward) == 0, "all was told")
    assert sorted(crm.todos().values()) == ["open"] * 3
    assert len({one.key for one in crm.taken}) == len(crm.taken) == 6
    assert sum(crm.repeats.values()) >= 2
