"""How people sign in, as far as it is set: PULSEPOST_CONSOLE_KEY seals second factors, PULSEPOST_OIDC_* is the clinic's
OpenID Connect provider. Without a key no second factor is offered; without an issuer nobody signs in from outside.

``PULSEPOST_OIDC_ISSUER``, ``_CLIENT_ID``, ``_CLIENT_SECRET``, ``_REDIRECT_URL``: the console's address as people
reach it and /login/outside/back. ``_NAME``: what the button calls the provider. Secrets may stand in a file: ``_FILE``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cloud.environment import SettingMissing, key, needed, secret

KEY: Final = "PULSEPOST_CONSOLE_KEY"
KEY_OCTETS: Final = 32
OIDC: Final = "PULSEPOST_OIDC_"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
BACK: Final = "/login/outside/back"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideSettings:
    """An OpenID Connect provider and who we are there."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """``key``: 32 octets under which second factors are sealed; None: there can be none."""

    key: bytes | None = field(default=None, repr=False)
    outside: OutsideSettings | None = None


def sign_in_settings(environ: Mapping[str, str]) -> SignInSettings:
    """SettingMissing where the key is none, or the provider is configured by half."""
    return SignInSettings(key=key(environ, KEY, KEY_OCTETS), outside=_outside(environ))


def _outside(environ: Mapping[str, str]) -> OutsideSettings | None:
    if not environ.get(f"{OIDC}ISSUER"):
        return None
    client_secret = secret(environ, f"{OIDC}CLIENT_SECRET")
    if client_secret is None:
        raise SettingMissing(f"Set {OIDC}CLIENT_SECRET or {OIDC}CLIENT_SECRET_FILE to what the provider gave us.")
    redirect_url = _address(environ, f"{OIDC}REDIRECT_URL")
    if not redirect_url.endswith(BACK):
        raise SettingMissing(f"Set {OIDC}REDIRECT_URL to the console's address and {BACK}.")
    return OutsideSettings(
        issuer=_address(environ, f"{OIDC}ISSUER"),
        client_id=needed(environ, f"{OIDC}CLIENT_ID", "the console's client id at the provider"),
        client_secret=client_secret,
        redirect_url=redirect_url,
        name=environ.get(f"{OIDC}NAME") or urlsplit(environ[f"{OIDC}ISSUER"]).hostname or "",
    )


def _address(environ: Mapping[str, str], name: str) -> str:
    """https, or http on this machine itself."""
    url = needed(environ, name, "an https:// address")
    if not is_safe(url):
        raise SettingMissing(f"Set {name} to an https:// address.")
    return url


def is_safe(url: str) -> bool:
    """Whether nobody on the way can read what is sent there: https, or this machine itself."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
