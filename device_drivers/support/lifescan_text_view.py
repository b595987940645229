"""What a line of LifeScan's Ultra meters says (``drivers/lifescan_ultra.md``), and the checksum it stands under."""

from device_drivers.codecs import lifescan_ultra
from device_drivers.support.rendering import Object, kind_of, timed


def line(octets: bytes) -> Object:
    """One line of the meter, with or without its line end. CodecError, ChecksumError."""
    found = lifescan_ultra.decode(octets)
    checksum = octets.rstrip(b"\r\n")[-4:].decode("ascii")
    return {"record": kind_of(found), **timed(found), "checksum": checksum, "checksum_ok": True}
