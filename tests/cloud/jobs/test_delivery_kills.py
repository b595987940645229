"""Kill -9 of the jobs process at each point of a delivery: nobody is missed, paged twice, or paged in vain."""

import multiprocessing
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from alerting.tiers import Tier
from cloud.clock import now
from cloud.db.connect import Connection, open_connection
from cloud.notifications.models import ChannelName
from cloud.notifications.service import notify
from deploy.receivers.gateways import Fault, Gateway, Request
from tests.cloud.escalation.made import acknowledge as taken_on
from tests.cloud.escalation.made import join_team, open_case, shift
from tests.cloud.jobs.forked import jobs
from tests.cloud.jobs.killing import KillingProxy, through
from tests.cloud.made import Ward
from tests.cloud.notifications.made import acknowledge, new_address, new_case

PATIENCE_S = 60.0
NAME = "jobs-1"
# A delivery alone comes to some sixty pieces; with what earlier deaths left behind each run is another.
POINTS = range(1, 90, 3)
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


def was_told(ward: Ward, case_id: UUID) -> bool:
    found = ward.admin.execute("SELECT FROM notification WHERE case_id = %s AND state = 'confirmed'", (case_id,))
    return found.rowcount > 0


def sending(ward: Ward) -> int:
    [(count,)] = ward.rows("SELECT count(*) FROM notification_attempt WHERE outcome = 'sending'")
    return int(count)


def unsettled(ward: Ward) -> int:
    [(count,)] = ward.rows("SELECT count(*) FROM notification WHERE next_at IS NOT NULL")
    return int(count)


@dataclass
class Outcome:
    """What became of cases whose pages were killed on their way. ``taken``: how much had come when one was taken."""

    ward: Ward
    gateway: Gateway
    cases: list[UUID] = field(default_factory=list)
    taken: dict[UUID, int] = field(default_factory=dict)
    killed: int = 0

    def after_death(self, proxy: KillingProxy) -> None:
        """Each third case is taken now, by somebody at the console."""
        proxy.disarm()
        self.killed += proxy.died.is_set()
        until(lambda: not self.gateway.open, "what had left has arrived")
        self.gateway.faults.clear()
        if len(self.cases) % 3 == 0:
            case_id = self.cases[-1]
            taken_on(self.ward.admin, case_id, self.ward.nurse_id, now(), lease=timedelta(hours=1))
            self.taken[case_id] = len(by_case(self.gateway)[case_id])

    def check(self) -> None:
        """Exactly one open case each, nobody missed, nobody paged twice, and nobody after the acknowledgement."""
        came = by_case(self.gateway)
        assert self.killed > len(self.cases) // 2, "the points lie behind the end of a delivery"
        assert {case: len(came[case]) for case in self.taken} == self.taken, "paged after an acknowledgement"
        assert [case for case in self.cases if case not in self.taken and not came[case]] == [], "nobody was told"
        assert [case for case, seen in came.items() if len({r.key for r in seen}) > 1] == [], "a second page"
        states = dict(self.ward.rows("SELECT state, count(*) FROM notification GROUP BY state"))
        assert states.keys() <= {"confirmed", "withdrawn"}
        assert states["confirmed"] >= len(self.cases) - len(self.taken)
        assert self.ward.rows("SELECT count(*) FROM alert_case WHERE next_at IS NOT NULL") == [(len(self.cases),)]
        assert self.ward.rows("SELECT count(*) FROM notification_attempt WHERE outcome = 'sending'") == [(0,)]


@pytest.mark.timeout(400)
def test_killed_anywhere_each_case_is_told_of_once_and_never_after_its_acknowledgement(
    ward: Ward, desk: Connection, proxy: KillingProxy, phone_gateway: Gateway
) -> None:
    new_address(ward, ChannelName.SMS, "+4520123456")
    outcome = Outcome(ward, phone_gateway)
    for number, point in enumerate(POINTS):
        if number % 5 == 4:  # the far side does the work, and its answer is lost
            phone_gateway.faults.append(Fault.DONE_AND_GONE)
        with running(ward, proxy.port, phone_gateway) as process:
            proxy.arm(process.pid or 0, point)
            outcome.cases.append(page(ward, desk, number))
            until(lambda: proxy.died.is_set() or unsettled(ward) == 0, "it died or was done")
        outcome.after_death(proxy)
    with running(ward, proxy.port, phone_gateway):
        until(lambda: unsettled(ward) == 0, "all is done")
        until(lambda: sending(ward) == 0, "the log says of each try how it ended")

    outcome.check()


@pytest.mark.timeout(200)
def test_killed_between_the_sending_and_the_writing_down_it_is_sent_again_with_the_same_key(
    ward: Ward, desk: Connection, proxy: KillingProxy, phone_gateway: Gateway
) -> None:
    new_address(ward, ChannelName.SMS, "+4520123456")
    outcome = Outcome(ward, phone_gateway)
    for point in range(1, 13):
        with running(ward, proxy.port, phone_gateway) as process:
            phone_gateway.held.clear()
            outcome.cases.append(page(ward, desk, point))
            until(lambda: outcome.cases[-1] in by_case(phone_gateway), "it has left")
            proxy.arm(process.pid or 0, point)
            phone_gateway.held.set()
            until(lambda: proxy.died.is_set(), "it died")
        outcome.after_death(proxy)
    with running(ward, proxy.port, phone_gateway):
        until(lambda: unsettled(ward) == 0, "all is done")
        until(lambda: sending(ward) == 0, "the log says of each try how it ended")

    outcome.check()
    assert len(phone_gateway.requests) > len(phone_gateway.pages) == len(outcome.cases), "none was sent again"


@pytest.mark.timeout(400)
def test_killed_anywhere_from_the_open_case_to_the_page_the_nurse_on_duty_is_told_once(
    ward: Ward, desk: Connection, proxy: KillingProxy, phone_gateway: Gateway
) -> None:
    """The whole road: look at the case, choose who is on duty, tell them."""
    new_address(ward, ChannelName.SMS, "+4520123456")
    join_team(ward.admin, ward.patient_id, ward.nurse_id)
    shift(ward.admin, "nurse", ward.nurse_id)
    outcome = Outcome(ward, phone_gateway)
    for number, point in enumerate(range(1, 160, 5)):
        with running(ward, proxy.port, phone_gateway) as process:
            proxy.arm(process.pid or 0, point)
            case_id = open_case(ward.admin, ward.patient_id, Tier.URGENT, now(), f"condition_{number}")
            ward.admin.execute("SELECT wake_case(%s, now())", (case_id,))
            outcome.cases.append(case_id)
            until(lambda: proxy.died.is_set() or was_told(ward, outcome.cases[-1]), "it died or was done")
        outcome.after_death(proxy)
    with running(ward, proxy.port, phone_gateway):
        waiting = [case for case in outcome.cases if case not in outcome.taken]
        until(lambda: all(was_told(ward, case) for case in waiting), "all are told")
        until(lambda: unsettled(ward) == 0, "all is done")
        until(lambda: sending(ward) == 0, "the log says of each try how it ended")

    outcome.check()


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
