"""Which programme a patient is in, and whether anybody watches: the expressions put into every query that asks."""

from typing import Final

from psycopg.sql import SQL

# Put in as {programme_of}; the query names its patient's row `p` and passes %(at)s.
PROGRAMME_OF: Final = SQL(
    """coalesce((SELECT i.programme_id FROM patient_programme i
                 WHERE i.patient_id = p.patient_id AND i.valid @> %(at)s::timestamptz), 'standard')"""
)

# Put in as {watched}: neither on the way in, nor over. Who has no participation has always been watched.
WATCHED: Final = SQL(
    """NOT EXISTS (SELECT FROM participation x
                   WHERE x.patient_id = p.patient_id AND x.is_newest AND x.watched_from IS NULL)"""
)
