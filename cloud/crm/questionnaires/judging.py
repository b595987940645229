"""Answers become a case where one of them asks for it, once: by the same rule as everything else (``cloud.alerts``)."""

import logging
from datetime import datetime
from typing import Final

from alerting.answers import on_answers
from cloud.alerts import store as cases
from cloud.alerts.models import PatientFinding
from cloud.alerts.service import file_findings
from cloud.crm.questionnaires import store
from cloud.crm.questionnaires.definitions import version_of
from cloud.db.connect import Connection
from cloud.plans.store import rules_of

log = logging.getLogger(__name__)

AT_ONCE: Final = 100


def judge(connection: Connection, at: datetime) -> int:
    """Judge what nobody has judged; how many answers. The caller commits: case and mark come together."""
    found: list[PatientFinding] = []
    judged = []
    waiting = store.not_judged(connection, AT_ONCE)
    rules = rules_of(connection, {patient_id for _, patient_id, *_ in waiting}, at) if waiting else {}
    for answer_id, patient_id, name, version, answers, answered_at in waiting:
        form = version_of(name, version)
        if form is None:  # sent by a later version of this software, which will judge it
            log.error("questionnaire %s version %d is not known here: its answers are not judged", name, version)
            continue
        judged.append(answer_id)
        chosen = form.chosen(answers)
        finding = on_answers(
            form.title,
            form.version,
            [one.flag for one in chosen if one.flag is not None],
            [one.concern for one in chosen if one.concern is not None],
            answered_at,
        )
        if finding is not None:
            terms = rules[patient_id].programme.terms
            found.append(PatientFinding(patient_id=patient_id, finding=finding, terms=terms, rests=False))
    store.mark_judged(connection, judged, at)
    cases.tell(connection, file_findings(connection, found, at))
    return len(judged)
