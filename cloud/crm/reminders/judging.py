"""Who is reminded now, each once for each reason: the jobs' part. What stops a reminder is asked again when it leaves.

To measure: at the due time of the patient's schedule; called off by a measurement, a pause, a hospital or the end. Of
what was missed: when the silence has come to the step of reminding (``alerting.vigilance``, two hours), long before the
step at which a nurse is asked to call. Of medication: at its time, unless the patient said that it was taken.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from alerting.adherence import due_times
from cloud.console.spoken import zone_of
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import Outside, What
from cloud.crm.reminders import store
from cloud.crm.reminders.models import DOSE_FOR, Kind
from cloud.crm.reminders.times import moments
from cloud.db.connect import Connection
from cloud.fleet.schedules import schedule_of

# A turn that was missed is made up for so long; later a reminder would come at no time that anybody agreed on.
BACK: Final = timedelta(minutes=30)
# The next step of a silence is a technical one; so long a nudge is of use.
NUDGE_FOR: Final = timedelta(hours=10)


def remind(connection: Connection, now: datetime) -> int:
    """All that is due; how many are told. Done twice it tells nobody twice. The caller commits."""
    return _to_measure(connection, now) + _of_missed(connection, now) + _of_medication(connection, now)


def _to_measure(connection: Connection, now: datetime) -> int:
    told = 0
    for row in store.schedules(connection, now):
        for due in due_times(schedule_of(row), now - BACK, now + timedelta(microseconds=1)):
            last = store.last_measured(connection, row.patient_id, row.kind, due.earliest - timedelta(seconds=1), now)
            if last is not None and last >= due.earliest:
                continue
            reason = f"measure:{row.kind}:{_said(due.at)}:{_said(due.earliest)}"
            told += reach.tell(connection, row.patient_id, What.MEASURE, reason, now, until=due.latest) is not None
    return told


def _of_missed(connection: Connection, now: datetime) -> int:
    told = 0
    for patient_id, kind, since in store.missed(connection, now - NUDGE_FOR):
        reason = f"nudge:{kind}:{_said(since)}:{_said(since)}"
        told += reach.tell(connection, patient_id, What.NUDGE, reason, now, until=now + NUDGE_FOR) is not None
    return told


def _of_medication(connection: Connection, now: datetime) -> int:
    told = 0
    for row in store.doses_of_all(connection):
        for day, at in moments(row.at, zone_of(row.time_zone), max(now - BACK, row.set_at), now):
            if not store.is_due(connection, row.patient_id, row.at, day):
                continue
            # However much is taken then: one message.
            reason = f"medication:{row.at:{CLOCK}}:{day}"
            made = reach.tell(connection, row.patient_id, What.MEDICATION, reason, now, until=at + DOSE_FOR)
            told += made is not None
    return told


def is_measuring_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a reminder or a nudge that is about to leave: it is wanted, nobody measured since, and nobody need not."""
    if not store.is_wanted(connection, outside.patient_id, Kind(outside.what)):
        return False
    _, kind, *_, earliest = outside.reason.split(":")
    floor = datetime.strptime(earliest, FORM).replace(tzinfo=UTC)
    last = store.last_measured(connection, outside.patient_id, kind, floor - timedelta(seconds=1), now)
    return (last is None or last < floor) and store.may_be_reminded(connection, outside.patient_id, now)


def is_dose_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a reminder of medication: it is wanted, something of then is still to be taken, and they are at home."""
    del now
    _, clock, day = outside.reason.split(":")
    at = datetime.strptime(clock, CLOCK).replace(tzinfo=UTC).time()
    return (
        store.is_wanted(connection, outside.patient_id, Kind.MEDICATION)
        and store.is_due(connection, outside.patient_id, at, date.fromisoformat(day))
        and store.is_awake(connection, outside.patient_id)
    )


# Without a colon: parts of a reason stand between those.
FORM: Final = "%Y-%m-%dT%H%M%SZ"
CLOCK: Final = "%H%M"


def _said(at: datetime) -> str:
    return at.astimezone(UTC).strftime(FORM)
