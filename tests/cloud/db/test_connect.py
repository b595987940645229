import socket
from contextlib import closing

from cloud.db.connect import UNACKNOWLEDGED_MS, open_connection
from tests.fix_services import Database


def test_a_database_that_is_gone_without_a_word_is_noticed_within_half_a_minute(database: Database) -> None:
    with closing(open_connection(database.ingest_url, "test")) as connection:
        end = socket.socket(fileno=connection.fileno())
        try:
            idle, every, times, user_timeout_ms = (
                end.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
            assert end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert idle + every * times <= 30
            assert user_timeout_ms == UNACKNOWLEDGED_MS == 30_000
        finally:
            end.detach()  # it is the connection's


def test_the_database_ends_a_transaction_whose_client_is_gone_without_a_word(database: Database) -> None:
    """Its locks would be waited for in vain: the server must look for its client, and let no transaction rest."""
    with closing(open_connection(database.ingest_url, "test")) as connection:
        asked = ("idle_in_transaction_session_timeout", "client_connection_check_interval", "tcp_user_timeout")
        said = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in asked}
    assert said == dict(zip(asked, [("15s",), ("5s",), ("30000",)], strict=True))
