"""What a session's cookie is worth, and for how long."""

import hashlib

import httpx
import pytest

from cloud.auth import service
from tests.fix_console import PASSWORD, Console, csrf_token_in, submit_sign_in


def test_the_cookie_is_stored_nowhere_only_its_hash(console: Console) -> None:
    token = console.sign_in("nora").client.cookies["pulsepost"]
    assert console.ward.rows("SELECT token_hash FROM login_session") == [(hashlib.sha256(token.encode()).digest(),)]


def test_signing_in_replaces_a_cookie_that_somebody_planted(console: Console) -> None:
    client = console.client()
    client.cookies.set("pulsepost", "planted", domain="127.0.0.1")
    submit_sign_in(client, "nora", PASSWORD)
    assert "planted" not in [cookie.value for cookie in client.cookies.jar if cookie.name == "pulsepost"]
    assert not _is_signed_in(console, "planted")


def test_signing_in_again_ends_the_session_before(console: Console) -> None:
    person = console.sign_in("nora")
    first = person.client.cookies["pulsepost"]
    submit_sign_in(person.client, "nora", PASSWORD)
    assert person.client.cookies["pulsepost"] != first
    assert not _is_signed_in(console, first)


def test_a_stolen_cookie_is_worth_nothing_after_the_owner_has_signed_out(console: Console) -> None:
    person = console.sign_in("nora")
    stolen = person.client.cookies["pulsepost"]
    assert _is_signed_in(console, stolen)
    assert person.post("/logout").status_code == 303
    assert not _is_signed_in(console, stolen)


def test_an_idle_session_ends(console: Console) -> None:
    person = console.sign_in("nora")
    console.clock.time += service.IDLE_TIMEOUT / 2
    assert person.get("/worklist").status_code == 200
    console.clock.time += service.IDLE_TIMEOUT * 3 / 4
    assert person.get("/worklist").status_code == 200
    console.clock.time += service.IDLE_TIMEOUT
    assert person.get("/worklist").headers["location"] == "/login"


def test_a_busy_session_ends_too(console: Console) -> None:
    person = console.sign_in("nora")
    end = console.clock.time + service.ABSOLUTE_TIMEOUT
    while console.clock.time < end - service.IDLE_TIMEOUT / 2:
        console.clock.time += service.IDLE_TIMEOUT / 2
        if console.clock.time < end:
            assert person.get("/worklist").status_code == 200
    console.clock.time = end
    assert person.get("/worklist").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("host", "name", "secure"),
    [("127.0.0.1", "pulsepost-sign-in", False), ("console.example", "__Host-pulsepost-sign-in", True)],
)
def test_cookies_are_secure_everywhere_but_on_this_machine(
    console: Console, host: str, name: str, secure: bool
) -> None:
    cookie = console.client().get("/login", headers={"Host": host}).headers["set-cookie"]
    assert cookie.startswith(f"{name}=")
    assert ("Secure" in cookie) is secure
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_who_is_not_signed_in_gets_the_sign_in_page_or_401(console: Console) -> None:
    client = console.client()
    assert client.get("/worklist").headers["location"] == "/login"
    assert client.get("/worklist", headers={"Accept": "application/json"}).status_code == 401
    fragment = client.get("/worklist", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["hx-redirect"]) == (401, "/login")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_request_from_another_origin_changes_nothing(console: Console, headers: dict[str, str]) -> None:
    person = console.sign_in("nora")
    token = csrf_token_in(person.get("/worklist").text)
    answer = person.client.post("/logout", data={"csrf_token": token}, headers=headers)
    assert answer.status_code == 403
    assert person.get("/worklist").status_code == 200


@pytest.mark.parametrize("token", ["", "guess", "nörd"])
def test_a_request_without_the_sessions_token_changes_nothing(console: Console, token: str) -> None:
    person = console.sign_in("nora")
    assert person.client.post("/logout", data={"csrf_token": token}).status_code == 403
    assert person.get("/worklist").status_code == 200


def test_the_token_of_one_session_is_not_the_token_of_another(console: Console) -> None:
    bens = console.sign_in("ben").csrf_token()
    person = console.sign_in("nora")
    assert person.client.post("/logout", headers={"X-CSRF-Token": bens}).status_code == 403
    assert person.client.post("/logout", headers={"X-CSRF-Token": person.csrf_token()}).status_code == 303


def test_a_form_that_is_too_large_is_refused_unread(console: Console) -> None:
    answer = console.client().post("/login", data={"login": "a" * 20_000})
    assert answer.status_code == 413


def _is_signed_in(console: Console, token: str) -> bool:
    with httpx.Client(base_url=console.url, cookies={"pulsepost": token}) as client:
        return client.get("/worklist").status_code == 200
