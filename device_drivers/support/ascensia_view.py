"""What an Ascensia Contour says: ASTM E1381 frames and control octets, ASTM E1394 records, HID reports around them."""

from device_drivers.codecs import ascensia_contour, ascensia_reports, astm_e1381
from device_drivers.codecs.astm_e1381 import Control
from device_drivers.errors import CodecError
from device_drivers.support.rendering import Object, failure, kind_of, timed

_STX = b"\x02"


def frame(octets: bytes) -> Object:
    """One whole frame, or control octets alone. CodecError, ChecksumError."""
    octets = _stream(octets)
    if octets and all(octet in Control.__members__.values() for octet in octets):
        return {"controls": [Control(octet) for octet in octets]}
    found = astm_e1381.decode(octets)
    return {
        "frame_number": found.number,
        "terminator": "ETX" if found.last else "ETB",
        "checksum": octets[-4:-2].decode("ascii"),
        "text": found.text,
    }


def contour(octets: bytes) -> Object:
    """A record as text, or a frame with the record in it; a frame without one is given with the reason."""
    octets = _stream(octets)
    if not octets.startswith(_STX):
        return _record(octets) if octets[:1].isalpha() else frame(octets)
    outside = frame(octets)
    try:
        return outside | _record(octets)
    except CodecError as error:
        return outside | {"record": None, "record_error": failure(error)["error"]}


def _record(octets: bytes) -> Object:
    found = ascensia_contour.decode(octets)
    return {"record": kind_of(found), **timed(found)}


def _stream(octets: bytes) -> bytes:
    """What HID reports carry, where it is reports that are given."""
    length = ascensia_reports.LENGTH
    if not octets.startswith(ascensia_reports.PREFIX) or len(octets) < len(ascensia_reports.PREFIX) + 1:
        return octets
    reports = [octets[start : start + length] for start in range(0, len(octets), length)]
    return b"".join(map(ascensia_reports.decode, reports))
