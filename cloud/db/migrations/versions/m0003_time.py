"""The patient's zones by time, and checks of a device's clock by eye."""

from cloud.db.migrations.sql import run_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run sql/0003_time.sql."""
    run_file("0003_time.sql")
