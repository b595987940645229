"""A person's own sessions and password."""

from datetime import timedelta

import pytest

from cloud.auth import service
from cloud.auth.models import Role
from tests.cloud.auth.test_second_factor import at_the_code, set_up
from tests.fix_console import PASSWORD, Console, submit_sign_in

CHOSEN = "seven geese over the harbour"


@pytest.mark.parametrize("login", ["nora", "asta", "adam", "carl"])
def test_everybody_sees_where_they_are_signed_in(console: Console, login: str) -> None:
    client = console.client()
    client.headers["User-Agent"] = "Browser of the ward <1>"
    submit_sign_in(client, login, PASSWORD)
    person = console.sign_in(login)
    page = person.get("/me/sign-in").text
    assert "Browser of the ward &lt;1&gt;" in page
    assert page.count("/end") == 2
    assert person.post("/me/sign-in/sessions/end").status_code == 303
    assert client.get("/me/sign-in").headers["location"] == "/login"
    assert "Browser of the ward" not in person.get("/me/sign-in").text


def test_one_session_is_ended_by_the_person_whose_it_is_and_by_nobody_else(console: Console) -> None:
    nora, elsewhere, ben = console.sign_in("nora"), console.sign_in("nora"), console.sign_in("ben")
    rows = console.ward.rows(
        "SELECT session_id FROM login_session JOIN account USING (account_id) WHERE login = 'nora'"
    )
    paths = [f"/me/sign-in/sessions/{session_id}/end" for (session_id,) in rows]
    assert {ben.post(path).status_code for path in paths} == {404}
    page = nora.get("/me/sign-in").text
    [path] = [path for path in paths if path in page]
    assert nora.post(path).status_code == 303
    assert elsewhere.get("/worklist").headers["location"] == "/login"
    assert nora.get("/worklist").status_code == 200


def _change(present: str = PASSWORD, new: str = CHOSEN, again: str = CHOSEN) -> dict[str, str]:
    return {"password": present, "new_password": new, "again": again}


def test_another_password_ends_the_other_sessions_and_changes_the_cookie(console: Console) -> None:
    nora, elsewhere = console.sign_in("nora"), console.sign_in("nora")
    before = nora.client.cookies["pulsepost"]
    assert nora.post("/me/sign-in/password", _change()).status_code == 303
    assert nora.client.cookies["pulsepost"] != before
    assert nora.get("/worklist").status_code == 200
    assert elsewhere.get("/worklist").headers["location"] == "/login"
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 401
    assert submit_sign_in(console.client(), "nora", CHOSEN).status_code == 303


def test_another_password_ends_a_sign_in_that_waits_for_its_code(console: Console) -> None:
    nora = console.sign_in("nora")
    set_up(console, nora)
    somebody = at_the_code(console)
    assert nora.post("/me/sign-in/password", _change()).status_code == 303
    assert somebody.get("/login/code").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (_change(present="a guess"), "This is not your present password."),
        (_change(new="short", again="short"), "at least 12 characters"),
        (_change(again="something else"), "These two are not the same."),
    ],
)
def test_a_password_is_not_changed_without_the_present_one_or_to_a_weak_one(
    console: Console, form: dict[str, str], said: str
) -> None:
    nora = console.sign_in("nora")
    answer = nora.post("/me/sign-in/password", form)
    assert answer.status_code == 422
    assert said in answer.text
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 303


def test_guesses_at_an_open_session_count_as_those_at_the_door(console: Console) -> None:
    nora = console.sign_in("nora")
    for _ in range(service.FAILURES_ALLOWED):
        assert nora.post("/me/sign-in/password", _change(present="a guess")).status_code == 422
    assert nora.post("/me/sign-in/password", _change()).status_code == 429
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 429


@pytest.mark.parametrize(
    ("login", "role"), [("adam", Role.ADMINISTRATOR), ("asta", Role.PATIENT), ("nora", Role.NURSE)]
)
def test_a_session_lies_idle_as_long_as_its_role_may(console: Console, login: str, role: Role) -> None:
    person, lasts = console.sign_in(login), service.TIME_OUTS.get(role, service.TimeOuts())
    console.clock.time += lasts.idle - timedelta(seconds=1)
    assert person.get("/me/sign-in").status_code == 200
    console.clock.time += lasts.idle
    assert person.get("/me/sign-in").headers["location"] == "/login"


def test_no_role_goes_beyond_what_the_standard_allows() -> None:
    for role in Role:
        lasts = service.TIME_OUTS.get(role, service.TimeOuts())
        most = timedelta(days=30) if role is Role.PATIENT else timedelta(hours=24)
        assert lasts.idle < lasts.absolute <= most
        assert role is Role.PATIENT or lasts.idle <= timedelta(hours=1)


def test_many_logins_from_one_address_close_the_address(console: Console) -> None:
    for number in range(service.FAILURES_ALLOWED_FROM_ADDRESS):
        console.ward.admin.execute(
            "INSERT INTO login_failure (login, address, at) VALUES (%s, '127.0.0.1', %s)",
            (f"somebody-{number}", console.clock.time),
        )
    answer = submit_sign_in(console.client(), "nora", PASSWORD)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    console.clock.time += service.FAILURES_WITHIN
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_failures_are_counted_by_network(host: str, counted: str) -> None:
    assert service.counted_as(host) == counted
