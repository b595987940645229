"""The outbox keeps its promise: nothing lost, nothing freed without a receipt, no cursor ahead of the disk."""

import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from gateway.bond_ladder import Ladder
from gateway.outbox import Depth, Lane, Outbox, OutboxError, Seen, VisitRow
from gateway.wire.v1 import MAX_READINGS, Fate
from tests.gateway.made import NOW, receipts, session, wire
from tests.gateway.old_outbox import write_schema_4


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "data" / "outbox.sqlite")
    yield outbox
    outbox.close()


def put(outbox: Outbox, *numbers: int, lane: Lane = Lane.LIVE, visit: int = 0) -> int:
    return outbox.put(session(visit), [(wire(number), lane) for number in numbers], NOW)


def test_what_was_put_comes_out_as_it_went_in(outbox: Outbox) -> None:
    assert put(outbox, 1, 2) == 2
    outgoing = outbox.claim(Lane.LIVE)
    assert outgoing is not None
    assert outgoing.session == session()
    assert outgoing.readings == (wire(1), wire(2))


def test_a_reading_that_waits_already_is_not_put_twice(outbox: Outbox) -> None:
    assert put(outbox, 1) == 1
    assert put(outbox, 1, 2, visit=1) == 1
    assert outbox.depth().rows == 2


def test_a_reading_whose_receipt_came_is_not_put_again(outbox: Outbox) -> None:
    put(outbox, 1)
    outgoing = outbox.claim(Lane.LIVE)
    assert outgoing is not None
    outbox.free([receipts(outgoing.message_id, wire(1).reading_id, fate=Fate.QUARANTINED)])
    assert put(outbox, 1, visit=1) == 0
    assert outbox.fate(wire(1).reading_id) is Fate.QUARANTINED
    assert outbox.depth() == Depth(0, None)


def test_only_the_named_readings_are_freed(outbox: Outbox) -> None:
    put(outbox, 1, 2, 3)
    outgoing = outbox.claim(Lane.LIVE)
    assert outgoing is not None
    assert outbox.free([receipts(outgoing.message_id, wire(2).reading_id, "0" * 32)]) == 1
    rest = outbox.message(outgoing.message_id)
    assert rest is not None
    assert rest.readings == (wire(1), wire(3))


def test_a_receipt_that_comes_twice_frees_nothing_twice(outbox: Outbox) -> None:
    put(outbox, 1)
    message = receipts("0" * 32, wire(1).reading_id)
    assert outbox.free([message, message]) == 1
    assert outbox.free([message]) == 0


def test_a_receipt_for_the_whole_message_frees_what_was_published_under_its_id(outbox: Outbox) -> None:
    put(outbox, 1, 2)
    outgoing = outbox.claim(Lane.LIVE)
    put(outbox, 3)
    assert outgoing is not None
    assert outbox.free([receipts(outgoing.message_id, whole=Fate.QUARANTINED)]) == 2
    assert outbox.depth().rows == 1
    assert outbox.fate(wire(2).reading_id) is Fate.QUARANTINED


def test_live_readings_go_newest_first_and_the_backlog_oldest_first(outbox: Outbox) -> None:
    for visit in range(3):
        put(outbox, visit, lane=Lane.LIVE, visit=visit)
        put(outbox, 10 + visit, lane=Lane.BACKFILL, visit=10 + visit)
    live = [outbox.claim(Lane.LIVE) for _ in range(4)]
    backfill = [outbox.claim(Lane.BACKFILL) for _ in range(4)]
    assert [o.readings[0] if o else None for o in live] == [wire(2), wire(1), wire(0), None]
    assert [o.readings[0] if o else None for o in backfill] == [wire(10), wire(11), wire(12), None]


def test_a_message_holds_readings_of_one_session_and_no_more_than_the_limit(outbox: Outbox) -> None:
    put(outbox, *range(MAX_READINGS + 10), lane=Lane.BACKFILL, visit=1)
    put(outbox, 900, lane=Lane.BACKFILL, visit=2)
    sizes = []
    while (outgoing := outbox.claim(Lane.BACKFILL)) is not None:
        sizes.append((outgoing.session.session_id, len(outgoing.readings)))
    assert sizes == [(session(1).session_id, MAX_READINGS), (session(1).session_id, 10), (session(2).session_id, 1)]


def test_a_claimed_message_keeps_its_id_and_content_over_a_restart(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    put(outbox, 1, 2)
    outgoing = outbox.claim(Lane.LIVE)
    outbox.close()
    again = Outbox.open(tmp_path / "outbox.sqlite")
    assert outgoing is not None
    assert again.in_flight() == {outgoing.message_id: Lane.LIVE}
    assert again.message(outgoing.message_id) == outgoing
    assert again.claim(Lane.LIVE) is None
    again.close()


def test_nothing_is_too_old_or_too_much(outbox: Outbox) -> None:
    outbox.put(session(), [(wire(1), Lane.BACKFILL)], NOW - timedelta(days=3650))
    put(outbox, *range(2, 5000), lane=Lane.BACKFILL)
    assert outbox.depth() == Depth(4999, NOW - timedelta(days=3650))


def test_a_session_is_kept_as_long_as_its_readings_and_no_longer(outbox: Outbox, tmp_path: Path) -> None:
    put(outbox, 1)
    assert put(outbox, 1, visit=1) == 0
    outbox.free([receipts("0" * 32, wire(1).reading_id)])
    with closing(sqlite3.connect(tmp_path / "data" / "outbox.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM session").fetchone() == (0,)


def test_the_cursor_is_kept_per_device_and_driver(outbox: Outbox) -> None:
    assert outbox.cursor("lifescan:sn:1", "ultramini") is None
    outbox.complete("lifescan:sn:1", "ultramini", {"sequence_number": 7})
    outbox.complete("lifescan:sn:1", "ultramini", {"sequence_number": 8, "newest": "a"})
    assert outbox.cursor("lifescan:sn:1", "ultramini") == {"sequence_number": 8, "newest": "a"}
    assert outbox.cursor("lifescan:sn:2", "ultramini") is None
    assert outbox.cursor("lifescan:sn:1", "other") is None


def test_visits_and_what_stood_behind_a_name_are_kept_apart(outbox: Outbox) -> None:
    row = VisitRow(name="meter", at=NOW, outcome="cut", reason="LinkLost", received=3, new=2, holds=None)
    outbox.record_visit(row)
    assert outbox.seen("meter") is None
    outbox.remember("meter", Seen("lifescan:sn:1", "P02.00.00"))
    assert outbox.seen("meter") == Seen("lifescan:sn:1", "P02.00.00")
    assert outbox.visits() == {"meter": row}


def test_nobody_else_can_read_the_files(outbox: Outbox, tmp_path: Path) -> None:
    put(outbox, 1)
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_the_log_is_synchronised_before_put_returns(outbox: Outbox) -> None:
    assert outbox._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert outbox._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_it_can_be_looked_at_while_it_is_written(outbox: Outbox, tmp_path: Path) -> None:
    put(outbox, 1)
    beside = Outbox.read_only(tmp_path / "data" / "outbox.sqlite")
    assert beside.depth().rows == 1
    with pytest.raises(OutboxError, match="readonly"):
        put(beside, 2)
    beside.close()


def test_a_full_disk_is_said_and_keeps_what_was_there(outbox: Outbox) -> None:
    put(outbox, 1)
    (pages,) = outbox._db.execute("PRAGMA page_count").fetchone()
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxError, match="full"):
        put(outbox, *range(2, 5000))
    assert outbox.depth().rows == 1
    outbox._db.execute(f"PRAGMA max_page_count = {pages + 10_000}")
    assert put(outbox, *range(2, 5000)) == 4998


def test_a_file_of_the_first_release_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    write_schema_4(path, waiting=3, receipted=2)
    with closing(sqlite3.connect(path)) as database:
        database.execute("ALTER TABLE visited DROP COLUMN identity")
        database.execute("DROP TABLE repair")
        database.execute("DROP TABLE drained")
        database.execute("PRAGMA user_version = 1")
    outbox = Outbox.open(path)
    assert (outbox.depth().rows, outbox.freed()) == (3, {"stored": 2})
    outbox.keep_ladder("meter", Ladder(rung=2, forgotten=1))
    assert outbox.ladder("meter") == Ladder(rung=2, forgotten=1)
    assert outbox.ladder("another") == Ladder()
    outbox.close()


def test_a_file_of_another_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(OutboxError, match="another release"):
        Outbox.open(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(OutboxError, match="not a database"):
        Outbox.open(path)


def test_a_file_that_the_disk_damaged_takes_nothing_more_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox.open(path)
    put(outbox, *range(500))
    outbox.close()
    outbox = Outbox.open(path)
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * (path.stat().st_size - 4096 * 3))
    with pytest.raises(OutboxError, match="malformed"):
        put(outbox, *range(500, 1000))
    said = outbox.shortage()
    assert said is not None
    assert "keep the file" in said
    outbox.close()


WRITER = """
import sys
from pathlib import Path
from gateway.outbox import Lane, Outbox
from tests.gateway.made import NOW, session, wire

outbox = Outbox.open(Path(sys.argv[1]))
start = int(sys.argv[2])
for number in range(start, 1_000_000, 5):
    batch = range(number, number + 5)
    outbox.put(session(number), [(wire(n), Lane.BACKFILL) for n in batch], NOW)
    outbox.complete("meter", "driver", {"next": number + 5})
    print(number + 5, flush=True)
"""


@pytest.mark.parametrize("after_lines", [1, 7, 40])
def test_kill_minus_nine_in_the_middle_of_putting_loses_nothing_that_was_promised(
    tmp_path: Path, after_lines: int
) -> None:
    path, promised = tmp_path / "outbox.sqlite", 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(promised)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(after_lines):
                promised = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            promised = max([promised, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        outbox = Outbox.open(path)
        rows, cursor = outbox.depth().rows, outbox.cursor("meter", "driver")
        outbox.close()
        assert cursor is not None
        assert int(cursor["next"]) >= promised, "a promised cursor went back"
        assert rows >= int(cursor["next"]), "the cursor is ahead of what is on disk"
        assert rows % 5 == 0, "half a transaction"


def test_a_message_is_no_longer_than_a_broker_takes_and_never_empty(outbox: Outbox) -> None:
    rows = [(msgspec.structs.replace(wire(n), raw="ab" * 30_000), Lane.LIVE) for n in range(5)]
    rows.append((msgspec.structs.replace(wire(9), raw="ab" * 100_000), Lane.LIVE))
    outbox.put(session(), rows, NOW)

    claimed = []
    while (outgoing := outbox.claim(Lane.LIVE)) is not None:
        claimed.append(len(outgoing.readings))

    assert claimed == [1, 2, 2, 1]


def test_an_outbox_that_another_release_wrote_is_not_looked_at_and_says_what_helps(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    Outbox.open(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 1")

    with pytest.raises(OutboxError, match="schema 1; a gateway of this release brings it up to date"):
        Outbox.read_only(path)
