"""Alembic's entry: how a migration is run. Settings come from ``cloud.db.migrate``."""

from collections.abc import Collection, Mapping

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import NullPool, create_engine, text

STATEMENT_TIMEOUT = "5min"

engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
report = context.config.attributes["report"]


def _say(ctx: MigrationContext, step: MigrationInfo, heads: Collection[object], run_args: Mapping[str, object]) -> None:
    del ctx, heads, run_args
    report(f"migrated to {step.up_revision_id}")


with engine.connect() as connection:
    connection.execute(text(f"SET lock_timeout = '{context.config.attributes['lock_timeout']}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.execute(text("SET timezone = 'UTC'"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True, on_version_apply=_say)
    with context.begin_transaction():
        context.run_migrations()
