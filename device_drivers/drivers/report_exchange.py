"""Question and answer with a HID device whose answers come in several reports."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from device_drivers.drivers.retries import retried
from device_drivers.errors import LinkTimeout
from device_drivers.links.ports import ReportLink
from firmware_profiles.schema import Hid

Answer = TypeVar("Answer")

# No memory that we read needs more reports; a device that goes on is not answering us.
_MOST_REPORTS = 1024


class ReportExchange:
    """Exchanges that either give an answer or an error, over a link that may do anything.

    ``octets_of`` gives what one input report carries (CodecError where it is none). An answer does not say which
    question it belongs to, so before a question is repeated, and after the answer to a repeated one, the link is
    listened to until it is quiet: a late answer must not be taken for the next one.
    """

    def __init__(self, link: ReportLink, hid: Hid, octets_of: Callable[[bytes], bytes]) -> None:
        self._link = link
        self._hid = hid
        self._octets_of = octets_of

    async def ask(self, question: Sequence[bytes], whole: Callable[[bytes], Answer | None]) -> Answer:
        """Send the reports of a question, give its answer. CodecError, LinkTimeout, LinkLost after the retries.

        ``whole`` is given what has come so far: the answer, None while it is not whole, or a CodecError or LinkTimeout
        where asking again may help.
        """
        attempts = 0

        async def attempt() -> Answer:
            nonlocal attempts
            attempts += 1
            await self._link.drain_input()
            for report in question:
                await self._link.write(report)
            return await self._collect(whole)

        answer = await retried(attempt, self._hid.retries, self.listen_until_quiet)
        if attempts > 1:
            await self.listen_until_quiet()
        return answer

    async def listen_until_quiet(self) -> None:
        """Until nothing has come for one reply time. LinkLost; LinkTimeout where it never ends."""
        for _ in range(_MOST_REPORTS):
            try:
                await self._link.read(self._hid.reply_timeout_s)
            except LinkTimeout:
                return
        raise LinkTimeout("the device does not stop talking")

    async def _collect(self, whole: Callable[[bytes], Answer | None]) -> Answer:
        octets = b""
        for _ in range(_MOST_REPORTS):
            octets += self._octets_of(await self._link.read(self._hid.reply_timeout_s))
            if (answer := whole(octets)) is not None:
                return answer
        raise LinkTimeout("the device talks without answering")
