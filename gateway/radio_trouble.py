"""Telling, in each Bluetooth device's status, that the radio cannot be used; and telling it no more once it can.

A cuff may be silent for days, so how its last visit went is put back when the radio works again.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from gateway.outbox import Outbox, OutboxError, VisitRow
from gateway.visit import Outcome, VisitReport

log = logging.getLogger(__name__)

_BEGINNING = "no visit: the radio cannot be used"


class RadioTrouble:
    """The trouble that was told last, of the devices with these names. ``record`` keeps a visit's report."""

    def __init__(
        self,
        names: Callable[[], tuple[str, ...]],
        outbox: Outbox,
        record: Callable[[VisitReport], None],
        now: Callable[[], datetime],
    ) -> None:
        self._names = names
        self._outbox = outbox
        self._record = record
        self._now = now
        self._told = ""
        self._before: dict[str, VisitRow | None] = {}

    def tell(self, reason: str) -> None:
        """Once for each reason, as if each device had been visited in vain."""
        if reason == self._told:
            return
        if not self._told:
            self._before = {name: self._last_visit(name) for name in self._names()}
        self._told = reason
        for name in self._names():
            self._in_vain(name, f"{_BEGINNING} ({reason})")

    def over(self) -> None:
        """The radio works."""
        if not self._told:
            return
        self._told = ""
        for name, before in self._before.items():
            if before is None:
                self._in_vain(name, "the radio works again; it was not heard since")
            else:
                with _logged():
                    self._outbox.record_visit(before)

    def _last_visit(self, name: str) -> VisitRow | None:
        with _logged():
            row = self._outbox.visit(name)
            return None if row is None or row.reason.startswith(_BEGINNING) else row
        return None

    def _in_vain(self, name: str, reason: str) -> None:
        at = self._now()
        self._record(VisitReport(name=name, outcome=Outcome.UNREACHABLE, reason=reason, started_at=at))


@contextmanager
def _logged() -> Iterator[None]:
    """What is told of visits is a convenience: an outbox that refuses it must not stop the radio."""
    try:
        yield
    except OutboxError as error:
        log.error("%s", error)
