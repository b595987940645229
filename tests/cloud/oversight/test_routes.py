"""The audit's pages: who may look, what they see and do not see, and what the patient is told."""

import csv
import html
import io
import re
from uuid import UUID

import httpx
import pytest

from cloud.console.texts import AUDIT_ACTIONS
from cloud.oversight import service
from tests.cloud.live.reading import stream, until
from tests.cloud.made import NOW, glucose, sent
from tests.cloud.oversight.made import with_auditor
from tests.fix_console import Console, Person


@pytest.fixture
def vera(console: Console, password_hash: str) -> Person:
    """An auditor, signed in."""
    with_auditor(console, password_hash)
    return console.sign_in("vera")


def text(answer: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def rows(answer: httpx.Response) -> list[int]:
    """The audit_ids of a page, in its order."""
    return [int(found) for found in re.findall(r'data-audit-id="(\d+)"', answer.text)]


def actions(console: Console, *, like: str = "%.read") -> list[tuple[UUID, str, str]]:
    """Who looked at what, in order."""
    found = console.ward.admin.execute(
        "SELECT account_id, action, subject FROM audit WHERE action LIKE %s ORDER BY audit_id", (like,)
    )
    return list(found)


def test_an_auditor_begins_there_and_nobody_else_finds_it(console: Console, vera: Person) -> None:
    assert vera.get("/").headers["location"] == "/audit"
    for login in ("nora", "ada", "sam", "carl", "asta"):
        person = console.sign_in(login)
        assert person.get("/audit").status_code == 404, login
        assert person.get("/audit.csv").status_code == 404, login


def test_deeds_are_shown_with_their_person_and_no_patients_name(console: Console, vera: Person) -> None:
    console.sign_in("ada").get(f"/patients/{console.ward.patient_id}")
    console.sign_in("asta").get("/me")
    page = vera.get("/audit")
    said = text(page)
    assert "Ada Weiss Doctor, ada Patient page opened" in said
    assert f"Patient page opened Patient {console.ward.patient_id}" in said
    assert "Patient Own readings looked at" in said
    for answer in (page.text, vera.get("/audit.csv").text):
        assert "Asta" not in answer
        assert "asta" not in answer


def test_the_filter_finds_by_person_patient_action_and_day(console: Console, vera: Person) -> None:
    patient = console.ward.patient_id
    ada, nora = console.sign_in("ada"), console.sign_in("nora")
    ada.get(f"/patients/{patient}")
    nora.get(f"/patients/{patient}/plan")
    console.clock.forward(days=2)
    vera = console.sign_in("vera")

    def found(**fields: object) -> list[str]:
        answer = vera.get("/audit", params={name: str(value) for name, value in fields.items()})
        assert answer.status_code == 200, answer.text
        shown = re.findall(r"<td>([A-Z][^<]*)</td>", answer.text)
        return [said for said in shown if said in AUDIT_ACTIONS.values()]

    assert found(person=ada.account_id, action="patient.read") == ["Patient page opened"]
    assert found(patient=patient) == ["Plan looked at", "Patient page opened"]
    assert found(patient=patient, person=nora.account_id) == ["Plan looked at"]
    assert found(action=".read", until="2026-11-21", patient=patient) == ["Plan looked at", "Patient page opened"]
    assert found(since="2026-11-22", patient=patient) == []
    assert "Signed in" in found(since="2026-11-23", until="2026-11-23")
    assert found(patient=console.other_patient_id) == []


def test_what_cannot_be_read_is_said_beside_its_field(vera: Person) -> None:
    answer = vera.get(
        "/audit", params={"patient": "asta", "since": "2026-11-30", "until": "2026-11-01", "person": "\0"}
    )
    assert answer.status_code == 422
    assert 'aria-describedby="patient-refusal"' in answer.text
    said = text(answer)
    assert "This is no id: it has 32 digits" in said
    assert "This day is before the first one." in said
    for day in ("soon", "9999-12-31", "2026-02-30"):
        assert "This is no day" in text(vera.get("/audit", params={"since": day}))
        assert vera.get("/audit.csv", params={"until": day}).status_code == 422


def test_page_follows_page_without_a_row_lost_or_doubled(console: Console, vera: Person) -> None:
    console.ward.admin.execute(
        "INSERT INTO audit (at, action, subject) SELECT %s, 'gateway.enrolled', 'gateway:' || n"
        " FROM generate_series(1, 120) n",
        (NOW,),
    )
    console.ward.admin.execute(
        "INSERT INTO audit (at, action, subject) VALUES (%s, 'gateway.revoked', 'gateway:x')", (NOW,)
    )
    seen: list[int] = []
    path: str | None = "/audit?action=gateway.enrolled"
    while path:
        answer = vera.get(path)
        assert len(rows(answer)) <= service.A_PAGE
        seen += rows(answer)
        older = re.search(r'class="button" href="([^"]+)"', answer.text)
        path = html.unescape(older[1]) if older else None
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 120


def test_the_export_has_the_same_rows_and_is_itself_in_the_audit(console: Console, vera: Person) -> None:
    console.ward.admin.execute(
        "INSERT INTO audit (at, account_id, action, subject, detail) VALUES (%s, %s, 'sign_in', '=1+1', '{\"a\": 1}')",
        (NOW, console.accounts["nora"]),
    )
    answer = vera.get("/audit.csv", params={"person": str(console.accounts["nora"])})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert row == {
        "audit_id": row["audit_id"],
        "at": NOW.isoformat(),
        "account_id": str(console.accounts["nora"]),
        "login": "nora",
        "name": "Nora Quist",
        "role": "nurse",
        "action": "sign_in",
        "subject": "'=1+1",
        "patient_id": "",
        "detail": '{"a":1}',
    }
    [(who, _, _)] = actions(console, like="audit.export")
    assert who == console.accounts["vera"]


def test_too_many_rows_for_a_file_are_refused_with_what_to_do(
    console: Console, vera: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_EXPORTED", 20)
    monkeypatch.setattr(service, "AT_A_TIME", 7)
    statement = (
        "INSERT INTO audit (at, action, subject) SELECT %s, 'gateway.enrolled', 'gateway:x' FROM generate_series(1, %s)"
    )
    console.ward.admin.execute(statement, (NOW, 20))
    assert len(vera.get("/audit.csv?action=gateway.enrolled").text.splitlines()) == 21
    console.ward.admin.execute(statement, (NOW, 1))
    answer = vera.get("/audit.csv?action=gateway.enrolled")
    assert answer.status_code == 422
    assert "ask for a shorter time" in text(answer)


def test_a_page_that_refreshes_itself_writes_one_row_per_opening(console: Console) -> None:
    ada, url = console.sign_in("ada"), f"/patients/{console.ward.patient_id}"
    subject = f"patient:{console.ward.patient_id}"
    ada.get(url)
    for _ in range(5):
        ada.get(f"{url}/series.json")
        ada.get(f"{url}/readings")
    assert actions(console) == [(ada.account_id, "patient.read", subject)]
    console.clock.forward(minutes=16)
    for _ in range(5):
        ada.get(f"{url}/readings")
    assert actions(console)[1:] == [(ada.account_id, "readings.read", subject)]
    ada.get(url)
    ada.get(url)
    assert [action for _, action, _ in actions(console)[2:]] == ["patient.read"] * 2


def test_whoever_asks_for_the_data_without_the_page_is_written_down(console: Console) -> None:
    ben, ada = console.sign_in("ben"), console.sign_in("ada")
    ada.get(f"/patients/{console.ward.patient_id}")
    ben.get(f"/patients/{console.ward.patient_id}/series.json")
    assert actions(console)[1:] == [(ben.account_id, "readings.read", f"patient:{console.ward.patient_id}")]
    ben.get(f"/patients/{console.ward.patient_id}/readings")
    assert len(actions(console)) == 2


def test_lists_of_patients_are_written_down_once_per_opening(console: Console) -> None:
    nora = console.sign_in("nora")
    for _ in range(3):
        nora.get("/worklist")
        nora.get("/patients")
    assert [action for _, action, _ in actions(console)] == ["worklist.read", "patient_list.read"]


def test_a_stream_belongs_to_its_page_and_without_one_it_is_written_down(console: Console) -> None:
    ada, nora = console.sign_in("ada"), console.sign_in("nora")
    nora.get("/worklist")
    for person in (ada, nora, ada):
        with stream(person) as events:
            until(events, "worklist")
    assert actions(console) == [
        (nora.account_id, "worklist.read", "worklist:open"),
        (ada.account_id, "worklist.read", "worklist:open"),
    ]


def test_who_was_refused_leaves_no_row_about_a_patient(console: Console) -> None:
    eve = console.sign_in("eve")
    for rest in ("", "/readings", "/series.json", "/plan"):
        assert eve.get(f"/patients/{console.ward.patient_id}{rest}").status_code == 404
    assert actions(console) == []


def test_patients_see_who_looked_when_and_at_what_in_their_zone_and_language(console: Console) -> None:
    console.ward.receive(sent(glucose("100")))
    asta = console.sign_in("asta")
    assert "Nobody has looked at your data yet." in text(asta.get("/me/access"))
    asta.get("/me")
    console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/plan")
    console.sign_in("nora").get(f"/patients/{console.ward.patient_id}")
    said = text(asta.get("/me/access"))
    assert (
        "Patient page opened 21 Nov 2026, 13:00 Nora Quist, Nurse Plan looked at 21 Nov 2026, 13:00 Ada Weiss, Doctor"
        in said
    )
    assert "Own readings" not in said
    assert "nora" not in said, "a login is nothing for patients"
    assert "/me/access" in asta.get("/me").text
    asta.post("/language", {"language": "ru"})
    said = text(asta.get("/me/access"))
    assert "Просмотрен план" in said
    assert "Ada Weiss, Врач" in said


def test_patients_see_nothing_of_others(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO audit (at, account_id, action, subject, patient_id)"
        " VALUES (%s, %s, 'patient.read', 'patient:x', %s)",
        (NOW, console.accounts["nora"], console.other_patient_id),
    )
    asta = console.sign_in("asta")
    assert rows(asta.get("/me/access")) == []
    assert console.sign_in("nora").get("/me/access").status_code == 404
