"""A month of closed cases, and people who audit them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from alerting.tiers import Tier
from cloud.auth import store as accounts
from cloud.auth.models import Role
from device_drivers.nomenclature import Unit
from tests.cloud.made import Ward
from tests.cloud.worklist.made import planted_case, reason_of
from tests.fix_console import Console, Person

OCTOBER = "2026-10"
CLOSED = datetime(2026, 10, 14, 9, tzinfo=UTC)


def auditing(console: Console, password_hash: str, login: str, role: Role) -> Person:
    """Somebody who audits and cares for nobody."""
    console.accounts[login] = accounts.create_account(
        console.ward.admin, login=login, display_name=f"{login.title()} Audits", role=role, password_hash=password_hash
    )
    return console.sign_in(login)


def closed_case(
    ward: Ward,
    by: UUID | None,
    tier: Tier = Tier.URGENT,
    at: datetime = CLOSED,
    *,
    condition: str = "hyperglycaemia",
    patient_id: UUID | None = None,
) -> UUID:
    """A case that this person took, and closed twenty minutes later; or that nobody did."""
    # While it is open, it is the only one of its condition: there may be another one.
    reason = reason_of("262", Unit.MG_DL, "ada", condition) if condition == "hyperglycaemia" else None
    whose = patient_id or ward.patient_id
    case_id = planted_case(ward, tier, at, condition=uuid4().hex, patient_id=whose, reason=reason)
    events = [("acknowledge", "acknowledged", 2), ("contact", "acknowledged", 9), ("resolve", "resolved", 20)]
    for event, state, minutes in events if by is not None else [("close_automatically", "resolved", 20)]:
        ward.admin.execute(
            "INSERT INTO case_event (case_id, at, actor, event, to_state) VALUES (%s, %s, %s, %s, %s)",
            (case_id, at + timedelta(minutes=minutes), by, event, state),
        )
    ward.admin.execute(
        "UPDATE alert_case SET state = 'resolved', condition = %(condition)s, next_at = NULL, lease_until = NULL,"
        " owner = %(by)s, contacted_at = CASE WHEN %(by)s::uuid IS NOT NULL THEN %(spoken)s::timestamptz END,"
        " resolved_at = %(at)s, disposition = CASE WHEN %(by)s::uuid IS NOT NULL THEN 'advice_given' END,"
        " closed_automatically = CASE WHEN %(by)s::uuid IS NULL THEN 'not_confirmed' END WHERE case_id = %(case)s",
        {
            "condition": condition,
            "by": by,
            "at": at + timedelta(minutes=20),
            "case": case_id,
            "spoken": at + timedelta(minutes=9),
        },
    )
    return case_id


def walked(ward: Ward, case_id: UUID, by: UUID, *, version: int, script: str = "high_glucose") -> None:
    """They went through a version of the script to its end."""
    path = [
        {"question": "ill", "answer": "no", "at": CLOSED.isoformat()},
        {"question": "ketones", "answer": "low", "at": CLOSED.isoformat()},
        {"question": "missed", "answer": "no", "at": CLOSED.isoformat()},
    ]
    ward.admin.execute(
        "INSERT INTO triage_walk (case_id, patient_id, script, version, path, end_state, account_id, started_at,"
        " changed_at) SELECT case_id, patient_id, %s, %s, %s, 'advised', %s, opened_at + interval '9 minutes',"
        " opened_at + interval '9 minutes' FROM alert_case WHERE case_id = %s",
        (script, version, Jsonb(path), by, case_id),
    )


def called(ward: Ward, case_id: UUID, by: UUID) -> None:
    """They spoke with the patient, and noted what was said."""
    ward.admin.execute(
        "INSERT INTO call (patient_id, case_id, account_id, number, started_at, ended_at, outcome, note)"
        " SELECT patient_id, case_id, %s, '+4520123456', opened_at + interval '3 minutes',"
        " opened_at + interval '9 minutes', 'reached', 'drank water' FROM alert_case WHERE case_id = %s",
        (by, case_id),
    )


def drawn(person: Person, percent: int = 10, month: str = OCTOBER) -> str:
    """Draw the month's sample; its page."""
    answer = person.post("/quality/samples", {"month": month, "percent": str(percent)})
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["location"]
    return location


def begun(person: Person, sample: str, case_id: UUID) -> str:
    """Begin to audit a case of the sample; the audit's page."""
    answer = person.post(f"{sample}/cases/{case_id}/audit")
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["location"]
    return location


ITEMS = ("acknowledged", "identity", "red_flags", "script", "told", "disposition", "next", "documented")


def answers(**other: str) -> dict[str, str]:
    """All yes, but for these; each no with a remark."""
    form: dict[str, str] = {}
    for item in ITEMS:
        said = other.get(item, "yes")
        form[f"answer-{item}"] = said
        if said == "no":
            form[f"remark-{item}"] = "not asked"
    return form
