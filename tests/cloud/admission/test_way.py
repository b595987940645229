"""Taking somebody in, from the first form to the day when somebody watches: each step, and what each refuses."""

import re
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest

from tests.cloud.admission.made import ACTIVATED, ANSWERS, BERTA, ENTERED, MEASURED, METER, PAPER, Newcomer, newcomer
from tests.cloud.console.test_every_form import HOSTILE
from tests.cloud.made import NOW, glucose, new_patient, sent
from tests.fix_console import Console


@pytest.fixture
def berta(console: Console) -> Newcomer:
    return newcomer(console)


def test_somebody_is_taken_in_step_by_step_and_watched_from_the_activation_on(berta: Newcomer) -> None:
    ward = berta.console.ward
    berta.all_steps()
    assert berta.lacks() == []
    assert "104 mg/dL" in berta.page()
    assert "gw-home" in berta.page()
    assert berta.activate().status_code == 303
    [(activated, by, until)] = ward.rows(
        "SELECT x.activated_at, a.login, m.heightened_until FROM participation x"
        " JOIN account a ON a.account_id = x.activated_by JOIN patient_programme m ON m.patient_id = x.patient_id"
        " WHERE upper_inf(m.valid)"
    )
    assert (activated, by, until) == (ACTIVATED, "carl", ACTIVATED + timedelta(days=14))
    ward.receive(sent(glucose("45", device=METER)))
    assert berta.cases() == ["hypoglycaemia_level_2"]
    nora = berta.console.sign_in("nora")
    assert "Berta Ny" in nora.get("/worklist").text
    assert {action for (action,) in ward.rows("SELECT action FROM audit")} >= {
        "patient.look_for", "patient.take_in", "admission.eligibility", "consent.given", "admission.plan",
        "care_team.add", "emergency_card.set", "admission.training", "admission.readings", "participation.activate",
    }  # fmt: skip


def test_before_the_activation_a_reading_is_kept_and_shown_and_calls_nobody(berta: Newcomer) -> None:
    berta.plan()
    berta.hand_out()
    berta.measure("38")
    assert berta.cases() == []
    assert berta.console.ward.rows("SELECT count(*) FROM assessment_due") == [(0,)]
    page = berta.page()
    assert "38 mg/dL" in page
    assert "Very low glucose" in page
    assert "beyond an urgent limit" in page
    assert "beyond an urgent limit" in berta.carl.get("/enrolments").text


def test_what_was_measured_before_the_activation_calls_nobody_when_it_comes_after(berta: Newcomer) -> None:
    berta.all_steps()
    berta.activate()
    berta.console.ward.receive(sent(glucose("38", MEASURED + timedelta(minutes=2), device=METER)))
    assert berta.cases() == []


def test_where_the_form_asks_for_a_doctor_a_doctor_decides(berta: Newcomer) -> None:
    berta.staff()
    berta.fill_in(q_irregular_pulse="yes")
    assert "A doctor has to decide." in berta.lacks()
    ada, decision = berta.console.sign_in("ada"), {"decision": "no", "reason": "too irregular"}
    assert berta.post("decision", decision).status_code == 404
    assert berta.post("decision", {"decision": "yes", "reason": ""}, ada).status_code == 422
    assert berta.post("decision", decision, ada).status_code == 303
    assert "A doctor has decided against it." in berta.lacks()
    berta.post("decision", {"decision": "yes", "reason": "three readings each time"}, ada)
    assert not [words for words in berta.lacks() if "doctor has" in words]
    # Other answers are another decision.
    berta.fill_in(q_irregular_pulse="yes")
    assert "A doctor has to decide." in berta.lacks()


def test_a_refusal_is_kept_and_a_later_agreement_counts(berta: Newcomer) -> None:
    berta.post("consent", PAPER | {"decision": "refused"})
    assert "The patient does not agree." in berta.lacks()
    berta.agree()
    assert not [words for words in berta.lacks() if "agree" in words]
    assert berta.console.ward.rows("SELECT decision, method, version FROM consent ORDER BY decision_no") == [
        ("refused", "paper", 1), ("given", "paper", 1)
    ]  # fmt: skip


def test_a_consent_of_before_counts_for_nothing_after_coming_back(berta: Newcomer) -> None:
    berta.all_steps()
    berta.activate()
    assert berta.post("end", {"why": "own_wish"}).status_code == 303
    berta.console.clock.forward(minutes=1)
    assert berta.post("again").status_code == 303
    lacks = berta.lacks()
    assert "The patient has not decided yet." in lacks
    assert "The form has not been filled in." in lacks


def test_measurement_times_are_shown_before_they_are_saved(berta: Newcomer) -> None:
    page = berta.carl.get(f"{berta.url}?template=both").text
    assert "This would be set" in page
    assert "07:30" in page
    assert berta.console.ward.count("measurement_slot") == 0
    berta.plan("both")
    berta.plan("glucose")
    assert berta.console.ward.rows("SELECT kind, count(*) FROM measurement_slot WHERE upper_inf(valid) GROUP BY 1") == [
        ("glucose", 2)
    ]
    assert berta.post("plan", {"template": "hourly"}).status_code == 422


def test_what_is_missing_is_said_in_words_and_nobody_is_activated_without_it(berta: Newcomer) -> None:
    assert berta.lacks() == [
        "The form has not been filled in.",
        "The patient has not decided yet.",
        "No measurement times are set.",
        "No nurse is in the care team.",
        "No doctor is in the care team.",
        "Nobody has written the emergency card.",
        "No device has been handed out.",
        "Set the measurement times first.",
        "Set the measurement times first.",
    ]
    steps = (
        berta.fill_in,
        berta.agree,
        berta.plan,
        berta.staff,
        berta.card,
        berta.hand_out,
        berta.teach,
        berta.measure,
    )
    for done, step in enumerate(steps):
        answer = berta.activate()
        assert (answer.status_code, "Not every step is done." in answer.text) == (422, True), step
        step()
        assert f"{min(done + 1, 7)}/8" in berta.carl.get("/enrolments").text
    assert berta.lacks() == ["Glucose: somebody has yet to compare the test measurements with the display."]
    berta.confirm()
    assert berta.lacks() == []
    assert "Nothing: they can be activated." in berta.carl.get("/enrolments").text
    berta.post("readings", {"seen": "no"})
    assert berta.activate().status_code == 422
    berta.confirm()
    assert berta.activate().status_code == 303
    for act in (berta.fill_in, berta.plan, berta.confirm, berta.activate):
        assert act().status_code == 422, act


def test_what_cannot_be_entered_is_refused_at_its_field(berta: Newcomer) -> None:
    carl = str(berta.console.accounts["carl"])
    for act, form, words in (
        ("eligibility", ANSWERS | {"q_arm": ""}, "Choose one."),
        ("consent", PAPER | {"signed_on": "2026-11-22"}, "This lies in the future."),
        ("consent", PAPER | {"decision": "perhaps"}, "Choose one."),
        ("plan", {"template": "hourly"}, "Choose one."),
        ("training", {"kind": "weight"}, "Choose one."),
        ("readings", {"seen": "yes"}, "Not all that the plan needs has arrived yet."),
        ("end", {"why": "other"}, "Say why"),
        ("end", {"why": "consent_withdrawn"}, "Choose one."),
        ("close", {}, "Something is left to do first."),
        ("again", {}, "Nothing has ended"),
        (f"care-team/{carl}/end", {}, "Nobody would be left."),
        *(("care-team", {"account_id": str(berta.console.accounts[who])}, "Choose one.") for who in ("sam", "asta")),
    ):
        if act == "readings":
            berta.plan("both")
        answer = berta.post(act, form)
        assert (answer.status_code, words in answer.text) == (422, True), act


def test_what_was_entered_is_taken_back_by_another_entry(berta: Newcomer) -> None:
    berta.fill_in(q_network="no")
    assert "An answer rules taking part out." in berta.lacks()
    berta.fill_in()
    assert "An answer rules taking part out." not in berta.lacks()
    berta.plan()
    berta.teach()
    assert not [words for words in berta.lacks() if "training" in words]
    berta.teach(but="hands")
    assert "Glucose: 1 points of the training are open." in berta.lacks()
    rows = berta.console.ward.rows("SELECT step, outcome FROM admission_entry WHERE item = '' OR item LIKE '%.hands'")
    assert rows == [("eligibility", "done"), ("eligibility", "done"), ("plan", "done"), ("training", "done"),
                    ("training", "undone")]  # fmt: skip


def test_a_device_that_was_given_back_opens_its_steps_again(berta: Newcomer) -> None:
    berta.all_steps()
    berta.console.ward.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(lower(valid), %s) WHERE patient_id = %s",
        (ENTERED - timedelta(minutes=1), berta.patient_id),
    )
    assert berta.lacks() == ["No device has been handed out.", "Glucose: 1 test measurements have yet to arrive."]


def test_whoever_has_left_the_care_team_sees_the_patient_no_more(berta: Newcomer) -> None:
    berta.staff()
    assert berta.post(f"care-team/{berta.console.accounts['carl']}/end").headers["location"] == "/enrolments"
    assert berta.carl.get(berta.url).status_code == 404
    assert berta.console.sign_in("ada").get(berta.url).status_code == 200


def test_a_hostile_field_is_refused_in_words_and_spoils_no_page(berta: Newcomer) -> None:
    """As ``test_every_form`` asks of all forms; what is chosen from a list is asked above."""
    carl, token, wrong = berta.carl, berta.carl.csrf_token(), []
    for path, form in (
        ("/enrolments", BERTA | {"mrn": "", "who": "other"}),
        (f"{berta.url}/consent", PAPER | {"decision": "refused"}),
        (f"{berta.url}/care-team", {"account_id": str(berta.patient_id)}),
    ):
        for name in set(form) - {"language", "programme_id", "who", "decision"}:
            for text in HOSTILE:
                typed = {**form, "csrf_token": token, name: text}
                body = "&".join(f"{key}={quote(value, errors='surrogatepass')}" for key, value in typed.items())
                headers = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = carl.client.post(path, content=body, headers=headers)
                if answer.status_code not in (303, 422) or "<script>alert" in answer.text:
                    wrong.append((path, name, text[:20], answer.status_code))
    assert wrong == []
    assert "<script>alert" not in carl.get("/enrolments").text
    assert "<script>alert" not in berta.page()


# Who is here already -------------------------------------------------------------------------------------------------


def test_the_same_number_is_shown_before_a_second_record_is_made(berta: Newcomer) -> None:
    answer = berta.carl.post("/enrolments", BERTA | {"display_name": "Somebody Else", "birth_date": "1960-01-01"})
    assert answer.status_code == 422
    assert "There is a patient with this number already." in answer.text
    assert str(berta.patient_id) in answer.text
    # Of a patient of others nothing is said but that there is one.
    eve = berta.console.sign_in("eve")
    answer = eve.post("/enrolments", BERTA)
    assert answer.status_code == 422
    assert str(berta.patient_id) not in answer.text
    assert eve.get(berta.url).status_code == 404


def test_the_same_name_and_birth_date_are_shown_and_may_be_somebody_else(berta: Newcomer) -> None:
    again = BERTA | {"mrn": "", "display_name": "berta  NY"}
    answer = berta.carl.post("/enrolments", again)
    assert answer.status_code == 422
    assert str(berta.patient_id) in answer.text
    assert berta.carl.post("/enrolments", again | {"who": "other"}).status_code == 303
    assert berta.console.ward.rows("SELECT count(*) FROM patient WHERE birth_date = '1950-03-04'") == [(2,)]


def test_whoever_asks_for_too_many_people_is_told_how_long_to_wait(console: Console) -> None:
    """Each question counts, whoever it is about, and only one's own."""
    carl, admin = console.sign_in("carl"), console.ward.admin
    stranger = new_patient(admin, "Berta Beyond")
    admin.execute("UPDATE patient SET birth_date = '1950-03-04', mrn = 'B-1' WHERE patient_id = %s", (stranger,))
    admin.execute(
        "INSERT INTO patient_look_up SELECT %s, now() - n * interval '2 minutes' FROM generate_series(1, 29) n",
        (carl.account_id,),
    )
    sought = BERTA | {"display_name": "Berta Beyond", "mrn": ""}
    assert "There is a patient with this name and birth date already." in carl.post("/enrolments", sought).text
    for asked in (sought, BERTA | {"mrn": "B-1"}, sought | {"who": "other"}, BERTA):
        answer = carl.post("/enrolments", asked)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 120
        assert re.search(r"Nobody was looked for, and nothing was saved. Try again in [12] min\.", answer.text)
        assert "already" not in answer.text
        assert 'value="Berta' in answer.text, "what was typed is still there"
    assert console.ward.rows("SELECT count(*) FROM patient WHERE birth_date = '1950-03-04'") == [(1,)]
    assert console.ward.rows("SELECT count(*) FROM audit WHERE action = 'patient.look_for'") == [(5,)]
    # An hour is an hour from each question on; a colleague has thirty of their own.
    assert "There is a patient with this name" in console.sign_in("nora").post("/enrolments", sought).text
    admin.execute("UPDATE patient_look_up SET at = at - interval '3 minutes' WHERE account_id = %s", (carl.account_id,))
    assert carl.post("/enrolments", BERTA).status_code == 303


def test_a_patient_is_looked_for_in_the_form_so_that_no_address_has_the_name(console: Console) -> None:
    nora = console.sign_in("nora")
    new_patient(console.ward.admin, "Berta Beyond")  # in nobody's care
    page = nora.get("/enrolments").text
    assert 'action="/enrolments/search#part-heading"' in page
    assert not re.search(r'<form[^>]*method="get"', page)

    found = nora.post("/enrolments/search", {"q": " asta "})
    assert found.status_code == 200
    assert "Asta Example" in found.text
    for sought in ("Berta", "%", "As_a", "\0<b>"):
        assert "Nobody of your care team’s patients." in nora.post("/enrolments/search", {"q": sought}).text
    assert "Asta Example" in nora.get("/enrolments?q=Berta").text, "an address looks for nobody"


def test_what_cannot_be_a_patient_is_refused_at_its_field(console: Console) -> None:
    carl = console.sign_in("carl")
    for field, typed in (
        ("display_name", " "),
        ("birth_date", "2027-01-01"),
        ("birth_date", "1850-01-01"),
        ("birth_date", "yesterday"),
        ("time_zone", "Mars/Olympus"),
        ("language", "la"),
        ("programme_id", "none"),
        ("mrn", "1" * 65),
    ):
        answer = carl.post("/enrolments", BERTA | {field: typed})
        assert (answer.status_code, f"#person-{field}" in answer.text) == (422, True), field
    assert console.ward.rows("SELECT count(*) FROM participation") == [(0,)]


# Pause and end --------------------------------------------------------------------------------------------------------


def test_a_pause_is_added_and_ended_by_a_coordinator(berta: Newcomer) -> None:
    assert berta.post("pause", {"reason": "hospital", "until": "2026-11-25T08:00"}).status_code == 303
    assert "hospital" in berta.page()
    [(pause_id,)] = berta.console.ward.rows("SELECT pause_id FROM measurement_pause")
    assert berta.post(f"pause/{pause_id}/end").status_code == 303
    assert berta.post(f"pause/{pause_id}/end").status_code == 404


def test_after_the_end_nobody_is_called_and_what_the_device_says_is_nobodys(berta: Newcomer) -> None:
    ward = berta.console.ward
    berta.all_steps()
    berta.activate()
    berta.console.clock.time = NOW - timedelta(minutes=10)
    assert berta.post("end", {"why": "goal_reached", "note": "controlled"}).status_code == 303
    berta.console.clock.time = NOW
    # Measured before the end, and come after it: kept, and nobody is called.
    assert ward.fates(sent(glucose("40", NOW - timedelta(minutes=15), device=METER))) == [("stored", None)]
    assert ward.fates(sent(glucose("41", device=METER))) == [("quarantined", "unassigned_device")]
    assert berta.cases() == []
    assert berta.post("end", {"why": "moved"}).status_code == 422


def test_the_care_team_is_told_of_an_end_until_somebody_knows(berta: Newcomer) -> None:
    berta.all_steps()
    berta.activate()
    berta.post("end", {"why": "moved"})
    nora, ada = berta.console.sign_in("nora"), berta.console.sign_in("ada")
    notice = f"/patients/{berta.patient_id}/participation/notice"
    assert notice in nora.get("/worklist").text
    assert notice in ada.get("/patients").text
    answer = nora.post(notice, {"back": "/worklist"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/worklist")
    assert notice not in nora.get("/worklist").text
    assert notice not in ada.get("/patients").text
    assert "Nobody watches any longer." in ada.get(f"/patients/{berta.patient_id}").text
    assert berta.console.sign_in("eve").post(notice).status_code == 404


def test_a_record_is_closed_when_nothing_is_left_and_leaves_the_care_teams_sight(berta: Newcomer) -> None:
    ward = berta.console.ward
    berta.all_steps()
    berta.activate()
    ward.receive(sent(glucose("45", device=METER)))
    berta.post("end", {"why": "own_wish"})
    answer = berta.post("close")
    assert answer.status_code == 422
    assert "Open cases: 1." in answer.text
    berta.console.sign_in("nora").post(f"/patients/{berta.patient_id}/participation/notice")
    ward.admin.execute("UPDATE alert_case SET state = 'resolved', next_at = NULL")
    ward.admin.execute(
        "WITH item AS (INSERT INTO stock_item (kind, manufacturer, model, serial_number, owner, state, state_at,"
        " added_at, added_by)"
        " VALUES ('glucose', 'LifeScan', 'U', 'NEW0001', 'clinic', 'handed_out', now(), now(), %(carl)s)"
        " RETURNING item_id)"
        " INSERT INTO stock_holding (item_id, patient_id, assignment_id, since, handed_by)"
        " SELECT item_id, patient_id, assignment_id, now(), %(carl)s FROM item, device_assignment"
        " WHERE patient_id = %(berta)s",
        {"carl": berta.console.accounts["carl"], "berta": berta.patient_id},
    )
    ward.admin.execute(
        "INSERT INTO patient_message (patient_id, from_patient, written_by, written_at, body)"
        " VALUES (%s, true, %s, now(), 'Shall I bring it?')",
        (berta.patient_id, berta.console.accounts["asta"]),
    )
    ward.admin.execute(
        "INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, booked_by, booked_at,"
        " changed_at) VALUES (%(berta)s, %(ada)s, 'clinic', '2027-01-04 08:00Z', '2027-01-04 08:20Z', 'booked',"
        " %(ada)s, now(), now())",
        {"berta": berta.patient_id, "ada": berta.console.accounts["ada"]},
    )
    answer = berta.post("close")
    assert "Devices that have not come back: 1." in answer.text
    assert "Messages of the patient that wait for an answer: 1." in answer.text
    assert "Appointments that are still booked: 1." in answer.text
    ward.admin.execute("UPDATE appointment SET state = 'cancelled'")
    ward.admin.execute("UPDATE stock_holding SET until = now()")
    ward.admin.execute("UPDATE patient_message SET settled_at = now(), settled_by = written_by")
    assert berta.post("close").headers["location"] == "/enrolments"
    for login in ("carl", "nora", "ada"):
        assert berta.console.sign_in(login).get(berta.url).status_code == 404
    assert ward.count("glucose_observation") == 2
    # Whoever says number, name and birth date of somebody who has come back takes them in again.
    back = BERTA | {"who": "back"}
    assert berta.carl.post("/enrolments", back | {"birth_date": "1950-03-05"}).status_code == 422
    answer = berta.carl.post("/enrolments", back)
    assert UUID(answer.headers["location"].rsplit("/", 1)[1]) == berta.patient_id
    assert "The form has not been filled in." in berta.lacks()


def test_whoever_was_here_before_enrolment_was_kept_is_watched_and_can_leave(console: Console) -> None:
    nora, patient_id = console.sign_in("nora"), console.ward.patient_id
    page = nora.get(f"/enrolments/{patient_id}").text
    assert "Watched" in page
    assert "Activate" not in page
    assert nora.post(f"/enrolments/{patient_id}/end", {"why": "own_wish"}).status_code == 303
    console.ward.receive(sent(glucose("40", NOW - timedelta(hours=1))))
    assert console.ward.count("alert_case") == 0
