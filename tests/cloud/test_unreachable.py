"""A command that does one thing says in a sentence that its database is not there."""

import pytest

from cloud.__main__ import ONCE, main

# Nobody listens on port 1.
NOWHERE = "postgresql://somebody:a-secret@127.0.0.1:1/pulsepost"
COMMANDS = {
    "migrate": ["migrate"],
    "gateway": ["gateway", "list"],
    "account": ["account", "list"],
    "audit": ["audit", "head"],
    "what-if": ["what-if"],
    "crm": ["crm", "list"],
    "telephone": ["telephone", "list"],
    "training": ["training", "list"],
}


@pytest.mark.parametrize("command", ONCE)
def test_a_database_that_is_not_there_is_said_in_one_line_without_its_password(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ONCE[command], NOWHERE)
    assert main(COMMANDS[command]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("The database does not answer: ")
    assert said.endswith(f"Is it up, and is {ONCE[command]} right?")
    assert "a-secret" not in said
    assert "\n" not in said
