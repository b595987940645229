"""Rows for PostgreSQL's binary COPY: the server parses no texts, and what many rows share is written once.

Format (PostgreSQL manual, COPY, "Binary Format"): a signature, flags and the length of a header extension; then for
each row the count of its fields as int16, and for each field its length as int32 (−1: NULL) and its octets, as the
type's receive function takes them; −1 at the end. All numbers are big-endian.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from struct import Struct
from typing import LiteralString

import msgspec
from psycopg import sql
from psycopg.types.numeric import DecimalBinaryDumper

from cloud.db.connect import Connection

NULL = b"\xff\xff\xff\xff"
_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_UUID_SIZE = (16).to_bytes(4, "big")
_INT2, _INT4, _INT8 = Struct(">ih"), Struct(">ii"), Struct(">iq")
_DUMPER = DecimalBinaryDumper(Decimal)
_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Table:
    """Where rows go: the columns in the order in which rows have them."""

    name: LiteralString
    columns: tuple[LiteralString, ...]

    def copy(self, connection: Connection, rows: Iterable[bytes]) -> None:
        """Insert rows, each of which is its fields one after the other."""
        count = len(self.columns).to_bytes(2, "big")
        octets = b"".join((_BEGIN, *[count + row for row in rows], _END))
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(self.name), columns)
        with connection.cursor().copy(statement) as copy:
            copy.write(octets)


def bytea(value: bytes) -> bytes:
    """A field of octets."""
    return len(value).to_bytes(4, "big") + value


def text(value: str | None) -> bytes:
    """A field of text. PostgreSQL refuses a NUL in it."""
    return NULL if value is None else bytea(value.encode())


def uuid(digits: str) -> bytes:
    """A uuid from its hex digits, with hyphens or without."""
    return _UUID_SIZE + bytes.fromhex(digits.replace("-", ""))


def int2(value: int | None) -> bytes:
    """A smallint; struct.error where it is too large for one."""
    return NULL if value is None else _INT2.pack(2, value)


def int4(value: int) -> bytes:
    """An integer; struct.error where it is too large for one."""
    return _INT4.pack(4, value)


def timestamptz(at: datetime) -> bytes:
    """An aware time: microseconds since 2000."""
    since = at - _EPOCH
    return _INT8.pack(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def numeric(value: Decimal | None) -> bytes:
    """A numeric with all its digits: 5.0 stays 5.0."""
    return NULL if value is None else _numeric(str(value))


# Devices report few different figures. By text: 5.0 equals 5.00.
@lru_cache(maxsize=4096)
def _numeric(text: str) -> bytes:
    return bytea(bytes(_DUMPER.dump(Decimal(text)) or b""))


def jsonb(words: dict[str, str]) -> bytes:
    """A jsonb object: the version of the format, and the text."""
    return _EMPTY_OBJECT if not words else bytea(b"\1" + _ENCODER.encode(words))


def text_array(texts: tuple[str, ...]) -> bytes:
    """A text[] of one dimension: dimensions, no NULLs, the type of the elements, their count, the first index."""
    if not texts:
        return _EMPTY_ARRAY
    head = b"".join(number.to_bytes(4, "big") for number in (1, 0, _TEXT_OID, len(texts), 1))
    return bytea(head + b"".join(map(text, texts)))


_TEXT_OID = 25
_EMPTY_OBJECT = bytea(b"\1{}")
_EMPTY_ARRAY = bytea(bytes(8) + _TEXT_OID.to_bytes(4, "big"))
