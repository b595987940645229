"""When our own side counts as down, and that everybody at work is told, in a page and without a reload."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from alerting.technical.fleet import Component
from alerting.technical.limits import DEFAULT_LIMITS
from cloud.components.service import UNJUDGED_FOR, judged
from tests.cloud.live.reading import stream, until
from tests.cloud.made import NOW
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console

STORING, WATCHING = "New readings are not arriving", "falls silent"


@pytest.fixture
def fleet(console: Console) -> Fleet:
    return Fleet(console.ward.admin)


STALE = DEFAULT_LIMITS.component_silent + timedelta(seconds=1)
LONG_UNJUDGED = UNJUDGED_FOR + timedelta(seconds=1)
DEAF = DEFAULT_LIMITS.broker_lost + timedelta(seconds=1)


def process(kind: str, seen_at: datetime = NOW, **more: Any) -> Component:
    return Component(name=f"{kind}-1", kind=kind, seen_at=seen_at, **more)


@pytest.mark.parametrize(
    ("components", "storing", "since"),
    [
        ([process("ingest")], True, None),
        ([process("ingest", NOW - DEFAULT_LIMITS.component_silent)], True, None),
        ([process("ingest", NOW - STALE)], False, NOW - STALE),
        ([process("ingest", NOW - STALE), process("ingest")], True, None),
        ([process("jobs")], False, None),
        ([process("ingest", broker=True, since=NOW - DEAF)], True, None),
        ([process("ingest", broker=False, since=NOW - DEAF)], False, NOW - DEAF),
        ([process("ingest", broker=False, since=NOW)], True, None),
        ([process("ingest", broker=False, since=NOW - DEAF), process("ingest", broker=True)], True, None),
        ([process("ingest", NOW + timedelta(hours=1))], True, None),
    ],
    ids=[
        *("there", "just there", "gone", "one of two gone", "never there", "hearing", "deaf", "deaf for a moment"),
        *("one of two deaf", "from the future"),
    ],
)
def test_readings_are_taken_while_a_worker_is_there_and_hears_the_broker(
    components: list[Component], storing: bool, since: datetime | None
) -> None:
    found = judged(components, NOW)
    assert (found.is_storing, found.storing_stopped_at) == (storing, since)


@pytest.mark.parametrize(
    ("components", "watching", "since"),
    [
        ([process("jobs")], True, None),
        ([process("jobs", NOW - STALE)], False, NOW - STALE),
        ([process("jobs", NOW - STALE), process("jobs")], True, None),
        ([process("ingest")], False, None),
        ([process("jobs", judged_at=NOW - UNJUDGED_FOR)], True, None),
        ([process("jobs", since=NOW)], True, None),
        ([process("jobs", judged_at=NOW - LONG_UNJUDGED)], False, NOW - LONG_UNJUDGED),
        ([process("jobs", since=NOW - LONG_UNJUDGED)], False, NOW - LONG_UNJUDGED),
    ],
)
def test_silence_is_watched_while_a_process_for_it_is_there_and_gets_it_done(
    components: list[Component], watching: bool, since: datetime | None
) -> None:
    found = judged(components, NOW)
    assert (found.is_watching, found.watching_stopped_at) == (watching, since)


def test_clinical_pages_say_what_does_not_work(console: Console, fleet: Fleet) -> None:
    paths = ("/worklist", "/patients", f"/patients/{console.ward.patient_id}")
    nora = console.sign_in("nora")
    fleet.component("ingest-1", "ingest", NOW)
    fleet.component("jobs-1", "jobs", NOW)
    assert not any(words in nora.get(path).text for path in paths for words in (STORING, WATCHING))
    fleet.component("ingest-1", "ingest", NOW - timedelta(minutes=12))
    fleet.component("jobs-1", "jobs", NOW - timedelta(hours=1))
    for path in paths:
        page = nora.get(path).text
        assert STORING in page
        assert WATCHING in page
        assert "11:48 UTC" in page


def test_one_worker_of_two_is_enough(console: Console, fleet: Fleet) -> None:
    fleet.component("ingest-1", "ingest", NOW - timedelta(days=9))
    fleet.component("ingest-2", "ingest", NOW)
    assert STORING not in console.sign_in("nora").get("/worklist").text


def test_an_open_page_is_told_when_our_own_side_falls_and_when_it_is_back(console: Console, fleet: Fleet) -> None:
    fleet.component("ingest-1", "ingest", NOW)
    fleet.component("jobs-1", "jobs", NOW + timedelta(days=1))
    with stream(console.sign_in("nora")) as events:
        assert until(events, "our_side").data == ""
        console.clock.forward(minutes=2)
        assert STORING in until(events, "our_side").data
        fleet.component("ingest-1", "ingest", console.clock())
        assert until(events, "our_side").data == ""


def test_a_patient_is_not_told_of_our_side(console: Console, fleet: Fleet) -> None:
    fleet.component("ingest-1", "ingest", NOW - timedelta(hours=1))
    asta = console.sign_in("asta")
    assert STORING not in asta.get("/me").text
    with stream(asta) as events:
        assert [next(events).name, next(events).name] == ["beat", "beat"]
