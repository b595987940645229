"""What the gateway says about itself."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from gateway import heartbeat
from gateway.bond_ladder import Ladder
from gateway.config import DeviceEntry
from gateway.disk import Disk
from gateway.heartbeat import Heart
from gateway.outbox import Lane, Outbox, Seen, VisitRow
from gateway.sightings import Sightings
from gateway.wire import v1
from tests.gateway.made import NOW, session, wire

METER = DeviceEntry(name="meter", profile="roche-accu-chek-guide", address="5C:31:3E:00:11:22")
CUFF = DeviceEntry(name="cuff", profile="taidoc-td-3128", url="/dev/cuff")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    yield outbox
    outbox.close()


def test_an_empty_outbox_has_no_age(outbox: Outbox) -> None:
    status = heartbeat.status(outbox, NOW)
    assert (status.state, status.at, status.software) == ("online", NOW, version("pulsepost"))
    assert (status.outbox_depth, status.oldest_unsent_s) == (0, None)


def test_depth_and_age_of_what_waits_are_said(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.LIVE)], NOW - timedelta(days=3))
    outbox.put(session(2), [(wire(2), Lane.LIVE)], NOW)
    status = heartbeat.status(outbox, NOW)
    assert (status.outbox_depth, status.oldest_unsent_s) == (2, 3 * 86400)


def test_a_clock_that_was_set_back_gives_no_negative_age(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.LIVE)], NOW)
    assert heartbeat.status(outbox, NOW - timedelta(hours=1)).oldest_unsent_s == 0


def heart(outbox: Outbox, *devices: DeviceEntry, sightings: Sightings | None = None) -> Heart:
    return Heart(
        outbox,
        devices,
        sightings or Sightings(lambda: NOW),
        lambda: NOW,
        lambda: True,
        lambda: NOW + timedelta(days=30),
    )


def row(name: str, outcome: str = "complete", **facts: Any) -> VisitRow:
    said = {"reason": "", "received": 0, "new": 0, "holds": None, **facts}
    return VisitRow(name=name, at=NOW, outcome=outcome, **said)


def test_it_says_what_the_gateway_runs_on_and_whether_it_can_go_on(outbox: Outbox) -> None:
    said = heart(outbox).status()
    assert (said.started_at, said.clock_synchronised, said.storage_error) == (NOW, True, None)
    assert (said.disk_free_octets or 0) > 0
    assert said.certificate_until == NOW + timedelta(days=30)
    assert said.versions.keys() == {"python", "linux", "pulsepost"}
    assert said.devices == ()


def test_it_says_of_each_device_how_its_last_visit_went_and_what_is_known_of_it(outbox: Outbox) -> None:
    sightings = Sightings(lambda: NOW)
    sightings.note("meter")
    outbox.remember("meter", Seen("roche:sn:92312001", "1"))
    outbox.record_visit(
        row("meter", holds=412, complete_at=NOW - timedelta(days=2), battery_low=True, identity="model Y")
    )
    outbox.record_visit(row("meter", "unreachable", reason="LinkTimeout: no answer"))
    outbox.keep_ladder("meter", Ladder(closed=2, forgotten=1))
    meter, cuff = heart(outbox, METER, CUFF, sightings=sightings).status().devices
    assert meter == v1.WireDeviceState(
        name="meter",
        profile="roche-accu-chek-guide",
        transport="ble",
        device_id="roche:sn:92312001",
        visited_at=NOW,
        outcome="unreachable",
        reason="LinkTimeout: no answer",
        complete_at=NOW - timedelta(days=2),
        holds=412,
        heard_at=NOW,
        battery_low=True,
        repairs={"closed": 2, "forgotten": 1},
    )
    assert cuff == v1.WireDeviceState(name="cuff", profile="taidoc-td-3128", transport="serial")


def test_a_battery_is_as_low_as_the_last_whole_visit_found_it(outbox: Outbox) -> None:
    outbox.record_visit(row("meter", complete_at=NOW, battery_low=True))
    outbox.record_visit(row("meter", complete_at=NOW, battery_low=None))
    assert heart(outbox, METER).status().devices[0].battery_low is None


def test_what_answered_is_told_where_no_profile_fits_it_and_nowhere_else(outbox: Outbox) -> None:
    outbox.record_visit(row("cuff", "no_profile", identity="model TD-3140; serial number 3140990001"))
    assert heart(outbox, CUFF).status().devices[0].identity == "model TD-3140; serial number 3140990001"
    outbox.record_visit(row("cuff", complete_at=NOW))
    assert heart(outbox, CUFF).status().devices[0].identity is None


def test_twenty_devices_with_everything_to_say_make_a_short_message(outbox: Outbox) -> None:
    entries = [DeviceEntry(name=f"device-{n:057d}", profile="p" * 60, url=f"/dev/{n}") for n in range(20)]
    for entry in entries:
        outbox.remember(entry.name, Seen("d" * 100, "1"))
        outbox.record_visit(
            row(entry.name, "no_profile", reason="r" * 2000, identity="i" * 2000, holds=9999, complete_at=NOW)
        )
        outbox.keep_ladder(entry.name, Ladder(closed=10**6, forgotten=10**6, power_cycled=10**6, given_up=10**6))
    said = v1.encode(heart(outbox, *entries).status())
    assert len(said) < 32_000


def test_an_outcome_that_changed_is_news_and_only_once(outbox: Outbox) -> None:
    one = heart(outbox, METER)
    one.status()
    assert not one.has_news()
    outbox.record_visit(row("meter", complete_at=NOW))
    assert one.has_news()
    one.status()
    outbox.record_visit(row("meter", complete_at=NOW, reason="another word for the same"))
    assert not one.has_news()
    outbox.record_visit(row("meter", complete_at=NOW, battery_low=True))
    assert one.has_news()
    one.status()
    outbox.keep_ladder("meter", Ladder(given_up=1))
    assert one.has_news()


def test_a_disk_that_fills_is_news_and_one_that_stays_full_is_none(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    outbox = Outbox.open(tmp_path / "outbox.sqlite", disk=disk)
    one = heart(outbox)
    one.status()
    disk.floor = disk.free_octets() * 2
    assert one.has_news()
    assert "the disk is full" in str(one.status().storage_error)
    assert not one.has_news()
    outbox.close()


def test_damaged_readings_are_said(outbox: Outbox) -> None:
    outbox.put(session(1), [(wire(1), Lane.LIVE)], NOW)
    outbox._db.execute("UPDATE reading SET sealed = zeroblob(99)")
    assert outbox.claim(Lane.LIVE) is None
    said = heart(outbox).status()
    # Devices are read as before, so it is no storage error; and nothing waits that could still be sent.
    assert (said.readings_damaged, said.storage_error, said.outbox_depth, said.oldest_unsent_s) == (1, None, 0, None)


async def test_it_beats_at_its_interval() -> None:
    beats = asyncio.Semaphore(0)
    task = asyncio.create_task(heartbeat.beat(beats.release, 0.01))
    for _ in range(3):
        await asyncio.wait_for(beats.acquire(), 5)
    task.cancel()
