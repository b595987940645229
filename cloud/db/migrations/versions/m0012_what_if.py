"""Trying limits on stored readings, and alert budgets."""

from cloud.db.migrations.sql import run_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run sql/0012_what_if.sql."""
    run_file("0012_what_if.sql")
