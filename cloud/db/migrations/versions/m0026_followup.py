"""Follow-up: templates, discharge, questionnaires, reminders, advice."""

from cloud.db.migrations.sql import run_file

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Run sql/0026_followup.sql."""
    run_file("0026_followup.sql")
