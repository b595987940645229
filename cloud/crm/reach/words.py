"""What leaves the house: that there is something, and where. The same for all, so that it says nothing of anybody.

A clinic may have words of its own, in each language: with one place for the link, and none for anything of a patient.
"""

from typing import Final

from cloud.crm.reach.models import OwnWords
from cloud.language.words import words_of

LINK: Final = "{link}"


def subject(language: str, own: OwnWords | None = None) -> str:
    """Of an e-mail."""
    return own.subject if own else words_of(language).gettext("There is something for you")


def body(language: str) -> str:
    """Ours, with its place for the link."""
    return words_of(language).gettext("There is something for you: {link}")


def text(language: str, link: str, own: OwnWords | None = None) -> str:
    """``There is something for you: https://…``."""
    return (own.body if own else body(language)).replace(LINK, link)
