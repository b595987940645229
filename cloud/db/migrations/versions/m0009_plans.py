"""Programmes, limits, schedules."""

from cloud.db.migrations.sql import run_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run sql/0009_plans.sql."""
    run_file("0009_plans.sql")
