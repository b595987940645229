"""python -m cloud audit: what it prints and with what it ends."""

from datetime import timedelta
from pathlib import Path

import pytest

from cloud.__main__ import main
from cloud.audit import command
from cloud.clock import now
from tests.cloud.audit.made import tamper, written
from tests.cloud.made import Ward


@pytest.fixture(autouse=True)
def url(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the operator sets it, with five rows in the audit."""
    written(ward.admin, ward.nurse_id, ward.patient_id)
    monkeypatch.setenv("PULSEPOST_DATABASE_ADMIN_URL", ward.database.admin_url)


def test_a_whole_chain_is_said_with_its_head(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SAY_EVERY", 2)
    assert main(["audit", "head"]) == 0
    head = capsys.readouterr().out
    assert head.startswith("audit head 5 ")
    kept = tmp_path / "jobs.log"
    kept.write_text(f"2026-11-21 12:00:00,000 INFO cloud.jobs.anchoring {head}something else\n")
    assert main(["audit", "verify", "--heads", str(kept)]) == 0
    said = capsys.readouterr()
    assert said.out == f"whole: 5 rows, compared with 1 heads that were written down\n{head}"
    assert said.err == "place 2 is whole\nplace 4 is whole\n"


def test_without_heads_it_says_what_it_cannot_see(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    assert "without --heads nobody notices that the newest rows were taken away" in capsys.readouterr().out


def test_the_first_broken_row_is_named(ward: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(ward.admin, "UPDATE audit SET action = 'nothing' WHERE audit_id IN (2, 4)")
    assert main(["audit", "verify"]) == 1
    assert capsys.readouterr().out == (
        "BROKEN: changed at place 2, row 2: the row, or its place, does not say what it said when it was written.\n"
    )


def test_only_what_was_linked_since_a_time_is_looked_at(ward: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    tamper(
        ward.admin,
        "UPDATE audit SET action = 'nothing' WHERE audit_id = 1",
        "UPDATE audit_link SET linked_at = linked_at - interval '2 days' WHERE position < 3",
    )
    yesterday = now() - timedelta(days=1)
    assert main(["audit", "verify", "--since", yesterday.isoformat()]) == 0
    assert f"whole: 3 rows linked since {yesterday:%Y-%m-%d %H:%M} UTC" in capsys.readouterr().out
    assert main(["audit", "verify", "--since", "2020-01-01"]) == 1
    assert main(["audit", "verify", "--since", "2199-01-01"]) == 0
    assert "whole: 0 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "--since yesterday: give a day or a time"),
        (["--heads", "/nowhere/heads"], "--heads /nowhere/heads: No such file or directory."),
        (["--heads", "/dev/null"], "no line of it says `audit head"),
    ],
)
def test_a_mistake_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", *arguments]) == 2
    assert said in capsys.readouterr().err
