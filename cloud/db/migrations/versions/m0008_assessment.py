"""What rules remember between readings."""

from cloud.db.migrations.sql import run_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run sql/0008_assessment.sql."""
    run_file("0008_assessment.sql")
