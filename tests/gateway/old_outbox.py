"""An outbox as the release before sealing wrote it: every row in the clear."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from gateway.wire import v1
from tests.gateway.made import METER, NOW, reading, session, wire

SCHEMA_4 = (Path(__file__).parent / "schema_4.sql").read_text()
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def write_schema_4(path: Path, *, waiting: int, receipted: int, in_flight: int = 0) -> None:
    """Readings 0 … ``waiting`` wait in one session, the first ``in_flight`` of them published; then the receipted."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.executescript(SCHEMA_4)
        database.execute("PRAGMA user_version = 4")
        database.execute("INSERT INTO session VALUES (?, ?)", (session().session_id, _ENCODER.encode(session())))
        for number in range(waiting):
            message_id = "e" * 32 if number < in_flight else None
            row = (number + 1, wire(number).reading_id, session().session_id, NOW.isoformat())
            database.execute(
                "INSERT INTO reading VALUES (?, ?, ?, 'backfill', ?, ?, ?)",
                (*row, _ENCODER.encode(wire(number)), message_id),
            )
        for number in range(waiting, waiting + receipted):
            fate = (wire(number).reading_id, "stored", NOW.isoformat())
            database.execute("INSERT INTO receipted VALUES (?, ?, ?)", fate)
        device = reading(0).device.device_id
        database.execute(
            "INSERT INTO device_cursor VALUES (?, 'ultramini', ?, ?)",
            (device, b'{"newest":"' + wire(0).reported_time.encode() + b'"}', NOW.isoformat()),
        )
        previous = v1.WirePrevious(gateway_time=NOW, device_time=wire(0).reported_time, drained=True)
        database.execute("INSERT INTO drained VALUES (?, 'ultramini', ?)", (device, _ENCODER.encode(previous)))
        database.execute(
            "INSERT INTO visited VALUES ('meter', ?, '1', ?, 'complete', 'all of it', 3, 2, 500, ?)",
            (device, NOW.isoformat(), f"model X; serial number {METER.serial_number}"),
        )
        database.execute("INSERT INTO visited (name) VALUES ('another')")
        database.execute("""INSERT INTO repair VALUES ('meter', '{"rung":2}')""")
