"""Telephone numbers: E.164 where they are stored, as people write them where they are read. Pure."""

from collections.abc import Iterable
from typing import Final

import phonenumbers
from babel.core import get_global
from phonenumbers import NumberParseException, PhoneNumberFormat

LONGEST: Final = 40
_FROM_ABROAD: Final = "00"


def region_of(zone: str) -> str | None:
    """The country of an IANA zone, ISO 3166-1; None where there is none, as for UTC."""
    region = get_global("zone_territories").get(zone)
    # CLDR has numbers for parts of the world, such as 001.
    return region if region and region.isalpha() else None


def e164(text: str, region: str | None) -> str | None:
    """The number, in any usual way: ``+45 20 12 34 56``, ``0045…``, or as within ``region``. None: it is none."""
    text = text.strip()
    if not text or len(text) > LONGEST:
        return None
    if text.startswith(_FROM_ABROAD):
        text = f"+{text[2:].lstrip()}"
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def candidates(text: str, regions: Iterable[str | None]) -> list[str]:
    """All that a number may mean that was typed without its country, each once."""
    found = (e164(text, region) for region in regions)
    return list(dict.fromkeys(number for number in found if number))


def said(number: str) -> str:
    """``+45 20 12 34 56``; whatever else is stored, as it is."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return number
