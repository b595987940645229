"""Whether the audit is whole, and where its chain ends."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from cloud.audit import store
from cloud.audit.chain import verified
from cloud.audit.models import Broken, Fault, Head, Whole
from cloud.db.connect import Connection

_HEAD = re.compile(r"\baudit head (\d{1,19}) ([0-9a-f]{64})\b")


def heads_in(text: str) -> Sequence[Head]:
    """Heads that were written down, one a line, with whatever stands around them: a log may be given as it is."""
    found = (_HEAD.search(line) for line in text.splitlines())
    return [Head(position=int(one[1]), hash=bytes.fromhex(one[2])) for one in found if one]


def verify(
    connection: Connection, heads: Iterable[Head] = (), since: datetime | None = None
) -> Iterator[int | Broken | Whole]:
    """Walk the chain, from ``since`` on or all of it: positions, then Whole or Broken.

    ``connection``: where ``store.look_only`` was called, so that all is of one moment; nobody who writes has to wait.
    """
    begin = store.last_before(connection, since) if since else None
    after = begin.position if begin else 0
    last: int | Broken | Whole = 0
    for last in verified(store.links(connection, after), heads, begin):
        if not isinstance(last, Whole):
            yield last
    if isinstance(last, Whole):
        yield _with_no_other_row(connection) or last


def _with_no_other_row(connection: Connection) -> Broken | None:
    audit_id = store.unlinked(connection)
    if audit_id is None:
        return None
    said = "it was put in past the chain: it has no place there"
    return Broken(fault=Fault.INSERTED, position=None, audit_id=audit_id, said=said)
