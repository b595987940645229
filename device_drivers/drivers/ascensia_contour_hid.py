"""Ascensia (Bayer) Contour USB, Contour Next and Contour Next USB: ``ascensia_contour`` over HID reports.

The reports carry the same octets as a serial line would, up to 60 in each; the conversation is that of
``ascensia_contour``, and its page has the reports, too: ``ascensia_contour.md``.
"""

from collections.abc import AsyncIterator

from device_drivers.codecs import ascensia_reports
from device_drivers.drivers import ascensia_contour
from device_drivers.drivers.conversation import Clock, Cursor, Event
from device_drivers.links.ports import ReportLink
from firmware_profiles.schema import Profile

QUIRKS: frozenset[str] = frozenset()


def read(link: ReportLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``drivers.conversation`` for the contract."""
    return ascensia_contour.read(ReportStream(link), profile, cursor, now)


class ReportStream:
    """A ``SerialLink`` over reports. A report that is none raises CodecError from ``read``."""

    def __init__(self, link: ReportLink) -> None:
        self._link = link
        self._arrived = b""

    @property
    def address(self) -> str:
        """The reports' way."""
        return self._link.address

    async def write(self, data: bytes) -> None:
        """ForbiddenCommand, LinkLost."""
        for report in ascensia_reports.encode(data):
            await self._link.write(report)

    async def read(self, size: int, timeout_s: float) -> bytes:
        """LinkTimeout, LinkLost, CodecError."""
        while not self._arrived:
            self._arrived = ascensia_reports.decode(await self._link.read(timeout_s))
        data, self._arrived = self._arrived[:size], self._arrived[size:]
        return data

    async def drain_input(self) -> None:
        """Forget what has arrived."""
        self._arrived = b""
        await self._link.drain_input()
