import asyncio
from time import monotonic
from typing import Final

import anyio
from psycopg.conninfo import conninfo_to_dict

from cloud.db.acting import acting
from cloud.db.connect import UNACKNOWLEDGED_MS
from cloud.db.pool import Pool, make_pool
from tests.cloud.made import Ward
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


async def _take(pool: Pool) -> None:
    """As a stream does whose process has been busy with others."""
    until = monotonic() + BUSY_S
    while monotonic() < until:
        pass
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")
