"""`python -m cloud account`: what an operator does before there is an administrator."""

import re

import pytest

from cloud.__main__ import main
from tests.cloud.accounts.test_accounts import accept
from tests.fix_console import PASSWORD, Console, submit_sign_in


@pytest.fixture
def settings(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULSEPOST_DATABASE_ADMIN_URL", console.ward.database.admin_url)
    monkeypatch.setenv("PULSEPOST_NOTIFY_BASE_URL", console.url)


def test_the_first_administrator_is_made_at_the_command_line(
    console: Console, settings: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["account", "add", "root.person", "--name", "Root Person", "--role", "administrator"]) == 0
    said = capsys.readouterr().out
    found = re.match(re.escape(console.url) + r"(/invitation/\S+)\n", said)
    assert found, said
    client = console.client()
    assert accept(client, found[1]).status_code == 303
    assert client.get("/accounts").status_code == 200


def test_an_account_is_disabled_listed_and_opened_again(
    console: Console, settings: None, capsys: pytest.CaptureFixture[str]
) -> None:
    nora = console.sign_in("nora")
    assert main(["account", "disable", "nora"]) == 0
    assert nora.get("/worklist").headers["location"] == "/login"
    assert main(["account", "list"]) == 0
    assert "nora\tnurse\tdisabled\t-\tNora Quist" in capsys.readouterr().out
    assert main(["account", "enable", "nora"]) == 0
    assert submit_sign_in(console.client(), "nora", PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["disable", "nobody"], "There is no such account."),
        (["disable", "adam"], "This is the only administrator."),
        (["reset", "nora"], "This account has no second factor."),
        (["add", "nora", "--name", "N", "--role", "nurse"], "There is an account with this login already."),
        (["add", "new", "--name", "N", "--role", "king"], "There is no such role of the staff."),
    ],
)
def test_what_cannot_be_done_is_said(
    console: Console, settings: None, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["account", *arguments]) == 2
    assert said in capsys.readouterr().err
