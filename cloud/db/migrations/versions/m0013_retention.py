"""What is kept how long."""

from cloud.db.migrations.sql import run_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Run sql/0013_retention.sql."""
    run_file("0013_retention.sql")
