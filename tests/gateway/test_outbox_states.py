"""Any sequence of visits, publications, receipts and restarts, beside a model that is too simple to be wrong."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.outbox import Lane, Outbox, Outgoing
from gateway.wire.v1 import Fate
from tests.gateway.made import NOW, receipts, session, wire

NUMBERS = st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True)
FATES = st.sampled_from(list(Fate))
LANES = st.sampled_from(list(Lane))


class OutboxStates(RuleBasedStateMachine):
    """``made`` is what devices gave, ``receipted`` what the cloud answered; the rest must be waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.sqlite"
        self.outbox = Outbox.open(self.path)
        self.made: set[str] = set()
        self.receipted: set[str] = set()
        self.published: dict[str, Outgoing] = {}
        self.visits = 0
        self.ended: dict[str, int] = {}
        self.told: dict[str, str] = {}

    @rule(numbers=NUMBERS, lane=LANES)
    def visit(self, numbers: list[int], lane: Lane) -> None:
        ids = {wire(number).reading_id for number in numbers}
        self.visits += 1
        new = self.outbox.put(session(self.visits), [(wire(number), lane) for number in numbers], NOW)
        assert new == len(ids - self.made)
        self.made |= ids

    @rule(numbers=NUMBERS, lane=LANES)
    def complete_visit(self, numbers: list[int], lane: Lane) -> None:
        self.visit(numbers, lane)
        self.outbox.complete("meter", "driver", {"made": len(self.made)})

    @rule(lane=LANES, limit=st.integers(1, 8))
    def publish(self, lane: Lane, limit: int) -> None:
        outgoing = self.outbox.claim(lane, limit)
        if outgoing is not None:
            assert 1 <= len(outgoing.readings) <= limit
            assert {reading.reading_id for reading in outgoing.readings}.isdisjoint(self.receipted)
            assert outgoing.message_id not in self.published
            self.published[outgoing.message_id] = outgoing

    @precondition(lambda self: self.published)
    @rule(data=st.data(), fate=FATES)
    def receipt_for_some(self, data: st.DataObject, fate: Fate) -> None:
        outgoing = data.draw(st.sampled_from(list(self.published.values())))
        ids = [reading.reading_id for reading in outgoing.readings]
        named = data.draw(st.lists(st.sampled_from(ids), unique=True))
        freed = self.outbox.free([receipts(outgoing.message_id, *named, fate=fate)])
        assert freed == len(set(named) - self.receipted)
        self.receipted |= set(named)

    @precondition(lambda self: self.published)
    @rule(data=st.data())
    def receipt_for_all(self, data: st.DataObject) -> None:
        outgoing = data.draw(st.sampled_from(list(self.published.values())))
        self.outbox.free([receipts(outgoing.message_id, whole=Fate.QUARANTINED)])
        self.receipted |= {reading.reading_id for reading in outgoing.readings}

    @rule(numbers=NUMBERS, lane=LANES)
    def ended_visit(self, numbers: list[int], lane: Lane) -> None:
        self.visit(numbers, lane)
        self.outbox.put_ended(session(self.visits))
        self.ended[session(self.visits).session_id] = self.visits

    @rule()
    def publish_an_end(self) -> None:
        outgoing = self.outbox.claim_ended()
        if outgoing is not None:
            assert outgoing.readings == ()
            assert self.ended.pop(outgoing.session.session_id)
            self.told[outgoing.message_id] = outgoing.session.session_id
        elif self.made == self.receipted:
            assert not self.ended, "nothing waits, and an end is not told"

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def receipt_for_an_end(self, data: st.DataObject) -> None:
        message_id = data.draw(st.sampled_from(list(self.told)))
        assert self.outbox.free([receipts(message_id)]) == 0
        del self.told[message_id]

    @invariant()
    def every_end_waits_or_is_told_until_its_receipt(self) -> None:
        kept = {row[0] for row in self.outbox._db.execute("SELECT session_id FROM ended")}
        assert kept == {*self.ended, *self.told.values()}
        assert set(self.told) <= set(self.outbox.in_flight())

    @rule()
    def receipt_of_nobody(self) -> None:
        assert self.outbox.free([receipts("f" * 32, "f" * 32, whole=Fate.STORED)]) == 0

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = Outbox.open(self.path)

    @invariant()
    def nothing_is_lost_and_nothing_is_freed_without_its_receipt(self) -> None:
        assert self.outbox.depth().rows == len(self.made - self.receipted)
        assert {made for made in self.made if self.outbox.waits(made)} == self.made - self.receipted

    @invariant()
    def the_cursor_is_never_ahead(self) -> None:
        cursor = self.outbox.cursor("meter", "driver")
        assert cursor is None or int(cursor["made"]) <= len(self.made)

    @invariant()
    def every_session_of_a_waiting_reading_is_there_and_no_other(self) -> None:
        sessions = {row[0] for row in self.outbox._db.execute("SELECT session_id FROM session")}
        needed = {row[0] for row in self.outbox._db.execute("SELECT session_id FROM reading")}
        assert sessions == needed

    def teardown(self) -> None:
        """Everything can be published and freed in the end."""
        for lane in Lane:
            while (outgoing := self.outbox.claim(lane)) is not None:
                self.published[outgoing.message_id] = outgoing
        for message_id in self.outbox.in_flight():
            self.outbox.free([receipts(message_id, whole=Fate.STORED)])
        assert self.outbox.depth().rows == 0
        while (ended := self.outbox.claim_ended()) is not None:
            del self.ended[ended.session.session_id]
            self.told[ended.message_id] = ended.session.session_id
        self.outbox.free([receipts(message_id) for message_id in self.told])
        assert (self.ended, self.outbox.in_flight()) == ({}, {})
        self.outbox.close()
        self.folder.cleanup()


TestOutboxStates = OutboxStates.TestCase
TestOutboxStates.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
