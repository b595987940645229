"""The wrong-person guard in the ingest: what looks like somebody else's waits, and nothing is lost."""

from datetime import timedelta

import pytest

from alerting.familiarity import NEEDED
from cloud.assessment.service import assess
from cloud.db.connect import open_connection
from cloud.devices import store as devices
from device_drivers.readings import Reading
from gateway.wire import v1
from tests.cloud.made import CUFF, NOW, Ward, new_patient, pressure, sent

STORED = (v1.Fate.STORED, None)
KNOWN = (v1.Fate.ALREADY_KNOWN, None)
COUNTED = "SELECT systolic::int FROM blood_pressure ORDER BY effective_time"


def history(count: int = NEEDED, systolic: int = 125) -> list[Reading]:
    """One a day until yesterday."""
    return [pressure(str(systolic), "80", at=NOW - timedelta(days=n + 1)) for n in range(count)]


@pytest.fixture
def shared(ward: Ward) -> Ward:
    """The patient's cuff has a history of theirs, and somebody said that others use it, too."""
    ward.receive(sent(*history()))
    ward.admin.execute("UPDATE device_assignment SET shared = true WHERE device_id = %s", (CUFF.device_id,))
    return ward


def test_a_reading_far_from_the_patients_own_is_kept_and_counts_nowhere(shared: Ward) -> None:
    assert shared.fates(sent(pressure("165", "80"), pressure("128", "82", at=NOW - timedelta(minutes=4)))) == [
        STORED,
        STORED,
    ]

    assert shared.rows("SELECT systolic::int, diastolic::int, pulse::int, unit, answer FROM held_reading") == [
        (165, 80, 70, "mm[Hg]", None)
    ]
    assert shared.rows(COUNTED) == [(125,)] * NEEDED + [(128,)]
    assert shared.rows("SELECT reason -> 'difference', reason -> 'far' FROM held_reading") == [("40", "30")]
    assert shared.count("alert_case") == 0
    # Redelivered, it is known and stays one; the patient is not said to have used the cuff.
    far = sent(pressure("165", "80"))
    assert shared.fates(far, far) == [KNOWN, KNOWN]
    assert (shared.count("held_reading"), shared.count("quarantine")) == (1, 0)
    assert shared.rows("SELECT last_measured_at FROM device WHERE system_id IS NOT NULL") == [
        (NOW - timedelta(minutes=4),)
    ]


def test_nobody_is_asked_whose_cuff_nobody_shares_or_who_has_too_little_history(ward: Ward) -> None:
    ward.receive(sent(*history(NEEDED - 1)))
    ward.receive(sent(pressure("165", "80", at=NOW - timedelta(minutes=9))))
    ward.admin.execute("UPDATE device_assignment SET shared = true")
    ward.admin.execute("DELETE FROM blood_pressure_observation WHERE systolic = 165")
    ward.receive(sent(pressure("165", "80", at=NOW - timedelta(minutes=5))))
    assert ward.count("held_reading") == 0


def test_a_cuff_with_two_memories_of_two_patients_is_shared(ward: Ward) -> None:
    other = new_patient(ward.admin, "Bo Example")
    devices.assign_device(ward.admin, CUFF.device_id, other, NOW - timedelta(days=300), user_index=2)
    ward.receive(sent(*history()))
    ward.receive(sent(pressure("165", "80", user_index=1)))
    assert ward.rows("SELECT patient_id FROM held_reading") == [(ward.patient_id,)]


def test_a_value_in_crisis_is_not_silenced_and_says_what_is_not_certain(shared: Ward) -> None:
    shared.receive(sent(pressure("182", "105")))

    [(condition, tier, sentence, kind)] = shared.rows(
        "SELECT condition, tier, sentence, reason ->> 'reason' FROM alert_case"
    )
    assert (condition, tier, kind) == ("severe_hypertension_systolic", "urgent", "held")
    assert "182 mmHg: at or above the limit of 180 mmHg" in sentence
    assert "Was it the patient? Others use this device" in sentence
    # Whoever it perhaps was not is not told to measure again.
    assert (shared.count("remeasure"), shared.count("held_reading")) == (0, 1)
    assert shared.rows("SELECT task_name FROM procrastinate_jobs WHERE task_name = 'look_at_case'") != []
    # Late, it waits for the answer like any other.
    shared.receive(sent(pressure("184", "105", at=NOW - timedelta(hours=7))))
    assert (shared.count("alert_case"), shared.count("alert"), shared.count("held_reading")) == (1, 1, 2)


def test_what_is_urgent_between_two_sittings_is_not_silenced_either(ward: Ward) -> None:
    """In pregnancy a rise from one sitting to the next is urgent; what waits is in no sitting that could tell it."""
    ward.admin.execute("INSERT INTO programme (programme_id, display_name, regimes) VALUES ('p', 'P', '{pregnancy}')")
    ward.admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid) VALUES (%s, 'p', tstzrange(%s, NULL))",
        (ward.patient_id, NOW - timedelta(days=1)),
    )
    ward.receive(sent(*history(systolic=105)))
    ward.admin.execute("UPDATE device_assignment SET shared = true WHERE device_id = %s", (CUFF.device_id,))
    ward.receive(sent(pressure("140", "80")))

    [(condition, tier, sentence)] = ward.rows("SELECT condition, tier, sentence FROM alert_case")
    assert (condition, tier) == ("pregnancy_rise_systolic", "urgent")
    assert "140 mmHg, 35 mmHg more than the usual 105 mmHg: above the limit of 20 mmHg" in sentence
    assert "Was it the patient?" in sentence
    assert (ward.count("held_reading"), ward.count("remeasure")) == (1, 0)


def test_the_assessment_does_not_see_what_waits(shared: Ward) -> None:
    """Two sittings far above every limit: counted they would raise the session's case."""
    shared.receive(sent(*(pressure("175", "80", at=NOW - timedelta(minutes=30 - n)) for n in range(3))))
    with open_connection(shared.database.jobs_url, "test jobs", autocommit=True) as jobs, jobs.transaction():
        assess(jobs, shared.patient_id, NOW + timedelta(hours=1))
    assert (shared.count("held_reading"), shared.count("alert_case"), shared.count("remeasure")) == (3, 0, 0)
