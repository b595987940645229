"""The SQL of the migrations, as files that psql can run too."""

from importlib import resources

from alembic import op


def run_file(name: str) -> None:
    """Send a file as it stands, in the migration's transaction."""
    script = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    # By the driver itself: SQLAlchemy would look for parameters, and psycopg sends several statements at once only
    # where there are none.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise ConnectionError("the migration's connection is closed")
    connection.execute(script)
