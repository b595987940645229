"""The cursor of a memory that is walked newest first, as JSON."""

from device_drivers.drivers.conversation import Cursor
from device_drivers.drivers.newest_first import Known

LOST_TRACK = "the last reading of the previous visit is no longer in the memory; older ones may have been overwritten"


def known_of(cursor: Cursor | None, prefix: str = "") -> Known | None:
    """Where the last complete visit stopped; None where there was none, or nothing in the memory then."""
    if not cursor or f"{prefix}newest" not in cursor:
        return None
    return Known(str(cursor[f"{prefix}newest"]), int(cursor[f"{prefix}equal"]))


def cursor_of(newest: Known | None, prefix: str = "") -> dict[str, int | str]:
    """The cursor of a complete visit; empty where the memory was."""
    return {} if newest is None else {f"{prefix}newest": newest.reading_id, f"{prefix}equal": newest.equal}
