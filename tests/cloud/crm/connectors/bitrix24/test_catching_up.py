"""A portal that is down for an hour: everything arrives afterwards, within its limits, and once."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from cloud.crm.port import Ambiguous, Paced, Remote, Try, TryLater
from deploy.bitrix24.faults import Fault
from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.made import Courier, connector_to, contact, first, todo
from tests.fix_bitrix24 import SimulatedClock

A_SECOND = timedelta(seconds=1)
CASES = 120  # in the hour: two a minute, of a centre with some thousand patients


def test_an_hour_down_is_caught_up_within_the_limits_and_nothing_stands_there_twice(
    bitrix24: Bitrix24, simulated_clock: SimulatedClock
) -> None:
    crm = connector_to(bitrix24, simulated_clock)
    owner = crm.upsert_contact(contact(), first(simulated_clock)).remote_id
    bitrix24.faults.append(Fault.DONE_AND_GONE)
    queue = _Queue(simulated_clock)

    def adding(reference: str) -> Callable[[Try], Remote]:
        return lambda attempt: crm.add_todo(todo(owner, reference), attempt)

    queue.put("CLOST", adding("CLOST"))
    queue.work()  # it is done there, and its answer is lost as the portal goes down
    bitrix24.go_down()
    for number in range(CASES):
        queue.put(f"C{number}", adding(f"C{number}"))
        simulated_clock.ahead(timedelta(seconds=30))
        queue.work()
    assert len(bitrix24.portal.todos) == 1
    bitrix24.come_up()
    back = simulated_clock()
    while queue.waiting:
        queue.work()
        simulated_clock.ahead(A_SECOND)
    assert Counter(str(each["SUBJECT"]) for each in bitrix24.portal.todos) == {
        f"Urgent: open the case [{reference}]": 1 for reference in ["CLOST", *(f"C{n}" for n in range(CASES))]
    }
    assert bitrix24.portal.refused == []
    # Up to 15 s until somebody tries again; then 120 at 2 a second, of which 30 at once.
    assert simulated_clock() - back <= timedelta(seconds=15 + 50)
    assert queue.paced > 0


class _Queue:
    """What waits, in order; the first that is told to wait holds up the rest, as the dispatcher's destinations do."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.waiting: dict[str, Callable[[Try], Remote]] = {}
        self.unclear: dict[str, Try] = {}
        self.not_before = clock()
        self.paced = 0

    def put(self, key: str, verb: Callable[[Try], Remote]) -> None:
        self.waiting[key] = verb

    def work(self) -> None:
        for key in list(self.waiting):
            if self.clock() < self.not_before:
                return
            former = self.unclear.get(key)
            attempt = Try(key=key, number=1, at=self.clock(), unclear_since=former.at if former else None)
            try:
                self.waiting[key](attempt)
            except (TryLater, Ambiguous) as error:
                self.paced += isinstance(error, Paced)
                if isinstance(error, Ambiguous):
                    self.unclear.setdefault(key, attempt)
                self.not_before = self.clock() + (error.retry_after or timedelta(seconds=15))
                return
            del self.waiting[key]


def test_the_courier_of_these_tests_gives_up_nothing(bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> None:
    bitrix24.faults.extend([Fault.BUSY] * 5)
    courier = Courier(simulated_clock)
    crm = connector_to(bitrix24, simulated_clock)
    courier.deliver(lambda attempt: crm.upsert_contact(contact(), attempt))
    assert courier.errors.count("TryLater") == 5
