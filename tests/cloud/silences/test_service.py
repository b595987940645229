"""What a nurse reads when nothing came: one of four causes, from what is stored; nothing where it is not late."""

import re
from datetime import timedelta
from typing import LiteralString

import pytest

from tests.cloud.gateways.test_routes import text_of
from tests.cloud.made import GATEWAY, METER, NOW, expect, glucose, pressure, sent
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console

HOUR = timedelta(hours=1)
WORDS = {
    "nobody": "Nobody measured.",
    "device": "The device does not answer: battery or pairing.",
    "gateway": "The gateway in the home is away.",
    "ours": "Our side is down.",
}


@pytest.fixture
def fleet(console: Console) -> Fleet:
    """The patient last measured two days ago and is to measure each day; gateway and our side are well."""
    made = Fleet(console.ward.admin)
    console.ward.receive(sent(glucose("100", NOW - 2 * 24 * HOUR)))
    expect(made.admin, console.ward.patient_id, at="12:00")
    made.admin.execute("UPDATE device SET first_seen_at = %s", (NOW - 30 * 24 * HOUR,))
    made.component("ingest-1", "ingest", NOW)
    made.admin.execute("UPDATE component SET detail = %s", ('{"broker": true, "since": "2026-11-01T00:00:00+00:00"}',))
    made.gateway(GATEWAY)
    made.device(GATEWAY, "meter", device_id=METER.device_id, visited_at=NOW - HOUR, outcome="complete")
    return made


def test_a_device_that_was_read_and_had_nothing_new_was_used_by_nobody(console: Console, fleet: Fleet) -> None:
    fleet.device(GATEWAY, "meter", device_id=METER.device_id, outcome="complete", complete_at=NOW - HOUR)
    said = _said(console)
    assert WORDS["nobody"] in said
    assert "Nothing since 19 Nov 2026, 13:00; 2 measurements missed, the first was due 20 Nov 2026, 12:00." in said
    assert "read to its end on 21 Nov 2026, 12:00 CET" in said


def test_a_device_that_answered_in_vain_has_lost_its_battery_or_its_bond(console: Console, fleet: Fleet) -> None:
    fleet.device(GATEWAY, "meter", device_id=METER.device_id, outcome="cut", visited_at=NOW - HOUR, battery_low=True)
    assert WORDS["device"] in _said(console)


def test_a_gateway_that_is_away_is_the_cause_and_not_its_devices(console: Console, fleet: Fleet) -> None:
    fleet.gateway(GATEWAY, state="offline", seen_at=NOW - 3 * HOUR)
    assert WORDS["gateway"] in _said(console)


def test_our_own_side_is_named_before_anybody_elses(console: Console, fleet: Fleet) -> None:
    fleet.gateway(GATEWAY, state="offline", seen_at=NOW - 3 * HOUR)
    fleet.component("ingest-1", "ingest", NOW - HOUR)
    assert WORDS["ours"] in _said(console)


def test_readings_on_their_way_leave_the_cause_open_and_say_so(console: Console, fleet: Fleet) -> None:
    fleet.gateway(GATEWAY, outbox_depth=5)
    said = _said(console)
    assert not any(words in said for words in WORDS.values())
    assert "its gateway still has readings to send" in said


@pytest.mark.parametrize(
    "changed",
    [
        "UPDATE measurement_slot SET at = '14:00'",
        "UPDATE measurement_slot SET valid = tstzrange(lower(valid), '2026-11-21 11:00+00')",
        "INSERT INTO measurement_pause (patient_id, valid, reason) SELECT patient_id, '(,)', 'away' FROM patient",
    ],
    ids=["not late yet", "nothing is expected any more", "a pause"],
)
def test_what_is_not_late_is_not_mentioned(console: Console, fleet: Fleet, changed: LiteralString) -> None:
    fleet.admin.execute(changed)
    assert "Nothing since" not in _said(console)


def test_the_silence_of_one_patient_is_not_that_of_another(console: Console, fleet: Fleet) -> None:
    fleet.admin.execute("UPDATE device_assignment SET patient_id = %s", (console.other_patient_id,))
    assert "Nothing since" not in _said(console)


def _said(console: Console) -> str:
    page = console.sign_in("nora").get(f"/patients/{console.ward.patient_id}").text
    return text_of(" ".join(re.findall(r"<tr data-assignment-id=.*?</tr>", page, re.DOTALL)))


def test_a_device_that_measures_something_else_is_not_blamed(console: Console, fleet: Fleet) -> None:
    console.ward.receive(sent(pressure(at=NOW - HOUR)))
    fleet.device(GATEWAY, "meter", device_id=METER.device_id, outcome="complete", complete_at=NOW - HOUR)
    page = console.sign_in("nora").get(f"/patients/{console.ward.patient_id}").text
    assert page.count('class="silence"') == 1
