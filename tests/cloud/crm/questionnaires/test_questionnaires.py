"""A questionnaire from the nurse to the telephone and back: link, answers, and a case where one asks for it, once."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import psycopg
import pytest

from cloud.console.edge import LINKS_AT_ONCE
from cloud.crm.questionnaires.judging import judge
from cloud.db.connect import one
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.made import BASE_URL, Reaching, reaching
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, csrf_token_in

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
WELL = {
    "q-general": "same", "q-chest": "no", "q-breath": "no", "q-fainting": "no", "q-legs": "no", "q-wound": "none",
}  # fmt: skip


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def url(console: Console, rest: str = "") -> str:
    return f"/patients/{console.ward.patient_id}/questionnaires{rest}"


def link_to(console: Console, told: Reaching, gateway: Gateway) -> str:
    """Nora asks, and this is what arrives on the telephone: the path of it."""
    console.clock.time = told.clock.time = NOW + timedelta(days=1)
    assert console.sign_in("nora").post(url(console), {"questionnaire": "recovery"}).status_code == 303
    told.look()
    said: str = json.loads(gateway.requests[-1].body)["text"]
    found = re.search(rf"{re.escape(BASE_URL)}(/q/\S+)", said)
    assert found, said
    return found[1]


def answered(console: Console, path: str, **changed: str) -> httpx.Response:
    """By whoever has the link, without signing in."""
    client = console.client()
    token = csrf_token_in(client.get(path).text)
    return client.post(path, data={**WELL, "csrf_token": token, **changed})


def cases(console: Console) -> list[tuple[str, str, str]]:
    return console.ward.rows("SELECT condition, tier, sentence FROM alert_case ORDER BY opened_at")


def test_a_red_flag_answered_by_link_opens_one_case_and_the_page_says_whom_to_call(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path = link_to(console, told, phone_gateway)
    page = console.client().get(path).text
    assert "Asta" not in page
    assert str(console.ward.patient_id) not in page + path
    answer = answered(console, path, **{"q-chest": "yes", "q-legs": "yes"})
    assert answer.status_code == 200
    assert "call your local emergency number at once. Do not wait for us." in answer.text
    assert judge(told.jobs, told.clock()) == 1
    assert judge(told.jobs, told.clock()) == 0
    [(condition, tier, sentence)] = cases(console)
    assert (condition, tier) == ("questionnaire_answer", "emergency")
    assert "chest pain, swollen legs: an emergency until somebody has asked" in sentence
    nora = console.sign_in("nora")
    [(case_id,)] = console.ward.rows("SELECT case_id FROM alert_case")
    assert "Answer to a questionnaire" in text(nora.get(f"/cases/{case_id}"))
    console.ward.admin.execute("UPDATE account SET language = 'ru'")
    assert "боль в груди" in nora.get(f"/cases/{case_id}").text
    looks = console.ward.rows("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'look_at_case'")
    assert looks == [(1,)]


def test_what_asks_for_nobody_opens_no_case_and_stands_with_the_patient(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path = link_to(console, told, phone_gateway)
    again = console.sign_in("nora").post(url(console), {"questionnaire": "recovery"})
    assert again.status_code == 422
    assert "The patient has this one and has not answered it yet." in again.text
    assert "Thank you" in answered(console, path).text
    judge(told.jobs, told.clock())
    assert cases(console) == []
    page = text(console.sign_in("nora").get(url(console)))
    assert "How you are recovering" in page
    assert "answered 22 Nov 2026, 13:00" in page


def test_a_link_is_good_once_and_for_a_time(console: Console, told: Reaching, phone_gateway: Gateway) -> None:
    path = link_to(console, told, phone_gateway)
    token = path.removeprefix("/q/").partition("?")[0]
    assert console.ward.rows("SELECT count(*) FROM questionnaire_link") == [(1,)]
    assert token not in str(console.ward.rows("SELECT l::text, m::text FROM questionnaire_link l, outside_message m"))
    console.clock.forward(days=15)
    assert console.client().get(path).status_code == 410
    console.clock.time = told.clock()
    answered(console, path)
    again = console.client().get(path)
    assert (again.status_code, "answered already" in again.text) == (410, True)
    assert console.ward.count("questionnaire_answer") == 1


def test_an_answer_that_is_missing_is_asked_for_and_what_was_chosen_stays(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    answer = answered(console, link_to(console, told, phone_gateway), **{"q-chest": "", "q-legs": "yes"})
    assert answer.status_code == 422
    assert "Choose one." in answer.text
    assert re.search(r'name="q-legs" value="yes" required checked', answer.text)
    assert console.ward.count("questionnaire_answer") == 0


def test_whoever_takes_part_no_longer_is_not_told_that_anybody_has_their_answers(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path = link_to(console, told, phone_gateway)
    admin, by = console.ward.admin, console.accounts["nora"]
    admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at) VALUES (%s, %s, %s)",
        (console.ward.patient_id, NOW, NOW),
    )
    client = console.client()
    token = csrf_token_in(client.get(path).text)
    admin.execute("UPDATE participation SET ended_at = %s, ended_by = %s, end_reason = 'own_wish'", (NOW, by))
    answer = client.post(path, data={**WELL, "q-chest": "yes", "csrf_token": token})
    assert answer.status_code == 410
    assert "Your care team has your answers" not in answer.text
    assert judge(told.jobs, told.clock()) == 0


def test_who_guesses_links_is_stopped_for_an_hour(console: Console, told: Reaching, phone_gateway: Gateway) -> None:
    path = link_to(console, told, phone_gateway)
    client = console.client()

    def guessed(n: int) -> int:
        """From an address of its own each time, of those that one household has."""
        return client.get(f"/q/guess-{n}", headers={"X-Forwarded-For": f"2001:db8::{n:x}"}).status_code

    assert {guessed(n) for n in range(1, 21)} == {410}
    assert guessed(21) == 429
    # Others of the same address, who have a link that is good, are not in the way of a stranger's guesses.
    assert client.get(path, headers={"X-Forwarded-For": "2001:db8::16"}).status_code == 200
    console.clock.forward(minutes=61)
    assert guessed(22) == 410


def test_however_many_ask_for_links_whoever_is_at_work_has_connections(console: Console) -> None:
    admin = console.ward.admin
    clients = [console.client() for _ in range(12)]  # more than the pool has connections
    with ThreadPoolExecutor(len(clients)) as strangers, admin.transaction():
        admin.execute("LOCK TABLE questionnaire_link")
        asked = [strangers.submit(client.get, "/q/guess") for client in clients]
        with psycopg.connect(console.ward.database.admin_url, autocommit=True) as looking:
            while one(looking.execute(WAITING).fetchone())[0] < LINKS_AT_ONCE:
                pass
        assert {console.client().get("/healthz").status_code for _ in range(3)} == {200}
    assert {each.result().status_code for each in asked} == {410}


def test_nobody_answers_for_a_page_from_elsewhere(console: Console, told: Reaching, phone_gateway: Gateway) -> None:
    path = link_to(console, told, phone_gateway)
    assert console.client().post(path, data=WELL).status_code == 403
    assert console.ward.count("questionnaire_answer") == 0


def test_the_patient_answers_on_their_page_without_a_link(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    link_to(console, told, phone_gateway)
    asta = console.sign_in("asta")
    found = re.search(r'href="(/me/questionnaires/[^"]+)"', asta.get("/me").text)
    assert found
    assert asta.post(found[1], {**WELL, "q-breath": "yes"}).status_code == 303
    assert "can be an emergency" in text(asta.get(found[1]))
    assert "Please answer" not in text(asta.get("/me"))
    judge(told.jobs, told.clock())
    assert [tier for _, tier, _ in cases(console)] == ["emergency"]


def test_a_nurse_writes_down_what_was_said_on_the_telephone_and_withdraws_what_is_not_needed(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    path, nora = link_to(console, told, phone_gateway), console.sign_in("nora")
    nora.post(url(console), {"questionnaire": "medication"})
    ids = {name: i for i, name in console.ward.rows("SELECT sent_id, questionnaire FROM questionnaire_sent")}
    assert nora.post(url(console, f"/{ids['medication']}/withdraw")).status_code == 303
    assert nora.post(url(console, f"/{ids['recovery']}"), {**WELL, "q-general": "worse"}).status_code == 303
    assert "Worse" in text(nora.get(url(console, f"/{ids['recovery']}")))
    assert console.client().get(path).status_code == 410
    judge(told.jobs, told.clock())
    [(_, tier, sentence)] = cases(console)
    assert tier == "same_shift"
    assert "getting worse: speak with the patient" in sentence
    told.look()
    assert ("questionnaire", "withdrawn", "needless") in told.states()


@pytest.mark.parametrize("login", ["eve", "asta", "carl"])
def test_who_does_not_care_for_the_patient_asks_nothing(console: Console, login: str) -> None:
    assert console.sign_in(login).post(url(console), {"questionnaire": "recovery"}).status_code == 404
    assert console.ward.count("questionnaire_sent") == 0
