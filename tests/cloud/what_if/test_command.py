"""The command: the table that it prints, its progress, its exit codes, and what it says of mistakes."""

from datetime import timedelta

import pytest

from cloud.__main__ import main
from cloud.clock import now
from tests.cloud.made import Ward
from tests.cloud.what_if.made import store_glucose


@pytest.fixture(autouse=True)
def url(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the operator sets it."""
    monkeypatch.setenv("PULSEPOST_DATABASE_URL", ward.database.jobs_url)


def test_it_prints_both_rule_sets_and_what_would_be_missed(ward: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    at = now() - timedelta(days=3)
    store_glucose(ward.admin, ward.patient_id, at, 50)
    limits = ["--set", "hypoglycaemia_level_1:mg/dL=45", "--set", "hypoglycaemia_level_2:mg/dL=45"]
    assert main(["what-if", "--programme", "standard", "--days", "28", *limits]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("programme standard: 1 patients, the last 28 days\n\nrules in force\n")
    for expected in (
        "\nproposal\n",
        "manual cases per patient-day 0.0357  (1 cases)",
        "nurse minutes                71 per 100 patients and day",
        "urgent cases of the rules in force: 1\n  missed by the proposal            1\n",
        f"{at:%Y-%m-%d %H:%M} UTC  patient {ward.patient_id}  hypoglycaemia_level_2: missed",
    ):
        assert expected in printed.out
    assert printed.err == "\r0 of 1 patients\r1 of 1 patients\n"
    assert "Asta" not in printed.out
    assert ward.count("what_if_run") == 0


def test_without_a_change_both_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["what-if", "--days", "7"]) == 0
    _, in_force, proposal, _ = capsys.readouterr().out.split("\n\n")
    assert in_force.removeprefix("rules in force") == proposal.removeprefix("proposal")


def test_other_regimes_and_closing_are_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["what-if", "--regimes", "aha2025,ada", "--closing", "not_confirmed"]) == 0
    assert main(["what-if", "--closing", "none"]) == 0
    assert "urgent cases" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "ennui:mg/dL=65"], "There is no condition 'ennui' in this programme; there are bradycardia, "),
        (
            ["--set", "hypoglycaemia_level_1:kPa=65"],
            "hypoglycaemia_level_1 has no limit in kPa; it has one in mg/dL",
        ),
        (["--set", "hypoglycaemia_level_1:stone=65"], "there is no unit 'stone'; there are mg/dL, mmol/L"),
        (["--set", "hypoglycaemia_level_1:mg/dL=low"], "'low' is no number"),
        (["--set", "hypoglycaemia_level_1"], "give CONDITION:UNIT=VALUE"),
        (["--set", "hypoglycaemia_level_1:mg/dL=-3"], "-3 is no value for hypoglycaemia_level_1"),
        (["--programme", "nobodys"], "--programme nobodys: there is no such programme."),
        (["--regimes", "nobodys"], "There is no regime 'nobodys'."),
        (["--regimes", "aha2025,esc2024"], "more than one regime for"),
        (["--closing", "everything"], "--closing everything: there is not_confirmed, or none."),
        (["--days", "0"], "--days 0: give 1 to 365."),
        (["--days", "366"], "--days 366: give 1 to 365."),
    ],
)
def test_it_says_what_is_wrong_and_what_there_is(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["what-if", *arguments]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_a_programme_without_patients_is_said(ward: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    ward.admin.execute("INSERT INTO programme (programme_id, display_name, regimes) VALUES ('new', 'New', '{ada}')")
    assert main(["what-if", "--programme", "new"]) == 2
    assert "nobody is in it" in capsys.readouterr().err
