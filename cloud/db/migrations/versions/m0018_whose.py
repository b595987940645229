"""Whose is it?: releasing quarantined readings, and the wrong-person guard."""

from cloud.db.migrations.sql import run_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Run sql/0018_whose.sql."""
    run_file("0018_whose.sql")
