"""The life of a case, and timers."""

from cloud.db.migrations.sql import run_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run sql/0007_cases.sql."""
    run_file("0007_cases.sql")
