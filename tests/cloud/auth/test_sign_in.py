"""Signing in: who gets in, who does not, and what each of them can tell."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from cloud.app import POOL_SIZE
from cloud.auth import service
from cloud.auth.models import Role
from tests.cloud.made import Ward, glucose, sent, wait_for_a_lock
from tests.fix_console import PASSWORD, Console, csrf_token_in, submit_sign_in


@pytest.mark.parametrize(
    ("login", "first_page"),
    [("nora", "/worklist"), ("ada", "/patients"), ("asta", "/me"), ("sam", "/technical")],
)
def test_signing_in_leads_everybody_to_their_own_first_page(console: Console, login: str, first_page: str) -> None:
    person = console.sign_in(login)
    answer = person.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, first_page)
    assert person.get(first_page).status_code == 200


def test_the_link_of_a_page_leads_to_its_case_after_signing_in_and_only_once(console: Console) -> None:
    console.ward.receive(sent(glucose("48")))
    [(case_id,)] = console.ward.rows("SELECT case_id FROM alert_case")
    client = console.client()
    led = client.get(f"/cases/{case_id}", headers={"Accept": "text/html"})
    assert led.headers["location"] == "/login"
    answer = submit_sign_in(client, "nora", PASSWORD)
    assert answer.headers["location"] == f"/cases/{case_id}"
    assert client.get(answer.headers["location"]).status_code == 200
    assert submit_sign_in(client, "nora", PASSWORD).headers["location"] == "/"


@pytest.mark.parametrize("path", ["/worklist", "/cases/../patients", "//evil.example/cases/x", "/cases/1"])
def test_no_other_way_is_kept(console: Console, path: str) -> None:
    client = console.client()
    client.cookies.set("pulsepost-way", path)
    assert submit_sign_in(client, "nora", PASSWORD).headers["location"] == "/"


@pytest.mark.parametrize("role", Role)
def test_each_role_begins_on_a_page_of_its_own(console: Console, role: Role) -> None:
    patient_id = console.ward.patient_id if role is Role.PATIENT else None
    console.ward.admin.execute("UPDATE account SET role = %s, patient_id = %s WHERE login = 'carl'", (role, patient_id))
    answer = console.sign_in("carl").get("/", follow_redirects=True)
    assert (answer.status_code, len(answer.history)) == (200, 1)


def test_the_login_is_not_case_sensitive_and_may_have_spaces_around_it(console: Console) -> None:
    assert submit_sign_in(console.client(), " Nora ", PASSWORD).status_code == 303


def test_an_unknown_login_and_a_wrong_password_look_the_same(console: Console) -> None:
    wrong = submit_sign_in(console.client(), "nora", "not the password")
    unknown = submit_sign_in(console.client(), "nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert _without_token(wrong) == _without_token(unknown)
    assert "pulsepost" not in wrong.cookies


def test_ten_failures_close_a_login_for_a_quarter_of_an_hour_even_to_the_right_password(console: Console) -> None:
    for login in ("nora", "nobody"):
        for _ in range(service.FAILURES_ALLOWED):
            assert submit_sign_in(console.client(), login, "guess").status_code == 401
    throttled = submit_sign_in(console.client(), "nora", PASSWORD)
    unknown = submit_sign_in(console.client(), "nobody", PASSWORD)
    assert throttled.status_code == unknown.status_code == 429
    assert _without_token(throttled) == _without_token(unknown)
    assert throttled.headers["retry-after"] == "900"
    assert submit_sign_in(console.client(), "ben", PASSWORD).status_code == 303
    console.clock.time += service.FAILURES_WITHIN
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 303


def test_a_success_forgets_the_failures_before_it(console: Console) -> None:
    submit_sign_in(console.client(), "nora", "guess")
    console.sign_in("nora")
    assert console.ward.count("login_failure") == 0


def test_a_disabled_account_cannot_sign_in_and_its_open_session_ends(console: Console) -> None:
    person = console.sign_in("nora")
    console.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'nora'")
    assert person.get("/worklist").headers["location"] == "/login"
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 401


@pytest.mark.parametrize("login", ["", "\0", "a" * 5000, "'; DROP TABLE account; --", "ノラ"])
def test_a_strange_login_is_wrong_and_nothing_else(console: Console, login: str) -> None:
    assert submit_sign_in(console.client(), login, "guess").status_code == 401


def test_a_made_account_has_an_argon2id_hash_and_a_lower_case_login(ward: Ward) -> None:
    service.create_account(ward.admin, login="Maria", password="p", display_name="Maria", role="nurse")
    [(login, password_hash, role)] = ward.rows(
        "SELECT login, password_hash, role FROM account WHERE display_name = 'Maria'"
    )
    assert (login, role) == ("maria", Role.NURSE)
    assert password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_form_of_another_browser_does_not_sign_anybody_in(console: Console) -> None:
    foreign = csrf_token_in(console.client().get("/login").text)
    client = console.client()
    client.get("/login")
    answer = client.post("/login", data={"login": "nora", "password": PASSWORD, "csrf_token": foreign})
    assert answer.status_code == 403


def test_a_form_without_its_cookie_does_not_sign_anybody_in(console: Console) -> None:
    answer = console.client().post("/login", data={"login": "nora", "password": PASSWORD, "csrf_token": ""})
    assert answer.status_code == 403


def test_signing_in_and_out_is_in_the_audit_trail(console: Console) -> None:
    person = console.sign_in("nora")
    person.post("/logout")
    subject = f"account:{console.accounts['nora']}"
    assert console.ward.rows("SELECT action, subject FROM audit WHERE action LIKE 'sign%' ORDER BY audit_id") == [
        ("sign_in", subject),
        ("sign_out", subject),
    ]


def test_a_shift_fits_into_the_absolute_timeout() -> None:
    assert timedelta(hours=8) < service.ABSOLUTE_TIMEOUT <= timedelta(hours=24)


def _without_token(answer: httpx.Response) -> str:
    return answer.text.replace(csrf_token_in(answer.text), "")


def test_a_flood_of_sign_ins_leaves_the_connections_to_those_at_work(console: Console) -> None:
    nora = console.sign_in("nora")
    guessers = [console.client() for _ in range(3 * POOL_SIZE)]
    for guesser in guessers:
        guesser.cookies.set("pulsepost-sign-in", "token")
    # All of them guess at one login, whose turn somebody else has: without a limit each would hold a connection.
    with ThreadPoolExecutor(len(guessers)) as pool:
        with console.ward.admin.transaction():
            console.ward.admin.execute("SELECT pg_advisory_xact_lock(hashtextextended('login:nobody', 0))")
            form = {"login": "nobody", "password": "a guess", "csrf_token": "token"}
            answers = [pool.submit(guesser.post, "/login", data=form) for guesser in guessers]
            wait_for_a_lock(console.ward)
            assert nora.get("/worklist").status_code == 200
        assert {answer.result().status_code for answer in answers} == {401, 429}


def test_failures_that_count_no_more_are_not_kept(console: Console) -> None:
    submit_sign_in(console.client(), "nobody", "a guess")
    console.clock.time += service.FAILURES_WITHIN
    submit_sign_in(console.client(), "nobody else", "a guess")

    assert console.ward.rows("SELECT login FROM login_failure") == [("nobody else",)]
