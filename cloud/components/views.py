"""Our own side as HTML: the same words in a page and in the live stream."""

from cloud.components.models import OwnSide
from cloud.console.pages import fragment


def html(own_side: OwnSide) -> str:
    """What does not work and what does; empty while everything does."""
    return fragment("own_side.html", own_side=own_side).strip()
