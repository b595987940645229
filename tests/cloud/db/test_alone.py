"""Who looks at a thing alone, in a session that is a pool's."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from cloud.config import JobsSettings
from cloud.db.alone import Looked, alone
from cloud.jobs.desk import Desk
from tests.cloud.made import NOW, Ward

PATIENCE_S = 20


@pytest.fixture
def desk(ward: Ward) -> Iterator[Desk]:
    """The pool of the jobs."""
    made = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
    made.pool.open()
    yield made
    made.pool.close()


def test_two_look_at_different_things_and_one_at_each(desk: Desk) -> None:
    which = uuid4()
    with (
        desk.pool.connection() as one,
        desk.pool.connection() as other,
        alone(one, Looked.NOTIFICATION, which) as is_one,
    ):
        assert is_one
        with alone(other, Looked.NOTIFICATION, which) as is_other:
            assert not is_other
        with alone(other, Looked.NOTIFICATION, uuid4()) as is_other:
            assert is_other
        with alone(other, Looked.OUTSIDE_MESSAGE, which) as is_other:
            assert is_other


@pytest.mark.parametrize("what", Looked)
@pytest.mark.parametrize("left", ["SELECT 1 / 0", "SELECT pg_advisory_unlock_all()", "SET transaction_read_only = on"])
def test_a_connection_that_went_wrong_while_somebody_looked_keeps_nobody_else_from_looking(
    desk: Desk, ward: Ward, left: LiteralString, what: Looked
) -> None:
    """The lock is the session's, and the session is a pool's: it goes back without the lock, or not at all."""
    which = uuid4()
    with desk.pool.connection() as connection, alone(connection, what, which) as is_alone:
        assert is_alone
        pid = connection.info.backend_pid
        with suppress(psycopg.Error):
            connection.execute(left)
    wait_for_no_lock(ward)
    with desk.pool.connection() as connection, alone(connection, what, which) as is_alone:
        assert is_alone
        assert connection.info.transaction_status is TransactionStatus.IDLE
        assert (connection.info.backend_pid == pid) == left.startswith("SET")


def wait_for_no_lock(ward: Ward) -> None:
    """Return once nobody in this database holds an advisory lock: the server sees a little later that somebody left."""
    patience = threading.Event()
    for _ in range(PATIENCE_S * 50):
        held = ward.rows(
            "SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
        )
        if not held:
            return
        patience.wait(0.02)
    raise AssertionError("somebody keeps a lock")
