"""What is ended, and above all what is not."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from cloud.db.connect import Connection, one, open_connection
from cloud.devices import store as devices
from cloud.retention.models import KEEPING, Keeping
from cloud.retention.service import Ended, end_what_is_over
from gateway.wire.v1 import WireSession
from tests.cloud.made import GATEWAY, METER, NOW, Ward, arrival, glucose, message, new_patient, session

DAY = timedelta(days=1)
LONG_AGO = NOW - KEEPING.resolved_alarms - DAY


@pytest.fixture
def jobs(ward: Ward) -> Iterator[Connection]:
    """The role that does it."""
    with closing(open_connection(ward.database.jobs_url, "test", autocommit=True)) as connection:
        yield connection


def visits(ward: Ward, count: int, since: datetime, gateway_id: str = GATEWAY) -> None:
    """Visits to the meter that brought nothing, a minute apart."""
    ward.admin.execute(
        "INSERT INTO device_session (session_id, gateway_id, device_id, profile, started_at, received_at)"
        " SELECT gen_random_uuid(), %s, %s, 'p', at, at"
        " FROM generate_series(%s, %s, interval '1 minute') AS at",
        (gateway_id, METER.device_id, since, since + (count - 1) * timedelta(minutes=1)),
    )


def alarm(ward: Ward, resolved_at: datetime | None, condition: str = "gateway_away") -> None:
    ward.admin.execute(
        "INSERT INTO technical_alarm (condition, subject, gateway_id, priority, sentence, reason, raised_at,"
        " changed_at, resolved_at) VALUES (%s, 'gateway:home-1', %s, 'low', '', '{}', %s, %s, %s)",
        (condition, GATEWAY, LONG_AGO, LONG_AGO, resolved_at),
    )


def test_old_visits_that_brought_nothing_are_ended_but_for_the_newest(ward: Ward, jobs: Connection) -> None:
    visits(ward, 70, LONG_AGO)
    assert end_what_is_over(jobs, NOW) == Ended(sessions=70 - KEEPING.newest_sessions, alarms=0)
    assert end_what_is_over(jobs, NOW) == Ended(0, 0)


def test_it_is_done_in_pieces(ward: Ward, jobs: Connection) -> None:
    visits(ward, 70, LONG_AGO)
    keeping = Keeping(at_once=15)
    assert [end_what_is_over(jobs, NOW, keeping).sessions for _ in range(3)] == [15, 5, 0]


def test_what_a_reading_came_with_stays_for_ever(ward: Ward, jobs: Connection) -> None:
    stored = session(METER)
    ward.receive(arrival(message(glucose(at=NOW), visit=stored)))
    ward.admin.execute("UPDATE device_session SET started_at = %s, received_at = %s", (LONG_AGO - DAY, LONG_AGO - DAY))
    visits(ward, 60, LONG_AGO)
    end_what_is_over(jobs, NOW)
    assert ward.rows("SELECT count(*) FROM ledger JOIN device_session USING (session_id)") == [(1,)]


def test_what_is_held_or_reconciled_keeps_its_session(ward: Ward, jobs: Connection) -> None:
    visits(ward, 60, LONG_AGO)
    oldest, second = ward.rows("SELECT session_id FROM device_session ORDER BY started_at LIMIT 2")
    ward.admin.execute("UPDATE device SET complete_session_id = %s WHERE device_id = %s", (oldest[0], METER.device_id))
    ward.admin.execute(
        "INSERT INTO quarantine (received_at, gateway_id, device_id, session_id, reason_code, reason, payload,"
        " payload_sha256) VALUES (%s, %s, %s, %s, 'undecodable', '', '', '')",
        (LONG_AGO, GATEWAY, METER.device_id, second[0]),
    )
    assert end_what_is_over(jobs, NOW).sessions == 60 - KEEPING.newest_sessions - 2
    kept = ward.rows("SELECT session_id FROM device_session ORDER BY started_at LIMIT 2")
    assert kept == [oldest, second]


def test_the_newest_visit_by_each_gateway_stays(ward: Ward, jobs: Connection) -> None:
    other = f"gateway-{uuid4().hex[:8]}"
    ward.admin.execute("INSERT INTO gateway (gateway_id, enrolled_at) VALUES (%s, %s)", (other, LONG_AGO))
    visits(ward, 3, LONG_AGO - DAY, other)
    visits(ward, 60, LONG_AGO)
    end_what_is_over(jobs, NOW)
    assert ward.rows("SELECT count(*) FILTER (WHERE gateway_id LIKE 'gateway-%'), count(*) FROM device_session") == [
        (1, 51)
    ]


def test_what_is_not_old_stays(ward: Ward, jobs: Connection) -> None:
    visits(ward, 70, NOW - KEEPING.idle_sessions + DAY)
    alarm(ward, NOW - KEEPING.resolved_alarms + DAY)
    alarm(ward, NOW)
    assert not end_what_is_over(jobs, NOW)


def test_of_alarms_that_are_long_over_the_last_of_each_stays_and_an_open_one_too(ward: Ward, jobs: Connection) -> None:
    for days in range(5):
        alarm(ward, LONG_AGO - days * DAY)
    alarm(ward, None)
    alarm(ward, LONG_AGO, "gateway_clock")
    assert end_what_is_over(jobs, NOW) == Ended(sessions=0, alarms=4)
    assert ward.rows("SELECT condition, resolved_at FROM technical_alarm ORDER BY condition, resolved_at") == [
        ("gateway_away", LONG_AGO),
        ("gateway_away", None),
        ("gateway_clock", LONG_AGO),
    ]


def test_every_limit_says_its_unit_its_reason_and_that_it_is_a_proposal() -> None:
    assert {limit.metadata["source"] for limit in fields(Keeping)} == {"proposal"}
    assert all(limit.metadata["unit"] and limit.metadata["why"] for limit in fields(Keeping))


def test_an_alarm_that_is_not_resolved_cannot_be_deleted_by_whoever_ends_the_others(
    ward: Ward, jobs: Connection
) -> None:
    alarm(ward, None)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        jobs.execute("DELETE FROM technical_alarm")
    assert ward.count("technical_alarm") == 1


def command(ward: Ward, created_at: datetime, kind: str = "read_now", stage: str = "done") -> UUID:
    row = ward.admin.execute(
        "INSERT INTO gateway_command (gateway_id, kind, created_at, expires_at, stage)"
        " VALUES (%s, %s, %s, %s::timestamptz + interval '1 hour', %s) RETURNING command_id",
        (GATEWAY, kind, created_at, created_at, stage),
    ).fetchone()
    made: UUID = one(row)[0]
    return made


def test_commands_that_are_long_over_are_ended_but_for_the_newest_of_a_kind_and_pairings(
    ward: Ward, jobs: Connection
) -> None:
    old = NOW - KEEPING.ended_commands - DAY
    for ended in ("done", "failed", "refused", "expired"):
        command(ward, old, stage=ended)
    kept = {
        command(ward, old, "published_once", "published"),
        command(ward, old + timedelta(minutes=1), "home"),
        command(ward, NOW - KEEPING.ended_commands + timedelta(hours=1)),
        command(ward, old, "pair"),
        command(ward, NOW, "pair"),
    }
    ward.admin.execute(
        "INSERT INTO pairing (command_id, patient_id, profile, name, begun_at, begun_by)"
        " SELECT command_id, %s, 'p', 'n', created_at, %s FROM gateway_command WHERE kind = 'pair'",
        (ward.patient_id, ward.nurse_id),
    )
    assert end_what_is_over(jobs, NOW) == Ended(commands=4)
    assert {found for (found,) in ward.rows("SELECT command_id FROM gateway_command")} == kept
    assert not end_what_is_over(jobs, NOW)


WITHDRAWN: Final = NOW - KEEPING.withdrawn_octets - 2 * DAY


def end(ward: Ward, patient_id: UUID, at: datetime, why: str = "consent_withdrawn") -> None:
    """Somebody takes part no more, and what they measure is nobody's."""
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at, ended_at, ended_by, end_reason)"
        " VALUES (%(patient)s, %(since)s, %(since)s, %(at)s, %(nurse)s, %(why)s)",
        {"patient": patient_id, "since": at - 90 * DAY, "at": at, "nurse": ward.nurse_id, "why": why},
    )
    ward.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(lower(valid), %s) WHERE patient_id = %s", (at, patient_id)
    )


def measured(ward: Ward, value: str, at: datetime) -> None:
    """A reading of the meter, which arrives as it was measured."""
    visit = replace_times(session(METER), at)
    fates = ward.receive(arrival(message(glucose(value, at), visit=visit), at=at), at=at)
    assert [receipt.reason for outcome in fates for receipt in outcome.receipts.receipts] == ["unassigned_device"]


def replace_times(visit: WireSession, at: datetime) -> WireSession:
    return msgspec.structs.replace(
        visit, started_at=at, gateway_time=at, device_time=at.replace(tzinfo=None).isoformat()
    )


def octets(ward: Ward) -> list[tuple[Any, ...]]:
    return ward.rows(
        "SELECT octet_length(q.payload) > 0, octet_length(l.raw) > 0, q.reason <> '', q.resolution, q.effective_time"
        " FROM quarantine q JOIN ledger l USING (reading_id) ORDER BY q.received_at"
    )


def test_what_a_withdrawn_patient_went_on_measuring_is_emptied_and_its_row_stays(ward: Ward, jobs: Connection) -> None:
    end(ward, ward.patient_id, WITHDRAWN)
    for n in range(2):
        measured(ward, f"10{n}", WITHDRAWN + DAY - n * timedelta(minutes=5))
    assert end_what_is_over(jobs, NOW, Keeping(at_once=1)) == Ended(forgotten=1)
    assert end_what_is_over(jobs, NOW) == Ended(forgotten=1)
    assert not end_what_is_over(jobs, NOW)
    assert octets(ward) == [(False, False, False, "forgotten", None)] * 2
    # The memory is read again: nothing comes back.
    measured(ward, "100", WITHDRAWN + DAY)
    assert octets(ward) == [(False, False, False, "forgotten", None)] * 2
    assert ward.rows("SELECT max(seen) FROM quarantine") == [(2,)]


@pytest.mark.parametrize("why", ["too_early", "own_wish", "came_back", "new_holder", "released", "new"])
def test_what_may_be_somebody_elses_or_is_asked_for_yet_stays(ward: Ward, jobs: Connection, why: str) -> None:
    end(ward, ward.patient_id, WITHDRAWN, "own_wish" if why == "own_wish" else "consent_withdrawn")
    measured(ward, "100", WITHDRAWN + timedelta(hours=1) if why != "new" else NOW - DAY)
    match why:
        case "too_early":
            ward.admin.execute("UPDATE participation SET ended_at = %s", (NOW - DAY,))
        case "came_back":
            ward.admin.execute("UPDATE participation SET is_newest = false")
            ward.admin.execute(
                "INSERT INTO participation (patient_id, begun_at) VALUES (%s, %s)", (ward.patient_id, NOW)
            )
        case "new_holder":
            bent = new_patient(ward.admin, "Bent")
            devices.assign_device(ward.admin, METER.device_id, bent, WITHDRAWN + timedelta(minutes=1))
        case "released":
            ward.admin.execute(
                "UPDATE quarantine SET resolution = 'released', resolved_at = %s, resolved_by = %s",
                (NOW, ward.nurse_id),
            )
    assert not end_what_is_over(jobs, NOW)
    assert [row[:3] for row in octets(ward)] == [(True, True, True)]


def test_what_somebody_called_nobodys_is_emptied_too_and_stays_said(ward: Ward, jobs: Connection) -> None:
    end(ward, ward.patient_id, WITHDRAWN)
    measured(ward, "100", WITHDRAWN + DAY)
    ward.admin.execute(
        "UPDATE quarantine SET resolution = 'nobodys', resolved_at = %s, resolved_by = %s", (NOW, ward.nurse_id)
    )
    assert end_what_is_over(jobs, NOW) == Ended(forgotten=1)
    assert [row[:4] for row in octets(ward)] == [(False, False, False, "nobodys")]


def test_who_shared_a_device_and_has_withdrawn_too_keeps_nothing_of_the_other(ward: Ward, jobs: Connection) -> None:
    bent = new_patient(ward.admin, "Bent")
    end(ward, ward.patient_id, WITHDRAWN)
    devices.assign_device(ward.admin, METER.device_id, bent, WITHDRAWN)
    end(ward, bent, WITHDRAWN + timedelta(hours=1))
    measured(ward, "100", WITHDRAWN + timedelta(hours=2))
    assert end_what_is_over(jobs, NOW) == Ended(forgotten=1)


def test_the_jobs_role_itself_reads_no_quarantined_octets(jobs: Connection) -> None:
    for statement in ("SELECT payload FROM quarantine", "UPDATE quarantine SET payload = ''", "SELECT raw FROM ledger"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            jobs.execute(statement.encode())
