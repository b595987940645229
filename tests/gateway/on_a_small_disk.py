"""What the outbox does on a filesystem that is really full: run in a mount namespace of its own, see ``small_disk``.

unshare --mount python -m tests.gateway.on_a_small_disk SCENARIO FOLDER
"""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from gateway.disk import MIB, Disk
from gateway.outbox import Lane, Outbox, OutboxError
from tests.gateway.made import NOW, receipts, session, wire

SIZE = 16 * MIB
# More than the log of SQLite gives back when it is emptied.
FLOOR, RESERVE = 5 * MIB, MIB


def in_a_namespace(*command: str | Path) -> list[str]:
    """A command that may mount what nobody else sees, whoever runs it; the mounts end with it."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *own, "--mount", *map(str, command)]


def fill(folder: Path) -> None:
    """Somebody else takes the rest of the disk, to the last octet."""
    with (folder / "other").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            assert os.statvfs(folder).f_bavail == 0


def opened(folder: Path) -> Outbox:
    return Outbox.open(folder / "outbox.sqlite", disk=Disk(folder, floor=FLOOR, reserve=RESERVE))


def put(outbox: Outbox, first: int) -> None:
    rows = [(wire(number), Lane.BACKFILL) for number in range(first, first + 50)]
    assert outbox.put(session(first), rows, NOW) == 50


def put_until_refused(outbox: Outbox) -> int:
    """How many readings it took."""
    total = 0
    try:
        while True:
            put(outbox, total)
            total += 50
    except OutboxError as error:
        assert "full" in str(error)  # noqa: PT017 -- there is no other way to count
    return total


def emptied(outbox: Outbox) -> int:
    """Everything goes the whole way: claimed, as if published, and freed."""
    freed = 0
    while (outgoing := outbox.claim(Lane.BACKFILL)) is not None:
        freed += outbox.free([receipts(outgoing.message_id, *(r.reading_id for r in outgoing.readings))])
    return freed


def an_outbox_that_filled_the_disk_itself(folder: Path) -> None:
    """It takes nothing more, gives out all it has, gives the room back and takes again."""
    outbox = opened(folder)
    taken = put_until_refused(outbox)
    assert taken > 1000
    assert "the disk is full" in (outbox.shortage() or "")
    assert emptied(outbox) == taken
    assert outbox.freed() == {"stored": taken}
    assert outbox.shortage() is None
    put(outbox, 1_000_000)
    assert (folder / "reserve").stat().st_size == RESERVE


def a_disk_that_somebody_else_filled(folder: Path) -> None:
    """Not an octet is free, and stays free: what waits gets out all the same, and the next is not taken."""
    outbox = opened(folder)
    for first in range(0, 2000, 50):
        put(outbox, first)
    fill(folder)
    assert "the disk is full" in (outbox.shortage() or "")
    assert emptied(outbox) == 2000
    (folder / "other").unlink()
    assert outbox.shortage() is None
    put(outbox, 5000)


def a_disk_that_fills_while_a_cuff_is_read(folder: Path) -> None:
    """What the cuff may have deleted already is kept: the reserve is given up for it."""
    outbox = opened(folder)
    taken = put_until_refused(outbox)
    rows = [(wire(number), Lane.LIVE) for number in range(2_000_000, 2_000_050)]
    assert outbox.put(session(2_000_000), rows, NOW, irrevocable=True) == 50
    assert not (folder / "reserve").exists()
    assert outbox.depth().rows == taken + 50


def a_gateway_that_is_killed_there(folder: Path) -> None:
    """The next start works, and empties it."""
    with subprocess.Popen(
        [sys.executable, "-m", __spec__.name, "fill_and_wait", str(folder)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        taken = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
    fill(folder)
    outbox = opened(folder)
    assert outbox.depth().rows == taken
    assert emptied(outbox) == taken


def a_first_start_there(folder: Path) -> None:
    """There is no key yet, and no room for one: it is said, and the start after it works."""
    fill(folder)
    try:
        opened(folder)
    except OutboxError as error:
        assert "No space left" in str(error) or "full" in str(error)  # noqa: PT017 -- a plain script
    else:
        raise AssertionError("it opened without room for a key")
    (folder / "other").unlink()
    put(opened(folder), 0)


def a_disk_that_refuses_every_write(folder: Path) -> None:
    """As a card does that fails, with room on it: nothing is taken until it can be written; what is there is read."""
    outbox = opened(folder)
    put(outbox, 0)
    limit_file_size(0)
    try:
        put(outbox, 50)
    except OutboxError:
        pass
    else:
        raise AssertionError("it was taken, and nowhere written")
    assert outbox.shortage() is not None
    assert outbox.depth().rows == 50
    limit_file_size(resource.RLIM_INFINITY)
    assert outbox.shortage() is None
    put(outbox, 50)
    assert emptied(outbox) == 100


def limit_file_size(octets: int) -> None:
    """The kernel refuses what goes beyond; Python has the signal for it ignored."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))


def fill_and_wait(folder: Path) -> None:
    """To be killed."""
    outbox = opened(folder)
    sys.stdout.write(f"{put_until_refused(outbox)}\n")
    sys.stdout.flush()
    signal.pause()


def main() -> None:
    """Mount a small filesystem on the folder (but for the child of a scenario) and play."""
    scenario, folder = sys.argv[1], Path(sys.argv[2])
    if scenario != fill_and_wait.__name__:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    globals()[scenario](folder)


if __name__ == "__main__":
    main()
