"""Telling patients outside that there is something for them (``cloud.crm.reach``)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from procrastinate import App

from cloud.crm.advice import store as advice
from cloud.crm.complaints import overdue as complaints
from cloud.crm.education import asked as questions
from cloud.crm.education import store as education
from cloud.crm.followups import judging as followups
from cloud.crm.groups import store as groups
from cloud.crm.questionnaires import service as questionnaires
from cloud.crm.reach import delivery, store
from cloud.crm.reach.delivery import Delivery, Subjects
from cloud.crm.reach.models import Outside, What
from cloud.crm.reminders import judging as reminders
from cloud.crm.surveys import asking as surveys
from cloud.db.connect import Connection
from cloud.jobs.desk import Desk
from cloud.notifications.channels.offered import offered

# Where each kind is found on the patient's own page.
PATHS: Final[Mapping[What, str]] = {
    What.MESSAGE: "/me/messages",
    What.ADVICE: "/me/advice",
    What.ARTICLE: "/me/library",
    What.EVENT: "/me/events",
    What.ANSWER: "/me/ask",
}
# What is of no use to somebody who takes part no longer. Of what was booked, written or asked they still hear.
WHILE_TAKING_PART: Final = frozenset(
    {What.QUESTIONNAIRE, What.MEASURE, What.NUDGE, What.MEDICATION, What.ADVICE, What.ARTICLE, What.EVENT}
)
NEEDED: Final[Mapping[What, Callable[[Connection, Outside, datetime], bool]]] = {
    What.MESSAGE: store.is_unread,
    What.QUESTIONNAIRE: questionnaires.is_needed,
    What.VISIT: followups.is_needed,
    What.MEASURE: reminders.is_measuring_needed,
    What.NUDGE: reminders.is_measuring_needed,
    What.MEDICATION: reminders.is_dose_needed,
    What.SURVEY: surveys.is_needed,
    What.COMPLAINT: complaints.is_needed,
    What.ADVICE: advice.is_unread,
    What.ARTICLE: education.is_needed,
    What.EVENT: groups.is_needed,
    What.ANSWER: questions.is_needed,
}


def add_jobs(app: App, desk: Desk) -> None:
    """``deliver_outside`` for one, and a sweep that misses none."""
    telling = Delivery(
        connections=desk.pool.connection,
        now=desk.now,
        channels=offered(desk.settings.notify, desk.now),
        subjects=SUBJECTS,
        base_url=desk.settings.notify.base_url,
    )

    @app.task(name="deliver_outside")
    def deliver_outside(message_id: str) -> None:
        telling.look(UUID(message_id))

    @app.periodic(cron=f"* * * * * */{desk.settings.notify.sweep_every_s}")
    @app.task(name="sweep_outside", queueing_lock="sweep_outside")
    def sweep_outside(timestamp: int) -> None:
        del timestamp
        delivery.sweep(desk.pool.connection, desk.now())


def _is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    if store.has_died(connection, outside.patient_id):
        return False
    if outside.what in WHILE_TAKING_PART and store.has_left(connection, outside.patient_id):
        return False
    asked = NEEDED.get(outside.what)
    return asked is None or asked(connection, outside, now)


def _path_of(connection: Connection, outside: Outside, now: datetime) -> str:
    if outside.what is What.QUESTIONNAIRE:
        return questionnaires.path_of(connection, outside, now)
    if outside.what is What.SURVEY:
        return surveys.path_of(connection, outside, now)
    if outside.what is What.COMPLAINT:
        return complaints.path_of(connection, outside, now)
    return PATHS.get(outside.what, "/me")


SUBJECTS: Final = Subjects(is_needed=_is_needed, path_of=_path_of)
