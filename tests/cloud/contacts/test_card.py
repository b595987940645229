"""The emergency card: who reads and changes it, what is refused, and that every version stays with its author."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person

CARD = {
    "address": "Havnegade 1, 2. tv, København",
    "door_notes": "code 1234",
    "emergency_number": "112",
    "speaks": "Danish",
    "phones": "20 12 34 56",
    "notes": "allergic to penicillin",
}
PERSON = {
    "name": "Dora Example",
    "relation": "daughter",
    "phones": "0045 20 99 88 77",
    "place": "1",
    "may_be_told": "yes",
}


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/card{rest}"


def card_id(console: Console) -> str:
    [(found,)] = console.ward.rows("SELECT card_id FROM emergency_card WHERE superseded_at IS NULL")
    return str(found)


def save(person: Person, console: Console, **changed: str) -> httpx.Response:
    return person.post(url(console), {**CARD, **changed})


def test_a_card_is_written_read_with_the_case_and_changed_and_its_history_stays(console: Console) -> None:
    nora, carl = console.sign_in("nora"), console.sign_in("carl")
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.ward.patient_id, console.accounts["carl"]),
    )
    assert save(nora, console).status_code == 303
    assert nora.post(url(console, "/contacts"), PERSON).status_code == 303
    console.clock.forward(minutes=10)
    assert save(carl, console, card_id=card_id(console), door_notes="code 4321").status_code == 303

    page = nora.get(f"/patients/{console.ward.patient_id}").text
    assert 'href="tel:+4520123456">+45 20 12 34 56<' in page
    assert "code 4321" in page
    assert "code 1234" not in page
    assert "Dora Example" in page
    history = text(carl.get(url(console)))
    assert "Nora Quist Havnegade" in history
    assert "code 1234" in history
    assert "Carl Coordinator, 21 Nov 2026, 13:10" in history
    assert console.ward.rows("SELECT phones, superseded_at FROM emergency_card ORDER BY set_at") == [
        (["+4520123456"], NOW + timedelta(minutes=10)), (["+4520123456"], None),
    ]  # fmt: skip


def test_a_contact_person_is_removed_and_stays_in_the_history(console: Console) -> None:
    ada = console.sign_in("ada")
    ada.post(url(console, "/contacts"), PERSON)
    [(contact_id,)] = console.ward.rows("SELECT contact_id FROM contact_person")
    assert ada.post(url(console, f"/contacts/{contact_id}/remove")).status_code == 303
    assert ada.post(url(console, f"/contacts/{contact_id}/remove")).status_code == 404
    assert "Ada Weiss · contact person removed Dora Example, daughter" in text(ada.get(url(console)))
    assert "Dora" not in ada.get(f"/patients/{console.ward.patient_id}").text


def test_two_who_change_the_same_version_do_not_overwrite_each_other(console: Console) -> None:
    nora, ada = console.sign_in("nora"), console.sign_in("ada")
    save(nora, console)
    seen = card_id(console)
    assert save(nora, console, card_id=seen, notes="one").status_code == 303
    answer = save(ada, console, card_id=seen, notes="two")
    assert answer.status_code == 422
    assert "Somebody changed the card meanwhile" in answer.text
    assert 'value="two"' in answer.text, "what was typed is not lost"
    assert save(ada, console, notes="two").status_code == 422, "nor is a first card written over another"
    assert console.ward.rows("SELECT notes FROM emergency_card WHERE superseded_at IS NULL") == [("one",)]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": " "}, "This is needed."),
        ({"emergency_number": "the ambulance"}, "Write the number as it is dialled there"),
        ({"phones": "12"}, "This is no telephone number."),
        ({"notes": "x" * 501}, "at most 500 letters"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_is_written(
    console: Console, changed: dict[str, str], said: str
) -> None:
    answer = save(console.sign_in("nora"), console, **changed)
    assert answer.status_code == 422
    assert said in answer.text
    assert console.ward.count("emergency_card") == 0


def test_whether_somebody_may_be_told_is_never_guessed(console: Console) -> None:
    answer = console.sign_in("nora").post(url(console, "/contacts"), {**PERSON, "may_be_told": "", "place": "0"})
    assert answer.status_code == 422
    assert "Choose one." in answer.text
    assert "between 1 and 9" in answer.text
    assert console.ward.count("contact_person") == 0


@pytest.mark.parametrize("login", ["eve", "asta", "sam", "carl"])
def test_for_whoever_is_not_of_the_care_team_there_is_no_card(console: Console, login: str) -> None:
    person = console.sign_in(login)
    save(console.sign_in("nora"), console)
    assert person.get(url(console)).status_code == 404
    assert person.get(f"/patients/{uuid4()}/card").status_code == 404
    assert save(person, console, card_id=card_id(console)).status_code == 404
    assert person.post(url(console, "/contacts"), PERSON).status_code == 404


def test_the_audit_has_who_and_when_and_none_of_what_was_written(console: Console) -> None:
    nora = console.sign_in("nora")
    save(nora, console)
    nora.post(url(console, "/contacts"), PERSON)
    nora.get(url(console))
    rows = console.ward.rows("SELECT action, account_id, audit::text FROM audit ORDER BY audit_id")
    ours = [(action, account) for action, account, _ in rows if action.startswith(("emergency", "contact"))]
    assert ours == [
        (action, nora.account_id) for action in ("emergency_card.set", "contact_person.add", "emergency_card.read")
    ]
    assert not [row for *_, row in rows if any(canary in row for canary in ("Havnegade", "2012", "Dora", "penicillin"))]
