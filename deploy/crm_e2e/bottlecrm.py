"""BottleCRM itself: installed into an environment below .local, with a database of its own, served on loopback."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.crm_e2e.errors import CannotRun
from deploy.services import databases
from deploy.services.ports import LOOPBACK, free_port, wait_until_listening
from deploy.services.running import Running

PLACE: Final = Path(__file__).resolve().parents[2] / ".local" / "crm_e2e"
PACKAGE: Final = "django-crm==1.35.0"
STARTS_WITHIN_S: Final = 60.0
ENDS_WITHIN_S: Final = 30.0

# In its own words: an organisation, its administrator, and a token of theirs.
LET_US_IN: Final = """
from django.contrib.auth import get_user_model
from common.models import Org, PersonalAccessToken, Profile

user = get_user_model().objects.create(email="pulsepost@example.org")
org = Org.objects.create(name="Clinic")
rights = {"role": "ADMIN", "is_organization_admin": True}
profile, _ = Profile.objects.get_or_create(user=user, org=org, defaults=rights)
raw, _ = PersonalAccessToken.generate(profile, "Pulsepost")
print(raw)
"""


@dataclass(frozen=True)
class Installed:
    """Its environment."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"


def install(python: Path) -> Installed:
    """Made from that interpreter where it is not there yet. CannotRun."""
    installed, stamp = Installed(PLACE / "venv"), PLACE / "venv" / ".installed"
    if stamp.is_file() and stamp.read_text() == PACKAGE:
        return installed
    PLACE.mkdir(parents=True, exist_ok=True)
    _run([python, "-m", "venv", "--clear", installed.folder], "the environment could not be made")
    pip: list[str | Path] = [
        installed.python,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "--quiet",
        "install",
    ]
    _run([*pip, "--only-binary=:all:", PACKAGE], f"pip could not install {PACKAGE}")
    stamp.write_text(PACKAGE)
    return installed


@dataclass
class BottleCrm:
    """Set up, and served between ``start`` and ``stop``. ``token``: a way in for us."""

    installed: Installed
    environment: dict[str, str] = field(repr=False)
    port: int
    token: str = field(default="", repr=False)
    _server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.port}"

    def set_up(self) -> None:
        """Its tables, an organisation and a token. CannotRun."""
        migrated = self._django("migrate", "--verbosity", "0")
        if migrated.returncode != 0:
            log = PLACE / "migrate.log"
            log.write_bytes(migrated.stdout + migrated.stderr)
            raise CannotRun(f"BottleCRM's migrations failed; what they said is in {_from_here(log)}.")
        made = self._django("shell", "--verbosity", "0", "-c", LET_US_IN)
        self.token = made.stdout.decode().strip().rpartition("\n")[2] if made.returncode == 0 else ""
        if not self.token.startswith("bcrm_pat_"):
            raise CannotRun("BottleCRM made no token.")

    def start(self) -> None:
        """CannotRun where it does not listen in time."""
        gunicorn: list[str | Path] = [
            self.installed.python,
            "-m",
            "gunicorn",
            "crm.wsgi:application",
            "--no-control-socket",
        ]
        with (PLACE / "gunicorn.log").open("ab") as log:
            server = subprocess.Popen(
                [*gunicorn, "--bind", f"{LOOPBACK}:{self.port}", "--workers", "1"],
                cwd=PLACE,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._server = server
        if not wait_until_listening(self.port, given_up=lambda: server.poll() is not None, timeout_s=STARTS_WITHIN_S):
            raise CannotRun(f"BottleCRM did not start; what it said is in {_from_here(PLACE / 'gunicorn.log')}.")

    def stop(self) -> None:
        """Nothing listens any longer."""
        if self._server is None:
            return
        self._server.terminate()
        try:
            self._server.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None

    def _django(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self.installed.python, "-m", "django", *words],
            cwd=PLACE,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )


@contextmanager
def with_a_database(running: Running, installed: Installed) -> Iterator[BottleCrm]:
    """With a database and a role of its own on our services, and without them afterwards."""
    name, password = f"{databases.SCRATCH}crm_{secrets.token_hex(6)}", secrets.token_urlsafe(24)
    _create(running.postgres_admin_url, name, password)
    at = urlsplit(running.postgres_admin_url)
    crm = BottleCrm(installed, _environment(name, password, at.hostname or LOOPBACK, at.port or 5432), free_port())
    try:
        yield crm
    finally:
        crm.stop()
        databases.drop(running.postgres_admin_url, name)
        with psycopg.connect(running.postgres_admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def _create(admin_url: str, name: str, password: str) -> None:
    """A role that owns the one database. It passes over row security, as BottleCRM's commands want of their owner."""
    role = sql.Identifier(name)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER BYPASSRLS PASSWORD {}").format(role, sql.Literal(password))
        )
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(role, role))


def _environment(name: str, password: str, host: str, port: int) -> dict[str, str]:
    """All that its processes know; nothing of ours."""
    return {
        **{word: os.environ[word] for word in ("PATH", "HOME", "LANG") if word in os.environ},
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "ENV_TYPE": "dev",
        "SECRET_KEY": secrets.token_hex(32),
        "DBNAME": name,
        "DBUSER": name,
        "DBPASSWORD": password,
        "DBHOST": host,
        "DBPORT": str(port),
        "CELERY_BROKER_URL": "memory://",
        "CELERY_RESULT_BACKEND": "cache+memory://",
    }


def _run(command: Sequence[str | Path], failure: str) -> None:
    done = subprocess.run(command, cwd=PLACE, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise CannotRun(f"{failure}; what it said stands above.")


def _from_here(path: Path) -> str:
    return str(path.relative_to(PLACE.parents[1]))
