"""Reading settings: from the environment, secrets also from files; a missing one is said in one sentence."""

import base64
import binascii
import math
from collections.abc import Mapping
from pathlib import Path


class SettingMissing(Exception):
    """A setting is absent or unusable; the message says what to set."""


def needed(environ: Mapping[str, str], name: str, what: str) -> str:
    """SettingMissing where it is absent."""
    if value := environ.get(name):
        return value
    raise SettingMissing(f"Set {name} to {what}.")


def number(environ: Mapping[str, str], name: str, default: float) -> float:
    """SettingMissing unless it is a number above 0, or absent."""
    try:
        value = float(environ.get(name) or default)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise SettingMissing(f"Set {name} to a number above 0, or leave it out for {default:g}.")
    return value


def secret(environ: Mapping[str, str], name: str) -> str | None:
    """The value of ``name``, or the first line of the file that ``name_FILE`` names; None where neither is set.

    SettingMissing where the file cannot be read or is empty.
    """
    if value := environ.get(name):
        return value
    path = environ.get(f"{name}_FILE")
    if not path:
        return None
    try:
        found = Path(path).read_text().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if not found:
        raise SettingMissing(
            f"Set {name}_FILE to a file whose first line is the secret; {path} cannot be read or is empty."
        )
    return found


def key(environ: Mapping[str, str], name: str, octets: int) -> bytes | None:
    """So many octets, as the secret of this name says them in base64; None where it is not set. SettingMissing."""
    text = secret(environ, name)
    if text is None:
        return None
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != octets:
        raise SettingMissing(
            f"Set {name} to {octets} random octets in base64, as `openssl rand -base64 {octets}` prints them."
        )
    return found
