"""Training mode: synthetic patients beside the real ones, marked."""

from cloud.db.migrations.sql import run_file

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Run sql/0022_training.sql."""
    run_file("0022_training.sql")
