"""What follows of itself around an event, once: a reminder the day before, the question how it was. The jobs' part."""

from datetime import datetime

from cloud.crm.groups import store
from cloud.crm.groups.models import EVALUATE_WITHIN, REMIND_BEFORE
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.db.connect import Connection


def accompany(connection: Connection, now: datetime) -> int:
    """All that is due; how many are told. The caller commits."""
    told = 0
    for seat_id, patient_id, starts_at in store.to_remind(connection, now, REMIND_BEFORE):
        reason = f"event:{seat_id}:remind:{starts_at:%Y-%m-%dT%H:%M:%SZ}"
        reach.tell(connection, patient_id, What.EVENT, reason, now, subject_id=seat_id, until=starts_at)
        told += 1
    for seat_id, patient_id, until in store.to_ask(connection, now, EVALUATE_WITHIN):
        reach.tell(connection, patient_id, What.EVENT, f"event:{seat_id}:how", now, subject_id=seat_id, until=until)
        told += 1
    return told
