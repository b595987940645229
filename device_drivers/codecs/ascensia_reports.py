"""The USB Contour meters' HID reports: a byte stream in pieces. Wire page: ``drivers/ascensia_contour.md``.

64 octets each way: ``ABC``, a count, so many octets of the stream, padding. A count of 60 does not mean that more
follows: where a message ends, its own framing says. Total: every byte string gives a value or a CodecError.
"""

from device_drivers.errors import CodecError

FORMAT = "ascensia-reports"

PREFIX = b"ABC"
LENGTH = 64
MOST = LENGTH - len(PREFIX) - 1


def encode(octets: bytes) -> list[bytes]:
    """The reports that carry these octets."""
    pieces = [octets[start : start + MOST] for start in range(0, len(octets), MOST)]
    return [(PREFIX + bytes([len(piece)]) + piece).ljust(LENGTH, b"\0") for piece in pieces]


def decode(octets: bytes) -> bytes:
    """The octets that one report carries. CodecError."""
    if not octets.startswith(PREFIX):
        raise CodecError(FORMAT, "a report begins with ABC", octets, 0)
    if len(octets) < len(PREFIX) + 1 or octets[3] > min(MOST, len(octets) - 4):
        raise CodecError(FORMAT, "the count is beyond the report", octets, 3)
    return octets[4 : 4 + octets[3]]
