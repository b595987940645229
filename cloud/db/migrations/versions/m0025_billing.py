"""Billing evidence: minutes, rules as dated data."""

from cloud.db.migrations.sql import run_file

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Run sql/0025_billing.sql."""
    run_file("0025_billing.sql")
