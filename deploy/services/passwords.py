"""The clone's own passwords: random, made at first use, in one file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from deploy.services import places

FILE = places.SERVICES / "passwords.json"


@dataclass(frozen=True)
class Passwords:
    """URL-safe, 32 random bytes each."""

    postgres: str
    pulsepost_ingest: str
    pulsepost_console: str
    pulsepost_jobs: str
    pulsepost_enrolment: str
    broker_ingest: str

    @property
    def of_roles(self) -> dict[str, str]:
        """The database's login roles, each with its password."""
        return {name: password for name, password in asdict(self).items() if name.startswith("pulsepost_")}


def load_or_create(file: Path = FILE) -> Passwords:
    """The passwords of this clone. The caller holds the start lock."""
    known = json.loads(file.read_text()) if file.exists() else {}
    # A clone that was made before a role existed draws the password of that one alone.
    made = Passwords(**{field.name: known.get(field.name) or secrets.token_urlsafe(32) for field in fields(Passwords)})
    if asdict(made) != known:
        write_private(file, json.dumps(asdict(made), indent=2))
    return made


def write_private(file: Path, text: str) -> None:
    """Replace a file in one step by one of mode 0600."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    draft.replace(file)
