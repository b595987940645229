"""The publisher against a real Mosquitto, which is killed, restarted and robbed of its memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from deploy.services.source import OwnBroker
from gateway import clock, heartbeat
from gateway import publisher as publisher_module
from gateway.config import Mqtt
from gateway.outbox import Lane, Outbox, OutboxError
from gateway.publisher import STUCK_AFTER, WINDOW, Publisher
from gateway.waiting import Waiting
from gateway.wire import v1
from tests.fix_gateway import GATEWAY_ID, FakeCloud, eventually
from tests.gateway.made import NOW, receipts, session, wire


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


@asynccontextmanager
async def publishing(
    broker: OwnBroker,
    outbox: Outbox,
    *,
    receipt_timeout_s: float = 30.0,
    password: str | None = None,
    on_receipt: Callable[[datetime, float | None], None] = lambda _, __: None,
    waiting: Waiting | None = None,
) -> AsyncIterator[Publisher]:
    publisher = Publisher(
        outbox,
        GATEWAY_ID,
        Mqtt(host=broker.host, port=broker.port),
        password or broker.add_user(GATEWAY_ID),
        status=lambda: heartbeat.status(outbox, clock.now()),
        now=clock.now,
        monotonic=clock.monotonic,
        receipt_timeout_s=receipt_timeout_s,
        reconnect_max_s=1.0,
        on_receipt=on_receipt,
        waiting=waiting,
    )
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()
        await asyncio.wait([task])


def put(outbox: Outbox, *numbers: int, lane: Lane = Lane.LIVE, visit: int = 0) -> set[str]:
    rows = [(wire(number), lane) for number in numbers]
    outbox.put(session(visit), rows, clock.now())
    return {reading.reading_id for reading, _ in rows}


async def test_a_reading_is_published_and_freed_by_its_receipt(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    async with publishing(broker, outbox) as publisher:
        ids = put(outbox, 1, 2)
        publisher.wake()
        await eventually(lambda: outbox.depth().rows == 0)
    assert [{r.reading_id for r in m.readings} for m in cloud.messages] == [ids]
    assert cloud.messages[0].session == session()
    assert cloud.correlations == [bytes.fromhex(cloud.messages[0].message_id)]


async def test_each_lane_has_a_topic_of_its_own(broker: OwnBroker, cloud: FakeCloud, outbox: Outbox) -> None:
    old = put(outbox, 1, lane=Lane.BACKFILL)
    new = put(outbox, 2, lane=Lane.LIVE, visit=1)
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)
    sent = {
        topic.rpartition("/")[2]: {r.reading_id for r in m.readings}
        for topic, m in zip(cloud.topics, cloud.messages, strict=True)
    }
    assert sent == {"readings": old, "live": new}


async def test_the_brokers_acknowledgement_frees_nothing(broker: OwnBroker, cloud: FakeCloud, outbox: Outbox) -> None:
    cloud.answering = False
    async with publishing(broker, outbox) as publisher:
        put(outbox, 1)
        publisher.wake()
        # The second message's way through the broker is behind the first's acknowledgement.
        await cloud.until(lambda: len(cloud.messages) == 1)
        put(outbox, 2)
        publisher.wake()
        await cloud.until(lambda: len(cloud.messages) == 2)
        assert outbox.depth().rows == 2
        cloud.answer(cloud.messages[0])
        await eventually(lambda: outbox.depth().rows == 1)


async def test_a_receipt_for_the_whole_message_frees_it(broker: OwnBroker, cloud: FakeCloud, outbox: Outbox) -> None:
    cloud.answering = False
    async with publishing(broker, outbox):
        put(outbox, 1, 2)
    async with publishing(broker, outbox):
        await cloud.until(lambda: len(cloud.messages) == 1)
        cloud.send(receipts(cloud.messages[0].message_id, whole=v1.Fate.QUARANTINED))
        await eventually(lambda: outbox.depth().rows == 0)
    assert outbox.fate(wire(1).reading_id) is v1.Fate.QUARANTINED


async def test_without_a_receipt_a_message_comes_again_under_its_id(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    put(outbox, 1)
    async with publishing(broker, outbox, receipt_timeout_s=0.05):
        await cloud.until(lambda: len(cloud.messages) == 3)
        assert len({message.message_id for message in cloud.messages}) == 1
        assert outbox.depth().rows == 1
        cloud.answer(cloud.messages[0])
        await eventually(lambda: outbox.depth().rows == 0)


async def test_a_killed_broker_gets_every_unreceipted_reading_again(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    ids = put(outbox, *range(120), lane=Lane.BACKFILL)
    # What arrives before the cloud has subscribed again is nobody's: it comes once more.
    async with publishing(broker, outbox, receipt_timeout_s=1.0):
        await cloud.until(lambda: len(cloud.received()) == 120)
        broker.kill()
        before = len(cloud.messages)
        late = put(outbox, 500, visit=1)
        cloud.answering = True
        broker.start()
        await eventually(lambda: outbox.depth().rows == 0)
    again = {reading.reading_id for message in cloud.messages[before:] for reading in message.readings}
    assert again == ids | late
    assert outbox.freed() == {"stored": 121}


async def test_what_was_published_before_a_restart_of_the_gateway_comes_again(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    put(outbox, 1, 2)
    async with publishing(broker, outbox):
        await cloud.until(lambda: len(cloud.messages) == 1)
    cloud.answering = True
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)
    assert cloud.messages[0] == cloud.messages[1]


async def test_a_receipt_that_came_while_the_gateway_was_away_is_still_delivered(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    password = broker.add_user(GATEWAY_ID)
    put(outbox, 1)
    async with publishing(broker, outbox, password=password):
        await cloud.until(lambda: len(cloud.messages) == 1)
    cloud.answer(cloud.messages[0])
    async with publishing(broker, outbox, password=password):
        await eventually(lambda: outbox.depth().rows == 0)


async def test_a_live_reading_does_not_wait_for_the_backlog(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    put(outbox, *range(1000), lane=Lane.BACKFILL)
    async with publishing(broker, outbox) as publisher:
        await cloud.until(lambda: len(cloud.messages) == WINDOW)
        live = put(outbox, 2000, visit=1)
        publisher.wake()
        await cloud.until(lambda: live <= cloud.received())
        assert len(cloud.messages) == WINDOW + 1


async def test_only_a_receipt_for_what_was_first_sent_just_now_is_known_to_be_as_young(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    heard: list[float | None] = []
    put(outbox, 1)
    claimed = outbox.claim(Lane.LIVE)  # by an earlier process, that was killed then
    assert claimed is not None
    async with publishing(broker, outbox, on_receipt=lambda _, sent: heard.append(sent)) as publisher:
        await eventually(lambda: outbox.depth().rows == 0)
        assert heard == [None]
        put(outbox, 2, visit=1)
        publisher.wake()
        await eventually(lambda: outbox.depth().rows == 0)
    assert heard[1] is not None
    assert 0 <= heard[1] < 20


async def test_each_publication_says_how_long_its_oldest_reading_has_waited_until_then(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    passed_s = 0.0
    waiting = Waiting(lambda: NOW, lambda: passed_s)
    waiting.note(session().session_id)
    put(outbox, 1)
    put(outbox, 2, visit=1)  # of an earlier process
    passed_s = 5.0
    async with publishing(broker, outbox, waiting=waiting):
        await cloud.until(lambda: len(cloud.messages) == 2)
        passed_s = 3605.0
        broker.kill()
        broker.start()
        await cloud.until(lambda: len(cloud.messages) == 4)
    told = [(message.session.session_id, message.waited_s) for message in cloud.messages]
    first, other = session().session_id, session(1).session_id
    assert sorted(told[:2]) == [(first, 5.0), (other, None)]
    assert sorted(told[2:]) == [(first, 3605.0), (other, None)]


async def test_a_message_expires_late_enough_to_tell_how_long_the_broker_kept_it(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    put(outbox, 1)
    async with publishing(broker, outbox):
        await cloud.until(lambda: len(cloud.messages) == 1)
    assert cloud.expiries == [pytest.approx(v1.MESSAGE_EXPIRY_S, abs=20)]


async def test_messages_that_nobody_ever_receipts_do_not_hold_up_what_comes_after(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    for visit in range(WINDOW):
        put(outbox, visit, visit=visit)
    async with publishing(broker, outbox, receipt_timeout_s=0.05):
        await cloud.until(lambda: len(cloud.messages) == WINDOW * (STUCK_AFTER + 1))
        live = put(outbox, 2000, visit=WINDOW)
        await cloud.until(lambda: live <= cloud.received())


async def test_a_backlog_drains_whole(broker: OwnBroker, cloud: FakeCloud, outbox: Outbox) -> None:
    ids = put(outbox, *range(2000), lane=Lane.BACKFILL)
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)
    assert cloud.received() == ids
    assert len(cloud.messages) == 40


async def test_a_receipt_that_cannot_be_read_changes_nothing(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    put(outbox, 1)
    async with publishing(broker, outbox):
        await cloud.until(lambda: len(cloud.messages) == 1)
        cloud.send_octets(b"\xff not a receipt")
        cloud.send_octets(b'{"v":1,"message_id":"../../etc"}')
        cloud.send(receipts("f" * 32, "f" * 32))
        cloud.answer(cloud.messages[0])
        await eventually(lambda: outbox.depth().rows == 0)
    assert outbox.freed() == {"stored": 1}


async def test_birth_heartbeat_and_goodbye_are_said(broker: OwnBroker, cloud: FakeCloud, outbox: Outbox) -> None:
    cloud.answering = False
    put(outbox, 1, 2)
    async with publishing(broker, outbox) as publisher:
        await cloud.until(lambda: len(cloud.statuses) == 1)
        publisher.say_status()
        await cloud.until(lambda: len(cloud.statuses) == 2)
    await cloud.until(lambda: len(cloud.statuses) == 3)
    birth, beat, goodbye = cloud.statuses
    assert (birth.state, beat.state, beat.outbox_depth) == ("online", "online", 2)
    assert beat.oldest_unsent_s is not None
    assert goodbye == heartbeat.LAST_WILL


async def test_a_refused_password_loses_nothing(broker: OwnBroker, cloud: FakeCloud, outbox: Outbox) -> None:
    put(outbox, 1)
    async with publishing(broker, outbox, password="wrong") as publisher:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publisher.connected.wait(), 1.0)
    assert outbox.depth().rows == 1
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)


async def test_long_readings_make_messages_that_the_broker_takes(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    rows = [(msgspec.structs.replace(wire(number), raw="ab" * 4000), Lane.LIVE) for number in range(50)]
    outbox.put(session(), rows, clock.now())
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)
    assert 1 < len(cloud.messages) < 10


async def test_a_message_that_nobody_subscribed_to_is_as_good_as_never_sent(
    broker: OwnBroker, outbox: Outbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "NOBODY_RETRY_S", 0.05)
    ids = put(outbox, *range(200), lane=Lane.BACKFILL) | put(outbox, 900, visit=1)
    outbox.put_ended(session(1))
    # The receipt timeout is far off: what comes, comes because the broker said that nobody is there.
    async with publishing(broker, outbox, receipt_timeout_s=3600.0) as publisher:
        await eventually(lambda: any(flight.unheard > 2 for flight in publisher._flights.values()))
        assert all(flight.attempt < STUCK_AFTER for flight in publisher._flights.values())
        assert outbox.depth().rows == len(ids)
        async with FakeCloud(broker).connected() as cloud:
            await eventually(lambda: outbox.depth().rows == 0 and not outbox.in_flight())
            assert cloud.received() == ids
    said = [record.message for record in caplog.records if "nobody to give our readings to" in record.message]
    assert len(said) == 1


async def test_an_ended_session_is_told_after_its_readings_and_freed_by_its_receipt(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    ids = put(outbox, 1, 2, lane=Lane.BACKFILL)
    outbox.put_ended(session())
    async with publishing(broker, outbox):
        await cloud.until(lambda: len(cloud.messages) == 2)
        await eventually(lambda: outbox.depth().rows == 0 and not outbox.in_flight())
    assert [{r.reading_id for r in m.readings} for m in cloud.messages] == [ids, set()]
    assert cloud.messages[1].session == session()


async def test_an_ended_session_without_a_receipt_comes_again_also_after_a_restart(
    broker: OwnBroker, cloud: FakeCloud, outbox: Outbox
) -> None:
    cloud.answering = False
    outbox.put_ended(session())
    async with publishing(broker, outbox, receipt_timeout_s=0.05):
        await cloud.until(lambda: len(cloud.messages) == 2)
    cloud.answering = True
    async with publishing(broker, outbox):
        await eventually(lambda: not outbox.in_flight())
    assert len({message.message_id for message in cloud.messages}) == 1


class FullOnce(Outbox):
    """An outbox whose disk is full the first time that receipts are to be written down."""

    failed = False

    def free(self, receipts: Iterable[v1.ReceiptsMessage]) -> int:
        if not self.failed:
            self.failed = True
            raise OutboxError("database or disk is full")
        return super().free(receipts)


async def test_receipts_that_a_full_disk_cannot_take_are_written_down_later(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "OUTBOX_RETRY_S", 0.05)
    outbox = FullOnce.open(tmp_path / "outbox.sqlite")
    put(outbox, 1)
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)
    assert len(cloud.messages) == 1
    outbox.close()


class FailingOnce(Outbox):
    """An outbox whose disk cannot be read the first time that it is asked what is in flight."""

    failed = False

    def in_flight(self) -> dict[str, Lane]:
        if not self.failed:
            self.failed = True
            raise OutboxError("disk I/O error")
        return super().in_flight()


async def test_an_outbox_that_fails_at_the_connection_is_asked_again(
    broker: OwnBroker, cloud: FakeCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "OUTBOX_RETRY_S", 0.05)
    outbox = FailingOnce.open(tmp_path / "outbox.sqlite")
    put(outbox, 1)
    outbox.claim(Lane.LIVE)
    async with publishing(broker, outbox):
        await eventually(lambda: outbox.depth().rows == 0)
    outbox.close()
