"""Our own side as HTML: the same words in a page and in the live stream."""

from cloud.components.models import OurSide
from cloud.console.pages import fragment
from cloud.language.languages import ENGLISH


def html(our_side: OurSide, language: str | None) -> str:
    """What does not work and what does, in this language; empty while everything does."""
    return fragment("our_side.html", language=language or ENGLISH, our_side=our_side).strip()
