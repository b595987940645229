"""A patient's own account, by invitation of the care team."""

from uuid import UUID

import pytest

from cloud.accounts import service
from tests.cloud.accounts.test_accounts import CHOSEN, accept, link_in
from tests.fix_console import Console, submit_sign_in


def _new_patient_of(console: Console, *logins: str) -> UUID:
    for login in logins:
        console.ward.admin.execute(
            "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
            (console.other_patient_id, console.accounts[login]),
        )
    return console.other_patient_id


@pytest.mark.parametrize("login", ["nora", "carl"])
def test_a_nurse_or_coordinator_of_the_care_team_invites_the_patient(console: Console, login: str) -> None:
    patient_id = _new_patient_of(console, login)
    page = f"/patients/{patient_id}/invitation"
    person = console.sign_in(login)
    assert "This patient has no account yet." in person.get(page).text
    path = link_in(person.post(page).text)
    assert str(patient_id) not in path
    rows = console.ward.rows("SELECT action, patient_id FROM audit WHERE action LIKE 'account.%' ORDER BY audit_id")
    assert rows == [("account.added", patient_id), ("account.invited", patient_id)]
    client = console.client()
    assert accept(client, path).status_code == 303
    assert "Other Patient" in client.get("/me").text
    assert "Active" in person.get(page).text
    [(own_login,)] = console.ward.rows("SELECT login FROM account WHERE role = 'patient' AND login <> 'asta'")
    assert "patient" not in own_login
    assert submit_sign_in(console.client(), own_login, CHOSEN).status_code == 303


def test_a_second_link_is_for_the_same_account_and_sets_another_password(console: Console) -> None:
    nora, page = console.sign_in("nora"), f"/patients/{console.ward.patient_id}/invitation"
    asta = console.sign_in("asta")
    path = link_in(nora.post(page).text)
    assert asta.get("/me").status_code == 200
    assert accept(console.client(), path).status_code == 303
    assert asta.get("/me").headers["location"] == "/login"
    assert submit_sign_in(console.client(), "asta", CHOSEN).status_code == 303
    assert len(console.ward.rows("SELECT FROM account WHERE role = 'patient'")) == 1


def test_a_patients_link_is_good_for_a_fortnight(console: Console) -> None:
    path = link_in(console.sign_in("nora").post(f"/patients/{console.ward.patient_id}/invitation").text)
    console.clock.time += service.PATIENT_INVITATION
    assert console.client().get(path).status_code == 410


@pytest.mark.parametrize("login", ["eve", "ada", "adam", "sam", "asta", "carl"])
def test_nobody_else_invites_and_the_patient_does_not_exist_for_them(console: Console, login: str) -> None:
    page = f"/patients/{console.ward.patient_id}/invitation"
    person = console.sign_in(login)
    assert person.get(page).status_code == 404
    token = person.csrf_token()
    assert person.client.post(page, data={"csrf_token": token}).status_code == 404
    assert console.ward.count("invitation") == 0
