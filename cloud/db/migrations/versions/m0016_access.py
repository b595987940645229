"""Care-team access in the database: row security, barrier views, break-glass."""

from cloud.db.migrations.sql import run_file

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Run sql/0016_access.sql."""
    run_file("0016_access.sql")
