"""Whether the gateway's own clock can be believed. A Raspberry Pi has no clock that runs while it is off.

Three witnesses: the kernel, which knows whether NTP keeps the clock; the cloud, whose receipts carry its own time; and
the monotonic clock, beside which a wall clock that is set is seen to jump. The answer travels with every session; the
cloud never dates a reading by a clock that is known to be unsynchronised, unless the reading came at once and agrees.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from device_drivers.timestamps import RIGHT_WITHIN


class ClockWatch:
    """Asked at each visit, told of each receipt."""

    def __init__(
        self, now: Callable[[], datetime], monotonic: Callable[[], float], kernel: Callable[[], bool | None]
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._kernel = kernel
        self._zero = self._wall_at_zero()
        self._has_jumped = False
        self._agrees: bool | None = None

    def synchronised(self) -> bool | None:
        """True: somebody vouches for the clock. False: it was not set, has jumped, or is wrong. None: nobody knows."""
        self._look()
        if self._agrees is not None:
            return self._agrees
        said = self._kernel()
        return False if self._has_jumped and not said else said

    def told(self, cloud_time: datetime, sent_s_ago: float | None) -> None:
        """A receipt was made at this time, by the cloud's clock.

        ``sent_s_ago``: when what it answers was first sent, by the monotonic clock; the receipt is no older. None: it
        may have waited at the broker while we were off. A clock that stood still meanwhile would agree with it, so it
        can only convict.
        """
        self._look()
        ahead_at_most = self._now() - cloud_time
        if ahead_at_most < -RIGHT_WITHIN:
            self._agrees = False
        elif sent_s_ago is not None:
            ahead_at_least = ahead_at_most - timedelta(seconds=sent_s_ago)
            if ahead_at_least > RIGHT_WITHIN:
                self._agrees = False
            elif ahead_at_least >= -RIGHT_WITHIN and ahead_at_most <= RIGHT_WITHIN:
                self._agrees, self._has_jumped = True, False

    def _look(self) -> None:
        """Whatever was known of the clock is void once it has jumped."""
        zero = self._wall_at_zero()
        if abs(zero - self._zero) > RIGHT_WITHIN:
            self._zero, self._has_jumped, self._agrees = zero, True, None

    def _wall_at_zero(self) -> datetime:
        return self._now() - timedelta(seconds=self._monotonic())
