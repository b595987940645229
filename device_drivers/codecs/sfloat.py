"""IEEE 11073-20601 SFLOAT-Type (16 bit) and FLOAT-Type (32 bit): decimal floating point.

SFLOAT is a 4-bit exponent above a 12-bit mantissa, FLOAT an 8-bit exponent above a 24-bit mantissa, both two's
complement; the value is mantissa · 10^exponent. The exponent also says how precise the figure is (2 · 10^0 is not
20 · 10^-1), which is why a Decimal with that exponent comes out and never a float. The five special values are
special **only with exponent 0**: 0x77FF is 2047 · 10^7. Source: HL7 PHD IG 2.0, "MDER FLOATs and SFLOATs".
"""

from decimal import Decimal
from enum import StrEnum

from device_drivers.codecs.octets import Octets, as_sint
from device_drivers.errors import CodecError


class Special(StrEnum):
    """What a float is when it is not a number."""

    NOT_A_NUMBER = "not_a_number"
    NOT_AT_THIS_RESOLUTION = "not_at_this_resolution"
    POSITIVE_INFINITY = "positive_infinity"
    NEGATIVE_INFINITY = "negative_infinity"
    RESERVED = "reserved"


Figure = Decimal | Special

_SFLOAT_MANTISSA_BITS, _SFLOAT_EXPONENT_BITS = 12, 4
_FLOAT_MANTISSA_BITS, _FLOAT_EXPONENT_BITS = 24, 8


def _specials(mantissa_bits: int) -> dict[int, Special]:
    most = (1 << (mantissa_bits - 1)) - 1
    return {
        most - 1: Special.POSITIVE_INFINITY,
        most: Special.NOT_A_NUMBER,
        -most - 1: Special.NOT_AT_THIS_RESOLUTION,
        -most: Special.RESERVED,
        -most + 1: Special.NEGATIVE_INFINITY,
    }


_SFLOAT_SPECIALS = _specials(_SFLOAT_MANTISSA_BITS)
_FLOAT_SPECIALS = _specials(_FLOAT_MANTISSA_BITS)


def decode_sfloat(data: bytes) -> Figure:
    """Exactly two octets, little-endian. CodecError otherwise."""
    return sfloat_from_int(_whole("sfloat", data, 2))


def decode_float(data: bytes) -> Figure:
    """Exactly four octets, little-endian. CodecError otherwise."""
    return _figure(_whole("float", data, 4), _FLOAT_MANTISSA_BITS, _FLOAT_EXPONENT_BITS, _FLOAT_SPECIALS)


def read_sfloat(octets: Octets, field: str, *, big_endian: bool = False) -> Figure:
    """The next field of a record."""
    return sfloat_from_int(octets.uint16(field, big_endian=big_endian))


def sfloat_from_int(raw: int) -> Figure:
    """From the 16-bit integer that it travels as. Total over 0..0xFFFF."""
    return _figure(raw, _SFLOAT_MANTISSA_BITS, _SFLOAT_EXPONENT_BITS, _SFLOAT_SPECIALS)


def encode_sfloat(figure: Figure, *, big_endian: bool = False) -> bytes:
    """The two octets. ValueError where the figure has no SFLOAT; its precision is kept where it fits."""
    raw = _raw(figure, _SFLOAT_MANTISSA_BITS, _SFLOAT_EXPONENT_BITS, _SFLOAT_SPECIALS)
    return raw.to_bytes(2, "big" if big_endian else "little")


def encode_float(figure: Figure) -> bytes:
    """The four octets. ValueError where the figure has no FLOAT; its precision is kept where it fits."""
    return _raw(figure, _FLOAT_MANTISSA_BITS, _FLOAT_EXPONENT_BITS, _FLOAT_SPECIALS).to_bytes(4, "little")


def _whole(format: str, data: bytes, size: int) -> int:
    if len(data) != size:
        raise CodecError(format, f"{size} octets expected", data, min(len(data), size))
    return int.from_bytes(data, "little")


def _figure(raw: int, mantissa_bits: int, exponent_bits: int, specials: dict[int, Special]) -> Figure:
    mantissa = as_sint(raw, mantissa_bits)
    exponent = as_sint(raw >> mantissa_bits, exponent_bits)
    if exponent == 0 and mantissa in specials:
        return specials[mantissa]
    return Decimal(mantissa).scaleb(exponent)


def _raw(figure: Figure, mantissa_bits: int, exponent_bits: int, specials: dict[int, Special]) -> int:
    if isinstance(figure, Special):
        mantissa, exponent = next(m for m, special in specials.items() if special is figure), 0
    else:
        mantissa, exponent = _fit(figure, mantissa_bits, exponent_bits, specials)
    return (exponent & ((1 << exponent_bits) - 1)) << mantissa_bits | mantissa & ((1 << mantissa_bits) - 1)


def _fit(value: Decimal, mantissa_bits: int, exponent_bits: int, specials: dict[int, Special]) -> tuple[int, int]:
    """The spelling nearest to the value's own exponent; only exact ones."""
    sign, digits, own = value.as_tuple()
    if not isinstance(own, int):
        raise ValueError(f"{value} is no number: use a Special")
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    for exponent in sorted(range(-(1 << (exponent_bits - 1)), 1 << (exponent_bits - 1)), key=lambda e: abs(e - own)):
        shifted, rest = (
            (mantissa * 10 ** (own - exponent), 0)
            if exponent <= own
            else (mantissa // 10 ** (exponent - own), mantissa % 10 ** (exponent - own))
        )
        fits = -(1 << (mantissa_bits - 1)) <= shifted < 1 << (mantissa_bits - 1)
        if rest == 0 and fits and not (exponent == 0 and shifted in specials):
            return shifted, exponent
    raise ValueError(f"{value} has no exact {mantissa_bits + exponent_bits}-bit float")
