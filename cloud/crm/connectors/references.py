"""What of a reference stands in brackets where people read it, and by which it is found again."""

from typing import Final

SHORT: Final = 8


def short(reference: str) -> str:
    """As titles end with it (cloud/crm/outbox/words): its first signs."""
    return _plain(reference)[:SHORT]


def short_of_event(reference: str) -> str:
    """Of a note, whose reference is its event's: those begin with the time, and end with what only they have."""
    return _plain(reference)[-SHORT:]


def titled(text: str, mark: str) -> str:
    """The text with the mark in brackets at its end, once."""
    return text if f"[{mark}]" in text else f"{text} [{mark}]"


def _plain(reference: str) -> str:
    return "".join(sign for sign in reference if sign.isalnum()).upper()
