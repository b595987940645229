"""From what gateways say to technical alarms, and to the case of a measurement that nobody made, in the database."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cloud.db.components import beat
from cloud.db.connect import Connection, open_connection
from cloud.devices.statuses import DeviceState, GatewayStatus, record_status
from cloud.fleet.judging import Judged, judge_fleet
from tests.cloud.made import CUFF, GATEWAY, METER, NOW, Ward, arrival, glucose, message, new_patient, pressure, session

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass
class Tower:
    """Where the fleet is judged: the jobs role's connection, and what all sides say at a time."""

    ward: Ward
    jobs: Connection

    def ours(self, at: datetime, **detail: object) -> None:
        """An ingest worker is there, and hears the broker since a day before NOW unless said otherwise."""
        beat(self.ward.ingest, "ingest-1", "ingest", at, {"broker": True, "since": (NOW - DAY).isoformat()} | detail)

    def says(self, at: datetime, *devices: DeviceState, **fields: Any) -> None:
        """What the gateway says of itself and its devices."""
        said = GatewayStatus(gateway_id=GATEWAY, state="online", received_at=at, at=at, outbox_depth=0, devices=devices)
        record_status(self.ward.ingest, [replace(said, **fields)])

    def judge(self, at: datetime) -> Judged | None:
        """One judgement."""
        return judge_fleet(self.jobs, NOW - DAY, at)

    def open(self) -> dict[str, str | None]:
        """condition subject → what hides it."""
        return {
            f"{condition} {subject}": inhibited_by
            for condition, subject, inhibited_by in self.ward.rows(
                "SELECT condition, subject, inhibited_by FROM technical_alarm WHERE resolved_at IS NULL"
            )
        }

    def cases(self) -> list[tuple[Any, ...]]:
        """Of missing measurements."""
        return self.ward.rows(
            "SELECT state, priority, sentence FROM alert_case WHERE condition = 'missing_measurement'"
            " ORDER BY opened_at"
        )


@pytest.fixture
def tower(ward: Ward) -> Iterator[Tower]:
    """All is well at NOW."""
    jobs = open_connection(ward.database.jobs_url, "test jobs", autocommit=True)
    made = Tower(ward, jobs)
    made.ours(NOW)
    made.says(NOW)
    try:
        yield made
    finally:
        jobs.close()


def expect(tower: Tower, every: timedelta | None = DAY, device_id: str = METER.device_id) -> None:
    """A measurement with the device is expected so often."""
    tower.ward.admin.execute(
        "UPDATE device_assignment SET expected_every = %s WHERE device_id = %s", (every, device_id)
    )


def meter(**fields: Any) -> DeviceState:
    """The meter in the roster, read to its end just now unless said otherwise."""
    return replace(
        DeviceState(
            name="meter",
            profile="lifescan-onetouch-ultra2",
            device_id=METER.device_id,
            visited_at=NOW,
            outcome="complete",
            complete_at=NOW,
        ),
        **fields,
    )


def test_a_fleet_that_is_well_raises_nothing(tower: Tower) -> None:
    assert tower.judge(NOW) == Judged(in_force=0, raised=0, changed=0, resolved=0, cases=0)


def test_a_gateway_that_falls_silent_is_away_until_it_is_back(tower: Tower) -> None:
    later = NOW + 10 * MINUTE
    tower.ours(later)
    tower.judge(later)
    assert tower.open() == {f"gateway_away gateway:{GATEWAY}": None}

    tower.judge(later + MINUTE / 4)
    assert tower.ward.count("technical_alarm") == 1

    tower.says(later + MINUTE / 2)
    tower.judge(later + MINUTE / 2)
    assert tower.open() == {}
    assert tower.ward.rows("SELECT raised_at, resolved_at FROM technical_alarm") == [(later, later + MINUTE / 2)]


def test_when_our_side_is_down_no_gateway_is_blamed(tower: Tower) -> None:
    tower.judge(NOW + 10 * MINUTE)

    assert tower.open() == {"component_down component:ingest": None}


def test_what_was_known_before_our_side_fell_is_kept_and_hidden(tower: Tower) -> None:
    later = NOW + 10 * MINUTE
    tower.ours(later)
    tower.judge(later)
    tower.judge(later + 10 * MINUTE)

    assert tower.open() == {
        "component_down component:ingest": None,
        f"gateway_away gateway:{GATEWAY}": "component_down",
    }


def test_gateways_get_their_time_when_our_side_is_back(tower: Tower) -> None:
    back = NOW + 60 * MINUTE
    tower.judge(back)
    tower.ours(back + MINUTE, since=(back + MINUTE).isoformat())
    tower.judge(back + MINUTE)

    assert tower.open() == {}


def test_a_device_of_an_unknown_model_is_named_as_it_named_itself(tower: Tower) -> None:
    strange = DeviceState(
        name="new", profile="auto", outcome="no_profile", reason="none fits", identity="maker X, model Y; serial 1"
    )
    tower.says(NOW, strange)
    tower.judge(NOW)

    [(subject, sentence, reason, device_name)] = tower.ward.rows(
        "SELECT subject, sentence, reason, device_name FROM technical_alarm"
    )
    assert subject == f"roster:{GATEWAY}/new"
    assert "maker X, model Y; serial 1" in sentence
    assert (reason["identity"], device_name) == ("maker X, model Y; serial 1", "new")


def test_an_alarm_that_grows_worse_is_nobodys_again(tower: Tower) -> None:
    tower.says(NOW, certificate_until=NOW + 10 * DAY)
    tower.judge(NOW)
    tower.ward.admin.execute(
        "UPDATE technical_alarm SET acknowledged_at = now(), acknowledged_by = %s", (tower.ward.nurse_id,)
    )
    tower.ours(NOW + MINUTE)
    tower.says(NOW + MINUTE, certificate_until=NOW + 2 * DAY)
    tower.judge(NOW + MINUTE)

    assert tower.ward.rows("SELECT priority, acknowledged_at FROM technical_alarm") == [("medium", None)]


def test_two_do_not_judge_at_the_same_time(tower: Tower) -> None:
    with tower.ward.admin.transaction():
        tower.ward.admin.execute("SELECT pg_advisory_xact_lock(%s)", (0x70_75_6C_73_65_6A,))
        assert tower.judge(NOW) is None


def test_whoever_listens_is_told_once_for_all_changes(tower: Tower) -> None:
    tower.ward.admin.execute("LISTEN live")
    tower.says(NOW, storage_error="disk full", clock_synchronised=False)
    tower.judge(NOW)
    tower.judge(NOW)

    notices = [n.payload for n in tower.ward.admin.notifies(timeout=1, stop_after=2)]
    assert notices == ['{"type": "technical"}']


# Silence -------------------------------------------------------------------------------------------------------------


def test_a_measurement_that_nobody_made_opens_one_case(tower: Tower) -> None:
    expect(tower)
    late = NOW + 2 * DAY
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.ours(late)
    tower.says(late, meter(visited_at=late, complete_at=late))
    tower.judge(late)
    tower.judge(late + MINUTE)

    [(state, priority, sentence)] = tower.cases()
    assert (state, priority) == ("raised", "low")
    assert "OneTouch Ultra 2" in sentence
    assert "21 Nov 2026, 13:00 (Europe/Copenhagen); expected every day" in sentence
    assert tower.ward.rows("SELECT event, from_state, to_state FROM case_event") == [("raise", None, "raised")]


def test_nobody_said_how_often_so_nothing_is_missed(tower: Tower) -> None:
    expect(tower, None)
    late = NOW + 100 * DAY
    tower.ours(late)
    tower.says(late, meter(visited_at=late, complete_at=late))
    tower.judge(late)

    assert tower.cases() == []


def test_a_measurement_that_comes_is_written_into_the_case_and_closes_nothing(tower: Tower) -> None:
    test_a_measurement_that_nobody_made_opens_one_case(tower)
    back = NOW + 2 * DAY + 60 * MINUTE
    tower.ward.receive(arrival(message(glucose("101", back), visit=session(clock=NOW)), at=back), at=back)
    tower.judge(back)
    tower.judge(back + MINUTE)

    [(state, _, sentence)] = tower.cases()
    assert state == "raised"
    assert sentence.endswith("Measured again since.")
    assert [e for (e,) in tower.ward.rows("SELECT event FROM case_event ORDER BY event_id")] == ["raise", "measured"]


def test_a_closed_case_opens_again_only_after_another_interval(tower: Tower) -> None:
    test_a_measurement_that_nobody_made_opens_one_case(tower)
    closed = NOW + 2 * DAY + 60 * MINUTE
    tower.ward.admin.execute("UPDATE alert_case SET state = 'resolved', changed_at = %s", (closed,))
    for days in (0.1, 1.0, 1.4):
        at = closed + days * DAY
        tower.ours(at)
        tower.says(at, meter(visited_at=at, complete_at=at))
        tower.judge(at)
        assert len(tower.cases()) == 1

    at = closed + 2 * DAY
    tower.ours(at)
    tower.says(at, meter(visited_at=at, complete_at=at))
    tower.judge(at)
    assert [state for state, _, _ in tower.cases()] == ["resolved", "raised"]


def test_a_silent_device_is_a_technical_alarm_and_no_case(tower: Tower) -> None:
    expect(tower)
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    late = NOW + 2 * DAY
    tower.ours(late)
    tower.says(late, meter(battery_low=True))
    tower.judge(late)

    assert tower.cases() == []
    assert tower.open() == {
        f"device_silent device:{METER.device_id}": None,
        f"device_battery device:{METER.device_id}": "device_silent",
    }


def test_a_gateway_that_is_away_hides_its_devices_silence(tower: Tower) -> None:
    expect(tower)
    tower.says(NOW, meter())
    late = NOW + 2 * DAY
    tower.ours(late)
    tower.judge(late)

    assert tower.cases() == []
    assert tower.open() == {
        f"gateway_away gateway:{GATEWAY}": None,
        f"device_silent device:{METER.device_id}": "gateway_away",
    }


def test_each_user_of_a_cuff_is_missed_by_themselves(tower: Tower) -> None:
    other = new_patient(tower.ward.admin, "Bo Example")
    tower.ward.admin.execute("DELETE FROM device_assignment WHERE device_id = %s", (CUFF.device_id,))
    for index, patient_id in ((1, tower.ward.patient_id), (2, other)):
        tower.ward.admin.execute(
            "INSERT INTO device_assignment (device_id, user_index, patient_id, valid, expected_every)"
            " VALUES (%s, %s, %s, tstzrange(%s, NULL), '1 day')",
            (CUFF.device_id, index, patient_id, NOW - DAY),
        )
    late = NOW + 2 * DAY
    fresh = pressure(at=late - MINUTE, user_index=1)
    visit = session(CUFF, clock=NOW)
    tower.ward.receive(arrival(message(fresh, visit=visit), at=late), at=late)
    tower.ours(late)
    tower.says(late, DeviceState(name="cuff", profile="p", device_id=CUFF.device_id, visited_at=late, complete_at=late))
    tower.judge(late)

    assert tower.ward.rows("SELECT patient_id FROM alert_case WHERE condition = 'missing_measurement'") == [(other,)]


def test_a_guest_who_uses_a_patients_cuff_does_not_hide_that_the_patient_does_not(tower: Tower) -> None:
    tower.ward.admin.execute(
        "UPDATE device_assignment SET user_index = 1, expected_every = '1 day' WHERE device_id = %s", (CUFF.device_id,)
    )
    late = NOW + 2 * DAY
    tower.ward.receive(arrival(message(pressure(at=NOW), visit=session(CUFF, clock=NOW))))
    guest = message(pressure(at=late - MINUTE, user_index=2), visit=session(CUFF, clock=NOW))
    tower.ward.receive(arrival(guest, at=late), at=late)
    tower.ours(late)
    tower.says(late, DeviceState(name="cuff", profile="p", device_id=CUFF.device_id, visited_at=late, complete_at=late))
    tower.judge(late)

    assert [state for state, *_ in tower.cases()] == ["raised"]


def test_dead_rows_of_components_are_forgotten_while_others_live(tower: Tower) -> None:
    beat(tower.ward.ingest, "ingest-2", "ingest", NOW, {"broker": True})
    beat(tower.ward.ingest, "console", "console", NOW, {})
    later = NOW + 2 * DAY
    tower.ours(later)
    tower.judge(later)

    assert tower.ward.rows("SELECT name FROM component ORDER BY name") == [("console",), ("ingest-1",)]
