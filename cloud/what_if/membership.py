"""Which programme a patient is in: the one expression, put into every query that asks."""

from typing import Final

from psycopg.sql import SQL

# Put in as {programme_of}; the query names its patient's row `p` and passes %(at)s.
PROGRAMME_OF: Final = SQL(
    """coalesce((SELECT i.programme_id FROM patient_programme i
                 WHERE i.patient_id = p.patient_id AND i.valid @> %(at)s::timestamptz), 'standard')"""
)
