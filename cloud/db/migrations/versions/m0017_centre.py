"""Around a case: emergency card, contact persons, medication, treatment changes, calls, scripts."""

from cloud.db.migrations.sql import run_file

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Run sql/0017_centre.sql."""
    run_file("0017_centre.sql")
