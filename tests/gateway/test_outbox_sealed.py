"""Encryption at rest: no value, time, serial number or address on the disk, whatever the outbox has been through."""

import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from device_drivers.identity import DeviceIdentity
from gateway import outbox_schema
from gateway.bond_ladder import Ladder
from gateway.outbox import Depth, Lane, Outbox, OutboxError, Seen, VisitRow
from gateway.wire import v1
from gateway.wire.v1 import Fate, WirePrevious
from tests.gateway.made import METER, NOW, reading, receipts, session, wire
from tests.gateway.old_outbox import write_schema_4

ADDRESS = "5C:31:3E:00:11:22"
CUFF = DeviceIdentity(manufacturer="A&D", model="UA-651", address=ADDRESS)


def canaries() -> Iterator[bytes]:
    """What must be nowhere: the strings of the patient's devices and readings, in every spelling we use."""
    for device in (METER, CUFF):
        yield device.device_id.encode()
        yield from (part.encode() for part in (device.serial_number, device.address) if part)
    yield NOW.isoformat()[:16].encode()  # 2026-11-21T13:00
    yield b"2026-11-21T"
    for number in range(60):
        yield from (text.encode() for text in (wire(number).reading_id, wire(number).reported_time))
    yield from (b'"value":"', b"mg/dL", b"reported_time", b"serial_number", b'"raw"')


def found_on_disk(folder: Path) -> list[tuple[str, bytes]]:
    """Every canary in every file, in the database's own files and beside them."""
    octets = {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert "outbox.sqlite" in octets
    return [(name, canary) for name, content in octets.items() for canary in canaries() if canary in content]


def busy(outbox: Outbox) -> None:
    """Everything that an outbox is told in its life."""
    outbox.put(session(), [(wire(n), Lane.BACKFILL) for n in range(40)], NOW)
    cuff = v1.wire_session("c" * 32, CUFF, "and-ua-651ble", NOW, None, None)
    outbox.put(cuff, [(v1.wire_reading(reading(n, CUFF), NOW), Lane.LIVE) for n in range(3)], NOW)
    first = outbox.claim(Lane.BACKFILL, limit=20)
    assert first is not None
    outbox.free([receipts(first.message_id, *(r.reading_id for r in first.readings[:10]))])
    outbox.claim(Lane.LIVE)
    for device in (METER, CUFF):
        drained = WirePrevious(gateway_time=NOW, device_time=wire(0).raw)
        outbox.complete(device.device_id, "driver", {"newest": wire(0).reported_time}, drained=drained)
        outbox.remember(device.model, Seen(device.device_id, "1"))
        identity = f"model X; serial number {METER.serial_number}, address {ADDRESS}"
        outbox.record_visit(
            VisitRow(
                name=device.model, at=NOW, outcome="complete", reason="", received=3, new=2, holds=9, identity=identity
            )
        )
    outbox.put_ended(session(1))
    outbox.claim_ended()


def test_nothing_of_a_patient_is_on_the_disk(tmp_path: Path) -> None:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    busy(outbox)
    assert {file.name for file in tmp_path.iterdir()} >= {"outbox.sqlite", "outbox.sqlite-wal", "outbox.key"}
    assert found_on_disk(tmp_path) == []
    outbox.close()
    assert found_on_disk(tmp_path) == []


LIFE = """
import sys
from pathlib import Path
from gateway.outbox import Outbox
from tests.gateway.test_outbox_sealed import busy

busy(Outbox.open(Path(sys.argv[1])))
print("busy", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("schema_4", [False, True], ids=["new", "of the release before"])
def test_nothing_of_a_patient_is_on_the_disk_of_a_gateway_that_was_killed(tmp_path: Path, schema_4: bool) -> None:
    path = tmp_path / "outbox.sqlite"
    if schema_4:
        write_schema_4(path, waiting=50, receipted=50)
        assert found_on_disk(tmp_path)  # it is looked for in the right way
    command = [sys.executable, "-c", LIFE, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as life:
        assert life.stdout is not None
        assert life.stdout.readline() == "busy\n"
        life.send_signal(signal.SIGKILL)
    assert (tmp_path / "outbox.sqlite-wal").stat().st_size > 0
    assert found_on_disk(tmp_path) == []


def test_an_outbox_of_the_release_before_is_sealed_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    write_schema_4(path, waiting=50, receipted=10, in_flight=20)
    outbox = Outbox.open(path)
    assert outbox.depth() == Depth(50, NOW)
    assert (outbox.fate(wire(55).reading_id), outbox.freed()) == (Fate.STORED, {"stored": 10})
    published = outbox.message("e" * 32)
    assert published is not None
    assert (published.session, published.readings) == (session(), tuple(wire(n) for n in range(20)))
    waiting = outbox.claim(Lane.BACKFILL)
    assert waiting is not None
    assert (waiting.session, waiting.readings) == (session(), tuple(wire(n) for n in range(20, 50)))
    device = METER.device_id
    assert outbox.cursor(device, "ultramini") == {"newest": wire(0).reported_time}
    assert outbox.drained(device, "ultramini") == WirePrevious(
        gateway_time=NOW, device_time=wire(0).reported_time, drained=True
    )
    assert outbox.seen("meter") == Seen(device, "1")
    visit = VisitRow(name="meter", at=NOW, outcome="complete", reason="all of it", received=3, new=2, holds=500)
    assert outbox.visits()["meter"].identity == f"model X; serial number {METER.serial_number}"
    assert {**outbox.visits()}.keys() == {"meter"}
    assert outbox.visits()["meter"].at == visit.at
    assert outbox.ladder("meter") == Ladder(rung=2)
    outbox.close()
    assert found_on_disk(tmp_path) == []


def test_an_upgrade_that_is_killed_after_sealing_is_taken_up_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files at that moment: sealed, committed, with what was there before in the log and in free pages."""
    path, killed = tmp_path / "outbox.sqlite", tmp_path / "killed"
    write_schema_4(path, waiting=50, receipted=0)

    def stop(database: sqlite3.Connection) -> None:
        killed.mkdir()
        for file in tmp_path.glob("outbox*"):
            shutil.copy(file, killed)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(outbox_schema, "_sweep", stop)
        with pytest.raises(KeyboardInterrupt):
            Outbox.open(path)
    outbox = Outbox.open(killed / "outbox.sqlite")
    assert outbox.depth().rows == 50
    outbox.close()
    assert found_on_disk(killed) == []


def test_nobody_but_us_can_read_the_key(tmp_path: Path) -> None:
    Outbox.open(tmp_path / "outbox.sqlite").close()
    assert stat.S_IMODE((tmp_path / "outbox.key").stat().st_mode) == 0o600


def test_the_key_can_be_kept_elsewhere(tmp_path: Path) -> None:
    path, key = tmp_path / "data" / "outbox.sqlite", tmp_path / "stick" / "gateway.key"
    outbox = Outbox.open(path, key)
    busy(outbox)
    outbox.close()
    assert key.exists()
    assert not list(path.parent.glob("*.key*"))
    again = Outbox.open(path, key)
    assert again.seen(METER.model) == Seen(METER.device_id, "1")
    again.close()


def sealed_outbox(path: Path) -> None:
    outbox = Outbox.open(path)
    outbox.put(session(), [(wire(1), Lane.LIVE)], NOW)
    outbox.close()


def test_a_missing_key_is_said_and_never_made_anew(tmp_path: Path) -> None:
    path, key = tmp_path / "outbox.sqlite", tmp_path / "outbox.key"
    sealed_outbox(path)
    kept = key.rename(tmp_path / "kept")
    with pytest.raises(OutboxError, match=r"outbox\.key is missing.*put the file back"):
        Outbox.open(path)
    assert not key.exists()
    kept.rename(key)
    outbox = Outbox.open(path)
    assert outbox.depth() == Depth(1, NOW)
    outbox.close()


def test_another_key_is_refused_and_loses_nothing(tmp_path: Path) -> None:
    path, key = tmp_path / "outbox.sqlite", tmp_path / "outbox.key"
    sealed_outbox(path)
    right = key.read_bytes()
    key.write_bytes(bytes(32))
    with pytest.raises(OutboxError, match="not the key that the outbox was sealed under"):
        Outbox.open(path)
    key.write_bytes(right)
    outbox = Outbox.open(path)
    assert outbox.depth() == Depth(1, NOW)
    outbox.close()


def test_a_key_that_others_can_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path, key = tmp_path / "outbox.sqlite", tmp_path / "outbox.key"
    sealed_outbox(path)
    key.chmod(0o644)
    with pytest.raises(OutboxError, match="chmod 600"):
        Outbox.open(path)


def test_without_the_key_what_is_in_the_clear_can_be_looked_at_and_the_rest_says_why_not(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    sealed_outbox(path)
    (tmp_path / "outbox.key").unlink()
    beside = Outbox.read_only(path)
    assert beside.depth() == Depth(1, None)
    assert "is missing" in beside.sealed_away
    with pytest.raises(OutboxError, match="is missing"):
        beside.visit("meter")
    beside.close()


def test_a_row_that_the_disk_damaged_is_kept_and_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox.open(path)
    outbox.put(session(), [(wire(n), Lane.LIVE) for n in range(3)], NOW)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE reading SET sealed = zeroblob(200) WHERE seq = 2")
    outgoing = outbox.claim(Lane.LIVE)
    assert outgoing is not None
    assert outgoing.readings == (wire(0), wire(2))
    assert outbox.claim(Lane.LIVE) is None
    assert (outbox.depth().rows, outbox.damaged()) == (2, 1)
    outbox.free([receipts(outgoing.message_id, wire(0).reading_id, wire(2).reading_id)])
    assert outbox.depth() == Depth(0, None)

    # The device still has it, and gives it again.
    assert outbox.put(session(1), [(wire(1), Lane.BACKFILL)], NOW) == 1
    again = outbox.claim(Lane.BACKFILL)
    assert again is not None
    assert again.readings == (wire(1),)
    assert outbox.damaged() == 0
    outbox.close()


@pytest.mark.parametrize("table", ["device_cursor", "drained", "visited"])
def test_what_devices_tell_again_is_taken_for_unknown_where_the_disk_damaged_it(tmp_path: Path, table: str) -> None:
    path = tmp_path / "outbox.sqlite"
    outbox = Outbox.open(path)
    busy(outbox)
    columns = ("seen", "visit") if table == "visited" else ("sealed",)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE {table} SET {', '.join(f'{c} = zeroblob(200)' for c in columns)}")  # noqa: S608
    said = {
        "device_cursor": outbox.cursor(METER.device_id, "driver"),
        "drained": outbox.drained(METER.device_id, "driver"),
        "visited": outbox.seen(METER.model) or outbox.visit(METER.model),
    }
    assert said[table] is None
    outbox.close()
