"""What there is of somebody outside, a CRM or a telephone system: its kind, its settings and secrets, the way out."""

import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlsplit

from cloud.crm.connectors.addresses import Resolve, resolve
from cloud.crm.connectors.door import Door
from cloud.notifications.channels.signing import BadSecret, key_of

# It is in our own network, and may be reached without TLS.
INSIDE: Final = "inside"

Made = TypeVar("Made")
Listening = TypeVar("Listening")


class NotUsable(Exception):
    """Settings or secrets of which nothing can be made; the message says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one has, and what is around it. ``settings`` and ``secrets`` by the names of its kind.

    ``keep``: is given a secret that was exchanged for the next, by its name.
    """

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    resolve: Resolve = field(default=resolve, repr=False)
    keep: Callable[[str, str], None] = field(default=lambda _, __: None, repr=False)

    def says(self, switch: str) -> bool:
        """Whether a switch is on; one that is not set is off. NotUsable unless it is yes or no."""
        value = self.settings.get(switch, "no")
        if value not in ("yes", "no"):
            raise NotUsable(f"Set {switch} to yes or no.")
        return value == "yes"

    def door(self, within_s: float) -> Door:
        """The way out, for requests that may take so long each. NotUsable."""
        return Door(tls=self.tls, now=self.now, inside=self.says(INSIDE), resolve=self.resolve, within_s=within_s)

    def needed(self, name: str) -> str:
        """A setting. NotUsable."""
        if value := self.settings.get(name):
            return value
        raise NotUsable(f"Set {name}.")

    def secret(self, name: str) -> str:
        """NotUsable."""
        if value := self.secrets.get(name):
            return value
        raise NotUsable(f"Give the secret {name}.")

    def keys(self) -> Sequence[bytes]:
        """The signing secret, and the former one while the far side changes over. NotUsable."""
        former = self.secrets.get("former_secret")
        try:
            return [key_of(text) for text in (self.secret("secret"), former) if text]
        except BadSecret:
            raise NotUsable("Give a secret of whsec_ and at least 24 random octets in base64.") from None

    def may_be(self, url: str) -> bool:
        """Whether the address has a host, and https (or http inside), and nobody's password. NotUsable."""
        try:
            parts = urlsplit(url)
            is_whole = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:  # half a bracket, a port that is none
            return False
        return is_whole and (parts.scheme == "https" or (parts.scheme == "http" and self.says(INSIDE)))

    def address(self, name: str, default: str = "") -> str:
        """An https address, or http inside. NotUsable."""
        url = self.settings.get(name) or default
        if not self.may_be(url):
            raise NotUsable(
                f"Set {name} to an https:// address without a password in it (http:// only with inside=yes)."
            )
        return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Made, Listening]):
    """``settings``, ``secrets``: name → what it is. ``make``, ``listen``: NotUsable. No ``listen``: nothing comes back.

    ``draws``: a secret that we draw where none was given, and the far side is told.
    """

    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    make: Callable[[Given], Made]
    listen: Callable[[Given], Listening] | None = None
    draws: str | None = None


def kind_of(kinds: Mapping[str, Kind[Made, Listening]], name: str) -> Kind[Made, Listening]:
    """NotUsable where there is none of that name."""
    try:
        return kinds[name]
    except KeyError:
        raise NotUsable(f"There is no kind {name}: choose one of {', '.join(kinds)}.") from None


def check(name: str, kind: Kind[Any, Any], given: Given, common: Collection[str]) -> None:
    """NotUsable where something is given that the kind does not have. ``common``: settings of every kind."""
    for setting in given.settings:
        if setting not in kind.settings and setting not in common:
            raise NotUsable(f"{name} has no setting {setting}: it has {', '.join([*kind.settings, *common])}.")
    for secret in given.secrets:
        if secret not in kind.secrets:
            raise NotUsable(f"{name} has no secret {secret}: it has {', '.join(kind.secrets) or 'none'}.")
