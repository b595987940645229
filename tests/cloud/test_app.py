"""The console's server."""

from cloud.app import create_app, server
from cloud.config import ConsoleSettings
from tests.fix_services import Database

# What Caddy keeps an idle connection to a server for, unless told otherwise.
A_PROXYS_S = 120


def test_an_idle_connection_is_closed_by_a_proxy_before_us(database: Database) -> None:
    app = create_app(ConsoleSettings(database_url=database.console_url))
    assert server(app, "127.0.0.1", 0, ready=print).config.timeout_keep_alive > A_PROXYS_S
