"""Who sees whom: the one predicate, put into every query that touches a patient."""

from typing import Final

from psycopg.sql import SQL

# Put in as {in_care_team}; the query names its patient's row `p` and passes %(account_id)s. The database's clock
# decides, as it will when row security takes the predicate over.
IN_CARE_TEAM: Final = SQL(
    """EXISTS (SELECT FROM care_team t
               WHERE t.patient_id = p.patient_id AND t.account_id = %(account_id)s
                 AND t.since <= now() AND (t.until IS NULL OR t.until > now()))"""
)
