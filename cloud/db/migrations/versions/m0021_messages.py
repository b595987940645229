"""Messages between a patient and the care team, units by preference, what the home is told."""

from cloud.db.migrations.sql import run_file

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Run sql/0021_messages.sql."""
    run_file("0021_messages.sql")
