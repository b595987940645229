"""The pages: who may ask, what is refused, how a result reads, and what it says of patients who are not one's own."""

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from cloud.config import JobsSettings
from cloud.jobs.desk import Desk
from cloud.jobs.trying_limits import slice_of
from cloud.what_if.trying import AT_ONCE
from tests.cloud.made import NOW, Ward, glucose, new_patient, sent
from tests.cloud.what_if.made import low_mornings, store_glucose
from tests.fix_console import Console, Person

FORM = {"programme_id": "standard", "days": "28", "regime_0": "esc2024", "regime_1": "ada"}
LOWER = {"limit_0": "hypoglycaemia_level_1 mg/dL", "value_0": "60"}


@pytest.fixture
def desk(console: Console) -> Iterator[Desk]:
    """The jobs process's, at the console's time."""
    made = Desk(JobsSettings(database_url=console.ward.database.jobs_url), console.clock)
    made.pool.open()
    try:
        yield made
    finally:
        made.pool.close()


def asked(person: Person, form: dict[str, str]) -> str:
    """The page of the run that this form asks for."""
    answer = person.post("/what-if", form)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def done(person: Person, desk: Desk, form: dict[str, str]) -> str:
    """The page of the run, when the jobs process has done all of it."""
    location = asked(person, form)
    while slice_of(desk) is not None:
        pass
    return person.get(location).text


def figures(page: str) -> dict[str, list[tuple[str, str]]]:
    """The compared figures by line: both values with their n."""
    rows = re.findall(r'<tr data-line="([^"]+)"(.*?)</tr>', page, re.DOTALL)
    return {name: re.findall(r'class="figure">([^<]+)</span> <small>n = (\d+)', row) for name, row in rows}


def test_doctors_and_lead_nurses_alone_may_ask(console: Console) -> None:
    assert console.sign_in("ada").get("/what-if").status_code == 200
    for login in ("nora", "sam", "carl", "asta"):
        assert console.sign_in(login).get("/what-if").status_code == 404
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'ben'")
    page = console.sign_in("ben").get("/what-if").text
    assert '<a href="/what-if" aria-current="page">What if</a>' in page
    assert "What if</a>" not in console.sign_in("nora").get("/worklist").text


def test_a_result_shows_both_rule_sets_beside_each_other(console: Console, desk: Desk) -> None:
    low_mornings(console.ward.admin, console.ward.patient_id)
    page = done(console.sign_in("ada"), desk, FORM | LOWER)
    found = figures(page)
    assert found["cases"] == [("0.43", "12"), ("0.07", "2")]
    assert found["tier.same_shift"] == [("0.36", "10"), ("0.00", "0")]
    assert found["per_patient"] == [("0.4286", "12"), ("0.0714", "2")]
    assert found["minutes"] == [("3.21 min", "90"), ("0.36 min", "10")]
    assert found["automatic"] == [("0.0 %", "0"), ("0.0 %", "0")]
    assert "1 patients, 30 readings in 28 patient-days" in page
    assert '<dd class="good" id="missed">0</dd>' in page
    assert "Low glucose: <strong" in page
    assert "hx-trigger" not in page


def test_what_would_be_missed_leads_to_the_case_that_there_was(console: Console, desk: Desk) -> None:
    at = NOW - timedelta(minutes=30)
    console.ward.receive(sent(glucose("50", at)), at=at + timedelta(seconds=20))
    store_glucose(console.ward.admin, console.ward.patient_id, NOW - timedelta(days=3), 49)
    [(case_id,)] = console.ward.rows("SELECT case_id FROM alert_case WHERE condition = 'hypoglycaemia_level_2'")
    low = {
        "limit_0": "hypoglycaemia_level_1 mg/dL", "value_0": "45",
        "limit_1": "hypoglycaemia_level_2 mg/dL", "value_1": "45",
    }  # fmt: skip
    page = done(console.sign_in("ada"), desk, FORM | low)
    assert '<dd class="bad" id="missed">2</dd>' in page
    assert f'<a href="/cases/{case_id}">21 Nov 2026, 12:30</a>' in page
    assert page.count(f'<a href="/patients/{console.ward.patient_id}">Asta Example</a>') == 2
    assert page.count('<strong class="bad">missed</strong>') == 2


def test_patients_who_left_the_care_are_counted_and_not_named(console: Console, desk: Desk) -> None:
    store_glucose(console.ward.admin, console.ward.patient_id, NOW - timedelta(days=3), 49)
    ada = console.sign_in("ada")
    low = {"limit_0": "hypoglycaemia_level_2 mg/dL", "value_0": "20"}
    location = asked(ada, FORM | low | {"limit_1": "hypoglycaemia_level_1 mg/dL", "value_1": "20"})
    assert slice_of(desk) == AT_ONCE
    console.ward.admin.execute("UPDATE care_team SET since = now() - interval '2 h', until = now() - interval '1 h'")
    page = ada.get(location).text
    assert "1 more are of patients who are no longer in your care" in page
    assert "Asta" not in page


def test_a_patients_page_starts_from_the_plan_with_the_limit_filled_in(console: Console, desk: Desk) -> None:
    low_mornings(console.ward.admin, console.ward.patient_id)
    ada = console.sign_in("ada")
    link = f"/what-if?patient_id={console.ward.patient_id}&condition=hypoglycaemia_level_1&unit=mg/dL&value=60"
    page = ada.get(link).text
    assert "What if: Asta Example" in page
    assert '<option value="hypoglycaemia_level_1 mg/dL" selected>Low glucose: below 70 mg/dL</option>' in page
    assert 'value="60"' in page
    assert "regime_0" not in page
    form = {"patient_id": str(console.ward.patient_id), "days": "90", **LOWER}
    assert figures(done(ada, desk, form))["tier.same_shift"][1] == ("0.00", "0")


def test_nobody_asks_about_a_patient_who_is_not_in_their_care(console: Console) -> None:
    ada = console.sign_in("ada")
    for patient_id in (console.other_patient_id, uuid4()):
        assert ada.get(f"/what-if?patient_id={patient_id}").status_code == 404
        assert ada.post("/what-if", {"patient_id": str(patient_id), "days": "28", **LOWER}).status_code == 404
    assert ada.post("/what-if", {"patient_id": "Asta", "days": "28", **LOWER}).status_code == 404
    assert ada.get("/what-if?programme_id=nobodys").status_code == 404


def test_a_run_is_its_askers_own(console: Console) -> None:
    location = asked(console.sign_in("ada"), FORM | LOWER)
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'ben'")
    ben = console.sign_in("ben")
    assert ben.get(location).status_code == 404
    assert ben.get(f"{location}/result").status_code == 404
    assert ben.post(f"{location}/cancel").status_code == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (FORM, "Change something: as it is, nothing would be different."),
        (FORM | LOWER | {"days": "3"}, "Choose one."),
        (FORM | {"limit_0": "hypoglycaemia_level_1 mg/dL", "value_0": "low"}, "Give a number, such as 65 or 3.6."),
        (FORM | {"limit_0": "ennui mg/dL", "value_0": "60"}, "Choose one."),
        (FORM | {"value_1": "60"}, "Choose one."),
        (FORM | LOWER | {"regime_0": "nobodys"}, "Choose one."),
        (
            FORM | {"regime_0": "pregnancy", "limit_0": "bradycardia /min", "value_0": "45"},
            "A chosen limit is not one of the other regime.",
        ),
    ],
)
def test_what_cannot_be_tried_is_refused_and_what_was_typed_stays(
    console: Console, form: dict[str, str], said: str
) -> None:
    answer = console.sign_in("ada").post("/what-if", form)
    assert answer.status_code == 422
    assert said in answer.text
    assert form.get("value_0", "") in answer.text
    assert console.ward.count("what_if_run") == 0


def test_a_comma_is_as_good_as_a_point(console: Console) -> None:
    asked(console.sign_in("ada"), FORM | {"limit_0": "hypoglycaemia_level_1 mmol/L", "value_0": "3,6"})
    assert console.ward.rows("SELECT proposal -> 'limits' -> 0 ->> 'value' FROM what_if_run") == [("3.6",)]


def test_another_regime_and_closing_are_a_proposal(console: Console) -> None:
    asked(console.sign_in("ada"), FORM | {"regime_0": "aha2025", "closing_not_confirmed": "1"})
    [(proposal,)] = console.ward.rows("SELECT proposal FROM what_if_run")
    assert proposal == {"limits": [], "regimes": ["aha2025", "ada"], "closing": ["not_confirmed"]}


def test_a_fourth_run_waits_for_one_of_three(console: Console, desk: Desk) -> None:
    ada = console.sign_in("ada")
    for _ in range(3):
        location = asked(ada, FORM | LOWER)
    answer = ada.post("/what-if", FORM | LOWER)
    assert answer.status_code == 422
    assert "Three of yours are still running" in answer.text
    assert ada.post(f"{location}/cancel").status_code == 303
    assert 'data-state="cancelled"' in ada.get(location).text
    asked(ada, FORM | LOWER)


def test_progress_is_a_fragment_that_asks_again_until_it_is_done(console: Console, desk: Desk) -> None:
    for n in range(7):
        patient_id = new_patient(console.ward.admin, f"Patient {n}")
        console.ward.admin.execute(
            "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, console.accounts["ada"])
        )
    ada = console.sign_in("ada")
    location = asked(ada, FORM | LOWER)
    waiting = ada.get(f"{location}/result").text
    assert 'data-state="waiting" hx-get=' in waiting
    console.ward.admin.execute("UPDATE what_if_run SET patients = 8, done = 5, state = 'running'")
    running = ada.get(f"{location}/result").text
    assert "5 of 8 patients" in running
    assert '<progress max="100" value="62"' in running
    assert "<html" not in running


def test_asking_and_reading_are_in_the_audit_without_a_name(console: Console) -> None:
    ada = console.sign_in("ada")
    location = asked(ada, {"patient_id": str(console.ward.patient_id), "days": "28", **LOWER})
    ada.get(location)
    run_id = location.removeprefix("/what-if/")
    rows = console.ward.rows("SELECT action, subject, patient_id FROM audit WHERE action LIKE 'what_if%' ORDER BY 1")
    subject, patient_id = f"what_if_run:{UUID(run_id)}", console.ward.patient_id
    assert rows == [("what_if.ask", subject, patient_id), ("what_if.read", subject, patient_id)]


def test_a_failed_run_says_why(console: Console, ward: Ward) -> None:
    ada = console.sign_in("ada")
    location = asked(ada, FORM | LOWER)
    ward.admin.execute("UPDATE what_if_run SET state = 'failed', error = 'The reason.', ended_at = now()")
    page = ada.get(location).text
    assert "Failed" in page
    assert "The reason." in page
    assert "nobody of these patients was replayed" in page
