"""What TaiDoc's frames say (``drivers/taidoc_51.md``), whoever sends them.

A value's octets mean one thing on a glucose meter and another on a cuff, and the frame does not say which: all
readings of them are given.
"""

from device_drivers.codecs import taidoc_51 as wire
from device_drivers.codecs.taidoc_51 import Command, Direction, Frame
from device_drivers.errors import CodecError
from device_drivers.support.rendering import Object, record


def frame(octets: bytes) -> Object:
    """One whole frame of 8 octets. CodecError, ChecksumError."""
    found = wire.decode_frame(octets)
    known = found.command in Command.__members__.values()
    return {
        "command": f"{found.command:02x}",
        "command_name": Command(found.command) if known else "unknown",
        "direction": found.direction,
        "data": found.data,
        **(_asked(found) if found.direction is Direction.HOST else _answered(found)),
    }


def date_time(octets: bytes) -> Object:
    """The four octets of a date and time. CodecError."""
    stamp = record(wire.decode_stamp(octets))
    return {"local_time": stamp.pop("local_time"), "local_time_as_sent": stamp.pop("text"), **stamp}


def _asked(found: Frame) -> Object:
    match found.command:
        case Command.RECORD_TIME | Command.RECORD_VALUE:
            index, user = wire.decode_selection(found.data)
            return {"record_index": index, "user": user}
        case Command.COUNT:
            return {"user": found.data[0]}
        case _:
            return {}


def _answered(found: Frame) -> Object:
    match found.command:
        case Command.READ_MODEL:
            return {"model": _model(found.data)}
        case Command.READ_CLOCK | Command.RECORD_TIME:
            return date_time(found.data)
        case Command.RECORD_VALUE:
            return _value(found.data)
        case Command.COUNT:
            return {"number_of_records": wire.decode_count(found.data)}
        case Command.SERIAL_FORMER | Command.SERIAL_LATER:
            return {"serial_number_half": wire.decode_serial_half(found.data)}
        case _:
            return {}


def _model(data: bytes) -> str | None:
    try:
        return wire.decode_model(data)
    except CodecError:
        return None


def _value(data: bytes) -> Object:
    return {
        "as_glucose": record(wire.decode_glucose(data)),
        "as_pressure": record(wire.decode_pressure(data, with_mean=False)),
        "as_pressure_with_mean": record(wire.decode_pressure(data, with_mean=True)),
    }
