"""The columnstore and its policies, where TimescaleDB's licence allows them."""

from alembic import context, op
from sqlalchemy import text

from cloud.db.columnstore import statements

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Ask ``timescaledb.license``; under 'apache' do nothing and say so."""
    licence = op.get_bind().execute(text("SELECT current_setting('timescaledb.license', true)")).scalar()
    wanted = statements(licence)
    for statement in wanted:
        op.execute(text(statement))
    if not wanted:
        context.config.attributes["report"](f"no columnstore: TimescaleDB runs under the licence {licence!r}")
