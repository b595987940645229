"""What a batch tells about its devices: counts, sequence numbers, sessions that end."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from cloud.devices.tallies import multirange
from device_drivers.readings import Sample
from gateway.wire import v1
from tests.cloud.made import METER, NOW, Ward, arrival, glucose, pressure, sent, session

BEFORE = NOW - timedelta(days=400)


def device(ward: Ward) -> dict[str, Any]:
    """The meter's row."""
    with ward.admin.cursor() as cursor:
        cursor.execute("SELECT * FROM device WHERE device_id = %s", (METER.device_id,))
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchone() or (), strict=True))


def ended(visit: v1.WireSession, *, holds: int | None = 3, received: int = 3) -> v1.ReadingsMessage:
    """The session told once more, when it has ended."""
    told = msgspec.structs.replace(
        visit, holds=holds, received=received, complete=True, ended_at=visit.started_at + timedelta(minutes=1)
    )
    return v1.ReadingsMessage(v=1, message_id=visit.session_id, session=told, readings=())


def numbered(*numbers: int) -> list[Any]:
    """A reading of the meter for each sequence number."""
    return [glucose(str(100 + n % 50), NOW - timedelta(minutes=n), sequence_number=n) for n in numbers]


@pytest.mark.parametrize(
    ("numbers", "literal"),
    [
        ((), None),
        ((7,), "{[7,8)}"),
        ((3, 1, 2), "{[1,4)}"),
        ((1, 2, 5, 5, 6), "{[1,3),[5,7)}"),
    ],
)
def test_numbers_become_unbroken_ranges(numbers: tuple[int, ...], literal: str | None) -> None:
    assert multirange(numbers) == literal


def test_readings_and_their_numbers_are_counted_once(ward: Ward) -> None:
    visit = session()
    ward.receive(sent(*numbered(4, 5, 6), visit=visit), sent(*numbered(5, 6, 7), visit=visit))
    ward.receive(sent(*numbered(4, 5, 6, 7), visit=session()))

    known = device(ward)
    assert (known["readings_known"], str(known["known_sequences"])) == (4, "{[4, 8)}")
    assert known["last_measured_at"] == NOW - timedelta(minutes=4)


def test_a_reading_in_quarantine_is_known_and_is_no_measurement(ward: Ward) -> None:
    ward.receive(sent(glucose("9999", sequence_number=1), visit=session()))

    known = device(ward)
    assert (known["readings_known"], str(known["known_sequences"])) == (1, "{[1, 2)}")
    assert (known["last_measured_at"], known["last_held_at"]) == (None, NOW)


def test_what_is_nobodys_is_known_and_no_sign_of_the_patient(ward: Ward) -> None:
    ward.receive(sent(glucose(at=BEFORE, sequence_number=1), visit=session()))

    known = device(ward)
    assert (known["readings_known"], known["last_measured_at"], known["last_held_at"]) == (1, None, None)


def test_control_solution_is_known_and_is_no_measurement(ward: Ward) -> None:
    ward.receive(sent(glucose(sample=Sample.CONTROL_SOLUTION), visit=session()))

    known = device(ward)
    assert (known["readings_known"], known["last_measured_at"], known["last_held_at"]) == (1, None, None)


@pytest.mark.parametrize("number", [-1, 2**16, 2**31, 2**62])
def test_a_number_that_is_no_position_in_a_memory_is_left_out(ward: Ward, number: int) -> None:
    [(fate, _)] = ward.fates(sent(glucose(sequence_number=number)))

    known = device(ward)
    assert (fate, known["readings_known"], str(known["known_sequences"])) == (v1.Fate.STORED, 1, "{}")


def test_a_session_that_ended_is_told_a_second_time(ward: Ward) -> None:
    visit = session()
    ward.receive(sent(*numbered(1, 2, 3), visit=visit))
    later = NOW + timedelta(seconds=5)
    ward.receive(arrival(ended(visit), at=later), at=later)

    assert ward.rows("SELECT complete, ended_at, received, holds, received_at FROM device_session") == [
        (True, NOW + timedelta(minutes=1), 3, 3, NOW)
    ]
    known = device(ward)
    assert (known["holds"], known["complete_told_at"], known["complete_gateway_id"]) == (3, later, "gw-home")


def test_a_complete_session_does_not_become_incomplete(ward: Ward) -> None:
    visit = session()
    ward.receive(arrival(ended(visit)))
    ward.receive(sent(*numbered(1, 2, 3), visit=visit))
    ward.receive(sent(*numbered(4), visit=visit), arrival(ended(visit)), sent(*numbered(5), visit=visit))

    assert ward.rows("SELECT complete, received FROM device_session") == [(True, 3)]


def test_the_end_may_come_in_one_batch_with_the_readings(ward: Ward) -> None:
    visit = session()
    ward.receive(sent(*numbered(1, 2), visit=visit), arrival(ended(visit)), sent(*numbered(3), visit=visit))

    assert ward.rows("SELECT complete FROM device_session") == [(True,)]
    assert device(ward)["holds"] == 3


def test_an_older_visit_that_is_told_later_changes_nothing(ward: Ward) -> None:
    older = msgspec.structs.replace(session(), started_at=NOW - timedelta(days=2))
    ward.receive(arrival(ended(session(), holds=9)))
    ward.receive(arrival(ended(older, holds=2)))

    assert device(ward)["holds"] == 9
    assert device(ward)["complete_told_at"] == NOW


def test_a_visit_without_readings_shows_that_the_device_was_there(ward: Ward) -> None:
    ward.receive(arrival(ended(session(), holds=0, received=0)))

    known = device(ward)
    assert (known["last_seen_at"], known["holds"], known["readings_known"]) == (NOW, 0, 0)


def test_each_device_of_a_batch_has_its_own_count(ward: Ward) -> None:
    ward.receive(sent(glucose("90"), glucose("91")), sent(pressure()))

    rows: list[tuple[str, int, datetime]] = ward.rows(
        "SELECT model, readings_known, last_measured_at FROM device ORDER BY model"
    )
    measured = NOW - timedelta(minutes=2)
    assert rows == [("OneTouch Ultra 2", 2, measured), ("UA-651BLE", 1, measured)]
