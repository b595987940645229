"""Training patients on the console: marked wherever they are, on a list of their own, their truth told at the end."""

from argparse import Namespace

import pytest

from cloud.planting import command
from tests.cloud.made import NOW
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console

BANNER = 'class="training-banner"'


def deed(console: Console, name: str) -> None:
    """What an operator does at the command line."""
    options = Namespace(deed=name, logins=["nora", "ada"], patients=8, seed=1)
    command.run(console.ward.database.admin_url, options, NOW)


@pytest.fixture
def training(console: Console) -> Console:
    """A course for nora and ada, beside a real patient with an open case."""
    deed(console, "start")
    planted_case(console.ward)
    return console


def test_training_cases_stand_on_a_list_of_their_own_and_say_what_they_are(training: Console) -> None:
    nora = training.sign_in("nora")
    own, apart = nora.get("/worklist").text, nora.get("/worklist?show=training").text
    assert "TRAINING" not in own
    assert own.count('class="case ') == 1
    assert "Training (" in own
    rows = apart.count('class="case ')
    assert rows > 0
    assert apart.count('<span class="training-mark">Training</span>') == rows
    assert "None of these patients is real" in apart
    assert "Asta" not in apart


def test_who_learns_nothing_sees_nothing_of_it(training: Console) -> None:
    ben = training.sign_in("ben")
    assert "Training (" not in ben.get("/worklist").text
    assert "TRAINING" not in ben.get("/patients").text
    assert "You have no training patients." in ben.get("/training").text


def test_every_page_of_a_training_patient_is_marked_and_none_of_a_real_one(training: Console) -> None:
    ada, ward = training.sign_in("ada"), training.ward
    [(patient_id, case_id), *_] = ward.rows(
        "SELECT c.patient_id, c.case_id FROM alert_case c JOIN patient p USING (patient_id) WHERE p.training"
        " ORDER BY c.opened_at"
    )
    [(real_case,)] = ward.rows("SELECT case_id FROM alert_case JOIN patient USING (patient_id) WHERE NOT training")
    for path in ("/patients/{}", "/patients/{}/plan", "/patients/{}/review", "/patients/{}/treatment"):
        assert BANNER in ada.get(path.format(patient_id)).text, path
        assert BANNER not in ada.get(path.format(ward.patient_id)).text, path
    assert BANNER in ada.get(f"/cases/{case_id}").text
    assert BANNER not in ada.get(f"/cases/{real_case}").text


def test_what_is_true_is_told_when_the_course_has_ended(training: Console) -> None:
    nora = training.sign_in("nora")
    before = nora.get("/training").text
    assert "TRAINING 01" in before
    assert "What was true" not in before
    [(case_id,), *_] = training.ward.rows(
        "SELECT case_id FROM alert_case c JOIN training_truth t USING (patient_id) WHERE t.kind = 'ordinary'"
        " OR t.kind = 'crisis' ORDER BY t.kind, case_id"
    )
    nora.post(f"/cases/{case_id}/acknowledge")
    nora.post(f"/cases/{case_id}/resolve", {"disposition": "advice_given"})
    deed(training, "end")
    after = nora.get("/training").text
    assert after.count("A crisis: somebody had to act at once.") == 2
    assert "Advice given" in after
    assert "Your choices fit what was true of" in after
    assert "Training (" not in nora.get("/worklist").text


def test_a_training_patient_cannot_be_put_into_a_real_programme(training: Console) -> None:
    ada, ward = training.sign_in("ada"), training.ward
    [(patient_id,), *_] = ward.rows("SELECT patient_id FROM patient WHERE training ORDER BY display_name")
    for of, programme in ((patient_id, "standard"), (ward.patient_id, "training")):
        answer = ada.post(f"/patients/{of}/plan/programme", {"programme_id": programme, "reason": "to see"})
        assert answer.status_code == 422


def test_a_page_about_a_training_case_says_so(training: Console) -> None:
    ada, ward = training.sign_in("ada"), training.ward
    for case_id, is_training in ward.rows("SELECT case_id, training FROM alert_case JOIN patient USING (patient_id)"):
        ward.admin.execute("DELETE FROM notification")
        ward.admin.execute(
            "INSERT INTO notification (subject, account_id, case_id, round, step, created_at, state, next_at, sent_at)"
            " VALUES ('case', %s, %s, 1, 1, %s, 'sent', %s, %s)",
            (ada.account_id, case_id, NOW, NOW, NOW),
        )
        assert ("training-mark" in ada.post("/me/pages").text) is is_training


def test_a_training_patient_gets_nothing_that_is_real(training: Console) -> None:
    """Neither a device of the stock nor a way in, and the answer is no failure of ours."""
    nora, ward = training.sign_in("nora"), training.ward
    [(patient_id,), *_] = ward.rows("SELECT patient_id FROM patient WHERE training ORDER BY display_name")
    ward.admin.execute(
        "INSERT INTO stock_item (kind, manufacturer, model, serial_number, owner, state, state_at, added_at, added_by)"
        " VALUES ('glucose', 'm', 'm', '4711', 'clinic', 'in_stock', %(now)s, %(now)s, %(by)s)",
        {"now": NOW, "by": nora.account_id},
    )
    handed = nora.post(f"/patients/{patient_id}/devices", {"scan": "4711"})
    invited = nora.post(f"/patients/{patient_id}/invitation")
    assert (handed.status_code, invited.status_code) == (422, 404)
    assert ward.rows("SELECT state FROM stock_item") == [("in_stock",)]
