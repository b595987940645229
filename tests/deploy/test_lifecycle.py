"""Start, start again, stop: beside the shared services, on data of the test's own."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from deploy.services import discovery, passwords, postgres, state
from deploy.services.broker_login import lets_in
from deploy.services.local import Local
from deploy.services.passwords import Passwords
from deploy.services.ports import LOOPBACK, listens
from deploy.services.processes import Process
from deploy.services.running import Running
from deploy.services.start import say
from deploy.services.state import Started, State

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


@pytest.fixture
def words(tmp_path: Path) -> Passwords:
    return passwords.load_or_create(tmp_path / "passwords.json")


@pytest.fixture
def local(services: Running) -> Iterator[Local]:
    """The programs the shared services run on, with a data folder of their own."""
    found = discovery.find_local(say=say)
    data = found.installation.data / f"test-{secrets.token_hex(6)}"
    data.mkdir(parents=True)
    yield replace(found, installation=replace(found.installation, data=data))
    shutil.rmtree(data)


def _admin(words: Passwords, started: Started) -> str:
    return postgres.url("postgres", words.postgres, started.port, "postgres")


def test_the_cluster_is_reused_killed_recovered_and_stopped(local: Local, words: Passwords) -> None:
    first = local.start_postgres(words, None)
    try:
        assert local.start_postgres(words, first) == first
        with psycopg.connect(_admin(words, first)) as connection:
            connection.execute("CREATE TABLE kept (value integer)")
        assert first.process is not None
        first.process.kill()
        again = local.start_postgres(words, first)
        assert again.process not in (None, first.process)
        with psycopg.connect(_admin(words, again)) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        ended = list(local.stop(State("here", local.start_postgres(words, None))))
    assert len(ended) == 1
    assert ended[0].startswith("postgres")


def test_each_start_of_the_cluster_promises_durability_whatever_was_given_up_while_it_ran(
    local: Local, words: Passwords
) -> None:
    first = local.start_postgres(words, None)
    try:
        with psycopg.connect(_admin(words, first), autocommit=True) as connection:
            for setting in DURABLE:
                assert connection.execute(f"SHOW {setting}").fetchone() == ("on",), setting
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
        assert first.process is not None
        first.process.kill()
        again = local.start_postgres(words, first)
        with psycopg.connect(_admin(words, again)) as connection:
            for setting in DURABLE:
                assert connection.execute(f"SHOW {setting}").fetchone() == ("on",), setting
    finally:
        list(local.stop(State("here", local.start_postgres(words, None))))


def test_the_broker_is_reused_and_stop_leaves_the_shared_one_alone(
    local: Local, words: Passwords, services: Running
) -> None:
    started = local.start_mosquitto(words, None)
    assert local.start_mosquitto(words, started) == started
    assert started.process is not None
    assert [line.partition(" ")[0] for line in local.stop(State("here", mosquitto=started))] == ["mosquitto"]
    assert not started.process.is_alive()
    assert not listens(LOOPBACK, started.port)
    host, _, port = services.broker_url.removeprefix("mqtt://").partition(":")
    assert listens(host, int(port))


def test_a_broker_whose_user_was_killed_is_removed(local: Local) -> None:
    killed_user = local.own_broker()
    broker = killed_user.__enter__()
    port = broker.port
    local.remove_leftovers()
    assert not listens(LOOPBACK, port)
    assert list(local.installation.data.glob("brokers/*")) == []
    killed_user.__exit__(None, None, None)


def test_a_wiped_broker_knows_its_users_and_nothing_else(local: Local) -> None:
    with local.own_broker() as broker:
        password = broker.add_user("home-1")
        broker.kill()
        broker.wipe()
        [folder] = local.installation.data.glob("brokers/*/data")
        assert list(folder.iterdir()) == []
        broker.start()
        assert lets_in(broker.host, broker.port, "home-1", password)


def test_a_cluster_of_ones_own_that_was_killed_has_what_was_committed(local: Local, words: Passwords) -> None:
    with local.own_database(words) as database:
        url = database.url("postgres", "postgres")
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('kept')")
        database.kill()
        database.start()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("kept",)]
    assert list(local.installation.data.glob("databases/*")) == []


def test_a_process_that_only_has_an_old_pid_is_not_ours(local: Local, tmp_path: Path) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as somebody:
        theirs = Process.of(somebody.pid)
        assert theirs is not None
        before_the_reboot = replace(theirs, started=f"another-boot{theirs.started[12:]}")
        assert not before_the_reboot.is_alive()
        before_the_reboot.end(first=signal.SIGKILL)
        assert list(local.stop(State("here", Started(1, before_the_reboot), Started(2, before_the_reboot)))) == []
        assert theirs.is_alive()


def test_a_pid_file_that_names_somebody_else_is_not_believed(tmp_path: Path) -> None:
    pid_file = tmp_path / "mosquitto.pid"
    assert Process.of_pid_file(pid_file, argument="/x", root=Path("/")) is None
    for content in ("", "not a number\n", "1\n"):
        pid_file.write_text(content)
        assert Process.of_pid_file(pid_file, argument="/x", root=Path("/")) is None


def test_the_state_file_is_private_and_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    written = State("machine", Started(5432, Process(12, "boot:34")), Started(1883), kept=True)
    state.save(written, file)
    assert state.load(file) == written
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{", "[]", '{"source": "machine"}', '{"postgres": 3}'])
def test_a_state_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    assert state.load(file) == State()


def test_passwords_are_random_private_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    made = passwords.load_or_create(file)
    assert passwords.load_or_create(file) == made
    assert file.stat().st_mode & 0o777 == 0o600
    assert made != passwords.load_or_create(tmp_path / "others.json")


def test_without_a_password_nobody_enters_the_cluster(services: Running) -> None:
    address = services.database_address
    for login in ("postgres@", "postgres:postgres@", "pulsepost_console:console@"):
        with pytest.raises(psycopg.OperationalError, match=r"password|authentication"):
            psycopg.connect(f"postgresql://{login}{address}/postgres", connect_timeout=5)
