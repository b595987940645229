"""Bringing a database to head."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine

MIGRATIONS = Path(__file__).parent / "migrations"


# A migration that cannot get its lock gives way to the ward; it is run again later.
LOCK_TIMEOUT = "5s"


def migrate(
    admin_url: str,
    report: Callable[[str], None] = lambda _: None,
    *,
    lock_timeout: str = LOCK_TIMEOUT,
    to: str = "head",
) -> None:
    """Run what is missing, in order, each migration in its own transaction; ``report`` gets one line per step.

    sqlalchemy.exc.OperationalError where the database does not answer or a lock is not had in time: run it again.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = sqlalchemy_url(admin_url)
    config.attributes["report"] = report
    config.attributes["lock_timeout"] = lock_timeout
    command.upgrade(config, to)


def head() -> str:
    """The newest revision that this version of the software knows."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revision = ScriptDirectory.from_config(config).get_current_head()
    if revision is None:
        raise LookupError("the software ships without migrations")
    return revision


def revision(url: str) -> str | None:
    """The revision that the database is at; None before the first migration."""
    engine = create_engine(sqlalchemy_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def sqlalchemy_url(url: str) -> str:
    """SQLAlchemy wants its driver in the scheme."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgresql", "postgres") else url
