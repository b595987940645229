"""One thing is looked at by one process at a time: a lock of the session, whose connection is a pool's."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import LiteralString
from uuid import UUID

import psycopg

from cloud.db.connect import Connection, one
from cloud.faults import placed

log = logging.getLogger(__name__)


class Looked(IntEnum):
    """At what, as its locks are numbered."""

    NOTIFICATION = 1
    OUTSIDE_MESSAGE = 2


@contextmanager
def alone(connection: Connection, what: Looked, which: UUID) -> Iterator[bool]:
    """Whether nobody else looks at it meanwhile.

    The lock ends with the connection at the latest: a dead process holds none, and a connection that cannot give it
    back is closed. In the pool it would keep everybody else from looking, for ever.
    """
    with connection.transaction():
        is_alone = _asked(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", what, which)
    try:
        yield is_alone
    finally:
        if is_alone and not connection.closed:
            _give_back(connection, what, which)


def _give_back(connection: Connection, what: Looked, which: UUID) -> None:
    is_given_back = False
    try:
        with connection.transaction():
            is_given_back = _asked(connection, "SELECT pg_advisory_unlock(hashtextextended(%s, %s))", what, which)
    except psycopg.Error as error:
        name = what.name.lower().replace("_", " ")
        log.error("%s %s could not be let go of (%s): a connection is closed", name, which, placed(error))
    finally:
        if not is_given_back:
            connection.close()


def _asked(connection: Connection, query: LiteralString, what: Looked, which: UUID) -> bool:
    return bool(one(connection.execute(query, (str(which), what.value)).fetchone())[0])
