"""Promises that every route keeps, taken from the route table itself."""

import re
from uuid import uuid4

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from cloud.app import create_app
from cloud.config import ConsoleSettings
from cloud.console.edge import UNSAFE
from cloud.console.headers import CONTENT_SECURITY_POLICY
from tests.cloud.made import GATEWAY
from tests.fix_console import PASSWORD, Console, csrf_token_in, submit_sign_in

OPEN = {"/c/{token}", "/calendar/{token}", "/login", "/healthz", "/invitation/{code}", "/q/{token}", "/s/{token}"}


def routes() -> list[tuple[str, str]]:
    """Every method and path of the console, static files aside."""
    app = create_app(ConsoleSettings(database_url="postgresql://nobody@127.0.0.1:1/none"))
    contexts = iter_route_contexts(app.routes)
    return sorted((method, context.path or "") for context in contexts for method in context.methods or ())


def concrete(path: str) -> str:
    """The path with ids in it that nobody has."""
    return re.sub(r"{\w+}", lambda _: str(uuid4()), path)


def test_the_route_table_is_not_empty() -> None:
    assert {("POST", "/cases/{case_id}/acknowledge"), ("GET", "/live"), ("POST", "/login")} <= set(routes())


def test_every_answer_carries_the_security_headers(console: Console) -> None:
    signed_in = console.sign_in("nora").client
    signed_out = console.client()
    paths = [*routes(), ("GET", "/nowhere"), ("GET", "/static/console.css"), ("GET", "/static/nothing")]
    for client in (signed_out, signed_in):
        for method, path in paths:
            with client.stream(method, concrete(path)) as answer:
                _assert_headers(answer)


def test_nothing_is_shown_to_who_is_not_signed_in(console: Console) -> None:
    client = console.client()
    for method, path in routes():
        if path in OPEN or method in UNSAFE:
            continue
        answer = client.get(concrete(path))
        assert (answer.status_code, answer.headers.get("location")) == (303, "/login"), path
        assert answer.text == ""


def test_no_unsafe_route_works_without_a_token_or_from_another_origin(console: Console) -> None:
    nora = console.sign_in("nora")
    token = nora.csrf_token()
    for method, path in routes():
        if method not in UNSAFE:
            continue
        assert nora.client.request(method, concrete(path)).status_code == 403, path
        foreign = {"Origin": "https://evil.example", "X-CSRF-Token": token}
        assert nora.client.request(method, concrete(path), headers=foreign).status_code == 403, path


ALWAYS_OPEN_TO_THE_CONFINED = {"/logout", "/language", "/me/sign-in/second-factor"}


def test_who_must_set_up_a_second_factor_reaches_nothing_else(console: Console) -> None:
    console.ward.admin.execute("INSERT INTO second_factor_rule (role, set_at) VALUES ('nurse', now())")
    nora = console.sign_in("nora")
    token = csrf_token_in(nora.get("/me/sign-in/second-factor").text)
    for method, path in routes():
        if path in OPEN | ALWAYS_OPEN_TO_THE_CONFINED or path.startswith(("/login", "/receipts", "/invitation")):
            continue
        headers = {"X-CSRF-Token": token} if method in UNSAFE else {}
        answer = nora.client.request(method, concrete(path), headers=headers)
        led = (303, "/me/sign-in/second-factor") if method == "GET" else (403, None)
        assert (answer.status_code, answer.headers.get("location")) == led, path


def test_every_cookie_of_ours_is_closed_to_scripts_and_to_other_sites(console: Console) -> None:
    client = console.client()
    answers = [client.get("/login"), submit_sign_in(client, "nora", PASSWORD), client.get("/")]
    cookies = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} >= {"pulsepost", "pulsepost-sign-in"}
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie


def test_no_page_has_script_or_style_inside_or_from_elsewhere(console: Console) -> None:
    nora = console.sign_in("nora")
    asta = console.sign_in("asta")
    pages = [console.client().get("/login").text, asta.get("/me").text, nora.get("/nowhere").text]
    pages += [
        nora.get(path).text
        for path in (
            "/worklist",
            "/patients",
            f"/patients/{console.ward.patient_id}",
            "/quarantine",
            "/technical",
            "/gateways",
        )
    ]
    pages.append(nora.get(f"/gateways/{GATEWAY}").text)
    pages.append(console.sign_in("ada").get("/what-if").text)
    for page in pages:
        assert '<html lang="en">' in page
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]* src=)", page)
        assert all(address.startswith("/static/") for address in re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', page))


def test_health_says_nothing_but_that_it_is_well(console: Console) -> None:
    answer = console.client().get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/static/../app.py", "/static/vendor/../../app.py"]
)
def test_there_is_nothing_else(console: Console, path: str) -> None:
    assert console.client().get(path).status_code == 404


def _assert_headers(answer: httpx.Response) -> None:
    headers, where = answer.headers, f"{answer.request.method} {answer.request.url.path}"
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY, where
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff", where
    assert headers["referrer-policy"] == "same-origin", where
    static = answer.request.url.path.startswith("/static/")
    assert headers["cache-control"] == ("no-cache" if static else "no-store"), where
    assert "server" not in headers
