"""Surveys, complaints, suggestions."""

from cloud.db.migrations.sql import run_file

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Run sql/0028_voices.sql."""
    run_file("0028_voices.sql")
