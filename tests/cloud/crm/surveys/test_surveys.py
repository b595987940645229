"""A survey from a call to the telephone and back: who is asked, what is answered, and who reads what of it."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import LiteralString

import httpx
import pytest

from cloud.crm.surveys.asking import ask
from cloud.crm.surveys.sampling import is_sampled
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.made import BASE_URL, Reaching, reaching
from tests.cloud.crm.surveys.made import answered, call, cleared, rule, shared_console
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person, csrf_token_in
from tests.fix_services import Copies

WELL = {"q-overall": "very", "q-understood": "yes"}
DAYS = timedelta(days=1)


@pytest.fixture(scope="module")
def shared(copies: Copies, password_hash: str) -> Iterator[Console]:
    with shared_console(copies, password_hash) as console:
        yield console


@pytest.fixture
def console(shared: Console) -> Console:
    return cleared(shared)


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def asked(console: Console, told: Reaching) -> int:
    """What the job does now, and the delivery after it."""
    with told.desk.pool.connection() as connection:
        many = ask(connection, told.clock())
    told.look()
    return many


def link_after_a_call(console: Console, told: Reaching, gateway: Gateway) -> str:
    """Nora called; a day later this is what arrives on the telephone: the path of it."""
    rule(console.ward, "contact", console.accounts["nora"])
    call(console.ward, console.accounts["nora"], NOW)
    told.clock.time = console.clock.time = NOW + DAYS
    assert asked(console, told) == 1
    said: str = json.loads(gateway.requests[-1].body)["text"]
    found = re.search(rf"^There is something for you: {re.escape(BASE_URL)}(/s/\S+)$", said)
    assert found, said
    return found[1]


def answer(console: Console, path: str, **changed: str) -> httpx.Response:
    """By whoever has the link, without signing in."""
    client = console.client()
    token = csrf_token_in(client.get(path).text)
    return client.post(path, data={**WELL, "csrf_token": token, **changed})


def test_after_a_call_the_patient_is_asked_once_and_answers_by_the_link(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path = link_after_a_call(console, told, phone_gateway)
    page = console.client().get(path).text
    assert "Asta" not in page
    assert str(console.ward.patient_id) not in page + path
    assert "is not read as an alarm" in page
    assert "Thank you" in answer(console, path).text
    assert answer_again(console, path) == 410
    # However often and by whichever process it is looked at again.
    for _ in range(3):
        assert asked(console, told) == 0
    assert console.ward.rows("SELECT answers FROM survey_answer") == [({"overall": "very", "understood": "yes"},)]
    assert len(phone_gateway.requests) == 1


def answer_again(console: Console, path: str) -> int:
    return console.client().get(path).status_code


def test_two_processes_ask_once(console: Console, told: Reaching) -> None:
    rule(console.ward, "contact", console.accounts["nora"])
    call(console.ward, console.accounts["nora"], NOW)
    with told.desk.pool.connection() as first:
        assert ask(first, NOW + DAYS) == 1
        first.rollback()  # it died before it committed
    with told.desk.pool.connection() as second:
        assert ask(second, NOW + DAYS) == 1
    assert console.ward.count("survey_sent") == console.ward.count("outside_message") == 1


def test_who_is_not_asked(console: Console, told: Reaching) -> None:
    """Each reason by itself, and undone again; and that other numbers of what is on are no reason."""
    ward, nora = console.ward, console.accounts["nora"]
    made = call(ward, nora, NOW)
    changes: dict[str, LiteralString] = {
        "nothing": "SELECT 1",
        "switched off": "UPDATE survey_rule SET is_on = false",
        "other numbers": "INSERT INTO survey_rule (kind, is_on, after_days, percent, apart_days, set_by, set_at) SELECT"
        " kind, true, 1, 100, 29, set_by, '2026-11-21 18:00Z' FROM survey_rule",
        "off for a while": "WITH off AS (INSERT INTO survey_rule (kind, is_on, after_days, percent, apart_days, set_by,"
        " set_at) SELECT kind, false, 1, 100, 29, set_by, '2026-11-21 17:00Z' FROM survey_rule RETURNING *) INSERT INTO"
        " survey_rule (kind, is_on, after_days, percent, apart_days, set_by, set_at) SELECT kind, true, 1, 100, 29,"
        " set_by, '2026-11-21 18:00Z' FROM off",
        "set later": "UPDATE survey_rule SET set_at = '2026-11-21 18:00Z'",
        "not reached": "UPDATE call SET outcome = 'voicemail'",
        "somebody else": "UPDATE call SET contact_id = (SELECT contact_id FROM contact_person)",
        "asked lately": "INSERT INTO survey_sent (patient_id, kind, about, survey, version, sent_at, until) SELECT"
        " patient_id, 'enrolment', patient_id, 'enrolment', 1, '2026-11-01', '2026-11-15' FROM call",
        "wants none": "INSERT INTO survey_choice (patient_id, wants, method, set_at) SELECT patient_id, false, 'link',"
        " now() FROM call",
        "in hospital": "INSERT INTO hospital_stay (patient_id, since, entered_by) SELECT patient_id, ended_at,"
        " account_id FROM call",
        "has left": "INSERT INTO participation (patient_id, begun_at, ended_at, ended_by, end_reason) SELECT"
        " patient_id, ended_at, ended_at, account_id, 'own_wish' FROM call",
        "not sampled": "UPDATE survey_rule SET percent = 1",
    }
    ward.admin.execute(
        "INSERT INTO contact_person (patient_id, place, name, relation, phones, may_be_told, added_by, added_at)"
        " VALUES (%s, 1, 'n', 'r', '{+4520123456}', true, %s, %s)",
        (ward.patient_id, nora, NOW),
    )
    rule(ward, "contact", nora)
    assert not is_sampled(made, 1)
    asks = {}
    for why, change in changes.items():
        with ward.admin.transaction(force_rollback=True):
            ward.admin.execute(change)
            ward.admin.execute("SET LOCAL ROLE pulsepost_jobs")
            asks[why] = ask(ward.admin, NOW + DAYS)
    assert asks == {**dict.fromkeys(changes, 0), "nothing": 1, "other numbers": 1}
    for when in (DAYS / 2, 9 * DAYS):  # too soon, and too late
        told.clock.time = NOW + when
        assert asked(console, told) == 0


def test_a_stay_in_hospital_and_an_enrolment_are_asked_about_and_not_both_within_a_month(
    console: Console, told: Reaching
) -> None:
    ward, nora = console.ward, console.accounts["nora"]
    rule(ward, "discharge", nora, after_days=7)
    rule(ward, "enrolment", nora, after_days=30)
    ward.admin.execute(
        "INSERT INTO discharge_summary (patient_id, discharged_on, about, entered_by, entered_at)"
        " VALUES (%s, '2026-11-20', 'a', %s, %s)",
        (ward.patient_id, nora, NOW),
    )
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at) VALUES (%s, %s, %s)",
        (ward.patient_id, NOW - DAYS, NOW - DAYS),
    )
    for day in range(70):
        told.clock.time = NOW + day * DAYS
        asked(console, told)
    assert ward.rows("SELECT kind, (sent_at - '2026-11-21 12:00Z')::text FROM survey_sent ORDER BY sent_at") == [
        ("discharge", "6 days"),
        ("enrolment", "36 days"),
    ]


def test_what_was_written_is_read_by_a_nurse_and_not_by_whom_it_is_about(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path = link_after_a_call(console, told, phone_gateway)
    lena = console.sign_in("lena")
    answer(console, path, **{"q-overall": "not", "body": "I was dizzy again on Sunday.", "call_me": "yes"})
    for person in (lena, console.sign_in("ben")):
        page = text(person.get("/surveys"))
        assert "I was dizzy again on Sunday." in page
        assert "Asta Example" in page
        assert "Not at all" not in page
    assert "dizzy" not in console.sign_in("nora").get("/surveys").text
    assert "dizzy" not in console.sign_in("eve").get("/surveys").text
    # The wish for a call is a task for the care team, of today.
    assert console.ward.rows("SELECT what, due_on::text, made_by FROM follow_up") == [("call", "2026-11-22", None)]
    assert "the patient asks to be called" in text(
        console.sign_in("ben").get(f"/patients/{console.ward.patient_id}/follow-ups")
    )
    [(comment_id,)] = console.ward.rows("SELECT comment_id FROM survey_comment")
    ben = console.sign_in("ben")
    assert ben.post(f"/surveys/comments/{comment_id}/theme", {"theme": "device"}).status_code == 303
    assert ben.post(f"/surveys/comments/{comment_id}/seen").status_code == 303
    assert lena.post(f"/surveys/comments/{comment_id}/seen").status_code == 303, "he was faster"
    assert "read by Ben Ortega" in text(lena.get("/surveys"))
    for login in ("nora", "eve"):
        assert console.sign_in(login).post(f"/surveys/comments/{comment_id}/seen").status_code == 404


def test_nobody_who_works_here_reads_a_mark(console: Console, told: Reaching, phone_gateway: Gateway) -> None:
    path = link_after_a_call(console, told, phone_gateway)
    answer(console, path, **{"q-overall": "not"})
    admin = console.ward.admin
    with admin.transaction():
        admin.execute("SET LOCAL ROLE pulsepost_console")
        for login, account_id in console.accounts.items():
            admin.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(account_id),))
            rows = admin.execute("SELECT answers FROM survey_answer").fetchall()
            assert len(rows) == (login == "asta"), login


def test_a_complaint_in_a_survey_goes_to_the_lead_nurse_and_not_to_whom_it_is_about(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path = link_after_a_call(console, told, phone_gateway)
    lena = console.sign_in("lena")
    missing = answer(console, path, wants="complaint")
    assert missing.status_code == 422
    assert "This is needed." in missing.text
    answer(console, path, wants="complaint", body="She did not listen.", harm="yes", call_me="yes")
    assert console.ward.rows("SELECT kind, way, harm, wants_call, state FROM complaint") == [
        ("complaint", "survey", True, True, "received")
    ]
    assert console.ward.count("survey_comment") == console.ward.count("follow_up") == 0
    assert "by a survey" in text(lena.get(complaint_url(console)))
    assert console.sign_in("nora").get(complaint_url(console)).status_code == 404


def complaint_url(console: Console) -> str:
    [(complaint_id,)] = console.ward.rows("SELECT complaint_id FROM complaint")
    return f"/complaints/{complaint_id}"


def test_the_patient_answers_on_their_page_and_says_no_to_more(console: Console, told: Reaching) -> None:
    rule(console.ward, "contact", console.accounts["nora"])
    call(console.ward, console.accounts["nora"], NOW)
    told.clock.time = console.clock.time = NOW + DAYS
    asked(console, told)
    asta = console.sign_in("asta")
    found = re.search(r'href="(/me/surveys/[^"]+)"', asta.get("/me").text)
    assert found
    assert asta.post(found[1], {**WELL, "q-overall": ""}).status_code == 422
    assert asta.post(found[1], WELL).status_code == 303
    assert "Thank you" in text(asta.get(found[1]))
    assert "/me/surveys/" not in asta.get("/me").text
    assert asta.post("/me/surveys/wish", {"wants": "no"}).status_code == 303
    assert "We do not ask how content you are." in text(asta.get("/me/complaints"))
    assert "does not want to be asked" in text(
        console.sign_in("ben").get(f"/patients/{console.ward.patient_id}/complaints")
    )


def test_whoever_has_the_link_says_no_to_more(console: Console, told: Reaching, phone_gateway: Gateway) -> None:
    path = link_after_a_call(console, told, phone_gateway)
    client = console.client()
    token = csrf_token_in(client.get(path).text)
    bare = path.partition("?")[0]
    assert client.post(f"{bare}/stop").status_code == 403
    for _ in range(2):
        assert "will not be asked" in client.post(f"{bare}/stop", data={"csrf_token": token}).text
    assert console.ward.rows("SELECT wants, method FROM survey_choice") == [(False, "link")]
    assert console.client().get("/s/guessed").status_code == 410


def test_marks_are_counted_by_fives_and_two_looks_never_differ_by_fewer(console: Console) -> None:
    lena = console.sign_in("lena")
    for n, choice in enumerate(["very", "very", "rather", "not"]):
        answered(console.ward, {"overall": choice, "understood": "yes"}, NOW + n * timedelta(minutes=1))
    assert "Of fewer than 5 nothing is told." in text(lena.get("/surveys"))
    answered(console.ward, {"overall": "neither", "understood": "no"}, NOW + timedelta(minutes=5))
    console.clock.forward(minutes=20)
    five = results(lena)
    assert "How content are you with the conversation? Mean mark: 3.6 (n 5)" in five
    assert "60.0 %" in five
    for n in range(4):
        answered(console.ward, {"overall": "not", "understood": "no"}, NOW + timedelta(minutes=6 + n))
        assert results(lena) == five
    answered(console.ward, {"overall": "not", "understood": "no"}, NOW + timedelta(minutes=10))
    assert "(n 10)" in results(lena)
    for login in ("nora", "ada"):
        assert "Mean mark" not in text(console.sign_in(login).get("/surveys"))


def results(person: Person) -> str:
    return " ".join(text(person.get("/surveys")).partition("Marks of the last year")[2].split()).partition(
        "When is asked"
    )[0]


def test_the_figures_and_their_export_have_satisfaction(console: Console) -> None:
    lena = console.sign_in("lena")
    assert "Of fewer than 5 nothing is told" in text(lena.get("/figures"))
    for n in range(5):
        answered(console.ward, {"overall": "very" if n else "not", "understood": "yes"}, NOW - n * timedelta(hours=1))
    page = " ".join(text(lena.get("/figures")).split())
    assert "After a conversation 2026-11 80.0 % 4.2 5" in page
    rows = [line.split(",") for line in lena.get("/figures.csv").text.splitlines()]
    found = [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0].startswith("satisf")]
    assert [(one["figure"], one["survey"], one["n"], one["value"], one["unit"]) for one in found] == [
        ("satisfied", "contact", "5", "80.0", "%"),
        ("satisfaction_mark", "contact", "5", "4.2", "1"),
    ]


def test_the_staff_is_asked_in_rounds_and_nothing_says_who_answered_what(console: Console, told: Reaching) -> None:
    lena = console.sign_in("lena")
    assert lena.post("/surveys/rules/staff", {"is_on": "yes", "after_days": "5"}).status_code == 422
    assert lena.post("/surveys/rules/staff", {"is_on": "yes", "after_days": "90"}).status_code == 303
    assert asked(console, told) == 1
    assert asked(console, told) == 0
    said = {"q-overall": "rather", "q-tools": "yes", "q-load": "no"}
    for n, login in enumerate(("nora", "ben", "eve", "ada", "sam")):
        person = console.sign_in(login)
        assert person.post("/surveys/staff", {**said, "body": "Too many forms." if n == 0 else ""}).status_code == 303
        assert "or you have answered" in text(person.get("/surveys/staff"))
        person.post("/surveys/staff", said)  # twice
    assert console.ward.count("staff_answer") == 5
    assert "Too many forms." not in lena.get("/surveys").text
    console.clock.forward(days=15)
    page = " ".join(text(console.sign_in("lena").get("/surveys")).split())
    assert "How content are you with your work here? Mean mark: 4.0 (n 5)" in page
    assert "Too many forms." in page
    assert console.sign_in("asta").get("/surveys/staff").status_code == 404
    told.clock.time = NOW + 89 * DAYS
    assert asked(console, told) == 0
    told.clock.time = NOW + 90 * DAYS
    assert asked(console, told) == 1
