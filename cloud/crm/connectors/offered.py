"""The kinds of outside CRMs that there are, and what each needs to be told."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cloud.crm.connectors.addresses import Resolve, resolve
from cloud.crm.connectors.bitrix24.connector import Bitrix24
from cloud.crm.connectors.bitrix24.outgoing import Bitrix24Listener
from cloud.crm.connectors.bitrix24.pace import PLANS, pace_of
from cloud.crm.connectors.bottlecrm import BottleCrm
from cloud.crm.connectors.door import Door
from cloud.crm.connectors.fhir import Fhir
from cloud.crm.connectors.printing import Printing
from cloud.crm.connectors.webhook import Webhook, WebhookListener
from cloud.crm.port import CALL_WITHIN_S, Connector, Listener
from cloud.language.languages import LANGUAGES
from cloud.notifications.channels.signing import BadSecret, key_of

# What may be said of any destination, beside what its kind needs: "yes" or nothing.
SWITCHES: Final[Mapping[str, str]] = {
    "inside": "yes: it is in our own network, and may be reached without TLS",
    "values": "yes: the sentence of a case leaves, with its figures",
    "names": "yes: patients' names leave",
    "phones": "yes: patients' telephone numbers leave",
    "surveys": "yes: what patients answer to surveys leaves; who reads it there knows whose it is",
}


# And in which language: titles, and what stands on timelines.
LANGUAGE: Final = "language"
# How often one verb of theirs asks at the most: each request has its part of what a verb may take.
MOST_OF_FHIR: Final = 3
MOST_OF_BOTTLECRM: Final = 5


class NotUsable(Exception):
    """Settings or secrets of which no connector can be made; the message says what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a destination has, and what is around it. ``settings`` and ``secrets`` by the names of its kind."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    resolve: Resolve = field(default=resolve, repr=False)

    def says(self, switch: str) -> bool:
        """Whether one of SWITCHES is set."""
        return self.settings.get(switch) == "yes"

    def door(self, requests: int = 1) -> Door:
        """The way out for this destination, of whose verbs each asks that often at the most."""
        within_s = CALL_WITHIN_S / requests
        return Door(tls=self.tls, now=self.now, inside=self.says("inside"), resolve=self.resolve, within_s=within_s)

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

    def may_be(self, url: str) -> bool:
        """Whether the address has a host, and https (or http inside), and nobody's password."""
        try:
            parts = urlsplit(url)
            is_whole = bool(parts.hostname) and (parts.port or 1) > 0 and "@" not in parts.netloc
        except ValueError:  # half a bracket, a port that is none
            return False
        return is_whole and (parts.scheme == "https" or (parts.scheme == "http" and self.says("inside")))

    def address(self, name: str) -> str:
        """An https address, or http inside. NotUsable."""
        url = self.needed(name)
        if not self.may_be(url):
            raise NotUsable(
                f"Set {name} to an https:// address without a password in it (http:// only with inside=yes)."
            )
        return url


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """``settings``, ``secrets``: name → what it is. ``make``, ``listen``: NotUsable. No ``listen``: nothing comes back.

    ``draws``: a secret that we draw where none was given, and the far side is told.
    """

    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    make: Callable[[Given], Connector]
    listen: Callable[[Given], Listener] | None = None
    draws: str | None = None


def _webhook(given: Given) -> Webhook:
    return Webhook(door=given.door(), url=given.address("url"), keys=_keys(given), now=given.now)


def _keys(given: Given) -> Sequence[bytes]:
    """The secret, and the former one while the far side changes over. NotUsable."""
    try:
        return [key_of(text) for name in ("secret", "former_secret") if (text := given.secrets.get(name))] or [
            key_of(given.secret("secret"))
        ]
    except BadSecret:
        raise NotUsable("Give a secret of whsec_ and at least 24 random octets in base64.") from None


def _bitrix24(given: Given) -> Bitrix24:
    """NotUsable."""
    url = given.secret("url")
    parts = urlsplit(url) if given.may_be(url) else urlsplit("")
    words = [word for word in parts.path.split("/") if word]
    if len(words) != 3 or words[0] != "rest" or not words[1].isdigit() or parts.query:
        raise NotUsable("Give the secret url as Bitrix24 shows it: https://PORTAL/rest/NUMBER/SECRET/.")
    responsible, plan = given.needed("responsible"), given.settings.get("plan") or "standard"
    if not (responsible.isascii() and responsible.isdigit()):
        raise NotUsable("Set responsible to the number of an employee in Bitrix24.")
    if plan not in PLANS:
        raise NotUsable(f"Set plan to one of {', '.join(PLANS)}.")
    return Bitrix24(
        door=given.door(),
        url=f"{url.rstrip('/')}/",
        responsible=int(responsible),
        pace=pace_of(parts.netloc, plan),
        now=given.now,
        language=given.settings.get(LANGUAGE, "en"),
    )


def _zone(name: str) -> ZoneInfo:
    """NotUsable."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise NotUsable("Set zone to a name of the IANA, such as Europe/Madrid.") from None


KINDS: Final[Mapping[str, Kind]] = {
    "printing": Kind(settings={}, secrets={}, make=lambda _: Printing()),
    "webhook": Kind(
        settings={"url": "where to POST"},
        secrets={"secret": "whsec_ and base64", "former_secret": "while the far side changes over"},
        make=_webhook,
        listen=lambda given: WebhookListener(keys=_keys(given)),
        draws="secret",
    ),
    "bitrix24": Kind(
        settings={
            "responsible": "the number of the employee who gets what we add",
            "plan": f"one of {', '.join(PLANS)}: how fast it may be asked",
        },
        secrets={
            "url": "the address of the incoming webhook, with the rights crm and task",
            "application_token": "of the outgoing webhook, where there is one",
        },
        make=_bitrix24,
        listen=lambda given: Bitrix24Listener(token=given.secret("application_token")),
    ),
    "fhir": Kind(
        settings={"url": "the base of a FHIR R4 server"},
        secrets={"token": "of a bearer who may read Patient, and write Task and Communication"},
        make=lambda given: Fhir(
            door=given.door(MOST_OF_FHIR),
            url=given.address("url").rstrip("/"),
            token=given.secret("token"),
            now=given.now,
        ),
    ),
    "bottlecrm": Kind(
        settings={
            "url": "where it answers, without /api",
            "zone": "in which its people count days, such as Europe/Madrid; else UTC",
        },
        secrets={"token": "a personal access token of an account that sees all contacts"},
        make=lambda given: BottleCrm(
            door=given.door(MOST_OF_BOTTLECRM),
            url=given.address("url").rstrip("/"),
            token=given.secret("token"),
            now=given.now,
            zone=_zone(given.settings.get("zone") or "UTC"),
        ),
    ),
}


def connector(kind: str, given: Given) -> Connector:
    """NotUsable."""
    return _kind(kind).make(_known(kind, given))


def listener(kind: str, given: Given) -> Listener | None:
    """NotUsable."""
    listen = _kind(kind).listen
    return listen(_known(kind, given)) if listen is not None else None


def _kind(name: str) -> Kind:
    try:
        return KINDS[name]
    except KeyError:
        raise NotUsable(f"There is no kind {name}: choose one of {', '.join(KINDS)}.") from None


def _known(kind: str, given: Given) -> Given:
    """NotUsable where something is set that means nothing."""
    known = KINDS[kind]
    for name, value in given.settings.items():
        if name not in known.settings and name not in SWITCHES and name != LANGUAGE:
            every = [*known.settings, *SWITCHES, LANGUAGE]
            raise NotUsable(f"{kind} has no setting {name}: it has {', '.join(every)}.")
        if name == LANGUAGE and value not in LANGUAGES:
            raise NotUsable(f"Set {LANGUAGE} to one of {', '.join(LANGUAGES)}.")
        if name in SWITCHES and value not in ("yes", "no"):
            raise NotUsable(f"Set {name} to yes or no.")
    for name in given.secrets:
        if name not in known.secrets:
            raise NotUsable(f"{kind} has no secret {name}: it has {', '.join(known.secrets) or 'none'}.")
    return given
