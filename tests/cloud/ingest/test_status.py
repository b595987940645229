"""Statuses as they come from outside, absurd ones too."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from cloud.ingest.status import record
from cloud.ingest.subscriber import Delivery
from gateway.wire import v1
from tests.cloud.made import GATEWAY, NOW, Ward


def delivered(payload: bytes, seconds: int = 0, gateway_id: str = GATEWAY) -> Delivery:
    """A status as the subscriber hands it over."""
    return Delivery(
        gateway_id=gateway_id,
        channel="status",
        payload=payload,
        received_at=NOW + timedelta(seconds=seconds),
        lane=cast(Any, SimpleNamespace()),
        packet_id=1,
        connection=1,
    )


def status(**fields: Any) -> bytes:
    """An online status with these fields, whatever they hold."""
    return msgspec.json.encode({"v": 1, "state": "online", "at": NOW, **fields})


def test_a_gateway_and_its_devices_are_told_together(ward: Ward) -> None:
    cuff = v1.WireDeviceState(name="cuff", profile="and-ua-651ble", holds=12, heard_at=NOW, battery_low=True)
    said = v1.StatusMessage(v=1, state="online", at=NOW + timedelta(seconds=4), disk_free_octets=5, devices=(cuff,))
    record(ward.ingest, [delivered(v1.encode(said))])

    assert ward.rows("SELECT clock_offset_s, disk_free_octets FROM gateway") == [(4.0, 5)]
    assert ward.rows("SELECT name, holds, heard_at, battery_low, told_at FROM gateway_device") == [
        ("cuff", 12, NOW, True, NOW)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        {"name": "x\0", "profile": "p"},
        {"name": "x" * 5000, "profile": "p"},
        {"name": "x", "profile": "p", "device_id": "d" * 5000},
    ],
)
def test_one_bad_device_does_not_lose_the_status(ward: Ward, bad: dict[str, Any]) -> None:
    record(ward.ingest, [delivered(status(outbox_depth=4, devices=[bad, {"name": "cuff", "profile": "p"}]))])

    assert ward.rows("SELECT outbox_depth FROM gateway") == [(4,)]
    assert ward.rows("SELECT name FROM gateway_device") == [("cuff",)]


@pytest.mark.parametrize(
    "device",
    [
        {"holds": 10**15},
        {"reason": "a\0b" * 10_000},
        {"identity": "\U0001f600" * 10_000},
        {"repairs": {"re\0bond": 10**18}},
        {"visited_at": "9999-12-31T23:59:59.999999-14:00"},
        {"heard_at": "0001-01-01T00:00:00+14:00"},
        {"outcome": "a word of next year"},
    ],
)
def test_absurd_figures_of_a_device_are_cut_to_what_fits(ward: Ward, device: dict[str, Any]) -> None:
    record(ward.ingest, [delivered(status(devices=[{"name": "cuff", "profile": "p", **device}]))])

    assert ward.rows("SELECT state FROM gateway") == [("online",)]
    assert ward.rows("SELECT name FROM gateway_device") == [("cuff",)]


@pytest.mark.parametrize(
    "fields",
    [
        {"outbox_depth": 10**15, "oldest_unsent_s": 10**15, "disk_free_octets": 2**63},
        {"software": "a\0b" * 10_000},
        {"storage_error": "\0"},
        {"versions": {f"part {n}\0": "1\0" for n in range(5000)}},
        {"certificate_until": "9999-12-31T23:59:59-14:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"devices": [{"name": f"device {n}", "profile": "p"} for n in range(2000)]},
    ],
)
def test_absurd_figures_of_a_gateway_are_cut_to_what_fits(ward: Ward, fields: dict[str, Any]) -> None:
    record(ward.ingest, [delivered(status(**fields))])

    assert ward.rows("SELECT state FROM gateway") == [("online",)]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"v": 1, "state": "asleep"}',
        b'{"v": 2}',
        b"[" * 100_000,
        # Python's $ also stands before a last line feed: an id with one is no UUID, and ended the ingest.
        status(commands=[{"command_id": "0" * 32 + "\n", "kind": "pair", "stage": "done", "step": 0}]),
    ],
)
def test_what_is_no_status_is_passed_over(ward: Ward, payload: bytes) -> None:
    record(ward.ingest, [delivered(payload), delivered(status(outbox_depth=1), 1)])

    assert ward.rows("SELECT outbox_depth FROM gateway") == [(1,)]
