"""Click to call, recordings."""

from cloud.db.migrations.sql import run_file

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Run sql/0032_telephony.sql."""
    run_file("0032_telephony.sql")
