"""What a patient takes and what was changed about it: who notes what, and where it is read."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cloud.made import NOW, glucose, pressure, sent
from tests.cloud.planning.test_routes import set_limit, text
from tests.fix_console import Console

DRUG = {"drug": "Amlodipine", "dose": "5 mg each morning", "since": "2026-03-01", "until": ""}
CHANGE = {"changed_on": "2026-11-15", "what": "amlodipine 5 mg to 10 mg", "why": "mornings above target"}


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/treatment{rest}"


def series(console: Console, query: str = "") -> dict[str, Any]:
    answer = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/series.json{query}")
    found: dict[str, Any] = answer.json()
    return found


def test_a_medication_is_listed_until_its_last_day_and_stays_among_those_of_before(console: Console) -> None:
    nora = console.sign_in("nora")
    assert nora.post(url(console, "/medication"), DRUG).status_code == 303
    assert "Amlodipine 5 mg each morning since 1 Mar 2026" in text(nora.get(f"/patients/{console.ward.patient_id}"))
    [(medication_id,)] = console.ward.rows("SELECT medication_id FROM medication")
    assert nora.post(url(console, f"/medication/{medication_id}/end")).status_code == 303
    assert nora.post(url(console, f"/medication/{medication_id}/end")).status_code == 404
    assert "Amlodipine" in nora.get(f"/patients/{console.ward.patient_id}").text, "its last day is today"
    console.clock.forward(hours=12)
    nora = console.sign_in("nora")
    assert "Amlodipine" not in nora.get(f"/patients/{console.ward.patient_id}").text
    assert "Taken before" in nora.get(url(console)).text


def test_only_a_doctor_notes_a_change_of_treatment_and_what_was_noted_in_error_stays_marked(console: Console) -> None:
    nora, ada = console.sign_in("nora"), console.sign_in("ada")
    assert nora.post(url(console, "/changes"), CHANGE).status_code == 404
    assert ada.post(url(console, "/changes"), CHANGE).status_code == 303
    assert "amlodipine 5 mg to 10 mg" in nora.get(f"/patients/{console.ward.patient_id}").text
    [change] = series(console)["changes"]
    assert (change["what"], change["why"]) == (CHANGE["what"], CHANGE["why"])
    [(change_id,)] = console.ward.rows("SELECT change_id FROM treatment_change")
    assert ada.post(url(console, f"/changes/{change_id}/withdraw")).status_code == 303
    assert series(console)["changes"] == []
    assert "noted in error: Ada Weiss" in text(nora.get(url(console)))
    actions = [action for (action,) in console.ward.rows("SELECT action FROM audit ORDER BY audit_id")]
    assert [action for action in actions if action.startswith("treatment_change")] == [
        "treatment_change.add", "treatment_change.withdraw",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "data", "said"),
    [
        ("/medication", {**DRUG, "dose": ""}, "This is needed."),
        ("/medication", {**DRUG, "until": "2026-02-01"}, "It ends before it begins."),
        ("/medication", {**DRUG, "since": "yesterday"}, "This is no date."),
        ("/changes", {**CHANGE, "why": ""}, "Say why"),
        ("/changes", {**CHANGE, "changed_on": ""}, "This is no date."),
        ("/changes", {**CHANGE, "changed_on": "2036-11-15"}, "Is the year right?"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(
    console: Console, form: str, data: dict[str, str], said: str
) -> None:
    answer = console.sign_in("ada").post(url(console, form), data)
    assert answer.status_code == 422
    assert said in answer.text
    assert console.ward.count("medication") + console.ward.count("treatment_change") == 0


@pytest.mark.parametrize("login", ["eve", "asta", "carl"])
def test_for_whoever_is_not_of_the_care_team_there_is_no_treatment(console: Console, login: str) -> None:
    person = console.sign_in(login)
    assert person.get(url(console)).status_code == 404
    assert person.post(url(console, "/medication"), DRUG).status_code == 404


def test_a_limit_is_drawn_where_it_was_in_force(console: Console) -> None:
    console.ward.receive(sent(pressure("128", "81")), sent(glucose("100")))
    console.clock.time = NOW - timedelta(days=5)
    own = {"condition": "hyperglycaemia", "unit": "mg/dL", "value": "190"}
    assert set_limit(console.sign_in("ada"), console, **own).status_code == 303
    console.clock.time = NOW
    found = series(console, "?days=14&kind=glucose")
    [chart] = found["charts"]
    lines = [line for line in chart["limits"] if line["measure"] == "glucose"]
    since, changed = NOW - timedelta(days=14), NOW - timedelta(days=5)
    assert [(line["from"], line["to"]) for line in lines if line["value"] == 190] == [
        (changed.timestamp(), NOW.timestamp())
    ]
    assert (since.timestamp(), changed.timestamp()) in [
        (line["from"], line["to"]) for line in lines if line["value"] != 190
    ]
    assert (found["from"], found["to"]) == (since.timestamp(), NOW.timestamp())


@pytest.mark.parametrize("query", ["?days=0", "?days=31", "?days=x"])
def test_nobody_draws_more_than_is_offered(console: Console, query: str) -> None:
    answer = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/series.json{query}")
    assert answer.status_code == 404
