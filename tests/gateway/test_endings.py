"""Ended sessions: told once, after everything of their device, and no more often than they tell something."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from device_drivers.identity import DeviceIdentity
from device_drivers.simulators.spec import RecordSpec
from gateway.endings import Endings
from gateway.outbox import Lane, Outbox, Outgoing
from gateway.visit import Outcome
from gateway.wire import v1
from gateway.wire.v1 import Fate
from tests.gateway.made import NOW, receipts, session, wire
from tests.gateway.test_visit import meter, visited, waiting

ANOTHER = v1.wire_session(
    "b" * 32, DeviceIdentity(manufacturer="A&D", model="UA-651", serial_number="5"), "and-ua-651ble", NOW, None, None
)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


def published(outbox: Outbox, lane: Lane = Lane.BACKFILL) -> Outgoing:
    outgoing = outbox.claim(lane)
    assert outgoing is not None
    return outgoing


def free(outbox: Outbox, outgoing: Outgoing) -> None:
    outbox.free([receipts(outgoing.message_id, *(r.reading_id for r in outgoing.readings))])


def test_an_end_is_told_after_all_that_its_device_gave_has_its_receipts(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.BACKFILL)], NOW)
    outbox.put(session(2), [(wire(2), Lane.LIVE)], NOW)
    outbox.put_ended(session(2))
    outbox.put(session(3), [(wire(3), Lane.BACKFILL)], NOW)  # after it: of the next visit
    earlier, own = published(outbox), published(outbox, Lane.LIVE)
    assert outbox.claim_ended() is None
    free(outbox, own)
    assert outbox.claim_ended() is None
    free(outbox, earlier)
    told = outbox.claim_ended()
    assert told is not None
    assert (told.session, told.readings, told.lane) == (session(2), (), Lane.BACKFILL)
    assert outbox.claim_ended() is None


def test_an_end_does_not_wait_for_another_device(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.BACKFILL)], NOW)
    outbox.put_ended(ANOTHER)
    told = outbox.claim_ended()
    assert told is not None
    assert told.session == ANOTHER


def test_an_end_stays_until_its_own_receipt_over_a_restart_too(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox.open(path)
    outbox.put_ended(session(1))
    outbox.close()
    outbox = Outbox.open(path)
    told = outbox.claim_ended()
    assert told is not None
    outbox.close()
    outbox = Outbox.open(path)
    assert outbox.in_flight() == {told.message_id: Lane.BACKFILL}
    assert outbox.message(told.message_id) == told
    outbox.free([receipts("f" * 32)])
    assert outbox.message(told.message_id) == told
    outbox.free([receipts(told.message_id)])
    assert (outbox.in_flight(), outbox.message(told.message_id), outbox.claim_ended()) == ({}, None, None)
    outbox.close()


def test_an_end_that_the_cloud_could_not_read_is_freed_like_a_message(outbox: Outbox) -> None:
    outbox.put_ended(session(1))
    told = outbox.claim_ended()
    assert told is not None
    outbox.free([receipts(told.message_id, whole=Fate.QUARANTINED)])
    assert outbox.in_flight() == {}


async def test_a_visit_that_went_to_its_end_is_told_with_what_it_received_and_what_the_device_holds(
    outbox: Outbox,
) -> None:
    await visited(meter(), outbox)
    for each in waiting(outbox):
        outbox.free([receipts("0" * 32, each.reading_id)])
    told = outbox.claim_ended()
    assert told is not None
    said = told.session
    assert (said.complete, said.received, said.holds) == (True, 12, 12)
    assert said.ended_at is not None
    assert said.ended_at >= said.started_at


async def test_a_visit_that_brings_nothing_is_told_too(outbox: Outbox) -> None:
    await visited(meter(records=()), outbox)
    told = outbox.claim_ended()
    assert told is not None
    assert (told.session.complete, told.session.received, told.session.holds) == (True, 0, 0)


async def test_a_visit_that_is_cut_is_not_told_as_ended(outbox: Outbox) -> None:
    report = await visited(meter(unplug_after_octets=200), outbox)
    assert (report.outcome, report.ended_at) == (Outcome.CUT, None)
    waiting(outbox)
    for message_id in outbox.in_flight():
        outbox.free([receipts(message_id, whole=Fate.STORED)])
    assert outbox.claim_ended() is None


async def test_an_idle_meter_is_not_told_at_each_visit(outbox: Outbox) -> None:
    line, endings = meter(), Endings()
    told = []
    for number in range(6):
        if number == 3:
            line.device.measure(RecordSpec(value="212"))
        await visited(line, outbox, endings=endings)
        for each in waiting(outbox):
            outbox.free([receipts("0" * 32, each.reading_id)])
        while (ended := outbox.claim_ended()) is not None:
            told.append((number, ended.session.received, ended.session.holds))
    assert told == [(0, 12, 12), (3, 1, 13)]


def test_the_first_end_after_a_start_is_worth_telling_and_once_a_day_one_is() -> None:
    endings = Endings()
    assert endings.is_worth_telling("meter", 12, NOW)
    endings.told("meter", 12, NOW)
    assert not endings.is_worth_telling("meter", 12, NOW + timedelta(hours=23))
    assert endings.is_worth_telling("meter", 12, NOW + timedelta(days=1))
    assert endings.is_worth_telling("cuff", 12, NOW)


def test_an_end_after_something_new_or_with_another_number_is_worth_telling() -> None:
    endings = Endings()
    endings.told("meter", 12, NOW)
    assert endings.is_worth_telling("meter", 13, NOW)
    assert endings.is_worth_telling("meter", None, NOW)
    endings.has_news("meter")  # of a visit that was cut afterwards
    assert endings.is_worth_telling("meter", 12, NOW)


def test_a_clock_that_was_set_back_does_not_silence_a_meter_for_years() -> None:
    endings = Endings()
    endings.told("meter", 12, NOW + timedelta(days=900))
    assert endings.is_worth_telling("meter", 12, NOW)
