"""Kill -9 of the jobs process at each point of a delivery: nobody is missed, paged twice, or paged in vain."""

import multiprocessing
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from cloud.clock import now
from cloud.db.connect import Connection, open_connection
from cloud.notifications.models import ChannelName
from cloud.notifications.service import notify
from deploy.receivers.gateways import Fault, Gateway, Request
from tests.cloud.jobs.forked import jobs
from tests.cloud.jobs.killing import KillingProxy, through
from tests.cloud.made import Ward
from tests.cloud.notifications.made import acknowledge, new_address, new_case

PATIENCE_S = 60.0
NAME = "jobs-1"
# A delivery alone comes to some hundred pieces; with what earlier deaths left behind each run is another.
POINTS = range(1, 100, 2)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["cloud.jobs.worker", "cloud.__main__", "tests.cloud.jobs.forked"])


def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds; another process makes it true."""
    patience = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if holds():
            return
        patience.wait(0.02)
    raise AssertionError(f"it did not come about that {what}")


@pytest.fixture
def proxy(ward: Ward) -> Iterator[KillingProxy]:
    """Between the jobs process and the database."""
    parts = urlsplit(ward.database.jobs_url)
    made = KillingProxy(parts.hostname or "127.0.0.1", parts.port or 5432, f"pulsepost {NAME} jobs")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def desk(ward: Ward) -> Iterator[Connection]:
    """As the escalation connects."""
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as connection:
        yield connection


@contextmanager
def running(ward: Ward, port: int, gateway: Gateway) -> Iterator[ForkServerProcess]:
    """A jobs process that is at work, and is killed at the end."""
    ward.admin.execute("DELETE FROM component")
    environ = {
        "PULSEPOST_DATABASE_URL": through(ward.database.jobs_url, port),
        "PULSEPOST_JOBS_NAME": NAME,
        "PULSEPOST_JUDGE_EVERY_S": "59",
        "PULSEPOST_BEAT_EVERY_S": "0.05",
        "PULSEPOST_NOTIFY_BASE_URL": "https://pulsepost.example",
        "PULSEPOST_NOTIFY_SMS_URL": gateway.url,
        "PULSEPOST_NOTIFY_SMS_CONFIRM": "answer",
        "PULSEPOST_NOTIFY_FIRST_RETRY_S": "0.1",
        "PULSEPOST_NOTIFY_SWEEP_EVERY_S": "1",
    }
    process = FORKS.Process(target=jobs, args=(environ,))
    process.start()
    try:
        until(lambda: ward.count("component") == 1, "the process is at work")
        yield process
    finally:
        process.kill()
        process.join(PATIENCE_S)
        process.close()


def page(ward: Ward, desk: Connection, number: int) -> UUID:
    """A case that waits, of which the nurse is to be told; the case."""
    case_id = new_case(ward, condition=f"condition_{number}", at=now())
    assert notify(desk, case_id=case_id, round=1, step=0, account_id=ward.nurse_id, at=now()) is not None
    return case_id


def by_case(gateway: Gateway) -> dict[UUID, list[Request]]:
    """What came at the gateway, of which case."""
    found: dict[UUID, list[Request]] = defaultdict(list)
    for request in list(gateway.requests):
        [case_id] = re.findall(rb"/cases/([0-9a-f-]{36})", request.body)
        found[UUID(case_id.decode())].append(request)
    return found


def unsettled(ward: Ward) -> int:
    [(count,)] = ward.rows("SELECT count(*) FROM notification WHERE next_at IS NOT NULL")
    return int(count)


@pytest.mark.timeout(400)
def test_killed_anywhere_each_case_is_told_of_once_and_never_after_its_acknowledgement(
    ward: Ward, desk: Connection, proxy: KillingProxy, phone_gateway: Gateway
) -> None:
    new_address(ward, ChannelName.SMS, "+4520123456")
    taken: dict[UUID, int] = {}
    cases: list[UUID] = []
    killed = 0
    for number, point in enumerate(POINTS):
        if number % 5 == 4:  # the far side does the work, and its answer is lost
            phone_gateway.faults.append(Fault.DONE_AND_GONE)
        with running(ward, proxy.port, phone_gateway) as process:
            proxy.arm(process.pid or 0, point)
            cases.append(page(ward, desk, number))
            until(lambda: proxy.died.is_set() or unsettled(ward) == 0, "it died or was done")
            proxy.disarm()
            killed += proxy.died.is_set()
        until(lambda: not phone_gateway.open, "what had left has arrived")
        phone_gateway.faults.clear()
        if number % 3 == 2:
            acknowledge(ward.admin, cases[-1], ward.nurse_id, now())
            taken[cases[-1]] = len(by_case(phone_gateway)[cases[-1]])
    with running(ward, proxy.port, phone_gateway):
        until(lambda: unsettled(ward) == 0, "all is done")

    came = by_case(phone_gateway)
    assert killed > len(POINTS) // 2, "the points lie behind the end of a delivery"
    assert {case: len(came[case]) for case in taken} == taken, "paged after an acknowledgement"
    assert [case for case in cases if case not in taken and not came[case]] == [], "nobody was told"
    assert {case for case, requests in came.items() if len({each.key for each in requests}) > 1} == set(), (
        "a second page"
    )
    states = dict(ward.rows("SELECT state, count(*) FROM notification GROUP BY state"))
    assert states.keys() <= {"confirmed", "withdrawn"}
    assert states["confirmed"] >= len(cases) - len(taken)
    assert ward.rows("SELECT count(*) FROM alert_case WHERE state NOT IN ('resolved', 'expired')") == [(len(cases),)]


@pytest.mark.timeout(120)
def test_no_page_arrives_after_an_acknowledgement_that_races_with_it(
    ward: Ward, desk: Connection, proxy: KillingProxy, phone_gateway: Gateway
) -> None:
    new_address(ward, ChannelName.SMS, "+4520123456")
    taken: dict[UUID, float] = {}
    with running(ward, proxy.port, phone_gateway):
        for number in range(40):
            case_id = page(ward, desk, number)
            # Sooner and later: before the job is fetched, while it is at work, and when it is done.
            threading.Event().wait(number % 10 * 0.008)
            acknowledge(ward.admin, case_id, ward.nurse_id, now())
            taken[case_id] = phone_gateway.clock()
        until(lambda: unsettled(ward) == 0, "all is done")

    late = [
        r.at - taken[case] for case, requests in by_case(phone_gateway).items() for r in requests if r.at > taken[case]
    ]
    assert late == []
    states = dict(ward.rows("SELECT state, count(*) FROM notification GROUP BY state"))
    assert states.keys() == {"confirmed", "withdrawn"}, "the race was none"
