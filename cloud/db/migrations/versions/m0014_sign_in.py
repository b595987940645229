"""How people prove who they are: second factors, invitations, outside identities."""

from cloud.db.migrations.sql import run_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Run sql/0014_sign_in.sql."""
    run_file("0014_sign_in.sql")
