"""Reading a little-endian record field by field; what is missing is a CodecError at its offset."""

from device_drivers.errors import CodecError


class Octets:
    """A cursor over one record. ``format`` names the wire format in errors."""

    def __init__(self, format: str, data: bytes) -> None:
        self.format = format
        self.data = data
        self.offset = 0

    @property
    def left(self) -> int:
        """How many octets have not been read."""
        return len(self.data) - self.offset

    def take(self, size: int, field: str) -> bytes:
        """The next ``size`` octets. CodecError where the record ends before."""
        if self.left < size:
            raise self.error(f"{field} needs {size} octets, {self.left} are left")
        self.offset += size
        return self.data[self.offset - size : self.offset]

    def uint8(self, field: str) -> int:
        """One octet."""
        return self.take(1, field)[0]

    def uint16(self, field: str, *, big_endian: bool = False) -> int:
        """Two octets; big-endian only for devices that get it wrong."""
        return int.from_bytes(self.take(2, field), "big" if big_endian else "little")

    def sint16(self, field: str) -> int:
        """Two octets, two's complement."""
        return int.from_bytes(self.take(2, field), "little", signed=True)

    def error(self, reason: str, *, offset: int | None = None) -> CodecError:
        """An error at the current (or the given) offset, with the whole record in it."""
        return CodecError(self.format, reason, self.data, self.offset if offset is None else offset)


def set_bits(value: int, names: dict[int, str]) -> tuple[str, ...]:
    """The names of the bits that are set, lowest first; reserved bits have no name and are left out."""
    return tuple(name for bit, name in names.items() if value >> bit & 1)


def as_sint(value: int, bits: int) -> int:
    """``value``'s lowest ``bits`` as two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
