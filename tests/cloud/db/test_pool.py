from psycopg.conninfo import conninfo_to_dict

from cloud.db.connect import UNACKNOWLEDGED_MS
from cloud.db.pool import make_pool
from tests.fix_services import Database


async def test_connections_of_a_pool_notice_when_the_database_is_gone_without_a_word(database: Database) -> None:
    async with (
        make_pool(database.enrolment_url, "test", min_size=1, max_size=1) as pool,
        pool.connection(timeout=5) as connection,
    ):
        settings = conninfo_to_dict(connection.info.dsn)
        waits = await (await connection.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
    assert settings["tcp_user_timeout"] == str(UNACKNOWLEDGED_MS)
    assert waits == ("15s",)
