"""Why nothing comes: a table of evidence, and the cause that it speaks for."""

from dataclasses import replace
from typing import Any

import pytest

from alerting.technical.limits import DEFAULT_LIMITS
from alerting.technical.silence import Cause, Silence, Watcher, cause_of_silence
from tests.alerting.technical.made import DAY, HOUR, MINUTE, NOW, entry, gateway, ingest, judged, late_use, names, use

# Nothing since the day before yesterday, while a measurement was due yesterday.
LATE = {"measured_at": NOW - 2 * DAY, "missed_since": NOW - DAY, "reached": DAY}
# Two days' silence: the patient is to be called.
LATER = {"measured_at": NOW - 3 * DAY, "missed_since": NOW - 2 * DAY, "reached": 2 * DAY}
# A radio that is heard only when it is used: no sign of it since then.
UNSEEN = {"visited_at": NOW - 2 * DAY, "complete_at": NOW - 2 * DAY}

NOBODY, DEVICE, AWAY, OURS = Cause.NOBODY_MEASURED, Cause.DEVICE_SILENT, Cause.GATEWAY_AWAY, Cause.OUR_SIDE_DOWN


def watcher(told: dict[str, Any] | None = None, **fields: Any) -> Watcher:
    """A gateway that is there and looks for the device."""
    return replace(Watcher(entry=entry(**(told or {})), is_away=False, outbox_depth=0), **fields)


def cause(used: dict[str, Any], *watchers: Watcher, down: bool = False) -> Silence:
    """The verdict."""
    return cause_of_silence(use(**used), watchers, our_side_is_down=down, now=NOW, limits=DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("used", "watchers", "expected", "why"),
    [
        # Nobody is judged.
        ({}, [watcher()], None, "not late"),
        ({"measured_at": None}, [watcher()], None, "not late"),
        (LATE | {"held_at": NOW - HOUR}, [watcher()], None, "quarantine"),
        (LATE, [watcher(outbox_depth=4)], None, "still has readings to send"),
        (LATE, [watcher(UNSEEN, back_at=NOW - HOUR)], None, "has not watched for long enough"),
        # Nobody measured.
        (LATE, [watcher()], NOBODY, "read to its end on 21 Nov 2026, 12:00 UTC, and nobody had measured"),
        (LATE, [watcher({"complete_at": NOW - DAY})], NOBODY, "read to its end"),
        (LATE, [watcher(UNSEEN)], NOBODY, "no sign of use and none of trouble"),
        (LATE | {"held_at": NOW - 20 * DAY}, [watcher(UNSEEN)], NOBODY, "no sign of use"),
        (
            LATE | {"measured_at": None},
            [watcher({"outcome": "unreachable", "complete_at": None})],
            NOBODY,
            "no sign of use",
        ),
        (LATE, [watcher(UNSEEN, back_at=NOW - 1.1 * DAY)], NOBODY, "no sign of use"),
        (LATER, [watcher(UNSEEN | {"complete_at": NOW - 3 * DAY}, back_at=NOW - 1.1 * DAY)], NOBODY, "no sign of use"),
        (LATE | {"reached": 12 * HOUR}, [watcher(UNSEEN, back_at=NOW - 13 * HOUR)], NOBODY, "no sign of use"),
        (LATE | {"reached": 12 * HOUR}, [watcher(UNSEEN, back_at=NOW - 11 * HOUR)], None, "not watched for long"),
        (LATE, [watcher(UNSEEN), watcher(UNSEEN, is_away=True)], NOBODY, "no sign of use"),
        (LATE, [watcher(back_at=NOW - HOUR)], NOBODY, "read to its end"),
        # The device is silent.
        (LATE, [], DEVICE, "no gateway has it in its roster"),
        (LATE, [watcher(UNSEEN | {"battery_low": True})], DEVICE, "battery was low"),
        (LATE, [watcher(UNSEEN | {"outcome": "unreachable", "heard_at": NOW})], DEVICE, "it was heard"),
        (
            LATE,
            [watcher(UNSEEN | {"visited_at": NOW, "outcome": "cut", "reason": "LinkError"})],
            DEVICE,
            "could not be read: LinkError",
        ),
        (LATE, [watcher(UNSEEN | {"visited_at": NOW, "outcome": "no_profile"})], DEVICE, "could not be read"),
        (
            LATE,
            [watcher(UNSEEN | {"visited_at": NOW, "outcome": "unreachable", "repairs": {"rebond": 1}})],
            DEVICE,
            "bond had to be repaired",
        ),
        # Its gateway is away.
        (LATE, [watcher(UNSEEN, is_away=True)], AWAY, "its gateway is away"),
        (LATE, [watcher({"battery_low": True}, is_away=True)], AWAY, "its gateway is away"),
        (LATE, [watcher(UNSEEN, storage_error="disk full")], AWAY, "can keep nothing"),
    ],
)
def test_the_evidence_speaks_for_one_cause(
    used: dict[str, Any], watchers: list[Watcher], expected: Cause | None, why: str
) -> None:
    found = cause(used, *watchers)
    assert (found.cause, why in found.why) == (expected, True), found


def test_while_our_side_is_down_nobody_else_is_blamed() -> None:
    assert cause(LATE, watcher(is_away=True), down=True).cause is OURS


def test_a_repaired_bond_that_reads_again_is_no_trouble() -> None:
    assert cause(LATE, watcher({"repairs": {"rebond": 2}})).cause is NOBODY


@pytest.mark.parametrize("late", [False, True])
def test_only_what_the_device_or_its_way_causes_is_a_technical_condition(late: bool) -> None:
    overdue = late_use() if late else use()
    silences = {
        "nobody": judged(uses=[overdue]),
        "device": judged(uses=[overdue], roster=[entry(**UNSEEN, battery_low=True)]),
    }
    assert names(silences["nobody"]) == {}
    assert ("device_silent" in names(silences["device"])) is late


def test_a_gateway_that_is_away_hides_its_devices_silence_and_keeps_it() -> None:
    gone = gateway(last_seen_at=NOW - HOUR, state_at=NOW - HOUR)
    found = judged(uses=[late_use()], gateways=[gone], roster=[entry(**UNSEEN)])
    assert names(found) == {"gateway_away": None, "device_silent": "gateway_away"}


def test_our_side_hides_the_silence_of_all_devices() -> None:
    found = judged(uses=[late_use()], components=[ingest(seen_at=NOW - 5 * MINUTE)], roster=[entry(**UNSEEN)])
    assert names(found) == {"component_down": None, "device_silent": "component_down"}
