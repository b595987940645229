"""Connections of a web process: opened once, checked before use, and noticing when the database is gone."""

from typing import Any, Final, TypeAlias

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from cloud.db.connect import CONNECT_TIMEOUT_S, noticing, session_options

Pool: TypeAlias = AsyncConnectionPool[AsyncConnection[Any]]

WAIT_FOR_CONNECTION_S: Final = 5.0


def make_pool(url: str, application_name: str, *, min_size: int, max_size: int) -> Pool:
    """Not open yet. Whoever waits longer than WAIT_FOR_CONNECTION_S for a connection gets PoolTimeout."""
    return AsyncConnectionPool(
        noticing(url),
        min_size=min_size,
        max_size=max_size,
        timeout=WAIT_FOR_CONNECTION_S,
        kwargs={
            "application_name": application_name,
            "connect_timeout": CONNECT_TIMEOUT_S,
            "options": session_options(),
        },
        check=check_transacting,
        reset=reset,
        open=False,
    )


async def check_transacting(connection: AsyncConnection[Any]) -> None:
    """Raise unless the server answers; afterwards every statement is in a transaction.

    psycopg's own check asks in autocommit and switches back. A request whose browser has gone may be cancelled right
    behind the first switch, where psycopg yields if the loop has been busy: the next one to have that connection would
    work without transactions, and for nobody, since for whom is said until the end of a transaction.
    """
    await AsyncConnectionPool.check_connection(connection)
    await reset(connection)


async def reset(connection: AsyncConnection[Any]) -> None:
    """A connection that comes back works in transactions.

    Having this, the pool takes connections back in tasks of its own. Without, whoever gives one back does that, and a
    live stream whose browser has gone is cancelled again wherever it waits: the connection would never come back, and
    after as many as there are the console stands still.
    """
    if connection.autocommit:
        await connection.set_autocommit(False)
