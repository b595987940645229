"""Receipts of one gateway's messages travel together."""

from uuid import uuid4

import msgspec

from cloud.ingest.receipts import MAX_RECEIPTS, Outcome, quarantined, together
from gateway.wire import v1
from tests.cloud.made import NOW


def outcome(gateway_id: str, count: int, *, whole: bool = False) -> Outcome:
    """The receipts of a message of so many readings."""
    return Outcome(
        gateway_id,
        v1.ReceiptsMessage(
            v=1,
            message_id=uuid4().hex,
            committed_at=NOW,
            receipts=tuple(v1.Receipt(reading_id=uuid4().hex, fate=v1.Fate.STORED) for _ in range(count)),
            whole_message=v1.Fate.QUARANTINED if whole else None,
        ),
    )


def test_the_receipts_of_a_gateway_are_one_message_in_their_order() -> None:
    first, other, second = outcome("a", 2), outcome("b", 1), outcome("a", 1)

    joined, untouched = together([first, other, second])

    assert joined.receipts.receipts == first.receipts.receipts + second.receipts.receipts
    assert joined.receipts.message_id == second.receipts.message_id
    assert untouched == other


def test_what_needs_its_own_message_id_stays_alone() -> None:
    alone = [outcome("a", 0, whole=True), outcome("a", 0)]
    joined = outcome("a", 1)

    assert together([alone[0], joined, alone[1]]) == [joined, *alone]


def test_a_receipts_message_stays_small() -> None:
    sizes = [len(o.receipts.receipts) for o in together([outcome("a", 50) for _ in range(5)])]

    assert sizes == [MAX_RECEIPTS, MAX_RECEIPTS, 50]


def test_receipts_of_ids_that_are_none_travel_alone() -> None:
    odd = [
        Outcome("a", msgspec.structs.replace(outcome("a", 0).receipts, receipts=(quarantined(letter * 200_000, None),)))
        for letter in "xy"
    ]
    joined = [outcome("a", 1), outcome("a", 1)]

    sizes = [len(v1.encode(o.receipts)) for o in together([odd[0], *joined, odd[1]])]

    assert len(sizes) == 3
    assert max(sizes) < 201_000
