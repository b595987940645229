"""The devices that were added from afar, beside those of the configuration."""

import msgspec

from gateway.config import DeviceEntry
from gateway.outbox.sealed_file import SealedFile
from gateway.outbox_schema import place


class Paired(SealedFile):
    """By the device's name in the roster."""

    def paired(self) -> tuple[DeviceEntry, ...]:
        """All of them; one that the disk damaged is left out, and has to be paired again."""
        with self._guard():
            rows = self._db.execute("SELECT name, sealed FROM paired ORDER BY name").fetchall()
        known = (self._known(sealed, place("paired", name)) for name, sealed in rows)
        return tuple(msgspec.json.decode(octets, type=DeviceEntry) for octets in known if octets)

    def is_paired(self, name: str) -> bool:
        """Whether the device of this name was added so."""
        with self._guard():
            return self._db.execute("SELECT 1 FROM paired WHERE name = ?", (name,)).fetchone() is not None

    def keep_paired(self, entry: DeviceEntry) -> None:
        """One more, or another in its place."""
        sealed = self._key().seal(msgspec.json.encode(entry), place("paired", entry.name))
        with self._transaction() as db:
            db.execute(
                "INSERT INTO paired VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
                (entry.name, sealed),
            )

    def forget_paired(self, name: str) -> None:
        """It is of this home no more; where its memory was left off is kept, by the device itself."""
        with self._transaction() as db:
            for table in ("paired", "visited", "repair"):
                db.execute(f"DELETE FROM {table} WHERE name = ?", (name,))  # noqa: S608 (ours)
