"""Our own side as HTML: the same words in a page and in the live stream."""

from cloud.components.models import OurSide
from cloud.console.pages import fragment


def html(our_side: OurSide) -> str:
    """What does not work and what does; empty while everything does."""
    return fragment("our_side.html", our_side=our_side).strip()
