"""The jobs' part: what is overdue is said so, once, and patients are told outside that there is something."""

from datetime import datetime

from cloud.auth import codes
from cloud.crm.complaints import store
from cloud.crm.reach.models import Outside
from cloud.db.connect import Connection


def look(connection: Connection, now: datetime) -> int:
    """Everything that became overdue; how many. The caller commits. May be done twice."""
    return store.mark_overdue(connection, now)


def is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of a link to write by: whether nobody has yet. An answer is always to be told."""
    return store.ask_standing(connection, outside.subject_id, now) is not False


def path_of(connection: Connection, outside: Outside, now: datetime) -> str:
    """A new link to write by, of each try its own; an answer stands on the patient's page alone."""
    if outside.subject_id is None or store.ask_standing(connection, outside.subject_id, now) is None:
        return "/me/complaints"
    token = codes.new_token()
    store.make_link(connection, outside.subject_id, outside.patient_id, codes.token_hash(token), now)
    return f"/c/{token}?language={outside.language}"
