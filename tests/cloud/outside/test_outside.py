"""Signing in with the clinic's provider: a real one on loopback, in order and out of order."""

import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from cloud.auth import totp
from cloud.outside import service
from cloud.sign_in_config import BACK, KEY_OCTETS, SignInSettings
from tests.cloud.auth.test_second_factor import set_up, type_code
from tests.cloud.made import NOW
from tests.fix_console import Console
from tests.fix_provider import SUBJECT, Provider

LATER = 24 * 3600


@pytest.fixture
def sign_in_settings(provider: Provider) -> SignInSettings:
    return SignInSettings(key=secrets.token_bytes(KEY_OCTETS), outside=provider.settings)


def link(console: Console, provider: Provider, login: str = "nora", subject: str = SUBJECT) -> None:
    """As an administrator does it."""
    path = f"/accounts/{console.accounts[login]}/identity"
    assert console.sign_in("adam").post(path, {"subject": subject}).status_code == 303


def leave(client: httpx.Client) -> str:
    """Go to the provider, sign in there: the path and query that the browser comes back with."""
    where = client.get("/login/outside")
    assert where.status_code == 303
    with httpx.Client() as elsewhere:
        back = elsewhere.get(where.headers["location"]).headers["location"]
    parts = urlsplit(back)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"https://console.example{BACK}"
    return f"{BACK}?{parts.query}"


def assert_refused(console: Console, answer: httpx.Response, why: str) -> None:
    assert answer.status_code == 401
    assert "That did not sign you in here." in answer.text
    assert "pulsepost" not in answer.cookies
    rows = console.ward.rows("SELECT detail FROM audit WHERE action = 'sign_in.refused' ORDER BY audit_id")
    assert [detail["why"] for (detail,) in rows] == [why]


def test_whoever_is_linked_is_signed_in(console: Console, provider: Provider) -> None:
    link(console, provider)
    client = console.client()
    assert "Sign in with Clinic" in client.get("/login").text
    answer = client.get(leave(client))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Nora Quist" in client.get("/worklist").text


def test_whoever_is_not_linked_gets_no_account(console: Console, provider: Provider) -> None:
    client, before = console.client(), console.ward.count("account")
    assert_refused(console, client.get(leave(client)), "not_linked")
    assert console.ward.count("account") == before


def test_a_disabled_account_is_not_signed_in(console: Console, provider: Provider) -> None:
    link(console, provider)
    console.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'nora'")
    client = console.client()
    assert_refused(console, client.get(leave(client)), "not_linked")


def test_a_second_factor_is_asked_for_here_too(console: Console, provider: Provider) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    link(console, provider)
    client = console.client()
    assert client.get(leave(client)).headers["location"] == "/login/code"
    assert client.get("/worklist").headers["location"] == "/login"
    assert type_code(client, totp.code(secret, console.clock.time)).headers["location"] == "/"
    assert client.get("/worklist").status_code == 200


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        ({"nonce": "another"}, "invalid_claim:nonce"),
        ({"nonce": None}, "missing_claim:nonce"),
        ({"aud": "another-client"}, "invalid_claim:aud"),
        ({"aud": ["pulsepost-console", "another-client"], "azp": "another-client"}, "invalid_claim:azp"),
        ({"aud": ["pulsepost-console", "another-client"]}, "missing_claim:azp"),
        ({"iss": "https://evil.example"}, "invalid_claim:iss"),
        ({"exp": int(NOW.timestamp()) - 120}, "expired_token:exp"),
        ({"exp": None}, "missing_claim:exp"),
        ({"iat": int(NOW.timestamp()) + LATER, "exp": int(NOW.timestamp()) + 2 * LATER}, "invalid_claim:iat"),
        ({"at_hash": "bm90IHRoZSBoYXNo"}, "invalid_claim:at_hash"),
        ({"sub": None}, "missing_claim:sub"),
    ],
)
def test_a_token_with_a_wrong_claim_signs_nobody_in(
    console: Console, provider: Provider, faults: dict[str, Any], why: str
) -> None:
    link(console, provider)
    provider.faults = faults
    client = console.client()
    assert_refused(console, client.get(leave(client)), why)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("signed_by_another", "bad_signature"),
        ("changed", "bad_signature"),
        ("not_signed", "unsupported_algorithm"),
        ("signed_with_the_secret", "unsupported_algorithm"),
        ("answers_as_another", "other_issuer"),
        ("does_not_say_who", "other_issuer"),
        ("other_state", "other_state"),
        ("refuses", "refused_there"),
    ],
)
def test_an_answer_that_proves_nothing_signs_nobody_in(
    console: Console, provider: Provider, fault: str, why: str
) -> None:
    link(console, provider)
    provider.fault = fault
    client = console.client()
    assert_refused(console, client.get(leave(client)), why)


def test_the_answer_of_another_issuer_is_not_exchanged(console: Console, provider: Provider) -> None:
    provider.fault = "answers_as_another"
    client = console.client()
    client.get(leave(client))
    assert "/token" not in provider.asked


@pytest.mark.parametrize("fault", ["describes_another", "unsafe_endpoint"])
def test_nobody_is_sent_to_a_provider_that_is_not_who_it_says(console: Console, provider: Provider, fault: str) -> None:
    provider.fault = fault
    answer = console.client().get("/login/outside")
    assert answer.status_code == 401
    assert "location" not in answer.headers


def test_an_answer_opens_once(console: Console, provider: Provider) -> None:
    link(console, provider)
    client = console.client()
    back = leave(client)
    token = client.cookies["pulsepost-outside"]
    assert client.get(back).headers["location"] == "/"
    client.cookies.set("pulsepost-outside", token, domain="127.0.0.1")
    assert_refused(console, client.get(back), "not_expected")


def test_an_answer_opens_only_in_the_browser_that_was_sent(console: Console, provider: Provider) -> None:
    link(console, provider)
    back = leave(console.client())
    assert console.client().get(back).headers["location"] == "/login"
    other = console.client()
    leave(other)
    assert_refused(console, other.get(back), "other_state")


def test_a_code_is_worth_nothing_with_another_verifier(console: Console, provider: Provider) -> None:
    link(console, provider)
    code = dict(parse_qsl(urlsplit(leave(console.client())).query))["code"]
    other = console.client()
    mine = dict(parse_qsl(urlsplit(leave(other)).query))
    assert_refused(console, other.get(f"{BACK}?{urlencode({**mine, 'code': code})}"), "refused_there")


def test_whoever_comes_back_late_begins_again(console: Console, provider: Provider) -> None:
    link(console, provider)
    client = console.client()
    back = leave(client)
    console.clock.time += service.BACK_WITHIN
    assert_refused(console, client.get(back), "not_expected")


def test_an_identity_belongs_to_one_account(console: Console, provider: Provider) -> None:
    link(console, provider)
    path = f"/accounts/{console.accounts['ben']}/identity"
    answer = console.sign_in("adam").post(path, {"subject": SUBJECT})
    assert answer.status_code == 422
    assert "This subject belongs to another account." in answer.text


def test_an_identity_can_be_taken_back(console: Console, provider: Provider) -> None:
    link(console, provider)
    link(console, provider, subject="")
    client = console.client()
    assert_refused(console, client.get(leave(client)), "not_linked")


def test_no_secret_of_the_way_is_in_the_audit_trail(console: Console, provider: Provider) -> None:
    link(console, provider)
    client = console.client()
    back = leave(client)
    client.get(back)
    trail = str(console.ward.rows("SELECT * FROM audit"))
    assert provider.client_secret not in trail
    assert all(value not in trail for name, value in parse_qsl(urlsplit(back).query) if name != "iss")
