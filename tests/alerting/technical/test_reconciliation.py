"""What is missing is said once all has arrived that could, and with its range."""

from typing import Any

import pytest

from tests.alerting.technical.made import (
    DAY,
    DEVICE,
    GATEWAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    gateway,
    holdings,
    judged,
    names,
    only,
)


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({"holes": [(17, 18)], "first_known": 1, "last_known": 40}, "missing are 2, numbers 17–18."),
        ({"holes": [(17, 17), (20, 20)], "first_known": 1, "last_known": 40}, "missing are 2, numbers 17, 20."),
        ({"missing": 1, "holes": [(17, 17)], "first_known": 1, "last_known": 40}, "missing is 1, numbers 17."),
        ({"first_known": 1, "last_known": 10}, "missing are 2, after number 10."),
        ({"first_known": 3, "last_known": 12}, "missing are 2, before number 3 or after number 12."),
        ({"holes": [(5, 5)], "first_known": 1, "last_known": 11}, "numbers 5 and 1 after number 11."),
        ({"whole_at": NOW - DAY}, "missing are 2, read between 20 Nov 2026, 12:00 UTC and 21 Nov 2026, 11:00 UTC."),
        ({}, "missing are 2, read on 21 Nov 2026, 11:00 UTC or before."),
    ],
)
def test_a_gap_names_its_range(held: dict[str, Any], words: str) -> None:
    condition = only(judged(holdings=[holdings(**held)]))
    assert condition.subject == f"device:{DEVICE}"
    assert condition.gateway_id == GATEWAY
    assert condition.sentence.startswith("LifeScan OneTouch holds 12 readings, and 1")
    assert condition.sentence.endswith(words)


@pytest.mark.parametrize(("unread", "is_gap"), [(0, True), (1, True), (2, False), (3, False)])
def test_what_is_held_in_quarantine_unread_is_not_missing(unread: int, is_gap: bool) -> None:
    assert bool(judged(holdings=[holdings(unread=unread)]).conditions) is is_gap


@pytest.mark.parametrize(
    ("told", "said", "is_judged"),
    [
        # The gateway had sent everything in a status after the session's end, by both clocks.
        ({}, {}, True),
        ({}, {"outbox_depth": 3}, False),
        ({}, {"outbox_depth": None}, False),
        ({"told_at": NOW - SECOND, "complete_at": NOW - SECOND}, {}, True),
        ({"told_at": NOW, "complete_at": NOW}, {}, False),
        ({"told_at": NOW + SECOND}, {}, False),
        # A status that the gateway made before, and that reached us after.
        ({"told_at": NOW - SECOND, "complete_at": NOW - SECOND}, {"clock_offset_s": -30.0}, False),
        # A gateway whose clock jumped back gets ten minutes instead.
        ({"told_at": NOW - 9 * MINUTE, "complete_at": NOW - 9 * MINUTE}, {"clock_offset_s": -3600.0}, False),
        ({"told_at": NOW - 11 * MINUTE, "complete_at": NOW - 11 * MINUTE}, {"clock_offset_s": -3600.0}, True),
    ],
)
def test_a_gap_is_judged_only_once_the_backlog_has_travelled(
    told: dict[str, Any], said: dict[str, Any], is_judged: bool
) -> None:
    found = judged(holdings=[holdings(**told)], gateways=[gateway(**said)])
    assert ("reconciliation_gap" in names(found)) is is_judged


def test_a_gateway_that_was_revoked_sends_nothing_more() -> None:
    assert "reconciliation_gap" in names(judged(holdings=[holdings()], gateways=[]))
    fresh = holdings(told_at=NOW - MINUTE)
    assert names(judged(holdings=[fresh], gateways=[])) == {}


def test_a_known_gap_stays_while_the_next_visit_is_not_settled() -> None:
    known = only(judged(holdings=[holdings()]))
    travelling = gateway(outbox_depth=9)
    again = judged(known, holdings=[holdings(told_at=NOW)], gateways=[travelling])
    assert again.conditions == (known,)


def test_a_known_gap_keeps_the_range_in_which_it_was_found() -> None:
    known = only(judged(holdings=[holdings(whole_at=NOW - DAY)]))
    later = holdings(whole_at=NOW - HOUR, complete_at=NOW - MINUTE, told_at=NOW - MINUTE)
    assert only(judged(known, holdings=[later])) == known

    more = holdings(whole_at=NOW - HOUR, complete_at=NOW - MINUTE, told_at=NOW - MINUTE, missing=3)
    assert "11:00 UTC and 21 Nov 2026, 11:59 UTC" in only(judged(known, holdings=[more])).sentence


def test_a_memory_with_many_holes_names_the_first_of_them() -> None:
    torn = holdings(missing=8, holes=[(n, n) for n in range(2, 18, 2)], first_known=1, last_known=40)
    assert only(judged(holdings=[torn])).sentence.endswith("numbers 2, 4, 6, 8, 10 and others.")
