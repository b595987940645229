"""Messages out, receipts in: rows are bound to a message when they are claimed, and freed by their receipts alone."""

import logging
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import msgspec

from gateway.outbox.errors import OutboxError
from gateway.outbox.rows import Lane, Outgoing
from gateway.outbox.sealed_file import SealedFile
from gateway.outbox_schema import place
from gateway.sealing import SealBroken
from gateway.wire.v1 import (
    MAX_READINGS,
    MAX_READINGS_OCTETS,
    Fate,
    ReceiptsMessage,
    WireReading,
    WireSession,
)

log = logging.getLogger(__name__)

_READING = msgspec.json.Decoder(WireReading)
_SESSION = msgspec.json.Decoder(WireSession)


class Messages(SealedFile):
    """What the publisher asks."""

    def claim(self, lane: Lane, limit: int = MAX_READINGS) -> Outgoing | None:
        """Bind waiting rows of one session to a new message; None where the lane is empty.

        Live: the newest session's newest rows. Backfill: the oldest session's oldest rows. As many as fit.
        """
        return self._at_any_cost(lambda: self._claim(lane, limit))

    def _claim(self, lane: Lane, limit: int) -> Outgoing | None:
        order = "DESC" if lane is Lane.LIVE else "ASC"
        first = (
            "SELECT session_id, session.sealed FROM reading JOIN session USING (session_id)"  # noqa: S608 (ours)
            f" WHERE lane = ? AND message_id IS NULL ORDER BY seq {order} LIMIT 1"
        )
        rows = (
            "SELECT seq, reading_key, sealed FROM reading"  # noqa: S608 (order is ours)
            f" WHERE session_id = ? AND lane = ? AND message_id IS NULL ORDER BY seq {order} LIMIT ?"
        )
        with self._transaction() as db:
            while found := db.execute(first, (lane.value,)).fetchone():
                session_id, sealed = found
                claimed = list(_fit(db.execute(rows, (session_id, lane.value, limit))))
                outgoing = self._outgoing(db, uuid.uuid4().hex, lane, (session_id, sealed), claimed)
                if outgoing is not None:
                    bound = [(outgoing.message_id, seq) for seq, _, _ in claimed]
                    db.executemany("UPDATE reading SET message_id = ? WHERE seq = ? AND lane != 'damaged'", bound)
                    return outgoing
        return None

    def _outgoing(
        self, db: sqlite3.Cursor, message_id: str, lane: Lane, session: tuple[str, bytes], rows: "Sequence[_Row]"
    ) -> Outgoing | None:
        """A message of rows (seq, key, sealed); None where none can be opened. What cannot is put aside and kept."""
        try:
            said = self._opened_session(*session)
        except SealBroken:
            said, good = None, []
        else:
            good = [(seq, reading) for seq, key, sealed in rows if (reading := self._opened_reading(key, sealed))]
        if len(good) < len(rows):
            self._put_aside(db, {seq for seq, _, _ in rows} - {seq for seq, _ in good})
        if said is None or not good:
            return None
        in_order = tuple(reading for _, reading in sorted(good, key=lambda pair: pair[0]))
        return Outgoing(message_id=message_id, lane=lane, session=said, readings=in_order)

    def _opened_session(self, session_id: str, sealed: bytes, where: str = "session") -> WireSession:
        return _SESSION.decode(self._key().open(sealed, place(where, session_id)))

    def _opened_reading(self, key: bytes, sealed: bytes) -> WireReading | None:
        try:
            _, _, wire = self._key().open(sealed, place("reading", key)).partition(b"\n")
        except SealBroken:
            return None
        return _READING.decode(wire)

    def _put_aside(self, db: sqlite3.Cursor, rows: set[int]) -> None:
        log.error(
            "the disk has damaged %d readings: they are kept, and replaced if their device gives them again", len(rows)
        )
        db.executemany("UPDATE reading SET lane = 'damaged', message_id = NULL WHERE seq = ?", [(seq,) for seq in rows])

    def claim_ended(self) -> Outgoing | None:
        """A session that has ended and can be told: of all that its device gave before it, nothing waits any more."""
        return self._at_any_cost(self._claim_ended)

    def _claim_ended(self) -> Outgoing | None:
        with self._transaction() as db:
            row = db.execute(
                "SELECT message_id FROM ended WHERE claimed = 0 AND NOT EXISTS ("
                " SELECT 1 FROM session JOIN reading USING (session_id)"
                " WHERE session.device = ended.device AND seq <= after_seq AND lane != 'damaged'"
                ") ORDER BY ended.seq LIMIT 1"
            ).fetchone()
            if row is None:
                return None
            db.execute("UPDATE ended SET claimed = 1 WHERE message_id = ?", row)
        return self.message(row[0])

    def message(self, message_id: str) -> Outgoing | None:
        """What of a message still waits for its receipt, to publish it (again); None where nothing does."""
        with self._transaction() as db:
            rows = db.execute(
                "SELECT lane, session_id, session.sealed, seq, reading_key, reading.sealed"
                " FROM reading JOIN session USING (session_id) WHERE message_id = ?",
                (message_id,),
            ).fetchall()
            if not rows:
                return self._ended_message(db, message_id)
            lane, session_id, session = rows[0][:3]
            return self._outgoing(db, message_id, Lane(lane), (session_id, session), [row[3:] for row in rows])

    def _ended_message(self, db: sqlite3.Cursor, message_id: str) -> Outgoing | None:
        row = db.execute("SELECT session_id, sealed FROM ended WHERE message_id = ?", (message_id,)).fetchone()
        if row is None:
            return None
        try:
            session = self._opened_session(row[0], row[1], where="ended")
        except SealBroken:
            log.error("the disk has damaged the end of a session; the device's next visit tells as much")
            db.execute("DELETE FROM ended WHERE message_id = ?", (message_id,))
            return None
        return Outgoing(message_id=message_id, lane=Lane.BACKFILL, session=session, readings=())

    def in_flight(self) -> dict[str, Lane]:
        """The messages that were claimed and are not wholly receipted, in order of their rows; ended sessions last."""
        with self._guard():
            rows = self._db.execute(
                "SELECT message_id, lane FROM reading WHERE message_id IS NOT NULL"
                " GROUP BY message_id ORDER BY min(seq)"
            ).fetchall()
            ended = self._db.execute("SELECT message_id FROM ended WHERE claimed ORDER BY seq").fetchall()
        readings = {message_id: Lane(lane) for message_id, lane in rows}
        return readings | {message_id: Lane.BACKFILL for (message_id,) in ended}

    def free(self, receipts: Iterable[ReceiptsMessage]) -> int:
        """Free the rows that these receipts name, and keep their fates; how many readings were freed."""
        messages = list(receipts)
        freed = self._at_any_cost(lambda: self._free(messages))
        with suppress(OutboxError, OSError):  # what was freed is freed; the room is given back another time
            if self._disk.is_tight():
                self._give_back()
        return freed

    def _free(self, messages: Sequence[ReceiptsMessage]) -> int:
        with self._transaction() as db:
            return sum(self._free_message(db, message) for message in messages)

    def _free_message(self, db: sqlite3.Cursor, message: ReceiptsMessage) -> int:
        db.execute("DELETE FROM ended WHERE message_id = ?", (message.message_id,))
        seal = self._key()
        fates = {seal.keyed(receipt.reading_id): receipt.fate for receipt in message.receipts}
        if message.whole_message is not None:
            rows = db.execute("SELECT reading_key FROM reading WHERE message_id = ?", (message.message_id,)).fetchall()
            fates = {key: message.whole_message for (key,) in rows} | fates
        freed = {key: fate for key, fate in fates.items() if self._free_row(db, key, fate, message.committed_at)}
        return len(freed)

    def _free_row(self, db: sqlite3.Cursor, key: bytes, fate: Fate, at: datetime) -> bool:
        row = db.execute("DELETE FROM reading WHERE reading_key = ? RETURNING session_id", (key,)).fetchone()
        if row is None:
            return False
        db.execute("INSERT OR IGNORE INTO receipted VALUES (?, ?)", (key, fate.value))
        if db.execute("SELECT 1 FROM measured WHERE reading_key = ?", (key,)).fetchone():
            received = self._key().seal(at.isoformat().encode(), place("received", key))
            db.execute("UPDATE measured SET received = ? WHERE reading_key = ?", (received, key))
        self._forget_empty_session(db, row[0])
        return True

    def _forget_empty_session(self, db: sqlite3.Cursor, session_id: str) -> None:
        db.execute(
            "DELETE FROM session WHERE session_id = ?1 AND NOT EXISTS (SELECT 1 FROM reading WHERE session_id = ?1)",
            (session_id,),
        )


# A waiting reading: seq, key, sealed.
_Row = tuple[int, bytes, bytes]


def _fit(rows: Iterable[_Row]) -> Iterator[_Row]:
    """The first rows that are one message, never none."""
    total = 0
    for row in rows:
        if total and total + len(row[2]) > MAX_READINGS_OCTETS:
            return
        total += len(row[2])
        yield row
