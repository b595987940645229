"""The clock of i-SENS meters: a characteristic (0xFFF1) of their own service (0xFFF0) that can be written, not read.

``c0 03 01 00`` and a Date Time: 11 octets; NightscoutFoundation/xDrip (TimeTx and its test) writes them twice.
No driver of ours sets a clock: this is for recognising the octets, and for the simulator.
"""

from device_drivers.codecs.date_time import DateTime, encode_date_time, read_date_time
from device_drivers.codecs.octets import Octets

_SET_CLOCK = bytes.fromhex("c0030100")


def decode_isens_clock(data: bytes) -> DateTime:
    """One command to set the clock. CodecError."""
    octets = Octets("isens_clock", data)
    if octets.take(len(_SET_CLOCK), "command") != _SET_CLOCK:
        raise octets.error("no command to set the clock", offset=0)
    return read_date_time(octets, "date time")


def encode_isens_clock(value: DateTime) -> bytes:
    """The command's 11 octets."""
    return _SET_CLOCK + encode_date_time(value)
