"""The fleet: enrolment, certificates, how gateways and devices are, technical alarms."""

from cloud.db.migrations.sql import run_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run sql/0004_fleet.sql."""
    run_file("0004_fleet.sql")
