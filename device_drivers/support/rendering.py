"""Values as JSON that people and programs can read.

A number is a JSON number with exactly the digits that were sent (0.00119, 30.0); what is no number is an object with
IEEE 11073's name for it (``{"special": "NaN"}``). Octets are hex, times ISO 8601, an enumeration's member is its name
in lower case, flags are a list of names. A record is an object with the names of its fields, and of what is derived
from them.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, Flag
from functools import cached_property

import msgspec

from device_drivers.codecs.sfloat import Special
from device_drivers.errors import ChecksumError, CodecError

Object = dict[str, object]

SPECIALS = {
    Special.NOT_A_NUMBER: "NaN",
    Special.NOT_AT_THIS_RESOLUTION: "NRes",
    Special.POSITIVE_INFINITY: "+INFINITY",
    Special.NEGATIVE_INFINITY: "-INFINITY",
    Special.RESERVED: "RFU",
}

# A device's wall clock is called the same everywhere.
_SPELT = {"local": "local_time"}
_ENCODER = msgspec.json.Encoder(decimal_format="number")
# The largest whole number that the encoder writes out; larger ones keep their power of ten (2047E+7).
_LARGEST = 2**63 - 1


def plain(value: object) -> object:
    """As JSON knows it: objects, lists, texts, numbers, true, false, null. TypeError for a type of no record."""
    match value:
        case Special() | Flag() | Enum():
            return _named(value)
        case None | bool() | int() | float() | str():
            return value
        case Decimal():
            return number(value)
        case bytes() | bytearray():
            return value.hex()
        case date():
            return value.isoformat()
        case CodecError():
            return failure(value)
        case Mapping():
            return {str(plain(key)): plain(inner) for key, inner in value.items()}
        case Iterable():
            return [plain(inner) for inner in value]
        case _:
            return record(value)


def _named(value: Enum) -> object:
    match value:
        case Special():
            return {"special": SPECIALS[value]}
        case Flag():
            return [str(member.name).lower() for member in value]
        case _:
            return value.value if isinstance(value, str) else value.name.lower()


def record(value: object) -> Object:
    """A record's fields and properties. TypeError where it is none."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} is no record")
    names = [field.name for field in fields(value) if not field.name.startswith("_")]
    derived = [
        name
        for kind in reversed(type(value).__mro__)
        for name, member in vars(kind).items()
        if isinstance(member, property | cached_property) and not name.startswith("_")
    ]
    return {_SPELT.get(name, name): plain(getattr(value, name)) for name in [*names, *derived]}


def timed(value: object) -> Object:
    """A record; where it has a ``stamp`` of its own, that is a time like every other."""
    view = record(value)
    stamp = view.pop("stamp", None)
    if not isinstance(stamp, dict):
        return view
    local, text = stamp.pop("local_time", None), stamp.pop("text", None)
    return {"local_time": local, "local_time_as_sent": text, **view, **stamp}


def kind_of(value: object) -> str:
    """The name of a record's type, in snake_case."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(value).__name__).lower()


def number(value: Decimal) -> int | Decimal:
    """Whole numbers without a power of ten, others with the decimals that were sent."""
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and exponent >= 0 and abs(value) <= _LARGEST else value


def failure(error: CodecError) -> Object:
    """Where and why octets could not be understood; ``checksum_ok`` false where they were damaged on the way."""
    return {
        "error": f"{error.reason} at octet {error.offset} of {len(error.octets)}",
        "format": error.format,
        "offset": error.offset,
        "octets": error.octets.hex(),
        **({"checksum_ok": False} if isinstance(error, ChecksumError) else {}),
    }


def as_json(message: object) -> bytes:
    """One line without its end."""
    return _ENCODER.encode(plain(message))


def say(message: object) -> None:
    """One JSON line on standard output, at once."""
    sys.stdout.write(as_json(message).decode() + "\n")
    sys.stdout.flush()
