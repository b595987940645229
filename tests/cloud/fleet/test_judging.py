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
from cloud.fleet.schedules import Memory
from tests.cloud.made import (
    CUFF,
    GATEWAY,
    METER,
    NOW,
    Ward,
    arrival,
    expect,
    glucose,
    message,
    new_patient,
    pressure,
    session,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
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

    def expect(self, **slot: Any) -> None:
        """The patient measures glucose each day at NOW's time of day, unless said otherwise."""
        expect(self.ward.admin, self.ward.patient_id, **slot)

    def later(self, at: datetime, *devices: DeviceState) -> None:
        """Our side and the gateway are there, the meter was read to its end unless said otherwise; and a judgement."""
        self.ours(at)
        self.says(at, *(devices or (meter(visited_at=at, complete_at=at),)))
        self.judge(at)

    def steps(self) -> list[tuple[Any, ...]]:
        """Kind and step of each silence, in the order in which they were reached."""
        return self.ward.rows("SELECT kind, step FROM measurement_silence ORDER BY reached_at, kind")

    def cases(self) -> list[tuple[Any, ...]]:
        """Of missing measurements."""
        return self.ward.rows(
            "SELECT state, tier, sentence FROM alert_case WHERE condition = 'missing_measurement' ORDER BY opened_at"
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

# Measured at NOW, due again a day later: after two days of silence the patient is to be called.
REMIND, CHECK, CALL = NOW + DAY + 2 * HOUR, NOW + 2 * DAY, NOW + 3 * DAY


def test_a_silence_goes_by_steps_to_one_case(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.later(REMIND - MINUTE)
    assert tower.steps() == []
    tower.later(REMIND)
    tower.later(REMIND + MINUTE)
    assert tower.steps() == [("glucose", "remind_patient")]
    tower.later(CHECK)
    tower.later(CALL - MINUTE)
    assert tower.steps() == [("glucose", "remind_patient"), ("glucose", "check_technically")]
    assert tower.cases() == []
    tower.later(CALL)
    tower.later(CALL + MINUTE)

    [(state, tier, sentence)] = tower.cases()
    assert (state, tier) == ("raised", "routine")
    assert sentence.startswith("No glucose reading since one was due at 2026-11-22 12:00 UTC")
    assert "2 measurements missed: call the patient after 2 days" in sentence
    assert tower.ward.rows("SELECT event, from_state, to_state FROM case_event") == [("raise", None, "raised")]
    assert tower.ward.rows("SELECT next_at, deadline, round FROM alert_case") == [(CALL, CALL + DAY, 1)]
    assert [step for _, step in tower.steps()] == ["remind_patient", "check_technically", "call_patient"]


def test_in_the_heightened_period_the_patient_is_called_sooner_and_in_the_same_shift(tower: Tower) -> None:
    tower.expect()
    tower.ward.admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until)"
        " VALUES (%s, 'standard', tstzrange(%s, NULL), %s)",
        (tower.ward.patient_id, NOW - DAY, CALL + DAY),
    )
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.later(CHECK - MINUTE)
    assert tower.cases() == []
    tower.later(CHECK)

    assert [tier for _, tier, _ in tower.cases()] == ["same_shift"]


def test_without_a_schedule_nothing_is_missed(tower: Tower) -> None:
    tower.later(NOW + 100 * DAY)

    assert tower.cases() == []


def test_during_a_pause_nothing_is_missed_and_after_it_the_silence_begins_anew(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.ward.admin.execute(
        "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%s, tstzrange(%s, %s), 'in hospital')",
        (tower.ward.patient_id, NOW + HOUR, NOW + 5 * DAY + HOUR),
    )
    tower.later(NOW + 5 * DAY)
    assert tower.steps() == []
    tower.later(NOW + 6 * DAY + 2 * HOUR)
    assert tower.steps() == [("glucose", "remind_patient")]


def test_another_time_of_the_schedule_counts_from_when_it_was_set(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.ward.admin.execute("UPDATE measurement_slot SET valid = tstzrange(lower(valid), %s)", (NOW + HOUR,))
    tower.ward.admin.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, valid)"
        " VALUES (%s, 'glucose', '18:00', tstzrange(%s, NULL))",
        (tower.ward.patient_id, NOW + HOUR),
    )
    # 18:00 in Copenhagen is five hours after NOW.
    tower.later(NOW + 7 * HOUR - MINUTE)
    assert tower.steps() == []
    tower.later(NOW + 7 * HOUR)
    assert tower.steps() == [("glucose", "remind_patient")]


def test_a_schedule_is_of_the_patients_own_clock(tower: Tower) -> None:
    tower.expect(at="08:00")
    tower.ward.admin.execute("UPDATE patient SET time_zone = 'Australia/Sydney'")
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    # 08:00 in Sydney is 21:00 UTC the day before; NOW there is 23:00.
    tower.later(NOW + 11 * HOUR - MINUTE)
    assert tower.steps() == []
    tower.later(NOW + 11 * HOUR)
    assert tower.steps() == [("glucose", "remind_patient")]


def test_a_measurement_that_comes_is_written_into_the_case_and_closes_nothing(tower: Tower) -> None:
    test_a_silence_goes_by_steps_to_one_case(tower)
    back = CALL + HOUR
    tower.ward.receive(arrival(message(glucose("101", back), visit=session(clock=NOW)), at=back), at=back)
    tower.judge(back)
    tower.judge(back + MINUTE)

    assert [state for state, *_ in tower.cases()] == ["raised"]
    assert [e for (e,) in tower.ward.rows("SELECT event FROM case_event ORDER BY event_id")] == ["raise", "measured"]


def test_a_second_silence_joins_the_open_case_once(tower: Tower) -> None:
    test_a_measurement_that_comes_is_written_into_the_case_and_closes_nothing(tower)
    tower.later(CALL + 3 * DAY)
    tower.later(CALL + 3 * DAY + MINUTE)

    events = [e for (e,) in tower.ward.rows("SELECT event FROM case_event ORDER BY event_id")]
    assert events == ["raise", "measured", "join"]


def test_after_a_case_was_closed_the_silence_counts_anew(tower: Tower) -> None:
    test_a_silence_goes_by_steps_to_one_case(tower)
    closed = CALL + HOUR
    tower.ward.admin.execute(
        "UPDATE alert_case SET state = 'resolved', next_at = NULL, resolved_at = %s, changed_at = %s", (closed, closed)
    )
    tower.later(CALL + 3 * DAY - MINUTE)
    assert len(tower.cases()) == 1
    tower.later(CALL + 3 * DAY)
    assert [state for state, *_ in tower.cases()] == ["resolved", "raised"]


def test_what_was_remembered_of_former_turns_changes_no_judgement(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    memory = Memory()
    for hours in range(0, 73, 3):
        at = NOW + hours * HOUR
        tower.ours(at)
        tower.says(at, meter(visited_at=at, complete_at=at))
        judge_fleet(tower.jobs, NOW - DAY, at, memory=memory)
    assert [step for _, step in tower.steps()] == ["remind_patient", "check_technically", "call_patient"]
    back = CALL + HOUR
    tower.ward.receive(arrival(message(glucose("101", back), visit=session(clock=NOW)), at=back), at=back)
    judge_fleet(tower.jobs, NOW - DAY, back, memory=memory)
    assert [e for (e,) in tower.ward.rows("SELECT event FROM case_event ORDER BY event_id")] == ["raise", "measured"]
    tower.ward.admin.execute("UPDATE measurement_slot SET at = '14:30'")
    tower.ours(back + DAY + 3 * HOUR)
    judge_fleet(tower.jobs, NOW - DAY, back + DAY + 3 * HOUR, memory=memory)
    assert tower.ward.count("measurement_silence") == 4


def test_while_our_side_is_down_nobody_is_reminded_or_called(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.judge(CALL)

    assert tower.steps() == tower.cases() == []


def test_a_silent_device_is_a_technical_alarm_and_no_case(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.later(CALL, meter(battery_low=True))

    assert tower.cases() == []
    assert tower.open() == {
        f"device_silent device:{METER.device_id}": None,
        f"device_battery device:{METER.device_id}": "device_silent",
    }


def test_a_gateway_that_is_away_hides_its_devices_silence(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.says(NOW, meter())
    tower.ours(CALL)
    tower.judge(CALL)

    assert tower.cases() == []
    assert tower.open() == {
        f"gateway_away gateway:{GATEWAY}": None,
        f"device_silent device:{METER.device_id}": "gateway_away",
    }


def test_a_patient_without_a_device_is_called_since_nobody_else_would_notice(tower: Tower) -> None:
    tower.expect()
    tower.ward.receive(arrival(message(glucose(at=NOW))))
    tower.ward.admin.execute("DELETE FROM device_assignment")
    tower.later(CALL)

    assert [state for state, *_ in tower.cases()] == ["raised"]


def cuff(at: datetime) -> DeviceState:
    """The cuff in the roster, read to its end."""
    return DeviceState(name="cuff", profile="p", device_id=CUFF.device_id, visited_at=at, complete_at=at)


def test_each_user_of_a_cuff_is_missed_by_themselves(tower: Tower) -> None:
    other = new_patient(tower.ward.admin, "Bo Example")
    tower.ward.admin.execute("DELETE FROM device_assignment WHERE device_id = %s", (CUFF.device_id,))
    for index, patient_id in ((1, tower.ward.patient_id), (2, other)):
        expect(tower.ward.admin, patient_id, kind="blood_pressure")
        tower.ward.admin.execute(
            "INSERT INTO device_assignment (device_id, user_index, patient_id, valid)"
            " VALUES (%s, %s, %s, tstzrange(%s, NULL))",
            (CUFF.device_id, index, patient_id, NOW - DAY),
        )
    fresh = pressure(at=CALL - MINUTE, user_index=1)
    tower.ward.receive(arrival(message(fresh, visit=session(CUFF, clock=NOW)), at=CALL), at=CALL)
    tower.later(CALL, cuff(CALL))

    assert tower.ward.rows("SELECT patient_id FROM alert_case WHERE condition = 'missing_measurement'") == [(other,)]


def test_a_guest_who_uses_a_patients_cuff_does_not_hide_that_the_patient_does_not(tower: Tower) -> None:
    tower.expect(kind="blood_pressure")
    tower.ward.admin.execute("UPDATE device_assignment SET user_index = 1 WHERE device_id = %s", (CUFF.device_id,))
    tower.ward.receive(arrival(message(pressure(at=NOW, user_index=1), visit=session(CUFF, clock=NOW))))
    guest = message(pressure(at=CALL - MINUTE, user_index=2), visit=session(CUFF, clock=NOW))
    tower.ward.receive(arrival(guest, at=CALL), at=CALL)
    tower.later(CALL, cuff(CALL))

    assert [state for state, *_ in tower.cases()] == ["raised"]


def test_dead_rows_of_components_are_forgotten_while_others_live(tower: Tower) -> None:
    beat(tower.ward.ingest, "ingest-2", "ingest", NOW, {"broker": True})
    beat(tower.ward.ingest, "console", "console", NOW, {})
    later = NOW + 2 * DAY
    tower.ours(later)
    tower.judge(later)

    assert tower.ward.rows("SELECT name FROM component ORDER BY name") == [("console",), ("ingest-1",)]
