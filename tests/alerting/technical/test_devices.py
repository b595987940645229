"""What gateways tell of their devices."""

from typing import Any

import pytest

from alerting.limits import Priority
from tests.alerting.technical.made import DEVICE, GATEWAY, HOUR, MINUTE, NOW, entry, judged, names, only


@pytest.mark.parametrize(
    ("told", "conditions"),
    [
        ({}, {}),
        ({"outcome": None, "visited_at": None, "complete_at": None}, {}),
        ({"outcome": "paired", "complete_at": None}, {}),
        # It is simply not there: nobody plugged it in, or uses it.
        ({"outcome": "unreachable", "complete_at": NOW - 48 * HOUR}, {}),
        # It gives signs of life, and cannot be read.
        ({"outcome": "unreachable", "heard_at": NOW, "complete_at": NOW - HOUR}, {}),
        ({"outcome": "unreachable", "heard_at": NOW, "complete_at": NOW - HOUR - MINUTE}, {"device_silent": None}),
        ({"outcome": "cut", "complete_at": NOW - HOUR}, {}),
        ({"outcome": "cut", "complete_at": NOW - HOUR - MINUTE}, {"device_silent": None}),
        ({"outcome": "cut", "complete_at": None}, {"device_silent": None}),
        ({"battery_low": True}, {"device_battery": None}),
        (
            {"battery_low": True, "outcome": "cut", "complete_at": NOW - 2 * HOUR},
            {"device_silent": None, "device_battery": "device_silent"},
        ),
        ({"outcome": "no_profile", "complete_at": None}, {"device_unknown_model": None}),
        (
            {"outcome": "no_profile", "complete_at": None, "battery_low": True},
            {"device_unknown_model": None, "device_battery": "device_unknown_model"},
        ),
    ],
)
def test_a_device_as_its_gateway_tells_of_it(told: dict[str, Any], conditions: dict[str, str | None]) -> None:
    assert names(judged(roster=[entry(**told)])) == conditions


def test_a_model_without_profile_is_named_so_that_support_can_write_it() -> None:
    said = "maker Acme, model GX-1, firmware 2.0; serial number 77"
    strange = entry(device_id=None, outcome="no_profile", reason="2 profiles fit", identity=said)
    condition = only(judged(roster=[strange]))

    assert condition.subject == f"roster:{GATEWAY}/cuff"
    assert condition.priority is Priority.MEDIUM
    assert condition.sentence == f"cuff is read by no profile (2 profiles fit). It says: {said}."
    assert condition.reason["identity"] == said


def test_repairs_of_a_bond_are_named() -> None:
    lost = entry(outcome="cut", complete_at=NOW - 2 * HOUR, reason="bond lost", repairs={"reconnect": 3, "rebond": 1})
    assert "Repairs of its bond: rebond, reconnect." in only(judged(roster=[lost])).sentence


def test_a_device_in_two_rosters_is_judged_by_whoever_saw_it_last() -> None:
    old = entry(gateway_id="home-1", outcome="cut", visited_at=NOW - 9 * HOUR, complete_at=NOW - 20 * HOUR)
    assert names(judged(roster=[old, entry()])) == {}
    assert only(judged(roster=[old])).subject == f"device:{DEVICE}"
