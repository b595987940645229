"""The command prints the load, each rule set's figures and its runtimes."""

import pytest

from deploy.synthetic import __main__ as synthetic


def test_the_command_prints_every_rule_set_and_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert synthetic.main(["--patients", "12", "--days", "60", "--seed", "5"]) == 0
    printed = capsys.readouterr().out
    assert "12 patients, 60 days, seed 5" in printed
    for expected in (
        "every reading against the home limit of esc2024",
        "today's limits on single readings",
        "programme esc2024+ada",
        "manual cases per patient-day",
        "closed automatically",
        "injected crises found",
        "replayed in",
    ):
        assert expected in printed


@pytest.mark.parametrize("arguments", [["--patients", "0"], ["--days", "x"], ["--pressure", "nobodys"]])
def test_the_command_says_what_is_wrong_with_its_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        synthetic.main(arguments)
    assert arguments[1] in capsys.readouterr().err
