"""QR codes, drawn to stand in a page: black on white on any ground, without style or script."""

import segno
from markupsafe import Markup


def svg(text: str) -> Markup:
    """The text as SVG; some of its squares (level M: 15 %) may be unreadable on paper or behind glare."""
    picture = segno.make(text, error="m", micro=False)
    return Markup(picture.svg_inline(scale=5, border=4, dark="#000", light="#fff", svgclass="qr", omitsize=True))  # noqa: S704
