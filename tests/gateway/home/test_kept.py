"""What the outbox keeps for the home: sealed, received with its receipt in one transaction, and not for long."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.outbox import Lane, Measured, Outbox
from gateway.outbox.shown import MOST_KEPT
from gateway.wire.v1 import Fate
from tests.gateway.made import METER, NOW, receipts, session, wire

FIGURES = "5.6 mmol/L"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox.open(tmp_path / "outbox.sqlite")) as outbox:
        yield outbox


def measured(number: int = 0) -> Measured:
    return Measured(
        kind="glucose", user=None, at=NOW - timedelta(minutes=number), exact=True, figures=f"{FIGURES} #{number}"
    )


def put(outbox: Outbox, *numbers: int) -> None:
    outbox.put(
        session(),
        [(wire(number), Lane.LIVE) for number in numbers],
        NOW,
        shown={wire(number).reading_id: measured(number) for number in numbers},
    )


def kept(outbox: Outbox) -> list[Measured]:
    return outbox.measured(METER.device_id)


def test_a_measurement_is_kept_until_its_receipt_and_after_it(outbox: Outbox) -> None:
    put(outbox, 0, 1)
    assert kept(outbox) == [measured(0), measured(1)]
    message = outbox.claim(Lane.LIVE)
    assert message is not None
    outbox.free([receipts(message.message_id, wire(0).reading_id)])
    assert kept(outbox) == [replace(measured(0), fate=Fate.STORED, received_at=NOW), measured(1)]
    outbox.free([receipts(message.message_id, wire(1).reading_id, fate=Fate.QUARANTINED)])
    assert [one.fate for one in kept(outbox)] == [Fate.STORED, Fate.QUARANTINED]
    assert outbox.waiting(10) == 0


def test_a_measurement_that_comes_again_is_kept_once(outbox: Outbox) -> None:
    put(outbox, 0)
    put(outbox, 0, 1)
    assert len(kept(outbox)) == 2


def test_one_whose_receipt_came_before_anybody_asked_is_known_to_be_there(outbox: Outbox) -> None:
    outbox.put(session(), [(wire(0), Lane.LIVE)], NOW)
    message = outbox.claim(Lane.LIVE)
    assert message is not None
    outbox.free([receipts(message.message_id, wire(0).reading_id)])
    put(outbox, 0)
    assert [(one.fate, one.received_at) for one in kept(outbox)] == [(Fate.STORED, None)]


def test_where_nobody_is_shown_anything_nothing_is_kept(outbox: Outbox) -> None:
    outbox.put(session(), [(wire(0), Lane.LIVE)], NOW)
    assert kept(outbox) == []


def test_what_is_over_is_forgotten(outbox: Outbox) -> None:
    put(outbox, 0, 5, 10)
    outbox.forget_measured(NOW - timedelta(minutes=7))
    assert kept(outbox) == [measured(0), measured(5)]


def test_no_more_are_kept_than_so_many(outbox: Outbox) -> None:
    put(outbox, *range(MOST_KEPT + 20))
    assert kept(outbox) == [measured(number) for number in range(20, MOST_KEPT + 20)]


def test_no_time_and_no_figure_of_it_is_in_the_clear(outbox: Outbox, tmp_path: Path) -> None:
    put(outbox, 0)
    outbox.keep_plan(b"the plan of this home")
    message = outbox.claim(Lane.LIVE)
    assert message is not None
    outbox.free([receipts(message.message_id, wire(0).reading_id)])
    octets = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.suffix != ".key")
    for secret in (b"5.6", NOW.isoformat()[:13].encode(), b"the plan", METER.device_id.encode()):
        assert secret not in octets


def test_the_newest_plan_is_kept_over_a_restart(outbox: Outbox, tmp_path: Path) -> None:
    assert outbox.plan() is None
    outbox.keep_plan(b"yesterday's")
    outbox.keep_plan(b"today's")
    with closing(Outbox.read_only(tmp_path / "outbox.sqlite")) as other:
        assert other.plan() == b"today's"


def test_what_waits_is_counted_no_further_than_asked(outbox: Outbox) -> None:
    put(outbox, *range(12))
    assert (outbox.waiting(100), outbox.waiting(10)) == (12, 10)
