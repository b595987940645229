"""Taking a patient in: eligibility, consent with its version and withdrawal, training, activation."""

from cloud.db.migrations.sql import run_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Run sql/0019_enrolling.sql."""
    run_file("0019_enrolling.sql")
