"""What the licence of the TimescaleDB we found allows is what the migrations have switched on."""

from __future__ import annotations

import psycopg

from tests.fix_services import Database


def test_the_columnstore_is_on_where_the_licence_allows_it_and_nowhere_else(database: Database) -> None:
    with psycopg.connect(database.admin_url) as connection:
        licence = connection.execute("SELECT current_setting('timescaledb.license')").fetchone()
        compressed = connection.execute(
            "SELECT count(*) FROM timescaledb_information.hypertables WHERE compression_enabled"
        ).fetchone()
        policies = connection.execute(
            "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression'"
        ).fetchone()
    expected = {("apache",): (0,), ("timescale",): (2,)}[licence or ()]
    assert (compressed, policies) == (expected, expected)
