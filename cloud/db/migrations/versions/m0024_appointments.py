"""Slots, bookings, waiting list."""

from cloud.db.migrations.sql import run_file

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Run sql/0024_appointments.sql."""
    run_file("0024_appointments.sql")
