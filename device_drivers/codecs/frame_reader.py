"""Frames out of a stream of octets, for every protocol whose frames say early how long they are."""

from collections.abc import Callable
from typing import Generic, TypeVar

from device_drivers.errors import ChecksumError, CodecError

Frame = TypeVar("Frame")

# How long the frame is that begins with these octets (at least one): 0 where none begins so, None where they are too
# few to tell.
Measure = Callable[[bytes], int | None]


class FrameReader(Generic[Frame]):
    """Any cut of the stream gives the same frames; noise between them is skipped.

    Damage comes out in its place as the ChecksumError. Holds at most one frame.
    """

    def __init__(self, measure: Measure, decode: Callable[[bytes], Frame]) -> None:
        self._measure = measure
        self._decode = decode
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame | CodecError]:
        """Take octets, give what is now whole, in order."""
        found: list[Frame | CodecError] = []
        for octet in data:
            self._held.append(octet)
            found.extend(self._take())
        return found

    def reset(self) -> None:
        """Forget a frame that has begun."""
        self._held.clear()

    def _take(self) -> list[Frame | CodecError]:
        found: list[Frame | CodecError] = []
        while self._held:
            size = self._measure(bytes(self._held))
            if size is None or len(self._held) < size:
                break
            if size == 0:
                del self._held[0]
            else:
                found.extend(self._whole(bytes(self._held[:size])))
        return found

    def _whole(self, octets: bytes) -> list[Frame | CodecError]:
        """A frame is taken whole; what is none is skipped by one octet, for a frame may begin within it."""
        try:
            frame = self._decode(octets)
        except CodecError as error:
            del self._held[0]
            return [error] if isinstance(error, ChecksumError) else []
        del self._held[: len(octets)]
        return [frame]
