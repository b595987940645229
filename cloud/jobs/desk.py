"""What every job has at hand: the settings, the clock, and a connection for as long as it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from psycopg_pool import ConnectionPool

from cloud.config import JobsSettings
from cloud.db.connect import CONNECT_TIMEOUT_S, Connection, noticing, session_options

# As many as jobs run at the same time.
POOL_SIZE = 4
WAIT_FOR_CONNECTION_S = 5.0


@dataclass(slots=True)
class Desk:
    """``pool.connection()`` gives a connection in a transaction that commits at the end of its block, or rolls back.

    PoolTimeout and psycopg.OperationalError while the database is away: the job fails, and its next turn makes up.
    """

    settings: JobsSettings
    now: Callable[[], datetime]
    pool: "ConnectionPool[Connection]" = field(init=False)

    def __post_init__(self) -> None:
        self.pool = ConnectionPool(
            noticing(self.settings.database_url),
            min_size=0,
            max_size=POOL_SIZE,
            timeout=WAIT_FOR_CONNECTION_S,
            kwargs={
                "application_name": f"pulsepost {self.settings.name} jobs",
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": session_options(),
            },
            check=ConnectionPool.check_connection,
            open=False,
        )
