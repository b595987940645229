"""Gateways and assignments in the database."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import psycopg
import pytest

from cloud.devices import store
from cloud.devices.statuses import GatewayStatus, record_status
from tests.cloud.made import GATEWAY, METER, NOW, Ward, arrival, glucose, message, new_patient, sent, session


def status(state: str, seconds: int, *, depth: int | None = None, software: str | None = None) -> GatewayStatus:
    """What the gateway said so many seconds after NOW."""
    return GatewayStatus(
        gateway_id=GATEWAY,
        state=state,
        received_at=NOW + timedelta(seconds=seconds),
        software=software,
        outbox_depth=depth,
        oldest_unsent_s=None,
    )


def gateway(ward: Ward) -> list[tuple[object, ...]]:
    """The gateway's row in short."""
    return ward.rows("SELECT state, state_at, last_seen_at, software, outbox_depth FROM gateway")


def test_two_patients_cannot_have_one_device_at_the_same_time(ward: Ward) -> None:
    with pytest.raises(psycopg.errors.ExclusionViolation):
        store.assign_device(ward.admin, METER.device_id, new_patient(ward.admin, "Bo Example"), NOW)


def test_a_gateway_id_that_no_topic_can_carry_is_refused(ward: Ward) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        store.enrol_gateway(ward.admin, "gw/+/home", NOW)


def test_birth_heartbeat_and_will_keep_the_gateways_row(ward: Ward) -> None:
    record_status(ward.ingest, [status("online", 0, depth=7, software="0.1.0"), status("online", 30, depth=0)])
    born = NOW + timedelta(seconds=30)
    assert gateway(ward) == [("online", born, born, "0.1.0", 0)]

    died = NOW + timedelta(seconds=90)
    record_status(ward.ingest, [status("offline", 90)])
    assert gateway(ward) == [("offline", died, born, "0.1.0", 0)]


def test_an_older_status_that_comes_later_changes_nothing(ward: Ward) -> None:
    record_status(ward.ingest, [status("online", 60)])
    record_status(ward.ingest, [status("offline", 30)])

    assert gateway(ward)[0][0] == "online"


def test_a_status_of_a_stranger_is_told_apart(ward: Ward) -> None:
    stranger = GatewayStatus(
        gateway_id="gw-stranger",
        state="online",
        received_at=NOW,
        software=None,
        outbox_depth=None,
        oldest_unsent_s=None,
    )
    assert record_status(ward.ingest, [stranger, status("online", 0)]) == frozenset({GATEWAY})


def test_a_visit_by_a_clock_that_ran_ahead_does_not_outdate_the_visits_after_it(ward: Ward) -> None:
    ahead = msgspec.structs.replace(session(replace(METER, firmware="1.0")), started_at=NOW + timedelta(days=400))
    ward.receive(sent(glucose("100"), visit=ahead))
    tomorrow = NOW + timedelta(days=1)
    after = msgspec.structs.replace(session(replace(METER, firmware="2.0")), started_at=tomorrow)
    ward.receive(arrival(message(glucose("101"), visit=after), at=tomorrow))

    assert ward.rows("SELECT firmware, last_seen_at FROM device WHERE serial_number = 'XYZ1234'") == [("2.0", tomorrow)]
