"""The ledger in the order of its devices."""

from cloud.db.migrations.sql import run_file

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Run sql/0006_ledger.sql."""
    run_file("0006_ledger.sql")
