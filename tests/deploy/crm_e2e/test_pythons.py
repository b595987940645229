"""Which Python BottleCRM gets, and what is said where there is none."""

from pathlib import Path

import pytest

from deploy.crm_e2e.__main__ import CANNOT, main
from deploy.crm_e2e.errors import CannotRun
from deploy.crm_e2e.pythons import new_enough


def _python(path: Path, version: str) -> Path:
    """A program that says that it is this version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version.replace('.', ' ')}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with an empty PATH and an empty pyenv."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def test_the_newest_that_fits_is_taken_wherever_it_is(nowhere: Path) -> None:
    _python(nowhere / "bin" / "python3.12", "3.12.4")
    _python(nowhere / "pyenv" / "versions" / "3.11.7" / "bin" / "python3", "3.11.7")
    _python(nowhere / "pyenv" / "versions" / "3.15.0" / "bin" / "python3", "3.15.0")
    newest = _python(nowhere / "pyenv" / "versions" / "3.13.0" / "bin" / "python3", "3.13.0")
    assert new_enough() == newest


def test_a_shim_that_runs_nothing_is_passed_over(nowhere: Path) -> None:
    shim = _python(nowhere / "bin" / "python3.13", "3.13.0")
    shim.write_text("#!/bin/sh\nexit 127\n")
    older = _python(nowhere / "bin" / "python3.12", "3.12.1")
    assert new_enough() == older


def test_where_there_is_none_it_is_said_and_nothing_is_installed(
    nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CannotRun):
        new_enough()
    assert main([]) == CANNOT
    assert "needs Python 3.12 to 3.14, and none was found" in capsys.readouterr().err
