"""Quality audit."""

from cloud.db.migrations.sql import run_file

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Run sql/0031_quality.sql."""
    run_file("0031_quality.sql")
