"""Accounts of the staff: made, entered by invitation, disabled, reset, and what each role needs."""

import re

import httpx
import pytest

from cloud.accounts import service
from cloud.auth.models import Role
from tests.cloud.auth.test_second_factor import at_the_code, set_up
from tests.fix_console import PASSWORD, Console, csrf_token_in, submit_sign_in

CHOSEN = "seven geese over the harbour"
NEW = {"login": "Maria.K", "display_name": "Maria  Kern", "role": "doctor", "language": "ru"}


def link_in(page: str) -> str:
    found = re.search(r'<code id="link">https?://[^/]+(/invitation/[^<]+)</code>', page)
    assert found, page
    return found[1]


def accept(client: httpx.Client, path: str, password: str = CHOSEN, again: str | None = None) -> httpx.Response:
    """Open an invitation and send its form."""
    page = client.get(path)
    form = {"csrf_token": client.cookies.get("pulsepost-sign-in", ""), "new_password": password}
    assert page.status_code in (200, 410)
    return client.post(path, data={**form, "again": password if again is None else again})


def test_who_is_invited_sets_the_password_and_is_in(console: Console) -> None:
    path = link_in(console.sign_in("adam").post("/accounts", NEW).text)
    client = console.client()
    answer = accept(client, path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/", follow_redirects=True).url.path == "/patients"
    assert submit_sign_in(console.client(), "maria.k", CHOSEN).status_code == 303
    [row] = console.ward.rows("SELECT display_name, role, language FROM account WHERE login = 'maria.k'")
    assert row == ("Maria Kern", "doctor", "ru")


def test_before_that_nobody_is(console: Console) -> None:
    console.sign_in("adam").post("/accounts", NEW)
    for password in ("", CHOSEN):
        assert submit_sign_in(console.client(), "maria.k", password).status_code == 401


def test_a_link_opens_once_and_is_stored_as_a_hash(console: Console) -> None:
    path = link_in(console.sign_in("adam").post("/accounts", NEW).text)
    code = path.rpartition("/")[2]
    assert code not in str(console.ward.rows("SELECT * FROM invitation")) + str(
        console.ward.rows("SELECT * FROM audit")
    )
    assert "maria" not in path.lower()
    accept(console.client(), path)
    for answer in (accept(console.client(), path, "another sentence here"), console.client().get(path)):
        assert answer.status_code == 410
        assert "maria" not in answer.text.lower()
    assert submit_sign_in(console.client(), "maria.k", CHOSEN).status_code == 303


def test_a_link_ends_after_three_days_and_a_new_one_ends_the_old(console: Console) -> None:
    adam = console.sign_in("adam")
    first = link_in(adam.post("/accounts", NEW).text)
    [(account_id,)] = console.ward.rows("SELECT account_id FROM account WHERE login = 'maria.k'")
    second = link_in(adam.post(f"/accounts/{account_id}/invite").text)
    assert console.client().get(first).status_code == 410
    assert console.client().get(second).status_code == 200
    console.clock.time += service.STAFF_INVITATION
    assert console.client().get(second).status_code == 410


def test_a_link_that_nobody_made_opens_nothing(console: Console) -> None:
    assert console.client().get("/invitation/guess").status_code == 410


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("too short", None, "at least 12 characters"),
        ("Password1234", None, "tried first"),
        ("my maria.k password", None, "must not be your login"),
        (CHOSEN, "seven geese", "not the same"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays_good(
    console: Console, password: str, again: str | None, said: str
) -> None:
    path = link_in(console.sign_in("adam").post("/accounts", NEW).text)
    answer = accept(console.client(), path, password, again)
    assert answer.status_code == 422
    assert said in answer.text
    assert accept(console.client(), path).status_code == 303


def test_the_form_of_an_invitation_wants_its_token(console: Console) -> None:
    path = link_in(console.sign_in("adam").post("/accounts", NEW).text)
    client = console.client()
    assert client.post(path, data={"new_password": CHOSEN, "again": CHOSEN}).status_code == 403


def test_an_invitation_does_not_go_past_the_second_factor(console: Console) -> None:
    set_up(console, console.sign_in("nora"))
    adam = console.sign_in("adam")
    path = link_in(adam.post(f"/accounts/{console.accounts['nora']}/invite").text)
    client = console.client()
    assert accept(client, path).headers["location"] == "/login/code"
    assert client.get("/worklist").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"login": "a b"}, "A login has"),
        ({"login": "nora"}, "There is an account with this login already."),
        ({"display_name": " "}, "Give it a name"),
        ({"role": "patient"}, "no such role"),
        ({"role": "owner"}, "no such role"),
    ],
)
def test_what_cannot_be_an_account_is_refused(console: Console, change: dict[str, str], said: str) -> None:
    answer = console.sign_in("adam").post("/accounts", {**NEW, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert console.ward.rows("SELECT FROM account WHERE display_name = 'Maria Kern'") == []


def test_disabling_ends_every_session_at_once_and_every_way_in(console: Console) -> None:
    adam, nora = console.sign_in("adam"), console.sign_in("nora")
    path = link_in(adam.post(f"/accounts/{nora.account_id}/invite").text)
    assert adam.post(f"/accounts/{nora.account_id}/disable").status_code == 303
    assert nora.get("/worklist").headers["location"] == "/login"
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 401
    assert console.client().get(path).status_code == 410
    assert console.ward.rows("SELECT FROM login_session JOIN account USING (account_id) WHERE login = 'nora'") == []
    assert adam.post(f"/accounts/{nora.account_id}/enable").status_code == 303
    console.sign_in("nora")


def test_nobody_shuts_themselves_out(console: Console) -> None:
    adam = console.sign_in("adam")
    for deed in ("disable", "second-factor/reset"):
        answer = adam.post(f"/accounts/{adam.account_id}/{deed}")
        assert answer.status_code == 422, deed
        assert "Nobody does this to their own account" in answer.text


def test_a_lost_second_factor_is_taken_away_by_an_administrator(console: Console) -> None:
    nora = console.sign_in("nora")
    set_up(console, nora)
    adam = console.sign_in("adam")
    client = at_the_code(console)
    assert adam.post(f"/accounts/{nora.account_id}/second-factor/reset").status_code == 303
    assert nora.get("/worklist").headers["location"] == "/login"
    assert client.get("/worklist").headers["location"] == "/login"
    assert submit_sign_in(console.client(), "nora", PASSWORD).headers["location"] == "/"
    [row] = console.ward.rows("SELECT account_id, subject FROM audit WHERE action = 'second_factor.removed'")
    assert row == (adam.account_id, f"account:{nora.account_id}")


def test_an_administrator_may_require_a_second_factor_of_any_role(console: Console) -> None:
    adam = console.sign_in("adam")
    token = adam.csrf_token()
    for roles in ([role.value for role in Role], ["nurse"]):
        answer = adam.client.post("/accounts/required", data={"role": roles, "csrf_token": token})
        assert answer.status_code == 303
    assert console.ward.rows("SELECT role FROM second_factor_rule") == [("nurse",)]
    assert console.sign_in("nora").get("/worklist").headers["location"] == "/me/sign-in/second-factor"
    assert console.sign_in("ada").get("/patients").status_code == 200


@pytest.mark.parametrize("login", ["nora", "ada", "asta", "sam", "carl"])
def test_for_anybody_else_the_page_does_not_exist(console: Console, login: str) -> None:
    person = console.sign_in(login)
    assert person.get("/accounts").status_code == 404
    token = csrf_token_in(person.get("/me/sign-in").text)
    for path in ("/accounts", "/accounts/required", f"/accounts/{console.accounts['ben']}/disable"):
        answer = person.client.post(path, data={**NEW, "csrf_token": token})
        assert answer.status_code == 404, path
    assert console.ward.rows("SELECT FROM account WHERE disabled_at IS NOT NULL") == []


def test_patients_accounts_are_none_of_the_administrators_business(console: Console) -> None:
    adam = console.sign_in("adam")
    assert "Asta" not in adam.get("/accounts").text
    assert adam.post(f"/accounts/{console.accounts['asta']}/disable").status_code == 422


def test_what_an_administrator_did_is_in_the_audit_trail(console: Console) -> None:
    adam = console.sign_in("adam")
    adam.post("/accounts", NEW)
    adam.post(f"/accounts/{console.accounts['nora']}/disable")
    rows = console.ward.rows("SELECT account_id, action FROM audit WHERE action NOT LIKE '%.read' ORDER BY audit_id")
    assert [action for who, action in rows if who == adam.account_id] == [
        "sign_in",
        "account.added",
        "account.invited",
        "account.disabled",
    ]
    assert "maria" not in str(console.ward.rows("SELECT subject, detail FROM audit")).lower()
