"""Segments, risk strata and households."""

from cloud.db.migrations.sql import run_file

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Run sql/0027_segments.sql."""
    run_file("0027_segments.sql")
