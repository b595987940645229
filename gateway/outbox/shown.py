"""What the home is shown: measurements of the last days, which stay when their readings are freed, and what is due."""

import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import msgspec

from gateway.outbox.rows import Measured
from gateway.outbox.sealed_file import SealedFile
from gateway.outbox_schema import place
from gateway.sealing import SealBroken
from gateway.wire.v1 import Fate

# More than three people measure in three days; by number too, because a clock may be wrong by years.
MOST_KEPT = 300
_MEASURED = msgspec.json.Decoder(Measured)


class Shown(SealedFile):
    """Only where the household wants it: nothing is kept for nobody."""

    def measured(self, device_id: str) -> list[Measured]:
        """The measurements with one device that are still kept, in the order in which they came."""
        device = self._key().keyed(device_id)
        with self._guard():
            rows = self._db.execute(
                "SELECT reading_key, sealed, received, fate FROM measured LEFT JOIN receipted USING (reading_key)"
                " WHERE device = ? ORDER BY seq",
                (device,),
            ).fetchall()
        return [one for row in rows if (one := self._opened_measured(*row)) is not None]

    def _opened_measured(self, key: bytes, sealed: bytes, received: bytes | None, fate: str | None) -> Measured | None:
        octets = self._known(sealed, place("measured", key))
        if octets is None:
            return None
        told = self._known(received, place("received", key)) if received is not None else None
        return replace(
            _MEASURED.decode(octets),
            fate=Fate(fate) if fate is not None else None,
            received_at=datetime.fromisoformat(told.decode()) if told is not None else None,
        )

    def forget_measured(self, before: datetime) -> None:
        """What was measured before this is shown no more."""
        with self._guard():
            rows = self._db.execute("SELECT reading_key, sealed FROM measured").fetchall()
        over = [(key,) for key, sealed in rows if self._is_over(key, sealed, before)]
        if over:
            with self._transaction() as db:
                db.executemany("DELETE FROM measured WHERE reading_key = ?", over)

    def _is_over(self, key: bytes, sealed: bytes, before: datetime) -> bool:
        with suppress(SealBroken):
            return _MEASURED.decode(self._key().open(sealed, place("measured", key))).at < before
        return True  # damaged: nobody can be shown it

    def _note_measured(self, db: sqlite3.Cursor, device: bytes, key: bytes, measured: Measured) -> None:
        sealed = self._key().seal(msgspec.json.encode(measured), place("measured", key))
        db.execute(
            "INSERT OR IGNORE INTO measured (reading_key, device, sealed) VALUES (?, ?, ?)", (key, device, sealed)
        )
        db.execute("DELETE FROM measured WHERE seq <= (SELECT max(seq) FROM measured) - ?", (MOST_KEPT,))

    def plan(self) -> bytes | None:
        """What the cloud said last of what is due here, as it was kept."""
        with self._guard():
            row = self._db.execute("SELECT sealed FROM home_plan").fetchone()
        return self._known(row[0], place("home_plan", "")) if row else None

    def keep_plan(self, octets: bytes) -> None:
        """In place of what was kept before."""
        sealed = self._key().seal(octets, place("home_plan", ""))
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO home_plan VALUES (1, ?)", (sealed,))
