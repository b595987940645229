"""The second factor over HTTP: set up, asked for, not taken twice, lost, and needed by a role."""

import base64
import re
from datetime import timedelta

import httpx
import pytest

from cloud.auth import service, totp
from cloud.auth.models import Role
from cloud.sign_in_config import SignInSettings
from tests.fix_console import PASSWORD, Console, Person, csrf_token_in, running, submit_sign_in

STEP = timedelta(seconds=totp.STEP_S)


def set_up(console: Console, person: Person) -> tuple[bytes, list[str]]:
    """Set a second factor up as a person does; its secret and the recovery codes."""
    page = person.get("/me/sign-in/second-factor").text
    secret = secret_in(page)
    answer = person.post(
        "/me/sign-in/second-factor", {"code": totp.code(secret, console.clock.time), "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    console.clock.time += STEP
    return secret, re.findall(r"<code>([A-Z2-7-]{19})</code>", answer.text)


def secret_in(page: str) -> bytes:
    found = re.search(r'<code id="secret">([^<]+)</code>', page)
    assert found, page
    return base64.b32decode(found[1].replace(" ", ""))


def type_code(client: httpx.Client, typed: str) -> httpx.Response:
    """Send the form of the page that asks for the code."""
    token = csrf_token_in(client.get("/login/code").text)
    return client.post("/login/code", data={"code": typed, "csrf_token": token})


def at_the_code(console: Console, login: str = "nora") -> httpx.Client:
    """A browser in which the password was right."""
    client = console.client()
    answer = submit_sign_in(client, login, PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login/code")
    return client


def test_a_second_factor_is_asked_for_from_then_on(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    client = at_the_code(console)
    assert client.get("/worklist").headers["location"] == "/login"
    answer = type_code(client, totp.code(secret, console.clock.time))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/worklist").status_code == 200


def test_it_does_not_count_before_a_code_has_confirmed_it(console: Console) -> None:
    nora = console.sign_in("nora")
    secret = secret_in(nora.get("/me/sign-in/second-factor").text)
    wrong = totp.code(secret, console.clock.time + 10 * STEP)
    answer = nora.post("/me/sign-in/second-factor", {"code": wrong, "password": PASSWORD})
    assert answer.status_code == 422
    assert secret_in(answer.text) == secret
    assert submit_sign_in(console.client(), "nora", PASSWORD).headers["location"] == "/"


def test_an_open_session_alone_sets_none_up(console: Console) -> None:
    nora = console.sign_in("nora")
    secret = secret_in(nora.get("/me/sign-in/second-factor").text)
    form = {"code": totp.code(secret, console.clock.time), "password": "a guess"}
    assert nora.post("/me/sign-in/second-factor", form).status_code == 422
    assert console.ward.rows("SELECT confirmed_at FROM second_factor") == [(None,)]


def test_the_cookie_changes_when_it_is_set_up_and_other_sessions_end(console: Console) -> None:
    nora, elsewhere = console.sign_in("nora"), console.sign_in("nora")
    before = nora.client.cookies["pulsepost"]
    set_up(console, nora)
    assert nora.client.cookies["pulsepost"] != before
    assert nora.get("/worklist").status_code == 200
    assert elsewhere.get("/worklist").headers["location"] == "/login"


def test_a_code_opens_once(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    code = totp.code(secret, console.clock.time)
    assert type_code(at_the_code(console), code).status_code == 303
    again = type_code(at_the_code(console), code)
    assert again.status_code == 401
    assert "This code is not right, or has been used." in again.text


def test_the_code_that_set_it_up_does_not_sign_in(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    used = totp.code(secret, console.clock.time - STEP)
    assert type_code(at_the_code(console), used).status_code == 401


def test_a_recovery_code_opens_once_and_is_stored_as_a_hash(console: Console) -> None:
    _, codes = set_up(console, console.sign_in("nora"))
    assert len(set(codes)) == 10
    stored = str(console.ward.rows("SELECT * FROM recovery_code")) + str(console.ward.rows("SELECT * FROM audit"))
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)
    assert type_code(at_the_code(console), codes[0].lower()).status_code == 303
    assert type_code(at_the_code(console), codes[0]).status_code == 401
    assert type_code(at_the_code(console), codes[1]).status_code == 303


def test_new_recovery_codes_take_the_place_of_the_old(console: Console) -> None:
    nora = console.sign_in("nora")
    secret, old = set_up(console, nora)
    assert nora.post("/me/sign-in/recovery-codes", {"code": "000000"}).status_code == 422
    answer = nora.post("/me/sign-in/recovery-codes", {"code": totp.code(secret, console.clock.time)})
    new = re.findall(r"<code>([A-Z2-7-]{19})</code>", answer.text)
    assert len(new) == 10
    assert type_code(at_the_code(console), old[0]).status_code == 401
    assert type_code(at_the_code(console), new[0]).status_code == 303


def test_the_secret_is_sealed_at_rest_and_in_no_audit_row(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    [(sealed,)] = console.ward.rows("SELECT sealed FROM second_factor")
    assert secret not in bytes(sealed)
    assert base64.b32encode(secret).decode() not in str(console.ward.rows("SELECT * FROM audit"))


def test_guesses_at_the_code_close_the_login_and_the_password_does_not_open_it_again(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    for _ in range(service.FAILURES_ALLOWED // 2):
        client = at_the_code(console)
        for _ in range(2):
            assert type_code(client, "000000").status_code == 401
    throttled = type_code(client, totp.code(secret, console.clock.time))
    assert (throttled.status_code, throttled.headers["retry-after"]) == (429, "900")
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 429
    console.clock.time += service.FAILURES_WITHIN
    assert type_code(at_the_code(console), totp.code(secret, console.clock.time)).status_code == 303


def test_the_code_has_to_come_in_five_minutes(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    client = at_the_code(console)
    token = csrf_token_in(client.get("/login/code").text)
    console.clock.time += service.CODE_WITHIN
    form = {"code": totp.code(secret, console.clock.time), "csrf_token": token}
    assert client.post("/login/code", data=form).headers["location"] == "/login"
    assert client.get("/login/code").headers["location"] == "/login"


def test_an_account_that_is_disabled_meanwhile_does_not_get_in(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    client = at_the_code(console)
    console.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'nora'")
    form = {"code": totp.code(secret, console.clock.time), "csrf_token": client.cookies["pulsepost-sign-in"]}
    assert client.post("/login/code", data=form).headers["location"] == "/login"


def test_who_has_it_can_do_without_it(console: Console) -> None:
    nora = console.sign_in("nora")
    secret, _ = set_up(console, nora)
    assert nora.post("/me/sign-in/second-factor/remove", {"code": "000000"}).status_code == 422
    form = {"code": totp.code(secret, console.clock.time)}
    assert nora.post("/me/sign-in/second-factor/remove", form).status_code == 303
    assert submit_sign_in(console.client(), "nora", PASSWORD).headers["location"] == "/"
    assert console.ward.count("recovery_code") == 0


def _require_of_nurses(console: Console) -> None:
    console.ward.admin.execute("INSERT INTO second_factor_rule (role, set_at) VALUES (%s, now())", (Role.NURSE,))


def test_a_role_that_needs_one_can_do_nothing_before_it_is_set_up(console: Console) -> None:
    _require_of_nurses(console)
    nora = console.sign_in("nora")
    for path in ("/", "/worklist", "/patients", "/me/sign-in"):
        assert nora.get(path).headers["location"] == "/me/sign-in/second-factor", path
    fragment = nora.get("/worklist", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["hx-redirect"]) == (403, "/me/sign-in/second-factor")
    page = nora.get("/me/sign-in/second-factor").text
    assert "/worklist" not in page
    secret = secret_in(page)
    form = {"code": totp.code(secret, console.clock.time), "csrf_token": csrf_token_in(page)}
    assert nora.client.post("/me/sign-in/second-factor", data=form).status_code == 200
    assert nora.get("/worklist").status_code == 200


def test_a_role_that_needs_one_may_still_sign_out(console: Console) -> None:
    _require_of_nurses(console)
    nora = console.sign_in("nora")
    token = csrf_token_in(nora.get("/me/sign-in/second-factor").text)
    assert nora.client.post("/logout", data={"csrf_token": token}).headers["location"] == "/login"


def test_a_role_that_needs_one_cannot_do_without_it(console: Console) -> None:
    nora = console.sign_in("nora")
    secret, _ = set_up(console, nora)
    _require_of_nurses(console)
    form = {"code": totp.code(secret, console.clock.time)}
    assert nora.post("/me/sign-in/second-factor/remove", form).status_code == 404


def test_whoever_is_at_work_is_not_thrown_out_when_the_rule_is_made(console: Console) -> None:
    nora = console.sign_in("nora")
    _require_of_nurses(console)
    assert nora.get("/worklist").status_code == 200


def test_without_a_key_nothing_is_offered_and_only_recovery_codes_open(console: Console) -> None:
    secret, codes = set_up(console, console.sign_in("nora"))
    with running(console.ward.database.console_url, console.clock) as url:
        keyless = Console(url, console.clock, console.ward, console.accounts, console.other_patient_id)
        ben = keyless.sign_in("ben")
        assert "No second factor can be set up here" in ben.get("/me/sign-in/second-factor").text
        assert ben.post("/me/sign-in/second-factor", {"code": "000000"}).status_code == 404
        client = at_the_code(keyless)
        assert type_code(client, totp.code(secret, console.clock.time)).status_code == 401
        assert type_code(client, codes[0]).status_code == 303
        keyless.close()


def test_under_another_key_only_recovery_codes_open(console: Console) -> None:
    secret, codes = set_up(console, console.sign_in("nora"))
    another = SignInSettings(key=bytes(32))
    with running(console.ward.database.console_url, console.clock, None, another) as url:
        other = Console(url, console.clock, console.ward, console.accounts, console.other_patient_id)
        client = at_the_code(other)
        assert type_code(client, totp.code(secret, console.clock.time)).status_code == 401
        assert type_code(client, codes[0]).status_code == 303
        other.close()


@pytest.mark.parametrize("path", ["/login/code", "/me/sign-in/second-factor", "/me/sign-in/recovery-codes"])
def test_its_forms_want_the_token_of_their_page(console: Console, path: str) -> None:
    nora = console.sign_in("nora")
    assert nora.client.post(path, data={"code": "000000"}).status_code == 403


def test_what_happened_is_in_the_audit_trail(console: Console) -> None:
    secret, _ = set_up(console, console.sign_in("nora"))
    client = at_the_code(console)
    type_code(client, "000000")
    type_code(client, totp.code(secret, console.clock.time))
    rows = console.ward.rows("SELECT action, detail FROM audit WHERE action NOT LIKE '%.read' ORDER BY audit_id")
    assert rows == [
        ("sign_in", {}),
        ("second_factor.set_up", {}),
        ("sign_in.refused", {"why": "wrong_code", "from": "127.0.0.1"}),
        ("sign_in", {"second_factor": "app"}),
    ]
