"""Databases of a cluster: making and dropping them."""

from __future__ import annotations

import psycopg
from psycopg import sql

SCRATCH = "scratch_"
"""How the names of databases begin that nobody misses when their user is gone: a test's."""


def create_if_missing(admin_url: str, name: str) -> bool:
    """Make the database if the cluster has none of that name; whether it was made."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
            return False
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return True


def drop(admin_url: str, name: str) -> None:
    """Drop the database if it exists, whoever is connected."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_scratch(admin_url: str) -> None:
    """Drop what users that were killed have left. Only while nobody uses the services."""
    with psycopg.connect(admin_url) as connection:
        ask = "SELECT datname FROM pg_database WHERE starts_with(datname, %s)"
        names = [name for (name,) in connection.execute(ask, [SCRATCH])]
    for name in names:
        drop(admin_url, name)
