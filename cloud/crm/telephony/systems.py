"""The kinds of telephone systems that there are, and what each needs to be told."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from cloud.crm.connectors.addresses import Resolve, resolve
from cloud.crm.connectors.bitrix24.pace import pace_of
from cloud.crm.connectors.door import Door
from cloud.crm.telephony.bitrix24 import EXCHANGE, Application, Bitrix24
from cloud.crm.telephony.port import ASK_WITHIN_S, Telephony
from cloud.crm.telephony.printing import Printing
from cloud.crm.telephony.webhook import Webhook, WebhookEars
from cloud.notifications.channels.signing import BadSecret, key_of

INSIDE: Final = "inside"
REGION: Final = "region"
COMMON: Final[Mapping[str, str]] = {
    INSIDE: "yes: it is in our own network, and may be reached without TLS",
    REGION: "the country of numbers without one, such as DK",
    "keep_days": "how many days it is kept where a recording is (90)",
}


class NotUsable(Exception):
    """Settings or secrets of which nothing can be made; the message says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a system has, and what is around it. ``keep``: is given a secret that was exchanged, by its name."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    keep: Callable[[str, str], None] = field(repr=False)
    resolve: Resolve = field(default=resolve, repr=False)

    @property
    def inside(self) -> bool:
        return self.settings.get(INSIDE) == "yes"

    def door(self) -> Door:
        """The way out."""
        return Door(tls=self.tls, now=self.now, inside=self.inside, resolve=self.resolve, within_s=ASK_WITHIN_S)

    def address(self, name: str, default: str = "") -> str:
        """An https address, or http inside. NotUsable."""
        url = self.settings.get(name) or default
        parts = urlsplit(url)
        if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and self.inside)):
            return url
        raise NotUsable(f"Set {name} to an https:// address (http:// only with inside=yes).")

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
        try:
            own = key_of(self.secret("secret"))
            former = self.secrets.get("former_secret")
            return [own, key_of(former)] if former else [own]
        except BadSecret:
            raise NotUsable("Give a secret of whsec_ and at least 24 random octets in base64.") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``settings``, ``secrets``: name → what it is. ``make``, ``ears``: NotUsable; no ``ears``: it tells us nothing.

    ``draws``: a secret that we draw where none was given, and the far side is told.
    """

    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    make: Callable[[Given], Telephony]
    ears: Callable[[Given], WebhookEars] | None = None
    draws: str | None = None


def _bitrix24(given: Given) -> Bitrix24:
    portal = given.address("portal").rstrip("/")
    return Bitrix24(
        door=given.door(),
        portal=portal,
        application=Application(
            client_id=given.needed("client_id"),
            client_secret=given.secret("client_secret"),
            refresh_token=given.secret("refresh_token"),
            exchange=given.address("exchange", EXCHANGE),
            keep=lambda token: given.keep("refresh_token", token),
        ),
        pace=pace_of(urlsplit(portal).netloc, "standard"),
        now=given.now,
        line=given.settings.get("line", ""),
        takes_recordings=given.settings.get("recordings") == "yes",
    )


KINDS: Final[Mapping[str, Kind]] = {
    "printing": Kind(settings={}, secrets={}, make=lambda _: Printing()),
    "webhook": Kind(
        settings={"url": "where to POST that a telephone should ring"},
        secrets={"secret": "whsec_ and base64", "former_secret": "while the far side changes over"},
        make=lambda given: Webhook(door=given.door(), url=given.address("url"), keys=given.keys(), now=given.now),
        ears=lambda given: WebhookEars(keys=given.keys(), region=given.settings.get(REGION)),
        draws="secret",
    ),
    "bitrix24": Kind(
        settings={
            "portal": "https://NAME.bitrix24.com",
            "client_id": "of a local application with the right telephony",
            "line": "a line of the portal's own telephony: it calls the employee, and then the number",
            "recordings": "yes: recordings may be copied into the portal",
            "exchange": "where tokens are exchanged, if not at the vendor's",
        },
        secrets={"client_secret": "of the application", "refresh_token": "of its installation"},
        make=_bitrix24,
    ),
}


def telephony(kind: str, given: Given) -> Telephony:
    """NotUsable."""
    return _known(kind, given).make(given)


def ears(kind: str, given: Given) -> WebhookEars | None:
    """NotUsable."""
    made = _known(kind, given).ears
    return made(given) if made is not None else None


def _known(name: str, given: Given) -> Kind:
    """NotUsable where there is no such kind, or something is set that means nothing."""
    kind = KINDS.get(name)
    if kind is None:
        raise NotUsable(f"There is no kind {name}: choose one of {', '.join(KINDS)}.")
    for word in given.settings:
        if word not in kind.settings and word not in COMMON:
            raise NotUsable(f"{name} has no setting {word}: it has {', '.join([*kind.settings, *COMMON])}.")
    for word in given.secrets:
        if word not in kind.secrets:
            raise NotUsable(f"{name} has no secret {word}: it has {', '.join(kind.secrets) or 'none'}.")
    region = given.settings.get(REGION)
    if region is not None and not (len(region) == 2 and region.isascii() and region.isupper()):
        raise NotUsable("Set region to two capital letters, such as DK.")
    days = given.settings.get("keep_days", "90")
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:5]) <= 3650):
        raise NotUsable("Set keep_days to a number of days, 1 to 3650.")
    return kind
