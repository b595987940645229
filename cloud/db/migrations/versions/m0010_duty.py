"""Who is on duty."""

from cloud.db.migrations.sql import run_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run sql/0010_duty.sql."""
    run_file("0010_duty.sql")
