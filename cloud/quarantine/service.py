"""Making a payload readable without changing it."""

from typing import Final

import msgspec

OCTETS_A_LINE: Final = 16


def readable(payload: bytes) -> str:
    """JSON is indented, other text shown as it is, anything else as a hex dump: never an error."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return hex_dump(payload)
    if any(ord(character) < 32 and character not in "\r\n\t" for character in text):
        return hex_dump(payload)
    try:
        return msgspec.json.format(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def hex_dump(payload: bytes) -> str:
    """Offset, octets and printable ASCII, sixteen a line."""
    return "\n".join(
        _line(offset, payload[offset : offset + OCTETS_A_LINE]) for offset in range(0, len(payload), OCTETS_A_LINE)
    )


def _line(offset: int, octets: bytes) -> str:
    printable = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in octets)
    return f"{offset:08x}  {octets.hex(' '):<47}  {printable}"
