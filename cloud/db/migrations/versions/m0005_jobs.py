"""The tables of durable jobs: those of the installed procrastinate, for the role of the jobs process alone.

A later version of procrastinate brings its own steps (``procrastinate/sql/migrations``): each is a migration here.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0005"
down_revision = "0004"

GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE
    ON procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers
    TO pulsepost_jobs;
GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq, procrastinate_periodic_defers_id_seq,
    procrastinate_workers_id_seq TO pulsepost_jobs;
"""


def upgrade() -> None:
    """Apply procrastinate's schema and grant it."""
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise ConnectionError("the migration's connection is closed")
    connection.execute(SchemaManager.get_schema())
    connection.execute(GRANTS)
