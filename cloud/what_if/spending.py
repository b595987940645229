"""All SQL of counting what programmes asked of people: too much to count for every page that shows it."""

from datetime import datetime, timedelta
from typing import Final

from cloud.db.connect import Connection

# Over so many days; the notice goes by the shortest, which tells sooner.
SPANS: Final = (7, 28)


def count(connection: Connection, at: datetime) -> None:
    """Each programme over each span, of all its patients.

    A patient counts while a device is theirs and somebody watches, from the activation to the end: who measures nothing
    by agreement, or to try the devices, cannot raise anything. A case counts once, when it was opened, for the
    programme that the patient was in then; what closed automatically does not.
    """
    for days in SPANS:
        connection.execute(_COUNT, {"since": at - timedelta(days=days), "at": at, "days": days})


_COUNT = """
WITH span AS (SELECT tstzrange(%(since)s, %(at)s) AS of),
with_device AS (
    SELECT a.patient_id, range_agg(a.valid) * tstzmultirange(span.of) AS times
    FROM device_assignment a, span WHERE a.valid && span.of GROUP BY a.patient_id, span.of),
watched AS (
    SELECT patient_id, coalesce(range_agg(tstzrange(activated_at, ended_at)) FILTER (WHERE activated_at < coalesce(
               ended_at, 'infinity')), '{}'::tstzmultirange) AS times
    FROM participation GROUP BY patient_id),
monitored AS (
    SELECT d.patient_id, CASE WHEN w.patient_id IS NULL THEN d.times ELSE d.times * w.times END AS times
    FROM with_device d LEFT JOIN watched w USING (patient_id)),
stays AS (
    SELECT p.programme_id, m.times * tstzmultirange(p.valid) AS times
    FROM monitored m JOIN patient_programme p USING (patient_id)
    UNION ALL
    SELECT 'standard', m.times - coalesce((SELECT range_agg(p.valid) FROM patient_programme p
                                           WHERE p.patient_id = m.patient_id), '{}'::tstzmultirange)
    FROM monitored m),
time_in AS (
    SELECT programme_id, sum(extract(epoch FROM upper(piece) - lower(piece))) / 86400 AS patient_days
    FROM stays, unnest(times) AS piece GROUP BY programme_id),
opened AS (
    SELECT coalesce(p.programme_id, 'standard') AS programme_id, count(*) AS cases
    FROM alert_case c
    LEFT JOIN patient_programme p ON p.patient_id = c.patient_id AND p.valid @> c.opened_at
    WHERE c.opened_at >= %(since)s AND c.opened_at < %(at)s AND c.closed_automatically IS NULL
    GROUP BY 1)
INSERT INTO alert_budget_spent (programme_id, days, cases, patient_days, counted_at)
SELECT programme_id, %(days)s, coalesce(o.cases, 0), round(coalesce(t.patient_days, 0), 1), %(at)s
FROM programme LEFT JOIN time_in t USING (programme_id) LEFT JOIN opened o USING (programme_id)
ON CONFLICT (programme_id, days) DO UPDATE
    SET cases = excluded.cases, patient_days = excluded.patient_days, counted_at = excluded.counted_at
"""
