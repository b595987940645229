"""Whom which advice is given: the jobs' part, each hour. It is written down, and the patient is told of it once."""

from datetime import datetime

from cloud.crm.advice import store
from cloud.crm.advice.rules import REST, WITHIN, mean_beyond
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.db.connect import Connection


def advise(connection: Connection, now: datetime) -> int:
    """What the rules in force give by now; how much. One turn at a time; the caller commits."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('advise', 0))")
    given = 0
    for snippet_id, name, rule in store.in_force(connection):
        for patient_id, week in store.weeks(connection, name, rule.measure, now - WITHIN, now, now - REST).items():
            unit, readings = max(week.items(), key=lambda one: len(one[1]))
            mean = mean_beyond(rule.of(unit), readings)
            if mean is None:
                continue
            store.give(connection, patient_id, snippet_id, mean, unit, now)
            reason = f"advice:{snippet_id}:{now:%Y-%m-%d}"
            reach.tell(connection, patient_id, What.ADVICE, reason, now, subject_id=snippet_id, until=now + WITHIN)
            given += 1
    return given
