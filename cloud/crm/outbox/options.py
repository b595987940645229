"""What the commands of CRMs and telephone systems are given: settings, and secrets that stand in files or are drawn."""

import base64
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from cloud.crm.connectors.given import Kind

SECRET_OCTETS: Final = 32


class CommandRefused(Exception):
    """It was not done; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """By name. ``kept``: all that there are from now on; ``new``: those of them that were given, or ``drawn``."""

    kept: Mapping[str, str] = field(repr=False)
    new: Mapping[str, str] = field(repr=False)
    drawn: Mapping[str, str] = field(repr=False)

    def shown(self) -> list[str]:
        """What was drawn, for the far side."""
        return [
            f"{name}: {value}\nIt is shown this once: put it where the far side keeps it."
            for name, value in self.drawn.items()
        ]


def pairs(words: Sequence[str]) -> Mapping[str, str]:
    """CommandRefused unless each is NAME=VALUE."""
    if wrong := [word for word in words if "=" not in word]:
        raise CommandRefused(f"Write NAME=VALUE, not {wrong[0]}.")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def first_secrets(kind: Kind[Any, Any], words: Sequence[str]) -> Secrets:
    """Of NAME=FILE each, and what the kind draws beside them. CommandRefused."""
    given = _files(words)
    drawn = _drawn(kind) if kind.draws not in given else {}
    new = {**given, **drawn}
    return Secrets(kept=new, new=new, drawn=drawn)


def next_secrets(
    name: str, kind: Kind[Any, Any], before: Mapping[str, str], words: Sequence[str], *, drop_former: bool
) -> Secrets:
    """New ones in place of those of the same names; where none is given, one is drawn.

    The former signing secret goes on counting until it is dropped. CommandRefused where nothing would change.
    """
    given = _files(words)
    drawn = _drawn(kind) if not given and not drop_former else {}
    new, kept, former = {**given, **drawn}, dict(before), f"former_{kind.draws}"
    if drop_former:
        if kept.pop(former, None) is None and not new:
            raise CommandRefused(f"{name} has no former secret to drop.")
    elif not new:
        raise CommandRefused(f"Give each new secret in a file: --secret NAME=FILE (none is drawn for {name}).")
    elif kind.draws in new and new[kind.draws] != kept.get(kind.draws, new[kind.draws]):
        kept[former] = kept[kind.draws]
    return Secrets(kept={**kept, **new}, new=new, drawn=drawn)


@contextmanager
def named(name: str, what: str) -> Iterator[None]:
    """Around what stores a new one. CommandRefused where it may not have that name."""
    try:
        yield
    except psycopg.errors.UniqueViolation:
        raise CommandRefused(f"There is a {what} named {name}: choose another name.") from None
    except psycopg.errors.CheckViolation:
        raise CommandRefused("Choose a name of 1 to 60 signs.") from None


def _files(words: Sequence[str]) -> Mapping[str, str]:
    """Secrets stand in files, so that no list of processes and no history of a shell shows them."""
    found = {}
    for name, path in pairs(words).items():
        try:
            found[name] = Path(path).read_text().partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError):
            raise CommandRefused(f"Write --secret {name}=FILE: {path} cannot be read.") from None
    return found


def _drawn(kind: Kind[Any, Any]) -> Mapping[str, str]:
    if kind.draws is None:
        return {}
    return {kind.draws: f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_OCTETS)).decode()}"}
