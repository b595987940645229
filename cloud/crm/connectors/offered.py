"""The kinds of outside CRMs that there are, and what each needs to be told."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cloud.crm.connectors.bitrix24.connector import Bitrix24
from cloud.crm.connectors.bitrix24.outgoing import Bitrix24Listener
from cloud.crm.connectors.bitrix24.pace import PLANS, pace_of
from cloud.crm.connectors.bottlecrm import BottleCrm
from cloud.crm.connectors.fhir import Fhir
from cloud.crm.connectors.given import INSIDE, Given, Kind, NotUsable, check, kind_of
from cloud.crm.connectors.printing import Printing
from cloud.crm.connectors.webhook import Webhook, WebhookListener
from cloud.crm.port import CALL_WITHIN_S, Connector, Listener
from cloud.language.languages import LANGUAGES

# What may be said of any destination, beside what its kind needs: "yes" or nothing.
SWITCHES: Final[Mapping[str, str]] = {
    INSIDE: "yes: it is in our own network, and may be reached without TLS",
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


def _webhook(given: Given) -> Webhook:
    return Webhook(door=given.door(CALL_WITHIN_S), url=given.address("url"), keys=given.keys(), now=given.now)


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
        door=given.door(CALL_WITHIN_S),
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


KINDS: Final[Mapping[str, Kind[Connector, Listener]]] = {
    "printing": Kind(settings={}, secrets={}, make=lambda _: Printing()),
    "webhook": Kind(
        settings={"url": "where to POST"},
        secrets={"secret": "whsec_ and base64", "former_secret": "while the far side changes over"},
        make=_webhook,
        listen=lambda given: WebhookListener(keys=given.keys()),
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
            door=given.door(CALL_WITHIN_S / MOST_OF_FHIR),
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
            door=given.door(CALL_WITHIN_S / MOST_OF_BOTTLECRM),
            url=given.address("url").rstrip("/"),
            token=given.secret("token"),
            now=given.now,
            zone=_zone(given.settings.get("zone") or "UTC"),
        ),
    ),
}


def connector(kind: str, given: Given) -> Connector:
    """NotUsable."""
    return _known(kind, given).make(given)


def listener(kind: str, given: Given) -> Listener | None:
    """NotUsable."""
    listen = _known(kind, given).listen
    return listen(given) if listen is not None else None


def _known(name: str, given: Given) -> Kind[Connector, Listener]:
    """NotUsable where there is no such kind, or something is set that means nothing."""
    kind = kind_of(KINDS, name)
    check(name, kind, given, [*SWITCHES, LANGUAGE])
    for switch in SWITCHES:
        given.says(switch)
    if given.settings.get(LANGUAGE, "en") not in LANGUAGES:
        raise NotUsable(f"Set {LANGUAGE} to one of {', '.join(LANGUAGES)}.")
    return kind
