"""Each condition of a gateway on both sides of its limit."""

from typing import Any

import pytest

from alerting.limits import Priority
from tests.alerting.technical.made import DAY, GATEWAY, HOUR, MINUTE, NOW, SECOND, gateway, ingest, judged, names, only


def silent(seconds: int) -> dict[str, Any]:
    """It last said something so long ago."""
    at = NOW - seconds * SECOND
    return {"state_at": at, "last_seen_at": at}


def gone(seconds: int) -> dict[str, Any]:
    """The broker told of its end so long ago."""
    return {"state": "offline", "state_at": NOW - seconds * SECOND, "last_seen_at": NOW - HOUR}


@pytest.mark.parametrize(
    ("said", "condition", "priority"),
    [
        (silent(300), None, None),
        (silent(301), "gateway_away", Priority.MEDIUM),
        (gone(120), None, None),
        (gone(121), "gateway_away", Priority.MEDIUM),
        ({"state": "never_seen", "state_at": None, "last_seen_at": None}, None, None),
        ({"storage_error": "no space left on device"}, "gateway_storage", Priority.MEDIUM),
        ({"readings_damaged": 1}, "gateway_storage", Priority.MEDIUM),
        ({"disk_free_octets": 100 * 2**20}, None, None),
        ({"disk_free_octets": 100 * 2**20 - 1}, "gateway_storage", Priority.LOW),
        ({"disk_free_octets": None}, None, None),
        ({"clock_offset_s": 60.0}, None, None),
        ({"clock_offset_s": 60.1}, "gateway_clock", Priority.MEDIUM),
        ({"clock_offset_s": -60.1}, "gateway_clock", Priority.MEDIUM),
        ({"clock_offset_s": None, "clock_synchronised": None}, None, None),
        ({"clock_synchronised": False}, "gateway_clock", Priority.LOW),
        ({"certificate_until": None}, None, None),
        ({"certificate_until": NOW + 14 * DAY + SECOND}, None, None),
        ({"certificate_until": NOW + 14 * DAY}, "gateway_certificate", Priority.LOW),
        ({"certificate_until": NOW + 3 * DAY}, "gateway_certificate", Priority.MEDIUM),
        ({"certificate_until": NOW}, "gateway_certificate", Priority.MEDIUM),
        ({"oldest_unsent_s": 900, "outbox_depth": 5}, None, None),
        ({"oldest_unsent_s": 901, "outbox_depth": 5}, "gateway_backlog", Priority.MEDIUM),
    ],
)
def test_a_gateway_on_both_sides_of_each_limit(
    said: dict[str, Any], condition: str | None, priority: Priority | None
) -> None:
    found = [(c.name, c.priority) for c in judged(gateways=[gateway(**said)]).conditions]
    assert found == ([(condition, priority)] if condition else [])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (silent(600), ["away since 21 Nov 2026, 11:50 UTC", "without a word"]),
        (gone(600), ["away since 21 Nov 2026, 11:50 UTC", "its connection broke"]),
        ({"storage_error": "no space left on device"}, ["no space left on device", "leaves its devices unread"]),
        ({"readings_damaged": 3}, ["damaged 3 readings", "have it replaced"]),
        ({"clock_offset_s": 7300.0}, ["some 2 h ahead of ours"]),
        ({"clock_offset_s": -61.0, "clock_synchronised": False}, ["over a minute behind ours", "nothing keeps it"]),
        ({"certificate_until": NOW + 2 * DAY}, ["runs out in 2 days", "23 Nov 2026, 12:00 UTC"]),
        ({"certificate_until": NOW - DAY}, ["ran out on 20 Nov 2026", "enrol the gateway again"]),
        ({"oldest_unsent_s": 7300}, ["more than 2 h"]),
    ],
)
def test_a_sentence_says_what_and_since_when(said: dict[str, Any], words: list[str]) -> None:
    condition = only(judged(gateways=[gateway(**said)]))
    assert condition.subject == f"gateway:{GATEWAY}"
    for word in words:
        assert word in condition.sentence


def test_while_nobody_listened_its_silence_says_nothing() -> None:
    heard_since = [ingest(since=NOW - 2 * MINUTE)]
    assert names(judged(components=heard_since, gateways=[gateway(**silent(3600))])) == {}


def test_a_gateway_that_was_away_before_our_side_fell_stays_so_and_is_hidden() -> None:
    away = only(judged(gateways=[gateway(**silent(600))]))
    found = names(judged(away, components=[], gateways=[gateway(**silent(900))]))
    assert found == {"component_down": None, "gateway_away": "component_down"}


def test_no_gateway_is_found_away_while_our_side_is_down() -> None:
    assert names(judged(components=[], gateways=[gateway(**silent(900))])) == {"component_down": None}


@pytest.mark.parametrize("later_s", [0, 15, 59])
def test_a_sentence_stays_the_same_while_nothing_changes(later_s: int) -> None:
    said = silent(900) | {"oldest_unsent_s": 5000, "clock_offset_s": 200.0}
    first = judged(gateways=[gateway(**said)])
    moved = said | {"clock_offset_s": 201.5, "oldest_unsent_s": 5000 + later_s}
    then = judged(gateways=[gateway(**moved)], at=NOW + later_s * SECOND, components=[ingest(seen_at=NOW + MINUTE)])
    assert [c.sentence for c in first.conditions] == [c.sentence for c in then.conditions]
