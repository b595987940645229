"""A person said whose a held reading is: it goes once more through the very way in, and once only."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.familiarity import NEEDED
from cloud.db.connect import open_connection
from cloud.ingest.arrivals import Decoded, again, whole
from cloud.ingest.arrivals import decode as decoded
from cloud.ingest.releases import Releases
from device_drivers.readings import Sample
from gateway.wire import v1
from tests.cloud.ingest.test_doubts import history
from tests.cloud.made import CUFF, METER, NOW, Ward, arrival, glucose, message, new_patient, pressure, sent, session

LATER = NOW + timedelta(hours=8)
KNOWN = (v1.Fate.ALREADY_KNOWN, None)
HELD = (v1.Fate.QUARANTINED, "unassigned_device")


def say(
    ward: Ward,
    reading_id: str,
    *,
    of: UUID | None = None,
    origin: str = "quarantine",
    stated: datetime | None = None,
) -> None:
    """What the console writes."""
    ward.admin.execute(
        "INSERT INTO reading_release (reading_id, origin, patient_id, stated_time, why, said_by, said_at)"
        " VALUES (%s, %s, %s, %s, 'she told me', %s, %s)",
        (reading_id, origin, of or ward.patient_id, stated, ward.nurse_id, LATER),
    )


def settle(ward: Ward, at: datetime = LATER) -> int:
    """What an ingest worker does now and then."""
    return Releases(lambda: at).settle(ward.ingest)


@pytest.fixture
def nobodys(ward: Ward) -> Ward:
    """Nobody has a device."""
    ward.admin.execute("DELETE FROM device_assignment")
    return ward


def test_a_released_reading_is_stored_once_and_known_when_it_comes_again(nobodys: Ward) -> None:
    reading = glucose("101")
    assert nobodys.fates(sent(reading)) == [HELD]
    [(measured_at,)] = nobodys.rows("SELECT effective_time FROM quarantine")
    assert measured_at == NOW - timedelta(minutes=2)

    say(nobodys, reading.reading_id)
    assert [settle(nobodys), settle(nobodys)] == [1, 0]

    assert nobodys.rows("SELECT value::int, effective_time, time_quality, received_at, patient_id FROM glucose") == [
        (101, measured_at, "synchronised", LATER, nobodys.patient_id)
    ]
    assert nobodys.rows("SELECT resolution, resolved_by FROM quarantine") == [("released", nobodys.nurse_id)]
    assert nobodys.rows("SELECT outcome, settled_at FROM reading_release") == [("stored", LATER)]
    assert nobodys.rows("SELECT fate, reason, received_at FROM ledger") == [("stored", None, NOW)]
    # Its device is assigned now, and it is redelivered: nothing twice.
    assert nobodys.fates(sent(reading), sent(reading)) == [KNOWN, KNOWN]
    assert (nobodys.count("glucose_observation"), nobodys.count("quarantine")) == (1, 1)


def test_a_released_value_in_crisis_opens_an_item_in_retrospect_and_pages_nobody(nobodys: Ward) -> None:
    far_too_low = glucose("40")
    nobodys.receive(sent(far_too_low))
    say(nobodys, far_too_low.reading_id)
    settle(nobodys)

    assert nobodys.rows("SELECT tier, reason ->> 'reason' FROM alert_case") == [("retrospective", "late")]
    assert (nobodys.count("notification"), nobodys.count("remeasure")) == (0, 0)


def test_released_control_solution_does_not_say_that_the_patient_measured(nobodys: Ward) -> None:
    solution = glucose("120", sample=Sample.CONTROL_SOLUTION)
    nobodys.receive(sent(solution))
    say(nobodys, solution.reading_id)
    assert settle(nobodys) == 1
    assert nobodys.rows("SELECT sample FROM glucose") == [("control_solution",)]
    assert nobodys.rows("SELECT last_measured_at FROM device WHERE serial_number = 'XYZ1234'") == [(None,)]


def test_what_cannot_be_dated_stays_and_says_which_times_it_may_have_been(nobodys: Ward) -> None:
    """Clocks went back in Copenhagen on 25 October at 01:00 UTC; the device shows its hour twice."""
    at = datetime.fromisoformat("2026-10-25T00:30:00+00:00")
    reading = glucose("101", at + timedelta(hours=1))  # by a clock that shows the time of Copenhagen in winter
    visit = session(METER, clock=NOW + timedelta(hours=1))
    nobodys.receive(sent(reading, visit=visit))
    say(nobodys, reading.reading_id)
    settle(nobodys)

    [(outcome, refusal)] = nobodys.rows("SELECT outcome, refusal FROM reading_release")
    [(code, may_be, resolved_at)] = nobodys.rows("SELECT reason_code, may_be, resolved_at FROM quarantine")
    assert (outcome, code, resolved_at) == ("refused", "unknown_timeline", None)
    assert len(may_be) == 2
    assert refusal.startswith("measured at 2026-10-2")
    # Said again, with the time: both stand there, what the device said and what the person said.
    say(nobodys, reading.reading_id, stated=may_be[1])
    settle(nobodys)
    assert nobodys.rows("SELECT effective_time, time_quality, reported_time FROM glucose") == [
        (may_be[1], "stated", "2026-10-25T01:30:00")
    ]
    assert [outcome for (outcome,) in nobodys.rows("SELECT outcome FROM reading_release ORDER BY outcome")] == [
        "refused",
        "stored",
    ]


def test_yes_counts_and_somebody_elses_is_theirs(ward: Ward) -> None:
    ward.receive(sent(*history()))
    ward.admin.execute("UPDATE device_assignment SET shared = true")
    mine, theirs = pressure("165", "80"), pressure("182", "105", at=NOW - timedelta(minutes=30))
    other = new_patient(ward.admin, "Bo Example")
    ward.receive(sent(mine, theirs))
    assert ward.count("held_reading") == 2

    say(ward, mine.reading_id, origin="held")
    say(ward, theirs.reading_id, origin="held", of=other)
    assert settle(ward) == 2

    assert ward.rows(
        "SELECT patient_id, systolic::int FROM blood_pressure WHERE systolic <> 125 ORDER BY systolic"
    ) == [
        (ward.patient_id, 165),
        (other, 182),
    ]
    # The other's crisis was hours ago; the case that was opened at once for the patient stays until a person closes it.
    assert ward.rows("SELECT patient_id, tier FROM alert_case ORDER BY tier") == [
        (other, "retrospective"),
        (ward.patient_id, "urgent"),
    ]
    assert ward.fates(sent(mine, theirs)) == [KNOWN, KNOWN]


def test_what_was_dated_by_the_check_of_one_is_not_lost_when_it_was_the_others(ward: Ward) -> None:
    """Of a cuff whose clock cannot be read, an hour ahead of UTC there: compared with a watch, and not for Bo."""
    ward.receive(sent(*history()))
    ward.admin.execute("UPDATE device_assignment SET shared = true, clock_checked_at = %s", (NOW - timedelta(days=3),))
    theirs, mine = pressure("165", "80"), pressure("166", "80", at=NOW - timedelta(minutes=30))
    other = new_patient(ward.admin, "Bo Example")
    ward.receive(sent(theirs, mine, visit=session(CUFF, clock=None)))
    assert ward.count("held_reading") == 2
    # Checked once more, after these were measured.
    ward.admin.execute("UPDATE device_assignment SET clock_checked_at = %s", (NOW + timedelta(hours=1),))

    say(ward, theirs.reading_id, origin="held", of=other)
    say(ward, mine.reading_id, origin="held")
    assert settle(ward) == 2

    assert ward.rows("SELECT refusal FROM reading_release WHERE refusal IS NOT NULL") == []
    assert ward.rows(
        "SELECT patient_id, effective_time, time_quality FROM blood_pressure WHERE systolic <> 125 ORDER BY systolic"
    ) == [
        (other, NOW - timedelta(hours=1, minutes=2), "mapped"),
        (ward.patient_id, NOW - timedelta(hours=1, minutes=30), "mapped"),
    ]


def test_a_payload_is_judged_again_by_all_that_its_message_said_of_its_way(nobodys: Ward) -> None:
    reading = glucose("101")
    content = message(reading, visit=session(METER))
    first = decoded(
        arrival(v1.ReadingsMessage(**{f: getattr(content, f) for f in content.__struct_fields__} | {"waited_s": 7200}))
    )
    assert isinstance(first, Decoded)
    second = again(whole(first.items[0], first), reading.reading_id, first.arrival.gateway_id, NOW)
    assert isinstance(second, Decoded)
    assert (second.evidence, second.coincident, second.items) == (first.evidence, first.coincident, first.items)
    assert second.evidence.waited == timedelta(hours=2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["arrive", "say", "settle", "race"]), st.integers(0, 3)), min_size=1, max_size=25
    )
)
def test_whatever_comes_in_whatever_order_nothing_is_lost_and_nothing_is_there_twice(
    ward: Ward, acts: list[tuple[str, int]]
) -> None:
    """Two readings of a device that nobody has, two that look like somebody else's: each comes, is said, is settled."""
    _clean(ward)
    readings = [
        glucose("101"),
        glucose("102", at=NOW - timedelta(minutes=9)),
        pressure("165", "80"),
        pressure("166", "80", at=NOW - timedelta(minutes=9)),
    ]
    came: set[int] = set()
    told: set[int] = set()
    for act, n in acts:
        if act == "arrive":
            ward.receive(sent(readings[n]))
            came.add(n)
        elif act == "say" and n in came - told:
            say(ward, readings[n].reading_id, origin="held" if n > 1 else "quarantine")
            told.add(n)
        elif act == "settle":
            settle(ward)
        elif act == "race":
            _at_once(ward, readings[n].reading_id)
    settle(ward)

    counted = {
        i.hex for (i,) in ward.rows("SELECT reading_id FROM glucose UNION ALL SELECT reading_id FROM blood_pressure")
    }
    kept = {
        i.hex for (i,) in ward.rows("SELECT reading_id FROM quarantine UNION ALL SELECT reading_id FROM held_reading")
    }
    of = {reading.reading_id: n for n, reading in enumerate(readings)}
    assert {of[i] for i in counted if i in of} == told
    assert {of[i] for i in kept} == came
    assert ward.count("glucose_observation") + ward.count("blood_pressure_observation") == NEEDED + len(told)


def _at_once(ward: Ward, reading_id: str) -> None:
    """Two workers look at the same moment, while the same reading comes again to a third."""
    del reading_id
    with (
        open_connection(ward.database.ingest_url, "one", autocommit=True) as one,
        open_connection(ward.database.ingest_url, "two", autocommit=True) as two,
        ThreadPoolExecutor(2) as threads,
    ):
        list(threads.map(lambda connection: Releases(lambda: LATER).settle(connection), (one, two)))


def _clean(ward: Ward) -> None:
    ward.admin.execute(
        "TRUNCATE reading_release, held_reading, quarantine, ledger, glucose_observation, blood_pressure_observation,"
        " assessment_due, remeasure, case_event, alert, alert_case CASCADE"
    )
    ward.admin.execute("DELETE FROM device_assignment WHERE device_id = %s", (METER.device_id,))
    ward.admin.execute("UPDATE device_assignment SET shared = true WHERE device_id = %s", (CUFF.device_id,))
    ward.receive(sent(*history()))
