"""What kind of file a scan is, by what it holds: its name and what a browser says of it prove nothing. Pure.

Whether somebody put something harmful into it is not looked for: no virus scanner is part of this. A scan is given out
as a file to be saved, never shown within a page.
"""

from typing import Final

# A page in colour at 300 dpi is 1 to 3 MB; a consent has four (a proposal).
LARGEST: Final = 10 * 1024 * 1024
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
ENDINGS: Final = {PDF: "pdf", JPEG: "jpg", PNG: "png"}
# Programs put a few lines behind the end of a PDF.
_TAIL: Final = 1024


def media_type(octets: bytes) -> str | None:
    """PDF, JPEG or PNG, whole from its first signs to its end; None: none of these, or cut off."""
    tail = octets[-_TAIL:]
    if octets.startswith(b"%PDF-") and b"%%EOF" in tail:
        return PDF
    if octets.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in tail:
        return JPEG
    if octets.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and b"IEND\xaeB`\x82" in tail:
        return PNG
    return None
