"""From a hospital's file to dated follow-ups: kept as it came, whose it is by number and birth, taken by a person."""

import re
from uuid import UUID

import httpx
import pytest

from tests.cloud.crm.discharges.made import NUMBER, Resource, bundle, octets, patient, request, summary
from tests.cloud.made import new_patient
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person

TAKE = {
    "discharged_on": "2026-11-20", "about": "Heart failure", "same": "yes",
    "take_0": "yes", "what_0": "check", "on_0": "2026-11-27", "note_0": "Potassium",
    "take_1": "yes", "what_1": "visit", "on_1": "2026-12-04", "note_1": "Cardiology",
    "take_2": "yes", "what_2": "call", "on_2": "2026-11-22", "note_2": "weight",
    "what_3": "check", "on_3": "2026-11-27", "note_3": "X-ray",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _born(console: Console) -> None:
    console.ward.admin.execute("UPDATE patient SET birth_date = '1948-05-09'")


def url(console: Console, rest: str = "", patient_id: UUID | None = None) -> str:
    return f"/patients/{patient_id or console.ward.patient_id}/discharge-documents{rest}"


def send(person: Person, path: str, found: bytes) -> httpx.Response:
    """As a browser sends a file."""
    return person.client.post(
        path, data={"csrf_token": person.csrf_token()}, files={"document": ("Asta.json", found, "application/json")}
    )


def sent(console: Console, person: Person, resource: Resource) -> str:
    """The page of what was kept."""
    answer = send(person, url(console), octets(resource))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def rows(console: Console) -> list[tuple[str, str, str]]:
    return console.ward.rows("SELECT what, due_on::text, note FROM follow_up ORDER BY due_on, what")


def test_a_file_is_previewed_and_what_a_person_ticks_becomes_follow_ups(console: Console) -> None:
    nora = console.sign_in("nora")
    nora.post(f"/patients/{console.ward.patient_id}/follow-ups/hospital", {"there": "yes"})
    here = sent(console, nora, summary())
    page = text(nora.get(here))
    assert rows(console) == []
    assert "Compare, and say so below" in page
    assert "It says in words when. Choose the day." in page
    html = nora.get(here).text
    assert re.findall(r'name="take_(\d)" value="yes"( checked)?', html) == [
        ("0", " checked"), ("1", " checked"), ("2", ""), ("3", ""),
    ]  # fmt: skip
    assert 'value="2026-12-04"' in html
    assert nora.post(f"{here}/take", TAKE).status_code == 303
    assert rows(console) == [
        ("call", "2026-11-22", "weight"), ("check", "2026-11-27", "Potassium"), ("visit", "2026-12-04", "Cardiology"),
    ]  # fmt: skip
    assert console.ward.rows("SELECT system, value FROM patient_identifier") == [tuple(NUMBER.values())]
    assert console.ward.rows("SELECT until IS NOT NULL FROM hospital_stay") == [(True,)]
    assert console.ward.rows("SELECT about, discharged_on::text FROM discharge_summary") == [
        ("Heart failure", "2026-11-20")
    ]
    assert "taken" in text(nora.get(url(console)))
    assert nora.post(f"{here}/take", TAKE).status_code == 404  # once
    assert len(rows(console)) == 3


def test_the_same_file_again_is_the_same_document_and_the_next_one_is_known_by_its_number(console: Console) -> None:
    nora = console.sign_in("nora")
    here = sent(console, nora, summary())
    assert sent(console, nora, summary()) == here
    assert nora.post(f"{here}/take", TAKE).status_code == 303
    again = sent(console, nora, bundle(request(occurrenceDateTime="2026-12-24")))
    assert "One of these numbers is this patient’s" in text(nora.get(again))
    form = {"discharged_on": "2026-11-20", "about": "b", "take_0": "yes", "what_0": "call", "on_0": "2026-12-24"}
    assert nora.post(f"{again}/take", form).status_code == 303
    [(identifier_id,)] = console.ward.rows("SELECT identifier_id FROM patient_identifier")
    assert nora.post(f"/patients/{console.ward.patient_id}/identifiers/{identifier_id}/remove").status_code == 303
    assert nora.post(f"/patients/{console.ward.patient_id}/identifiers/{identifier_id}/remove").status_code == 404
    assert "Compare, and say so below" in text(nora.get(again)) or "taken" in text(nora.get(again))


def test_nobody_is_matched_by_name(console: Console) -> None:
    nora = console.sign_in("nora")
    others: list[tuple[dict[str, object], str]] = [
        ({"birthDate": "1948-05-10"}, "The date of birth is not this patient’s"),
        ({"birthDate": None}, "no date of birth to compare"),
        ({"identifier": []}, "a name is not enough"),
    ]
    for whose, said in others:
        here = sent(console, nora, bundle(request(), whose=patient(**whose)))
        page = nora.get(here)
        assert said in text(page)
        assert f"{here}/take" not in page.text
        assert nora.post(f"{here}/take", TAKE).status_code == 422
    assert rows(console) == []
    assert console.ward.count("patient_identifier") == 0


def test_a_number_of_another_patient_is_refused_and_nobody_is_told_whose_it_is(console: Console) -> None:
    other = new_patient(console.ward.admin, "Somebody Else")
    console.ward.admin.execute(
        "INSERT INTO patient_identifier (patient_id, system, value, added_by, added_at) VALUES (%s, %s, %s, %s, now())",
        (other, NUMBER["system"], NUMBER["value"], console.accounts["nora"]),
    )
    nora = console.sign_in("nora")
    here = sent(console, nora, summary())
    page = text(nora.get(here))
    assert "another patient’s: nothing is taken" in page
    assert "Somebody" not in page
    assert nora.post(f"{here}/take", TAKE).status_code == 422
    assert rows(console) == []


def test_nobody_goes_through_a_register_of_numbers_by_documents(console: Console) -> None:
    """Whether a number is somebody's here is told of thirty an hour, as when patients are taken in."""
    nora = console.sign_in("nora")
    seen = sent(console, nora, summary())
    assert "Compare, and say so below" in text(nora.get(seen))
    many = [{"system": "urn:register", "value": str(n)} for n in range(100, 3000)]
    heap = sent(console, nora, bundle(request(), whose=patient(identifier=many)))
    assert "asked about too many new numbers" in text(nora.get(heap))
    assert console.ward.count("identifier_look_up") == 30
    other = new_patient(console.ward.admin, "Somebody Else")
    console.ward.admin.execute(
        "INSERT INTO patient_identifier (patient_id, system, value, added_by, added_at)"
        " VALUES (%s, 'urn:register', '1', %s, now())",
        (other, nora.account_id),
    )
    told = []
    for value in ("1", "2"):
        probe = bundle(request(), whose=patient(identifier=[{"system": "urn:register", "value": value}]))
        told.append(text(nora.get(sent(console, nora, probe))))
    assert all("asked about too many new numbers" in page for page in told)
    assert not any("another patient" in page for page in told)
    # What was asked already is no new question.
    assert "Compare, and say so below" in text(nora.get(seen))
    console.ward.admin.execute("UPDATE identifier_look_up SET at = at - interval '61 minutes'")
    probe = bundle(request(), whose=patient(identifier=[{"system": "urn:register", "value": "1"}]))
    assert "another patient’s" in text(nora.get(sent(console, nora, probe)))


def test_who_looked_at_the_list_is_in_the_audit(console: Console) -> None:
    console.sign_in("nora").get(url(console))
    assert console.ward.rows("SELECT patient_id FROM audit WHERE action = 'discharge_list.read'") == [
        (console.ward.patient_id,)
    ]


def test_without_a_word_of_who_compared_nothing_is_taken_and_nothing_that_was_typed_is_lost(console: Console) -> None:
    nora = console.sign_in("nora")
    here = sent(console, nora, summary())
    answer = nora.post(f"{here}/take", {**TAKE, "same": "", "note_1": "bring the letter"})
    assert answer.status_code == 422
    assert "once you have compared" in text(answer)
    assert "bring the letter" in answer.text
    for form, said in (
        ({**TAKE, "on_0": "2026-11-19"}, "day"), ({**TAKE, "discharged_on": "9999-12-31"}, "Is the year right?"),
        ({**TAKE, "what_0": "dance"}, "Choose one"),
        ({"discharged_on": "2026-11-20", "about": "b", "same": "yes"}, "at least one instruction"),
    ):  # fmt: skip
        answer = nora.post(f"{here}/take", form)
        assert answer.status_code == 422
        assert said in text(answer)
    assert rows(console) == []
    assert console.ward.count("patient_identifier") == 0


def test_what_cannot_be_read_is_kept_as_it_came_with_the_reason_and_set_aside_by_a_person(console: Console) -> None:
    nora = console.sign_in("nora")
    for found, said in (
        (b'{"resourceType": "Patient"}', "no document"),
        (b"<Bundle/>", "FHIR in XML and papers"),
        (b"%PDF-1.7 \x00\xff", "This is no JSON"),
    ):
        here = send(nora, url(console), found).headers["location"]
        assert said in text(nora.get(here))
        file = nora.get(f"{here}/file")
        assert file.content == found
        assert file.headers["content-disposition"].startswith("attachment")
        assert "Asta" not in file.headers["content-disposition"]
    assert nora.post(f"{here}/take", TAKE).status_code == 422
    assert nora.post(f"{here}/aside", {"why": ""}).status_code == 422
    assert nora.post(f"{here}/aside", {"why": "typed by hand"}).status_code == 303
    assert nora.post(f"{here}/aside", {"why": "again"}).status_code == 404
    assert "typed by hand" in text(nora.get(url(console)))
    assert nora.get(f"{here}/file").content == found


def test_no_file_and_one_that_is_too_large_are_refused(console: Console) -> None:
    nora = console.sign_in("nora")
    assert "Choose a file" in text(send(nora, url(console), b""))
    assert send(nora, url(console), b"x" * 2_100_000).status_code == 413
    assert console.ward.count("discharge_document") == 0


def test_whoever_does_not_care_for_the_patient_sees_and_sends_nothing(console: Console) -> None:
    here = sent(console, console.sign_in("nora"), summary())
    for login in ("eve", "asta", "sam"):
        person = console.sign_in(login)
        assert person.get(here).status_code == 404
        assert person.get(f"{here}/file").status_code == 404
        assert person.post(f"{here}/take", TAKE).status_code == 404
    strange = new_patient(console.ward.admin, "Strange")
    assert send(console.sign_in("nora"), url(console, patient_id=strange), octets(summary())).status_code == 404
