import asyncio
from time import monotonic
from typing import Final
from uuid import UUID

import anyio
import pytest
from psycopg.conninfo import conninfo_to_dict

from cloud.config import JobsSettings
from cloud.db.acting import acting
from cloud.db.connect import UNACKNOWLEDGED_MS
from cloud.db.pool import Pool, make_pool
from cloud.jobs.desk import Desk
from cloud.jobs.tasks import make_app
from tests.cloud.made import NOW, Ward
from tests.fix_services import Database

TURNS: Final = 20  # of the loop: whoever takes a connection waits for the server long before
BUSY_S: Final = 0.02  # from when on psycopg gives way to others wherever it might wait, is less


async def test_connections_of_a_pool_notice_when_the_database_is_gone_without_a_word(database: Database) -> None:
    async with (
        make_pool(database.enrolment_url, "test", min_size=1, max_size=1) as pool,
        pool.connection(timeout=5) as connection,
    ):
        settings = conninfo_to_dict(connection.info.dsn)
        waits = await (await connection.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
    assert settings["tcp_user_timeout"] == str(UNACKNOWLEDGED_MS)
    assert waits == ("15s",)


async def test_a_request_given_up_at_any_moment_leaves_a_connection_with_transactions(ward: Ward) -> None:
    async with make_pool(ward.database.console_url, "test", min_size=1, max_size=1) as pool:
        for turns in range(TURNS):
            async with anyio.create_task_group() as group:
                group.start_soon(_take, pool)
                for _ in range(turns):
                    await asyncio.sleep(0)
                group.cancel_scope.cancel()
            async with acting(pool, ward.nurse_id) as connection:
                assert not connection.autocommit, f"given up after {turns} turns"
                row = await (await connection.execute("SELECT acting_account_id()")).fetchone()
                assert row == (ward.nurse_id,)


@pytest.mark.parametrize("again", [False, True])
async def test_requests_given_up_anywhere_leave_every_connection_as_it_was(ward: Ward, again: bool) -> None:
    """While they wait, work, commit or give back; told once (asyncio), or whenever they wait again (anyio)."""
    async with make_pool(ward.database.console_url, "test", min_size=2, max_size=2) as pool:
        await pool.wait()
        for turns in range(0, WORK_TURNS, 3):
            if again:
                async with anyio.create_task_group() as group:
                    for _ in range(3):
                        group.start_soon(_work, pool, ward.nurse_id)
                    await _turns(turns)
                    group.cancel_scope.cancel()
            else:
                working = [asyncio.create_task(_work(pool, ward.nurse_id)) for _ in range(3)]
                await _turns(turns)
                for one_ in working:
                    one_.cancel()
                await asyncio.gather(*working, return_exceptions=True)
            async with pool.connection() as first, pool.connection() as second:
                for connection in (first, second):
                    row = await (await connection.execute(LEFT)).fetchone()
                    assert row == (None, 0, 0, "15s"), f"given up after {turns} turns"
                    assert not connection.autocommit, f"given up after {turns} turns"


# Whatever a transaction set for itself, a lock, a table and a prepared transaction of its session would be seen here.
LEFT: Final = """
SELECT acting_account_id(),
       (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'),
       (SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND pg_table_is_visible(oid)),
       current_setting('idle_in_transaction_session_timeout')
"""
WORK_TURNS: Final = 240  # of the loop: a whole request has fewer


async def _work(pool: Pool, account_id: UUID) -> None:
    """A request: for somebody, with a lock and a setting of its own transaction."""
    async with acting(pool, account_id) as connection:
        await connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '30s', true)")
        await connection.execute("SELECT pg_advisory_xact_lock(1)")
        await connection.execute("SELECT pg_sleep(0.001)")


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_procrastinates_own_pool_asks_as_ours_does(database: Database) -> None:
    desk = Desk(JobsSettings(database_url=database.jobs_url), lambda: NOW)
    app = make_app(desk, lambda: None)
    async with app.open_async():
        pool = app.connector.pool  # type: ignore[attr-defined]  # a PsycopgConnector
        async with pool.connection() as connection:
            await connection.set_autocommit(True)
        async with pool.connection() as connection:
            assert not connection.autocommit


async def _take(pool: Pool) -> None:
    """As a stream does whose process has been busy with others."""
    until = monotonic() + BUSY_S
    while monotonic() < until:
        pass
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
