"""Devices as things: stock, lease, hand-out, return, wipe, remote pairing."""

from cloud.db.migrations.sql import run_file

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Run sql/0020_stock.sql."""
    run_file("0020_stock.sql")
