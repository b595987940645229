"""Rosters and all that a status tells, in the database."""

from datetime import timedelta

from cloud.devices.statuses import DeviceState, GatewayStatus, record_status
from tests.cloud.made import GATEWAY, METER, NOW, Ward, arrival, message, session

UNTIL = NOW + timedelta(days=90)


def told(seconds: int = 0, *devices: DeviceState, state: str = "online") -> GatewayStatus:
    """A status that says everything."""
    at = NOW + timedelta(seconds=seconds)
    return GatewayStatus(
        gateway_id=GATEWAY,
        state=state,
        received_at=at,
        at=at - timedelta(seconds=90),
        software="0.1.0",
        outbox_depth=3,
        oldest_unsent_s=7,
        started_at=NOW - timedelta(days=1),
        clock_synchronised=False,
        disk_free_octets=12_345_678_901,
        storage_error="no space left",
        certificate_until=UNTIL,
        versions={"python": "3.13"},
        devices=devices,
    )


def will(seconds: int) -> GatewayStatus:
    """The broker's word for a gateway that is gone."""
    return GatewayStatus(gateway_id=GATEWAY, state="offline", received_at=NOW + timedelta(seconds=seconds))


def names(ward: Ward) -> list[str]:
    """Of the gateway's devices."""
    return [name for (name,) in ward.rows("SELECT name FROM gateway_device ORDER BY name")]


def test_everything_that_a_status_says_is_kept(ward: Ward) -> None:
    record_status(ward.ingest, [told()])

    assert ward.rows(
        "SELECT started_at, clock_synchronised, clock_offset_s, disk_free_octets, storage_error, certificate_until,"
        " versions FROM gateway"
    ) == [(NOW - timedelta(days=1), False, -90.0, 12_345_678_901, "no space left", UNTIL, {"python": "3.13"})]


def test_a_status_that_says_little_takes_back_what_is_over(ward: Ward) -> None:
    record_status(ward.ingest, [told()])
    record_status(ward.ingest, [GatewayStatus(gateway_id=GATEWAY, state="online", received_at=NOW, outbox_depth=0)])

    assert ward.rows("SELECT storage_error, software, versions FROM gateway") == [(None, "0.1.0", {})]


def test_the_last_will_leaves_what_the_gateway_said(ward: Ward) -> None:
    record_status(ward.ingest, [told(0, DeviceState(name="cuff", profile="and-ua-651ble"))])
    record_status(ward.ingest, [will(60)])

    assert ward.rows("SELECT state, storage_error, disk_free_octets FROM gateway") == [
        ("offline", "no space left", 12_345_678_901)
    ]
    assert names(ward) == ["cuff"]


def test_the_newest_roster_replaces_the_one_before(ward: Ward) -> None:
    meter, cuff = DeviceState(name="meter", profile="a"), DeviceState(name="cuff", profile="b")
    record_status(ward.ingest, [told(0, meter, cuff)])
    assert names(ward) == ["cuff", "meter"]

    moved = DeviceState(name="cuff", profile="c", outcome="no_profile", identity="maker X", repairs={"rebond": 2})
    record_status(ward.ingest, [told(5, meter), told(10, moved)])
    assert ward.rows("SELECT name, profile, outcome, identity, repairs FROM gateway_device") == [
        ("cuff", "c", "no_profile", "maker X", {"rebond": 2})
    ]


def test_an_older_roster_changes_nothing(ward: Ward) -> None:
    record_status(ward.ingest, [told(10, DeviceState(name="cuff", profile="b"))])
    record_status(ward.ingest, [told(5, DeviceState(name="meter", profile="a"))])

    assert names(ward) == ["cuff"]


def test_a_name_that_is_told_twice_counts_once(ward: Ward) -> None:
    record_status(ward.ingest, [told(0, DeviceState(name="cuff", profile="a"), DeviceState(name="cuff", profile="b"))])

    assert ward.rows("SELECT profile FROM gateway_device") == [("b",)]


def test_a_roster_of_a_stranger_is_not_kept(ward: Ward) -> None:
    stranger = GatewayStatus(
        gateway_id="gw-stranger", state="online", received_at=NOW, devices=(DeviceState(name="cuff", profile="a"),)
    )
    assert record_status(ward.ingest, [stranger]) == frozenset()
    assert names(ward) == []


def test_a_gateway_that_names_somebody_elses_device_tells_nothing_of_it(ward: Ward) -> None:
    record_status(ward.ingest, [told(0, DeviceState(name="meter", profile="p", device_id=METER.device_id))])
    assert ward.rows("SELECT name, device_id FROM gateway_device") == [("meter", None)]

    ward.receive(arrival(message(visit=session(METER))))
    record_status(ward.ingest, [told(30, DeviceState(name="meter", profile="p", device_id=METER.device_id))])
    assert ward.rows("SELECT name, device_id FROM gateway_device") == [("meter", METER.device_id)]
