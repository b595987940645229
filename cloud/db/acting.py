"""For whom the console works: without it no transaction sees a patient (migrations/sql/0016_access.sql)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.db.pool import Pool


async def act_for(connection: AsyncConnection[Any], account_id: UUID) -> None:
    """This account's rights until the transaction ends; a connection that is given back carries nothing."""
    await connection.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(account_id),))


@asynccontextmanager
async def acting(pool: Pool, account_id: UUID) -> AsyncIterator[AsyncConnection[Any]]:
    """A transaction with this account's rights; it commits at the end of the block, or is rolled back."""
    async with pool.connection() as connection:
        await act_for(connection, account_id)
        yield connection
