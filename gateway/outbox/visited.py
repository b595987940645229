"""What is kept of each device beside its readings: where its memory was left off, its last visit, its repairs.

Which ones were added from afar is in ``paired``.
"""

import sqlite3
from dataclasses import replace

import msgspec

from device_drivers.drivers.conversation import Cursor
from gateway.bond_ladder import Ladder
from gateway.outbox.paired import Paired
from gateway.outbox.rows import Seen, VisitRow
from gateway.outbox_schema import place
from gateway.wire.v1 import WirePrevious


class Visited(Paired):
    """By device and driver, or by the device's name in the roster."""

    # Cursors ----------------------------------------------------------------------------------------------------

    def cursor(self, device_id: str, driver: str) -> Cursor | None:
        """Where this driver left off with this device; None: from the beginning."""
        octets = self._of_device("device_cursor", "cursor", device_id, driver)
        return msgspec.json.decode(octets, type=dict[str, int | str]) if octets else None

    def drained(self, device_id: str, driver: str) -> WirePrevious | None:
        """The last visit that went to its end, for the mapping of what was measured since."""
        octets = self._of_device("drained", "drained", device_id, driver)
        return msgspec.json.decode(octets, type=WirePrevious) if octets else None

    def _of_device(self, table: str, where: str, device_id: str, driver: str) -> bytes | None:
        device = self._key().keyed(device_id)
        with self._guard():
            row = self._db.execute(
                f"SELECT sealed FROM {table} WHERE device = ? AND driver = ?",  # noqa: S608 (ours)
                (device, driver),
            ).fetchone()
        return self._known(row[0], place(where, device, driver)) if row else None

    def _keep_of_device(
        self, db: sqlite3.Cursor, table: str, where: str, device_id: str, driver: str, octets: bytes
    ) -> None:
        device = self._key().keyed(device_id)
        db.execute(
            f"INSERT INTO {table} VALUES (?, ?, ?)"  # noqa: S608 (ours)
            " ON CONFLICT (device, driver) DO UPDATE SET sealed = excluded.sealed",
            (device, driver, self._key().seal(octets, place(where, device, driver))),
        )

    # Who was visited --------------------------------------------------------------------------------------------

    def seen(self, name: str) -> Seen | None:
        """Which device stood behind this name of the roster last time."""
        octets = self._of_name("seen", name)
        return msgspec.json.decode(octets, type=Seen) if octets else None

    def remember(self, name: str, seen: Seen) -> None:
        """Note which device stands behind this name now."""
        self._keep_of_name("seen", name, msgspec.json.encode(seen))

    def visit(self, name: str) -> VisitRow | None:
        """The last visit to a device; None where there was none."""
        octets = self._of_name("visit", name)
        return msgspec.json.decode(octets, type=VisitRow) if octets else None

    def visits(self) -> dict[str, VisitRow]:
        """The last visit of each device, by its name in the roster."""
        with self._guard():
            names = [name for (name,) in self._db.execute("SELECT name FROM visited")]
        return {name: visit for name in names if (visit := self.visit(name)) is not None}

    def record_visit(self, visit: VisitRow) -> None:
        """Keep the last visit of each device, with what those before it told and it did not."""
        before = self.visit(visit.name)
        if before is not None:
            visit = replace(
                visit,
                holds=before.holds if visit.holds is None else visit.holds,
                identity=visit.identity or before.identity,
                complete_at=visit.complete_at or before.complete_at,
                battery_low=visit.battery_low if visit.complete_at else before.battery_low,
            )
        self._keep_of_name("visit", visit.name, msgspec.json.encode(visit))

    def _of_name(self, column: str, name: str) -> bytes | None:
        self._key()  # without it the answer is not "nothing"
        with self._guard():
            row = self._db.execute(f"SELECT {column} FROM visited WHERE name = ?", (name,)).fetchone()  # noqa: S608 (ours)
        return self._known(row[0], place(column, name)) if row and row[0] else None

    def _keep_of_name(self, column: str, name: str, octets: bytes) -> None:
        sealed = self._key().seal(octets, place(column, name))
        with self._transaction() as db:
            db.execute(
                f"INSERT INTO visited (name, {column}) VALUES (?, ?)"  # noqa: S608 (ours)
                f" ON CONFLICT (name) DO UPDATE SET {column} = excluded.{column}",
                (name, sealed),
            )

    def ladder(self, name: str) -> Ladder:
        """How far the repairs of a device have gone."""
        with self._guard():
            row = self._db.execute("SELECT ladder FROM repair WHERE name = ?", (name,)).fetchone()
        return msgspec.json.decode(row[0], type=Ladder) if row else Ladder()

    def keep_ladder(self, name: str, ladder: Ladder) -> None:
        """Note how far they have gone now."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO repair VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET ladder = excluded.ladder",
                (name, msgspec.json.encode(ladder)),
            )
