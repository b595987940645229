"""What is kept of commands: that each was begun and what became of it, so that none is done twice; never a body."""

import msgspec

from gateway.outbox.sealed_file import SealedFile
from gateway.outbox_schema import place
from gateway.wire.v1 import WireCommandState

# Commands expire within days: what comes again is among the newest. By number, because a clock may be wrong by years.
MOST_KEPT = 500


class Commanded(SealedFile):
    """By the id of the command."""

    def command(self, command_id: str) -> WireCommandState | None:
        """What is known of it; None: it was never begun."""
        with self._guard():
            row = self._db.execute("SELECT sealed FROM command WHERE command_id = ?", (command_id,)).fetchone()
        octets = self._known(row[0], place("command", command_id)) if row else None
        return msgspec.json.decode(octets, type=WireCommandState) if octets else None

    def last_commands(self, most: int) -> list[WireCommandState]:
        """The newest, oldest first."""
        with self._guard():
            rows = self._db.execute(
                "SELECT command_id, sealed FROM command ORDER BY seq DESC LIMIT ?", (most,)
            ).fetchall()
        known = (self._known(sealed, place("command", command_id)) for command_id, sealed in reversed(rows))
        return [msgspec.json.decode(octets, type=WireCommandState) for octets in known if octets]

    def keep_command(self, state: WireCommandState) -> None:
        """Note how far it has come now."""
        sealed = self._key().seal(msgspec.json.encode(state), place("command", state.command_id))
        with self._transaction() as db:
            db.execute(
                "INSERT INTO command (command_id, sealed) VALUES (?, ?)"
                " ON CONFLICT (command_id) DO UPDATE SET sealed = excluded.sealed",
                (state.command_id, sealed),
            )
            db.execute("DELETE FROM command WHERE seq <= (SELECT max(seq) FROM command) - ?", (MOST_KEPT,))
