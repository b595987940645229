"""Events and groups, and other patients with pages of their own, for their tests."""

from uuid import UUID

from cloud.auth import store as accounts
from cloud.auth.models import Role
from tests.cloud.made import new_patient
from tests.fix_console import PASSWORD, Console, Person

LECTURE = {
    "kind": "lecture",
    "title": "Eating with diabetes",
    "plan": "Bring your questions.",
    "language": "en",
    "place": "Room 4",
    "link": "",
    "starts_at": "2026-11-25T15:00",
    "minutes": "60",
    "capacity": "2",
    "audience": "all",
}


def announced(console: Console, login: str = "nora", **changed: str) -> str:
    """An event; its id."""
    answer = console.sign_in(login).post("/events", {**LECTURE, **changed})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def grouped(console: Console, login: str = "nora") -> str:
    """A group; its id."""
    answer = console.sign_in(login).post("/groups", {"name": "Walkers", "about": "We walk.", "programme": ""})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def neighbour(console: Console, password_hash: str, login: str, *, in_care_of: str = "nora") -> UUID:
    """Another patient with an account, in the care of a nurse; their id."""
    patient_id = new_patient(console.ward.admin, f"{login.title()} Neighbour")
    console.accounts[login] = accounts.create_account(
        console.ward.admin,
        login=login,
        display_name=f"{login.title()} Neighbour",
        role=Role.PATIENT,
        password_hash=password_hash,
        patient_id=patient_id,
    )
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts[in_care_of])
    )
    return patient_id


def signed_in(console: Console, login: str) -> Person:
    return console.sign_in(login, PASSWORD)
