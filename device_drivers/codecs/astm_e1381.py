"""ASTM E1381: numbered frames, and the single octets between them. Wire page: ``drivers/ascensia_contour.md``.

Frame: ``STX number text ETB|ETX c1 c2 CR LF``; number is 1 to 7, then 0, then 1 again; c1 c2 are two upper-case
hexadecimal digits, the sum of everything from the number to ETB or ETX, modulo 256. ETX ends a message, behind ETB more
of it follows: a record ends at its CR, which may stand in a later frame. Total: every byte string gives a value or a
CodecError; a reader never fails, it reports damage and goes on.
"""

import re
from dataclasses import dataclass
from enum import IntEnum

from device_drivers.errors import ChecksumError, CodecError

FORMAT = "astm-e1381"

STX, ETX, ETB = 0x02, 0x03, 0x17
CR = "\r"
# The standard allows 247 octets; a longer claim is noise behind a lost end.
LONGEST = 1024

_FRAME = re.compile(
    rb"\x02(?P<summed>(?P<number>[0-7])(?P<text>[^\x00-\x0c\x0e-\x1f]*)(?P<end>[\x03\x17]))(?P<sum>..)\r\n", re.DOTALL
)


class Control(IntEnum):
    """One octet with a meaning of its own."""

    EOT = 0x04  # the message is over, the line is free
    ENQ = 0x05  # I want to send
    ACK = 0x06
    NAK = 0x15  # send that again

    @property
    def octets(self) -> bytes:
        """As it is sent."""
        return bytes([self])


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``text`` is what stands between number and ETB or ETX, its CR included; ``last`` is ETX."""

    number: int
    text: str
    last: bool


Item = Frame | Control


def next_number(number: int) -> int:
    """1 to 7, then 0."""
    return (number + 1) % 8


def checksum(summed: bytes) -> bytes:
    """The two digits that belong to number, text and ETB or ETX."""
    return b"%02X" % (sum(summed) % 256)


def encode_frame(frame: Frame) -> bytes:
    """The octets of a frame."""
    summed = b"%d" % frame.number + frame.text.encode("latin-1") + bytes([ETX if frame.last else ETB])
    return bytes([STX]) + summed + checksum(summed) + b"\r\n"


def decode(octets: bytes) -> Frame:
    """Exactly one whole frame. CodecError, ChecksumError."""
    found = _FRAME.fullmatch(octets)
    if found is None:
        raise CodecError(FORMAT, "not STX number text ETB|ETX sum CR LF", octets, 0)
    wanted = checksum(found["summed"])
    if found["sum"] != wanted:
        reason = f"sum {found['sum'].hex()}, computed {wanted.hex()} (two digits each)"
        raise ChecksumError(FORMAT, reason, octets, len(octets) - 4)
    return Frame(int(found["number"]), found["text"].decode("latin-1"), found["end"][0] == ETX)


class FrameReader:
    """Frames and control octets out of a stream; any cut of the stream gives the same ones, noise is skipped.

    A frame that is cut short by another one, or by a control octet, is forgotten: whoever sent it began anew.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._ends_at: int | None = None

    def feed(self, data: bytes) -> list[Item | CodecError]:
        """Take octets, give what is now whole, in order."""
        found: list[Item | CodecError] = []
        for octet in data:
            if (item := self._take(octet)) is not None:
                found.append(item)
        return found

    def reset(self) -> None:
        """Forget a frame that has begun."""
        self._held.clear()
        self._ends_at = None

    def _take(self, octet: int) -> Item | CodecError | None:
        if self._ends_at is None and octet in (STX, *Control):
            self.reset()
            if octet != STX:
                return Control(octet)
            self._held.append(octet)
            return None
        if not self._held:
            return None
        self._held.append(octet)
        if self._ends_at is None and octet in (ETB, ETX):
            self._ends_at = len(self._held) + 4  # two digits, CR, LF
        if self._ends_at is None and len(self._held) >= LONGEST:
            self._ends_at = LONGEST
        return self._finish() if len(self._held) == self._ends_at else None

    def _finish(self) -> Frame | CodecError:
        octets = bytes(self._held)
        self.reset()
        try:
            return decode(octets)
        except CodecError as error:
            return error


class RecordJoiner:
    """Records out of the texts of frames: a record ends at its CR, or with the message."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, frame: Frame) -> list[str]:
        """Take the next frame, give the records that are now whole. CodecError where one never ends."""
        *records, self._held = (self._held + frame.text).split(CR)
        if frame.last and self._held:
            records.append(self._held)
            self._held = ""
        if len(self._held) > LONGEST:
            raise CodecError(FORMAT, "a record without an end", self._held.encode("latin-1"), LONGEST)
        return [record for record in records if record]
