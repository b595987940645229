"""Was it you?: asked of the patient and of the nurse, answered once, and seen until then and afterwards."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import CheckViolation

from alerting.familiarity import NEEDED
from cloud.held.models import PATIENT_IS_ASKED_FOR
from cloud.ingest.releases import Releases
from tests.cloud.made import CUFF, NOW, new_patient, pressure, sent
from tests.fix_console import Console


@pytest.fixture
def asking(console: Console) -> Console:
    """Asta's cuff is shared; one reading at 165 and one in crisis wait."""
    ward = console.ward
    ward.receive(sent(*(pressure("125", "80", at=NOW - timedelta(days=n + 1)) for n in range(NEEDED))))
    ward.admin.execute("UPDATE device_assignment SET shared = true WHERE device_id = %s", (CUFF.device_id,))
    ward.receive(sent(pressure("165", "81")))
    return console


def held(console: Console) -> UUID:
    [(reading_id,)] = console.ward.rows("SELECT reading_id FROM held_reading ORDER BY effective_time DESC LIMIT 1")
    found: UUID = reading_id
    return found


def settle(console: Console) -> None:
    Releases(console.clock).settle(console.ward.ingest)


def answers(console: Console) -> list[tuple[Any, ...]]:
    return console.ward.rows("SELECT answer, answered_by, answered_why, other_patient_id FROM held_reading")


def test_a_patient_says_it_was_me_and_it_counts(asking: Console) -> None:
    asta = asking.sign_in("asta")
    assert 'data-anew="/me/questions"' in asta.get("/me").text
    shown = asta.get("/me/questions").text
    assert "Was it you?" in shown
    assert "165/81" in shown
    path = f"/me/questions/{held(asking)}"
    assert asta.post(path, {"answer": "perhaps"}).status_code == 422
    assert asta.post(path, {"answer": "yes"}).status_code == 303
    # Once answered it is decided.
    assert asta.post(path, {"answer": "no"}).status_code == 404
    settle(asking)

    ward = asking.ward
    assert ward.rows("SELECT systolic::int FROM blood_pressure WHERE systolic > 130") == [(165,)]
    assert "There is no question for you." in asta.get("/me/questions").text
    assert ward.rows(
        "SELECT account_id, subject, patient_id, detail FROM audit WHERE action = 'held_reading.answer'"
    ) == [(asking.accounts["asta"], f"reading:{held(asking)}", ward.patient_id, {"answer": "yes"})]
    # The nurse sees what was said beside what the device said.
    answered = asking.sign_in("nora").get(f"/patients/{ward.patient_id}/questions").text
    assert "The patient’s own, said the patient on" in answered
    assert "2026-11-21T11:58:00" in answered


def test_what_the_patient_says_is_not_theirs_counts_nowhere_and_stays_struck_apart(asking: Console) -> None:
    asta = asking.sign_in("asta")
    assert asta.post(f"/me/questions/{held(asking)}", {"answer": "no"}).status_code == 303
    settle(asking)

    ward = asking.ward
    assert (ward.count("blood_pressure_observation"), ward.count("held_reading")) == (NEEDED, 1)
    assert "<s>165/81" in asta.get("/me/questions").text.replace("<s> ", "<s>")
    nora = asking.sign_in("nora")
    path = f"/patients/{ward.patient_id}/questions"
    assert "Not this patient’s, said the patient" in nora.get(path).text
    assert nora.get("/questions").text.count("held__one") == 0


def test_a_no_of_a_thumb_that_slipped_is_put_right_by_the_nurse(asking: Console) -> None:
    ward, reading_id = asking.ward, held(asking)
    asking.sign_in("asta").post(f"/me/questions/{reading_id}", {"answer": "no"})
    nora, path = asking.sign_in("nora"), f"/patients/{ward.patient_id}/questions"
    assert f'action="{path}/{reading_id}"' in nora.get(path).text
    assert nora.post(f"{path}/{reading_id}", {"answer": "yes", "reason": "she called"}).status_code == 303
    settle(asking)
    assert ward.rows("SELECT systolic::int FROM blood_pressure WHERE systolic > 130") == [(165,)]
    # What counts stays: it cannot be taken back here.
    assert f'action="{path}/{reading_id}"' not in nora.get(path).text


def test_after_four_hours_or_without_a_page_of_their_own_the_nurse_asks(asking: Console) -> None:
    def to_ask() -> str:
        return asking.sign_in("nora").get("/questions").text.split("Asked on the patient’s own page")[0]

    asking.clock.time = NOW + PATIENT_IS_ASKED_FOR - timedelta(seconds=1)
    assert "Asta Example" not in to_ask()
    asking.clock.time = NOW + PATIENT_IS_ASKED_FOR
    assert "Asta Example" in to_ask()
    asking.clock.time = NOW
    asking.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'asta'")
    assert "Asta Example" in to_ask()
    # Another patient answers for nobody else.
    other = new_patient(asking.ward.admin, "Bo Example")
    asking.ward.admin.execute("UPDATE account SET patient_id = %s, disabled_at = NULL WHERE login = 'asta'", (other,))
    bo = asking.sign_in("asta")
    assert bo.post(f"/me/questions/{held(asking)}", {"answer": "yes"}).status_code == 404
    assert "165/81" not in bo.get("/me/questions").text
    assert answers(asking) == [(None, None, None, None)]


def test_somebody_else_of_the_house_gets_what_is_theirs(asking: Console) -> None:
    ward, reading_id = asking.ward, held(asking)
    bo = new_patient(ward.admin, "Bo Example")
    asta, nora = asking.sign_in("asta"), asking.sign_in("nora")
    assert asta.post(f"/me/questions/{reading_id}", {"answer": "other"}).status_code == 303
    path = f"/patients/{ward.patient_id}/questions/{reading_id}"
    typed = {"answer": "other", "other": str(bo), "reason": "her husband, he told me"}

    # Bo is in nobody's care here: as if there were no such patient.
    assert nora.post(path, typed).status_code == 422
    ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (bo, nora.account_id))
    assert "Bo Example" in nora.get(f"/patients/{ward.patient_id}/questions").text
    assert nora.post(path, {**typed, "reason": " "}).status_code == 422
    assert nora.post(path, typed).status_code == 303
    settle(asking)

    assert ward.rows("SELECT patient_id FROM blood_pressure WHERE systolic = 165") == [(bo,)]
    assert answers(asking) == [("other", nora.account_id, "her husband, he told me", bo)]
    told = ward.rows("SELECT account_id, patient_id FROM audit WHERE action = 'held_reading.answer'")
    assert set(told) == {
        (asta.account_id, ward.patient_id),
        (nora.account_id, ward.patient_id),
        (nora.account_id, bo),
    }


def test_what_a_real_device_measured_is_no_training_patients(asking: Console) -> None:
    ward, reading_id, nora = asking.ward, held(asking), asking.sign_in("nora")
    [(training,)] = ward.admin.execute(
        "INSERT INTO patient (display_name, time_zone, training) VALUES ('TRAINING 01', 'UTC', true)"
        " RETURNING patient_id"
    )
    ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (training, nora.account_id))

    assert "TRAINING" not in nora.get(f"/patients/{ward.patient_id}/questions").text
    typed = {"answer": "other", "other": str(training), "reason": "a slip of the finger"}
    assert nora.post(f"/patients/{ward.patient_id}/questions/{reading_id}", typed).status_code == 422
    with pytest.raises(CheckViolation, match="training"):
        ward.admin.execute(
            "INSERT INTO reading_release (reading_id, origin, patient_id, why, said_by, said_at)"
            " VALUES (%s, 'held', %s, 'w', %s, %s)",
            (reading_id, training, nora.account_id, NOW),
        )


def test_a_nurse_says_that_others_use_a_cuff_and_whoever_does_not_care_for_them_cannot(asking: Console) -> None:
    ward = asking.ward
    [(assignment_id,)] = ward.rows("SELECT assignment_id FROM device_assignment WHERE shared")
    path = f"/patients/{ward.patient_id}/devices/{assignment_id}/shared"
    for login in ("eve", "ada", "sam", "asta", "carl"):
        assert asking.sign_in(login).post(path, {"shared": "no"}).status_code == 404
    nora = asking.sign_in("nora")
    assert nora.post(path, {"shared": "no"}).status_code == 303
    assert ward.rows("SELECT count(*) FROM device_assignment WHERE shared") == [(0,)]
    assert "nobody else uses it" in nora.get(f"/patients/{ward.patient_id}/questions").text
    assert nora.post(path, {"shared": "yes"}).status_code == 303
    assert [
        action for (action,) in ward.rows("SELECT action FROM audit WHERE action LIKE 'device.%' ORDER BY audit_id")
    ] == [
        "device.not_shared",
        "device.shared",
    ]
