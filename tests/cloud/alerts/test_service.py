"""One open case per patient and condition, on the real database."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Barrier
from uuid import UUID

from alerting.limits import Priority
from alerting.pipeline import on_reading, quantities
from alerting.reasons import LimitReason
from alerting.regimes import of_programme
from alerting.tiers import TERMS
from cloud.alerts.models import PatientFinding
from cloud.alerts.reasons import from_json
from cloud.alerts.service import evaluate, file_findings
from cloud.db.connect import open_connection
from cloud.devices import store as devices
from cloud.ingest.handle import handle
from cloud.observations.models import Observation
from cloud.plans.store import set_limit
from device_drivers.nomenclature import Unit
from device_drivers.readings import Reading
from device_drivers.timestamps import TimeQuality
from tests.cloud.made import METER, NOW, Ward, glucose, ketone, new_patient, sent, wait_for_a_lock


def low(value: str, minutes_ago: int = 1) -> Reading:
    """A low glucose reading."""
    return glucose(value, at=NOW - timedelta(minutes=minutes_ago))


def close_cases(ward: Ward, state: str = "resolved") -> None:
    """Somebody is done with all cases."""
    ward.admin.execute("UPDATE alert_case SET state = %s, next_at = NULL, resolved_at = now()", (state,))


def events(ward: Ward) -> list[tuple[object, ...]]:
    """What happened to the cases."""
    return ward.rows("SELECT event, from_state, to_state FROM case_event ORDER BY event_id")


def test_an_episode_of_many_readings_is_one_case(ward: Ward) -> None:
    ward.receive(sent(*[low(str(40 + n), n + 1) for n in range(5)]))
    ward.receive(sent(*[low(str(45 + n), n + 10) for n in range(5)]))

    assert (ward.count("alert_case"), ward.count("alert"), ward.count("case_event")) == (1, 10, 10)


def test_the_case_says_why_as_data_and_as_a_sentence(ward: Ward) -> None:
    ward.receive(sent(low("48")))

    [(condition, tier, priority, state, deadline, contact_by, opened_at, sentence, reason)] = ward.rows(
        "SELECT condition, tier, priority, state, deadline, contact_by, opened_at, sentence, reason FROM alert_case"
    )
    assert (condition, tier, priority, state) == ("hypoglycaemia_level_2", "urgent", "high", "raised")
    assert (deadline, contact_by, opened_at) == (NOW + timedelta(minutes=15), NOW + timedelta(hours=1), NOW)
    read = from_json(reason)
    assert isinstance(read, LimitReason)
    assert (str(read.figure.value), read.limit.condition, read.limit.source) == (
        "48",
        "hypoglycaemia_level_2",
        "ADA Standards of Care, section 6",
    )
    assert sentence.startswith("Glucose 48 mg/dL: below the limit of 54 mg/dL (set by ADA Standards of Care, section 6")


def test_a_doctors_own_limit_decides_and_is_named(ward: Ward) -> None:
    set_limit(
        ward.admin,
        patient_id=ward.patient_id,
        condition="hypoglycaemia_level_2",
        unit=Unit.MG_DL,
        value=Decimal(60),
        priority=Priority.HIGH,
        reason="unaware of lows",
        set_by=ward.nurse_id,
        at=NOW - timedelta(days=3),
    )
    ward.receive(sent(low("59")))
    ward.receive(sent(low("60", 5)))

    [(tier, sentence)] = ward.rows("SELECT tier, sentence FROM alert_case")
    assert (tier, ward.count("alert")) == ("urgent", 1)
    assert "below the limit of 60 mg/dL (set by Nurse Nielsen since " in sentence
    assert "unaware of lows" in sentence


def test_a_programmes_own_promises_make_the_deadline(ward: Ward) -> None:
    ward.admin.execute(
        "INSERT INTO programme_terms (programme_id, tier, acknowledge_within)"
        " VALUES ('standard', 'urgent', '3 minutes')"
    )
    ward.receive(sent(low("48")))

    assert ward.rows("SELECT deadline, contact_by FROM alert_case") == [
        (NOW + timedelta(minutes=3), NOW + timedelta(hours=1))
    ]


def test_a_new_episode_after_resolution_is_a_new_case(ward: Ward) -> None:
    ward.receive(sent(low("48", 20)))
    close_cases(ward)
    ward.receive(sent(low("47", 1)))

    assert ward.rows("SELECT state, count(*) FROM alert_case GROUP BY state ORDER BY state") == [
        ("raised", 1),
        ("resolved", 1),
    ]


def test_conditions_and_patients_have_their_own_cases(ward: Ward) -> None:
    ward.receive(sent(low("48")), sent(ketone("3.1")))

    assert ward.rows("SELECT condition FROM alert_case ORDER BY condition") == [
        ("hypoglycaemia_level_2",),
        ("ketones_very_high",),
    ]


def test_worsening_raises_an_acknowledged_case_again(ward: Ward) -> None:
    ward.receive(sent(low("48", 7 * 60)))
    ward.admin.execute(
        "UPDATE alert_case SET state = 'acknowledged', owner = %s, lease_until = %s, step = 2",
        (ward.nurse_id, NOW + timedelta(hours=1)),
    )

    ward.receive(sent(low("47")))

    assert ward.rows(
        "SELECT state, tier, priority, sentence LIKE 'Glucose 47 %', deadline, round, step, owner, lease_until, next_at"
        " FROM alert_case"
    ) == [("raised", "urgent", "high", True, NOW + timedelta(minutes=15), 2, 0, None, None, NOW)]
    assert events(ward) == [("raise", None, "raised"), ("worsen", "acknowledged", "raised")]


def test_a_late_reading_joins_the_open_case_without_speaking_for_it(ward: Ward) -> None:
    ward.receive(sent(low("48")))
    ward.receive(sent(glucose("40", at=NOW - timedelta(hours=8))))

    assert ward.rows("SELECT priority, sentence LIKE 'Glucose 48 %' FROM alert_case") == [("high", True)]
    assert ward.rows("SELECT tier FROM alert ORDER BY effective_time") == [("retrospective",), ("urgent",)]


def test_readings_of_one_batch_are_taken_in_the_order_of_their_measurement(ward: Ward) -> None:
    ward.receive(sent(low("48", 1), low("47", 9), low("46", 5)))

    assert ward.rows("SELECT sentence LIKE 'Glucose 48 %' FROM alert_case") == [(True,)]


def test_evaluating_a_reading_again_raises_nothing(ward: Ward) -> None:
    reading = low("48")
    ward.receive(sent(reading))
    observation = Observation(
        reading=reading,
        patient_id=ward.patient_id,
        effective_time=NOW - timedelta(minutes=1),
        time_quality=TimeQuality.SYNCHRONISED,
        received_at=NOW,
    )
    with ward.admin.transaction():
        assert evaluate(ward.admin, [observation], NOW) == []
    close_cases(ward)
    with ward.admin.transaction():
        assert evaluate(ward.admin, [observation], NOW) == []

    assert (ward.count("alert_case"), ward.count("alert"), ward.count("case_event")) == (1, 1, 1)


def test_two_workers_that_open_the_same_cases_at_once_open_each_one_once(ward: Ward) -> None:
    patients = [new_patient(ward.admin, f"Patient {n}") for n in range(12)]
    together = Barrier(2)

    def work(offset: int) -> int:
        made = [_alert(patient_id, 40 + offset) for patient_id in (patients if offset else reversed(patients))]
        with open_connection(ward.database.ingest_url, "worker", autocommit=True) as connection:
            together.wait()
            with connection.transaction():
                return len(file_findings(connection, made, NOW))

    with ThreadPoolExecutor(2) as workers:
        assert list(workers.map(work, [0, 1])) == [12, 12]

    assert (ward.count("alert_case"), ward.count("alert")) == (12, 24)
    assert ward.rows("SELECT event, count(*) FROM case_event GROUP BY event ORDER BY event") == [
        ("join", 12),
        ("raise", 12),
    ]


def test_two_workers_with_the_same_messages_in_opposite_order_store_each_once(ward: Ward) -> None:
    messages = [sent(low(str(40 + n), n + 1)) for n in range(10)] + [sent(ketone(f"3.{n + 1}")) for n in range(5)]
    together = Barrier(2)

    def work(backwards: bool) -> int:
        mine = messages[::-1] if backwards else messages
        with open_connection(ward.database.ingest_url, "worker", autocommit=True) as connection:
            together.wait()
            return len(handle(connection, mine, lambda: NOW))

    with ThreadPoolExecutor(2) as workers:
        assert list(workers.map(work, [False, True])) == [15, 15]

    assert (ward.count("ledger"), ward.count("glucose_observation"), ward.count("alert"), ward.count("alert_case")) == (
        15,
        10,
        15,
        2,
    )


def test_a_worker_that_waited_for_a_case_lets_the_later_reading_of_the_other_speak(ward: Ward) -> None:
    ward.receive(sent(low("48", 30)))
    other_meter = replace(METER, serial_number="OTHER")
    devices.assign_device(
        ward.admin, devices.register_device(ward.admin, other_meter), ward.patient_id, NOW - timedelta(days=1)
    )
    earlier = sent(replace(low("41", 20), device=other_meter))
    with (
        ThreadPoolExecutor(1) as pool,
        open_connection(ward.database.ingest_url, "worker", autocommit=True) as connection,
    ):
        with connection.transaction():
            handle(connection, [sent(low("40", 10))], lambda: NOW)
            waiting = pool.submit(ward.receive, earlier)
            wait_for_a_lock(ward)
        waiting.result()

    assert ward.rows("SELECT sentence LIKE 'Glucose 40 %' FROM alert_case") == [(True,)]


def _alert(patient_id: UUID, value: int) -> PatientFinding:
    reading = low(str(value))
    [finding] = on_reading(quantities(reading), of_programme("ada").limits, NOW, NOW).findings
    reading_id = f"{patient_id.hex[:28]}{value:04d}"
    return PatientFinding(patient_id=patient_id, reading_id=reading_id, finding=finding, terms=TERMS)
