"""What follows of itself on the day when a follow-up is due, once: the jobs' part.

A questionnaire is sent; of a call and a visit the patient hears that there is something; what is to be checked is the
care team's alone. A questionnaire that was answered is done.
"""

from datetime import datetime, timedelta
from uuid import UUID

from cloud.console.spoken import zone_of
from cloud.crm.followups import store
from cloud.crm.followups.course import is_at_work
from cloud.crm.followups.models import What
from cloud.crm.followups.times import is_due
from cloud.crm.questionnaires import service as questionnaires
from cloud.crm.questionnaires.definitions import asked_on
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import Outside
from cloud.crm.reach.models import What as Outward
from cloud.db.connect import Connection
from cloud.duty import store as duty
from cloud.notifications.service import notify_of_follow_ups


def follow(connection: Connection, now: datetime) -> int:
    """All that is due by each patient's calendar; how many. The caller commits."""
    store.end_answered(connection, now)
    done = 0
    # East of us it is tomorrow already.
    for one in store.waiting(connection, now.date() + timedelta(days=1)):
        zone = zone_of(one.time_zone)
        if not is_due(one.due_on, zone, now):
            continue
        sent_id: UUID | None = None
        form = asked_on(now.astimezone(zone).date()).get(one.questionnaire or "")
        if form is not None:
            sent_id = questionnaires.send_as_due(connection, one.patient_id, form, now)
        elif one.what in (What.CALL, What.VISIT):
            reason = f"follow_up:{one.follow_up_id}"
            reach.tell(
                connection, one.patient_id, Outward.VISIT, reason, now,
                subject_id=one.follow_up_id, until=now + timedelta(days=2),
            )  # fmt: skip
        store.mark_reminded(connection, one.follow_up_id, sent_id, now)
        done += 1
    return done


def tell_owners(connection: Connection, now: datetime) -> int:
    """Whoever is at work hears once a day at most that follow-ups of theirs are due; how many. The caller commits.

    What becomes due after that is told on the next day of theirs; all of it stands in their list meanwhile.
    """
    due: dict[UUID, list[UUID]] = {}
    for one in store.owned(connection, now.date() + timedelta(days=1)):
        if is_due(one.due_on, zone_of(one.time_zone), now):
            due.setdefault(one.owner, []).append(one.follow_up_id)
    if not due:
        return 0
    plan = duty.plan(connection, now)
    today, told = now.astimezone(plan.working.zone).date(), 0
    for owner, follow_up_ids in due.items():
        if not is_at_work(plan.roster, plan.working, owner, now):
            continue
        if notify_of_follow_ups(connection, day=today, account_id=owner, at=now) is not None:
            store.mark_owner_told(connection, follow_up_ids, now)
            told += 1
    return told


def is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a message about a follow-up: whether it is still open. One about anything else is."""
    del now
    row = connection.execute("SELECT state FROM follow_up WHERE follow_up_id = %s", (outside.subject_id,)).fetchone()
    return row is None or row[0] == "open"
