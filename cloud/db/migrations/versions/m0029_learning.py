"""Education library, lectures, groups, questions and answers."""

from cloud.db.migrations.sql import run_file

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Run sql/0029_learning.sql."""
    run_file("0029_learning.sql")
