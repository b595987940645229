"""Current Elapsed Time (0x2BF2) of the Elapsed Time Service 1.0; decoding only, no device of ours has it.

Flags uint8 (bit 0 tick counter, 1 UTC, 2-3 resolution, 4 zone and daylight saving used, 5 current timeline), time value
uint48 since 2000-01-01 (of a tick counter: since it started), sync source uint8, offset sint8 in quarter hours, clock
status uint8 (bit 0 the clock needs to be set), clock capabilities uint8.
Source: Bluetooth GATT Specification Supplement, "Elapsed Time" and "Current Elapsed Time".
"""

from dataclasses import dataclass
from decimal import Decimal

from device_drivers.codecs.octets import Octets, as_sint

SYNC_SOURCES = {
    0: "unknown",
    1: "network_time_protocol",
    2: "gps",
    3: "radio_time_signal",
    4: "manual",
    5: "atomic_clock",
    6: "cellular_network",
    7: "none",
}
_RESOLUTIONS_S = (Decimal(1), Decimal("0.1"), Decimal("0.001"), Decimal("0.0001"))
_TICK_COUNTER, _UTC, _ZONE_USED, _CURRENT_TIMELINE = 0x01, 0x02, 0x10, 0x20
_NEEDS_SET = 0x01


@dataclass(frozen=True, slots=True, kw_only=True)
class ElapsedTime:
    """The clock as sent; ``value`` counts steps of ``resolution_s``."""

    value: int
    resolution_s: Decimal
    is_tick_counter: bool
    is_utc: bool
    uses_zone: bool
    is_current_timeline: bool
    sync_source: int
    offset_quarter_hours: int
    needs_set: bool
    capabilities: int


def decode_elapsed_time(data: bytes) -> ElapsedTime:
    """Total: the clock, or CodecError at the field that is cut. Octets beyond are ignored."""
    octets = Octets("elapsed_time", data)
    flags = octets.uint8("flags")
    return ElapsedTime(
        is_tick_counter=bool(flags & _TICK_COUNTER),
        is_utc=bool(flags & _UTC),
        resolution_s=_RESOLUTIONS_S[flags >> 2 & 0b11],
        uses_zone=bool(flags & _ZONE_USED),
        is_current_timeline=bool(flags & _CURRENT_TIMELINE),
        value=int.from_bytes(octets.take(6, "time value"), "little"),
        sync_source=octets.uint8("sync source"),
        offset_quarter_hours=as_sint(octets.uint8("offset"), 8),
        needs_set=bool(octets.uint8("clock status") & _NEEDS_SET),
        capabilities=octets.uint8("clock capabilities"),
    )
