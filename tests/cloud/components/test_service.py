"""When our own side counts as down, and that everybody at work is told, in a page and without a reload."""

from datetime import datetime, timedelta

import pytest

from cloud.components.models import OwnSide
from cloud.components.service import INGEST_DOWN_AFTER, JOBS_DOWN_AFTER, judged
from tests.cloud.live.reading import stream, until
from tests.cloud.made import NOW
from tests.cloud.planted_fleet import Fleet
from tests.fix_console import Console

STORING, WATCHING = "New readings are not arriving", "falls silent"


@pytest.fixture
def fleet(console: Console) -> Fleet:
    return Fleet(console.ward.admin)


@pytest.mark.parametrize(
    ("last_seen", "storing", "watching"),
    [
        ({}, False, False),
        ({"ingest": NOW, "jobs": NOW}, False, False),
        ({"ingest": NOW - INGEST_DOWN_AFTER, "jobs": NOW - JOBS_DOWN_AFTER}, False, False),
        ({"ingest": NOW - INGEST_DOWN_AFTER - timedelta(seconds=1), "jobs": NOW}, True, False),
        ({"ingest": NOW, "jobs": NOW - JOBS_DOWN_AFTER - timedelta(seconds=1)}, False, True),
        ({"ingest": NOW + timedelta(hours=1)}, False, False),
    ],
)
def test_our_own_side_is_down_when_nobody_does_the_work(
    last_seen: dict[str, datetime], storing: bool, watching: bool
) -> None:
    found = judged(last_seen, NOW)
    assert found == OwnSide(
        storing_stopped_at=last_seen["ingest"] if storing else None,
        watching_stopped_at=last_seen["jobs"] if watching else None,
    )


def test_clinical_pages_say_what_does_not_work(console: Console, fleet: Fleet) -> None:
    paths = ("/worklist", "/patients", f"/patients/{console.ward.patient_id}")
    nora = console.sign_in("nora")
    fleet.component("ingest-1", "ingest", NOW)
    assert not any(STORING in nora.get(path).text for path in paths)
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
    with stream(console.sign_in("nora")) as events:
        assert until(events, "own_side").data == ""
        console.clock.forward(minutes=2)
        assert STORING in until(events, "own_side").data
        fleet.component("ingest-1", "ingest", console.clock())
        assert until(events, "own_side").data == ""


def test_a_patient_is_not_told_of_our_side(console: Console, fleet: Fleet) -> None:
    fleet.component("ingest-1", "ingest", NOW - timedelta(hours=1))
    asta = console.sign_in("asta")
    assert STORING not in asta.get("/me").text
    with stream(asta) as events:
        assert [next(events).name, next(events).name] == ["beat", "beat"]
