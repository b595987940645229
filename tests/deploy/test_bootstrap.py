"""What make installs: once, and said in one sentence where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import apt, bootstrap


def test_a_step_is_done_again_only_when_what_it_was_done_from_has_changed(tmp_path: Path) -> None:
    lock, stamp = tmp_path / "dev.lock", tmp_path / "venv" / "stamp"
    lock.write_text("one==1")
    assert not bootstrap._is_done(stamp, [lock])
    bootstrap._mark_done(stamp, [lock])
    assert bootstrap._is_done(stamp, [lock])
    lock.write_text("one==2")
    assert not bootstrap._is_done(stamp, [lock])


def test_where_apt_get_is_not_to_be_had_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(apt.CannotInstall, match=r"^the tests need it: install the package\(s\) chromium .*\.$"):
        apt.install("chromium", why="the tests need it")


@pytest.mark.parametrize(("arguments", "code"), [(["--help"], 0), ([], 2), (["python", "everything"], 2)])
def test_the_bootstrap_explains_itself_with_the_standard_library_alone(arguments: list[str], code: int) -> None:
    command = [sys.executable, "-I", "-S", "-c", "import sys; sys.path.insert(0, ''); import runpy; "]
    command[-1] += "runpy.run_module('deploy.bootstrap', run_name='__main__', alter_sys=True)"
    asked = subprocess.run(
        [*command, *arguments], cwd=bootstrap.PROJECT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert asked.returncode == code
    assert "python3 -m deploy.bootstrap" in asked.stdout
