"""The road: people, devices, the ledger, observations, alerts and cases."""

from cloud.db.migrations.sql import run_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run sql/0001_road.sql."""
    run_file("0001_road.sql")
