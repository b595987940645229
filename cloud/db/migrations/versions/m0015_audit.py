"""The audit as a chain that shows whether a row was touched."""

from cloud.db.migrations.sql import run_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Run sql/0015_audit.sql."""
    run_file("0015_audit.sql")
