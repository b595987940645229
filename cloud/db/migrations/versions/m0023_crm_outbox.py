"""What leaves for outside CRMs, and what comes back."""

from cloud.db.migrations.sql import run_file

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Run sql/0023_crm_outbox.sql."""
    run_file("0023_crm_outbox.sql")
