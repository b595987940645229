"""Asking, as a job: of what happened so many days ago, some, and nobody too often. All may be done twice.

What became due longer ago than LATE is not asked any more: jobs that stood still for a month write to nobody at once.
"""

from datetime import datetime, timedelta
from typing import Final

from cloud.auth import codes
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import Outside, What
from cloud.crm.surveys import store
from cloud.crm.surveys.definitions import asked_on
from cloud.crm.surveys.models import Kind, Rule
from cloud.crm.surveys.sampling import is_sampled
from cloud.db.connect import Connection

# How long it can be answered, and for how long after its day it is still sent. Proposals of this project.
OPEN_FOR: Final = timedelta(days=14)
LATE: Final = timedelta(days=7)


def ask(connection: Connection, now: datetime) -> int:
    """All that is due; how many patients are asked, and rounds of the staff begun. The caller commits."""
    store.one_at_a_time(connection)
    return sum(
        _begin_round(connection, rule, now) if rule.kind is Kind.STAFF else _ask_patients(connection, rule, now)
        for rule in store.rules(connection)
    )


def path_of(connection: Connection, outside: Outside, now: datetime) -> str:
    """A new link to the survey that a message is about: of each try its own, and none is stored."""
    if outside.subject_id is None:
        raise LookupError("a message about a survey names it")
    token = codes.new_token()
    store.make_link(connection, outside.subject_id, outside.patient_id, codes.token_hash(token), now)
    return f"/s/{token}?language={outside.language}"


def is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Whether it waits for an answer, of somebody who still wants to be asked."""
    return store.is_open(connection, outside.subject_id, now)


def _ask_patients(connection: Connection, rule: Rule, now: datetime) -> int:
    survey = asked_on(now.date()).get(rule.kind)
    if survey is None:
        return 0
    form, until = survey.form, now + OPEN_FOR
    last = now - timedelta(days=rule.after_days)
    asked = 0
    for one in store.occasions(connection, rule, last - LATE, last):
        if not is_sampled(one.about, rule.percent):
            continue
        sent_id = store.send(
            connection, rule.kind, one, form.questionnaire_id, form.version, timedelta(days=rule.apart_days), now, until
        )
        if sent_id is not None:
            reach.tell(
                connection, one.patient_id, What.SURVEY, f"survey:{sent_id}", now, subject_id=sent_id, until=until
            )
            asked += 1
    return asked


def _begin_round(connection: Connection, rule: Rule, now: datetime) -> int:
    survey = asked_on(now.date()).get(rule.kind)
    if survey is None:
        return 0
    form = survey.form
    return store.begin_round(
        connection, form.questionnaire_id, form.version, now.date(), now + OPEN_FOR, rule.after_days
    )
