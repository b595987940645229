"""The kinds of telephone systems that there are, and what each needs to be told."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from cloud.crm.connectors.bitrix24.pace import pace_of
from cloud.crm.connectors.given import INSIDE, Given, Kind, NotUsable, check, kind_of
from cloud.crm.telephony.bitrix24 import EXCHANGE, Application, Bitrix24
from cloud.crm.telephony.port import ASK_WITHIN_S, Telephony
from cloud.crm.telephony.printing import Printing
from cloud.crm.telephony.webhook import Webhook, WebhookEars

REGION: Final = "region"
KEEP_DAYS: Final = "keep_days"
COMMON: Final[Mapping[str, str]] = {
    INSIDE: "yes: it is in our own network, and may be reached without TLS",
    REGION: "the country of numbers without one, such as DK",
    KEEP_DAYS: "how many days it is kept where a recording is (90)",
}


def _bitrix24(given: Given) -> Bitrix24:
    portal = given.address("portal").rstrip("/")
    return Bitrix24(
        door=given.door(ASK_WITHIN_S),
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
        takes_recordings=given.says("recordings"),
    )


KINDS: Final[Mapping[str, Kind[Telephony, WebhookEars]]] = {
    "printing": Kind(settings={}, secrets={}, make=lambda _: Printing()),
    "webhook": Kind(
        settings={"url": "where to POST that a telephone should ring"},
        secrets={"secret": "whsec_ and base64", "former_secret": "while the far side changes over"},
        make=lambda given: Webhook(
            door=given.door(ASK_WITHIN_S), url=given.address("url"), keys=given.keys(), now=given.now
        ),
        listen=lambda given: WebhookEars(keys=given.keys(), region=given.settings.get(REGION)),
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
    listen = _known(kind, given).listen
    return listen(given) if listen is not None else None


def _known(name: str, given: Given) -> Kind[Telephony, WebhookEars]:
    """NotUsable where there is no such kind, or something is set that means nothing."""
    kind = kind_of(KINDS, name)
    check(name, kind, given, COMMON)
    given.says(INSIDE)
    region = given.settings.get(REGION)
    if region is not None and not (len(region) == 2 and region.isascii() and region.isupper()):
        raise NotUsable("Set region to two capital letters, such as DK.")
    keeps_for(given.settings)
    return kind


def keeps_for(settings: Mapping[str, str]) -> timedelta:
    """How long it is kept where a recording is. NotUsable."""
    days = settings.get(KEEP_DAYS, "90")
    if not (days.isascii() and days.isdigit() and len(days) <= 4 and 1 <= int(days) <= 3650):
        raise NotUsable(f"Set {KEEP_DAYS} to a number of days, 1 to 3650.")
    return timedelta(days=int(days))
