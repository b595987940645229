"""Documents from templates."""

from cloud.db.migrations.sql import run_file

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Run sql/0030_documents.sql."""
    run_file("0030_documents.sql")
