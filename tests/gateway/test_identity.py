"""The identity's file: one, private, replaced in one step."""

import fcntl
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloud.pki.authority import Authority
from gateway import identity
from gateway.identity import IdentityError
from tests.fix_enrolment import identity_signed_by


def test_what_is_saved_is_loaded_and_tls_takes_it(clone_authority: Authority, tmp_path: Path) -> None:
    made = identity_signed_by(clone_authority, "home-17")
    identity.save(tmp_path, made)
    assert identity.load(tmp_path) == made
    assert identity.tls_context(tmp_path).check_hostname
    assert [entry.name for entry in tmp_path.iterdir()] == [identity.FILE]
    assert stat.S_IMODE(identity.path_in(tmp_path).stat().st_mode) == 0o600


def test_the_key_is_not_printed(clone_authority: Authority) -> None:
    assert "PRIVATE" not in repr(identity_signed_by(clone_authority, "home-17"))


def test_a_gateway_without_an_identity_has_none(tmp_path: Path) -> None:
    assert identity.load(tmp_path) is None
    with pytest.raises(IdentityError, match="enrol this gateway"):
        identity.tls_context(tmp_path)


def test_only_its_own_authority_is_trusted(clone_authority: Authority, tmp_path: Path) -> None:
    identity.save(tmp_path, identity_signed_by(clone_authority, "home-17"))
    assert len(identity.tls_context(tmp_path).get_ca_certs()) == 1


@pytest.mark.parametrize("kept", [0, 10, 100, 400, 900])
def test_a_file_that_breaks_off_is_said_to_be_damaged(clone_authority: Authority, tmp_path: Path, kept: int) -> None:
    identity.save(tmp_path, identity_signed_by(clone_authority, "home-17"))
    path = identity.path_in(tmp_path)
    path.write_text(path.read_text()[:kept])
    with pytest.raises(IdentityError, match="with a new code"):
        identity.load(tmp_path)


def test_a_certificate_and_a_key_that_are_no_pair_are_said_to_be_damaged(
    clone_authority: Authority, tmp_path: Path
) -> None:
    one, two = (identity_signed_by(clone_authority, "home-17") for _ in range(2))
    identity.save(tmp_path, one)
    path = identity.path_in(tmp_path)
    path.write_text(path.read_text().replace(one.key, two.key))
    with pytest.raises(IdentityError, match="damaged"):
        identity.tls_context(tmp_path)


def test_it_is_renewed_when_a_third_of_its_validity_is_left(clone_authority: Authority) -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    made = identity_signed_by(clone_authority, "home-17", at=at)
    assert abs(made.renew_at - (at + timedelta(days=60))) < timedelta(hours=1)


def test_a_draft_that_a_killed_process_left_is_removed_and_one_that_is_being_written_stays(tmp_path: Path) -> None:
    dead, living, other = (
        tmp_path / name for name in (".identity.pem.01234567", ".identity.key.pending.0abcdef0", "x")
    )
    for path in (dead, living, other):
        path.write_text("a key")
    with living.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        identity.forget_drafts(tmp_path)
    assert sorted(tmp_path.iterdir()) == [living, other]
    identity.forget_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == [other]


def test_a_writer_that_is_killed_leaves_a_draft_that_the_next_start_finds(tmp_path: Path) -> None:
    halfway = (
        "import os, pathlib, signal, sys; from gateway import identity;"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL);"
        "identity.replace_private(identity.path_in(pathlib.Path(sys.argv[1])), 'a key')"
    )
    done = subprocess.run([sys.executable, "-c", halfway, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 1
    identity.forget_drafts(tmp_path)
    assert list(tmp_path.iterdir()) == []
