"""What the frames of LifeScan's binary protocol say (``drivers/lifescan_ultramini.md``), whoever sends them.

A frame alone does not say what was asked, and some answers look alike: four octets are a clock's seconds or, to the
question for the unit, 0 (mg/dL) or 1 (mmol/L).
"""

from collections.abc import Callable

from device_drivers.codecs import lifescan_ultramini as wire
from device_drivers.codecs.lifescan_ultramini import Control, Frame, Record
from device_drivers.errors import CodecError
from device_drivers.support.rendering import Object, record

_STATES = {wire.LOW: "below_range", wire.HIGH: "above_range"}
_COMMANDS = {
    wire.READ_VERSION: "read_version",
    wire.READ_SERIAL_NUMBER: "read_serial_number",
    wire.READ_CLOCK: "read_clock",
}


def frame(octets: bytes) -> Object:
    """One whole frame. CodecError, ChecksumError."""
    found = wire.decode_frame(octets)
    return {"length": len(octets), "link": _link(found), "crc": octets[-2:], **message(found.payload)}


def message(payload: bytes) -> Object:
    """What a frame carries; an unknown message is given as it is."""
    if not payload:
        return {"message": None}
    if (index := wire.decode_request(payload)) is not None:
        return {"message": "read_record", "record_index": index}
    if payload in _COMMANDS:
        return {"message": _COMMANDS[payload]}
    for view in _ANSWERS:
        try:
            return view(payload)
        except CodecError:
            continue
    return {"message": "unknown", "payload": payload}


def _link(found: Frame) -> Object:
    return {
        "send": int(Control.SEND in found.control),
        "expect": int(Control.EXPECT in found.control),
        "acknowledge": Control.ACKNOWLEDGE in found.control,
        "disconnect": Control.DISCONNECT in found.control,
        "more": Control.MORE in found.control,
    }


def _version(payload: bytes) -> Object:
    return {"message": "version", **record(wire.decode_version(payload))}


def _count(payload: bytes) -> Object:
    return {"message": "number_of_records", "number_of_records": wire.decode_count(payload)}


def _record(payload: bytes) -> Object:
    found = wire.decode_record(payload)
    return {"message": "record", "seconds": found.seconds, "local_time": found.local, **_value(found)}


def _value(found: Record) -> Object:
    state = _STATES.get(found.value, "measured")
    return {"value": found.value if found.value not in _STATES else None, "unit": "mg/dL", "state": state}


def _serial_number(payload: bytes) -> Object:
    return {"message": "serial_number", "serial_number": wire.decode_serial_number(payload)}


def _clock(payload: bytes) -> Object:
    local = wire.decode_clock(payload)
    return {"message": "clock_or_unit", "seconds": wire.seconds_of(local), "local_time": local}


_ANSWERS: tuple[Callable[[bytes], Object], ...] = (_version, _count, _record, _serial_number, _clock)
