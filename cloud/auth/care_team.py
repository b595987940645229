"""Who sees whom: the predicate put into every query that touches a patient, before row security asks the same."""

from typing import Final

from psycopg.sql import SQL

# Put in as {in_care_team}; the query names its patient's row `p` and passes %(account_id)s. The database's clock
# decides, as row security does (db/migrations/sql/0016_access.sql).
IN_CARE_TEAM: Final = SQL(
    """EXISTS (SELECT FROM care_team t
               WHERE t.patient_id = p.patient_id AND t.account_id = %(account_id)s
                 AND t.since <= now() AND (t.until IS NULL OR t.until > now()))"""
)
# The same, or opened by break-glass: for what is about one patient. Put in as {in_care}.
IN_CARE: Final = SQL(
    """({in_care_team} OR EXISTS (SELECT FROM break_glass b
               WHERE b.patient_id = p.patient_id AND b.account_id = %(account_id)s
                 AND b.since <= now() AND b.until > now()))"""
).format(in_care_team=IN_CARE_TEAM)
