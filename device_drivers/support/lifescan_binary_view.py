"""What the frames of LifeScan's binary protocols say (``drivers/lifescan_ultramini.md``), whoever sends them.

A frame does not say what was asked, and some answers look alike: four octets are a clock's seconds or, to the question
for the unit, 0 (mg/dL) or 1 (mmol/L).
"""

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

from device_drivers.codecs import lifescan_ultramini, lifescan_verio_iq
from device_drivers.codecs.lifescan_ultramini import Control, Frame, Record, Version
from device_drivers.errors import CodecError
from device_drivers.support.rendering import Object, record

_STATES = {lifescan_ultramini.LOW: "below_range", lifescan_ultramini.HIGH: "above_range"}


class Messages(Protocol):
    """The messages of one family, as its codec has them."""

    READ_VERSION: bytes
    READ_SERIAL_NUMBER: bytes
    READ_CLOCK: bytes

    def decode_request(self, message: bytes) -> int | None: ...

    def decode_version(self, message: bytes) -> Version: ...

    def decode_serial_number(self, message: bytes) -> str: ...

    def decode_clock(self, message: bytes) -> datetime: ...

    def decode_count(self, message: bytes) -> int: ...

    def decode_record(self, message: bytes) -> Record: ...


def ultramini_frame(octets: bytes) -> Object:
    """One whole frame of an UltraMini or UltraEasy. CodecError, ChecksumError."""
    return _frame(octets, lifescan_ultramini)


def verio_iq_frame(octets: bytes) -> Object:
    """One whole frame of a Verio IQ. CodecError, ChecksumError."""
    return _frame(octets, lifescan_verio_iq)


def _frame(octets: bytes, wire: Messages) -> Object:
    found = lifescan_ultramini.decode_frame(octets)
    return {"length": len(octets), "link": _link(found), "crc": octets[-2:], **_message(found.payload, wire)}


def _link(found: Frame) -> Object:
    return {
        "send": int(Control.SEND in found.control),
        "expect": int(Control.EXPECT in found.control),
        "acknowledge": Control.ACKNOWLEDGE in found.control,
        "disconnect": Control.DISCONNECT in found.control,
        "more": Control.MORE in found.control,
    }


def _message(payload: bytes, wire: Messages) -> Object:
    """What a frame carries; an unknown message is given as it is."""
    if not payload:
        return {"message": None}
    if (index := wire.decode_request(payload)) is not None:
        return {"message": "read_record", "record_index": index}
    commands = {
        wire.READ_VERSION: "read_version",
        wire.READ_SERIAL_NUMBER: "read_serial_number",
        wire.READ_CLOCK: "read_clock",
    }
    return {"message": commands[payload]} if payload in commands else _answer(payload, wire)


def _answer(payload: bytes, wire: Messages) -> Object:
    """The first that fits; the lengths of the answers tell nearly all of them apart."""
    views: tuple[Callable[[bytes], Object], ...] = (
        lambda octets: {"message": "number_of_records", "number_of_records": wire.decode_count(octets)},
        lambda octets: {"message": "clock_or_unit", **_clock(wire.decode_clock(octets), octets)},
        lambda octets: {"message": "record", **_measured(wire.decode_record(octets))},
        lambda octets: {"message": "version", **record(wire.decode_version(octets))},
        lambda octets: {"message": "serial_number", "serial_number": wire.decode_serial_number(octets)},
    )
    for view in views:
        try:
            return view(payload)
        except CodecError:
            continue
    return {"message": "unknown", "payload": payload}


def _clock(local: datetime, payload: bytes) -> Object:
    """The wall clock, and the count of seconds as sent: the last four octets of the answer."""
    return {"local_time": local, "seconds": int.from_bytes(payload[-4:], "little")}


def _measured(found: Record) -> Object:
    measured = {name: value for name, value in record(found).items() if name != "epoch"}
    return {
        **measured,
        "value": None if found.value in _STATES else found.value,
        "unit": "mg/dL",
        "mmol_l": None if found.value in _STATES else _mmol_l(found.value),
        "state": _STATES.get(found.value, "measured"),
    }


def _mmol_l(mg_dl: int) -> Decimal:
    """As programs and displays show it, to one decimal: the meter itself sends mg/dL whatever its display shows."""
    return (Decimal(mg_dl) / 18).quantize(Decimal("0.1"), ROUND_HALF_UP)
