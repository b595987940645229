"""Whom we told what."""

from cloud.db.migrations.sql import run_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run sql/0011_notifications.sql."""
    run_file("0011_notifications.sql")
