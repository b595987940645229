"""How long readings have waited here, by a clock that nobody can set: it tells a wrong clock from a late reading.

The wall clock says when a reading was read, and the monotonic clock how long ago that is: where the two went together
from the visit's begin to its last reading. Readings from before this process started have waited nobody knows how long.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.wire.v1 import WireReading

# The two clocks are not looked at in the same instant on a computer that is busy.
TOGETHER_WITHIN_S = 5.0
# Sessions that are remembered. What waits behind so many newer ones is late, however long exactly.
MOST_SESSIONS = 1000


class Waiting:
    """Told at each step of a visit, asked at each publication."""

    def __init__(self, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._now = now
        self._monotonic = monotonic
        self._zeros: dict[str, float | None] = {}  # the wall clock at the monotonic clock's zero; None where it jumped

    def note(self, session_id: str) -> bool:
        """Compare the clocks: at the begin of a visit, and whenever it has taken a time from the wall clock.

        Whether the wall clock has gone on, since the first time, without a jump.
        """
        zero = self._now().timestamp() - self._monotonic()
        known = self._zeros.setdefault(session_id, zero)
        if known is not None and abs(zero - known) > TOGETHER_WITHIN_S:
            self._zeros[session_id] = None
        if len(self._zeros) > MOST_SESSIONS:
            del self._zeros[next(iter(self._zeros))]
        return self._zeros[session_id] is not None

    def oldest_s(self, session_id: str, readings: Sequence[WireReading]) -> float | None:
        """How long the oldest of these readings of a session has waited; None where nobody knows."""
        zero = self._zeros.get(session_id)
        if zero is None or not readings:
            return None
        read_at = min(reading.read_at for reading in readings).timestamp()
        return round(max(0.0, zero + self._monotonic() - read_at), 3)
