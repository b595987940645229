"""Which roles each route is for, and whose patients: taken from the route table, so that no new route is forgotten.

For whom it is not a page does not exist (404), whether its ids exist or not.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import httpx
import pytest

from alerting.tiers import Tier
from cloud.auth.models import CLINICAL, NURSING, STAFF, SUPPORTING, TECHNICAL, Role
from cloud.console.edge import UNSAFE
from cloud.oversight.models import OVERSEEING
from cloud.stock.routes import KEEPING
from tests.cloud.console.test_every_route import routes
from tests.cloud.made import GATEWAY
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

ALL = frozenset(Role)
LEADING = frozenset({Role.LEAD_NURSE, Role.DOCTOR, Role.ADMINISTRATOR})
EDITING = frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR})
PROPOSING = frozenset({Role.LEAD_NURSE, Role.DOCTOR})
INVITING = NURSING | {Role.COORDINATOR}
ADMINISTERING = frozenset({Role.ADMINISTRATOR})

# Not for anybody in particular: before signing in, or by a signature.
OPEN: Final = frozenset({"/healthz", "/login", "/receipts/{channel}"})
# Rooms that say so in tests of their own.
ELSEWHERE: Final = ("/login/", "/me/sign-in", "/invitation/")

FOR: Final[Mapping[str, frozenset[Role]]] = {
    "GET /": ALL,
    "POST /logout": ALL,
    "POST /language": ALL,
    "GET /worklist": NURSING,
    "GET /cases/{case_id}": CLINICAL,
    **{
        f"POST /cases/{{case_id}}/{act}": CLINICAL
        for act in (
            "acknowledge", "start", "contacted", "hand-over", "withdraw", "escalate", "silence", "end-silence",
            "red-flags", "resolve", "calls", "calls/{call_id}/end", "triage",
        )
    },
    "GET /callers": CLINICAL,
    "POST /callers": CLINICAL,
    "GET /shift": CLINICAL,
    "POST /shift/offer": CLINICAL,
    "POST /shift/accept": CLINICAL,
    "GET /training": CLINICAL,
    "GET /patients": CLINICAL,
    "GET /patients/{patient_id}": CLINICAL,
    "GET /patients/{patient_id}/readings": CLINICAL,
    "GET /patients/{patient_id}/series.json": CLINICAL,
    "POST /patients/{patient_id}/devices/{assignment_id}/clock-check": NURSING,
    "GET /patients/{patient_id}/plan": CLINICAL,
    "POST /patients/{patient_id}/plan/limits": frozenset({Role.DOCTOR}),
    "POST /patients/{patient_id}/plan/limits/withdraw": frozenset({Role.DOCTOR}),
    "POST /patients/{patient_id}/plan/programme": CLINICAL,
    "POST /patients/{patient_id}/plan/heightened": CLINICAL,
    "POST /patients/{patient_id}/plan/slots": CLINICAL,
    "POST /patients/{patient_id}/plan/slots/{slot_id}/end": CLINICAL,
    "POST /patients/{patient_id}/plan/pauses": CLINICAL,
    "POST /patients/{patient_id}/plan/pauses/{pause_id}/end": CLINICAL,
    **{f"{method} /patients/{{patient_id}}/card{rest}": CLINICAL | {Role.COORDINATOR} for method, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/contacts"), ("POST", "/contacts/{contact_id}/remove"),
    )},
    **{f"{method} /enrolments{rest}": CLINICAL | {Role.COORDINATOR} for method, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/search"), ("GET", "/{patient_id}"),
        *(("POST", f"/{{patient_id}}/{act}") for act in (
            "eligibility", "consent", "plan", "care-team", "care-team/{account_id}/end", "training", "readings",
            "activate", "pause", "pause/{pause_id}/end", "end", "close", "again",
        )),
    )},
    "POST /enrolments/{patient_id}/decision": frozenset({Role.DOCTOR}),
    "POST /patients/{patient_id}/participation/notice": CLINICAL,
    "GET /me/consent": frozenset({Role.PATIENT}),
    "POST /me/consent": frozenset({Role.PATIENT}),
    "POST /me/consent/withdraw": frozenset({Role.PATIENT}),
    "GET /patients/{patient_id}/invitation": INVITING,
    "POST /patients/{patient_id}/invitation": INVITING,
    "GET /patients/{patient_id}/review": CLINICAL,
    "POST /patients/{patient_id}/review": CLINICAL,
    "GET /patients/{patient_id}/review/report.pdf": CLINICAL,
    "GET /patients/{patient_id}/treatment": CLINICAL,
    "POST /patients/{patient_id}/treatment/medication": CLINICAL,
    "POST /patients/{patient_id}/treatment/medication/{medication_id}/end": CLINICAL,
    "POST /patients/{patient_id}/treatment/changes": frozenset({Role.DOCTOR}),
    "POST /patients/{patient_id}/treatment/changes/{change_id}/withdraw": frozenset({Role.DOCTOR}),
    "GET /visits": CLINICAL | {Role.COORDINATOR},
    "GET /patients/{patient_id}/visits": CLINICAL | {Role.COORDINATOR},
    "POST /patients/{patient_id}/visits": frozenset({Role.DOCTOR}),
    "POST /patients/{patient_id}/visits/{visit_id}/time": CLINICAL | {Role.COORDINATOR},
    "POST /patients/{patient_id}/visits/{visit_id}/end": CLINICAL | {Role.COORDINATOR},
    "GET /accounts": ADMINISTERING,
    **{f"POST /accounts{rest}": ADMINISTERING for rest in (
        "", "/required", "/{account_id}/disable", "/{account_id}/enable", "/{account_id}/identity",
        "/{account_id}/invite", "/{account_id}/second-factor/reset",
    )},
    "GET /audit": OVERSEEING,
    "GET /audit.csv": OVERSEEING,
    "GET /me/access": frozenset({Role.PATIENT}),
    "GET /break-glass": CLINICAL,
    "POST /break-glass": CLINICAL,
    "POST /break-glass/{break_glass_id}/close": CLINICAL,
    "POST /break-glass/{break_glass_id}/seen": frozenset({Role.LEAD_NURSE}),
    "GET /programmes": CLINICAL | LEADING,
    "POST /programmes": LEADING,
    "POST /programmes/{programme_id}": LEADING,
    "POST /programmes/{programme_id}/terms": LEADING,
    "GET /what-if": PROPOSING,
    "POST /what-if": PROPOSING,
    "GET /what-if/{run_id}": PROPOSING,
    "GET /what-if/{run_id}/result": PROPOSING,
    "POST /what-if/{run_id}/cancel": PROPOSING,
    "GET /roster": CLINICAL | EDITING,
    "POST /roster/shifts": EDITING,
    "POST /roster/shifts/end": EDITING,
    "POST /roster/absences": EDITING,
    "POST /roster/absences/{absence_id}/end": EDITING,
    "POST /roster/holidays": EDITING,
    "POST /roster/holidays/{day}/end": EDITING,
    "POST /roster/site": EDITING,
    "POST /duty-gaps/{gap_id}/acknowledge": NURSING,
    "GET /stock": KEEPING,
    "POST /stock": KEEPING,
    "GET /stock/{item_id}": KEEPING,
    **{f"POST /stock/{{item_id}}/{act}": KEEPING for act in ("take-back", "wipe", "lose", "find", "retire", "lease")},
    "GET /patients/{patient_id}/devices": INVITING,
    "POST /patients/{patient_id}/devices": INVITING,
    **{f"{method} /patients/{{patient_id}}/devices/pair{rest}": INVITING for method, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{command_id}"), ("GET", "/{command_id}/now"),
        *(("POST", f"/{{command_id}}/{act}") for act in ("digits", "choose", "stop", "undo", "own")),
    )},
    "GET /technical": TECHNICAL,
    "POST /technical/{alarm_id}/acknowledge": SUPPORTING,
    "GET /live/technical": TECHNICAL,
    "GET /gateways": TECHNICAL,
    "GET /gateways/{gateway_id}": TECHNICAL,
    "GET /questions": NURSING,
    "GET /patients/{patient_id}/questions": CLINICAL,
    "POST /patients/{patient_id}/questions/{reading_id}": NURSING,
    "POST /patients/{patient_id}/devices/{assignment_id}/shared": NURSING,
    "GET /me/questions": frozenset({Role.PATIENT}),
    "POST /me/questions/{reading_id}": frozenset({Role.PATIENT}),
    "GET /whose": INVITING | SUPPORTING,
    "POST /whose/answer": INVITING,
    "GET /quarantine": TECHNICAL,
    "GET /quarantine/{quarantine_id}": TECHNICAL,
    "GET /live": CLINICAL | {Role.PATIENT},
    "GET /me": frozenset({Role.PATIENT}),
    **{f"GET /me/{page}": frozenset({Role.PATIENT}) for page in ("readings", "measured", "series.json", "plan")},
    "GET /me/messages": frozenset({Role.PATIENT}),
    "POST /me/messages": frozenset({Role.PATIENT}),
    "GET /messages": CLINICAL,
    "GET /messages/waiting": CLINICAL,
    "GET /patients/{patient_id}/messages": CLINICAL,
    "POST /patients/{patient_id}/messages": CLINICAL,
    "POST /patients/{patient_id}/messages/settle": CLINICAL,
    "GET /me/settings": ALL,
    "POST /me/settings": ALL,
    "GET /me/reached": STAFF,
    "POST /me/addresses": STAFF,
    "POST /me/addresses/{address_id}/test": STAFF,
    "POST /me/addresses/{address_id}/code": STAFF,
    "POST /me/addresses/{address_id}/first": STAFF,
    "POST /me/addresses/{address_id}/remove": STAFF,
    "POST /me/pages": STAFF,
}  # fmt: skip


# Ids that nothing has.
FOR_NOBODY: Final = (
    "slot_id", "pause_id", "absence_id", "gap_id", "alarm_id", "quarantine_id", "contact_id", "medication_id",
    "change_id", "account_id", "call_id", "command_id", "visit_id", "reading_id",
)  # fmt: skip


@pytest.fixture
def case_id(console: Console) -> UUID:
    return planted_case(console.ward, Tier.SAME_SHIFT)


def ids(console: Console, case_id: UUID) -> Mapping[str, str]:
    """Ids that exist, where the route's role could do something with them."""
    rows = console.ward.rows("SELECT assignment_id FROM device_assignment LIMIT 1")
    ward = console.ward
    [(address_id,)] = ward.admin.execute(
        "INSERT INTO staff_address (account_id, channel, address, position, added_at)"
        " VALUES (%s, 'sms', '+4520123456', 1, now()) RETURNING address_id",
        (console.accounts["nora"],),
    )
    [(run_id,)] = ward.admin.execute(
        "INSERT INTO what_if_run (asked_by, asked_at, programme_id, days, proposal)"
        " VALUES (%s, now(), 'standard', 28, '{}') RETURNING run_id",
        (console.accounts["ada"],),
    )
    [(item_id,)] = ward.admin.execute(
        "INSERT INTO stock_item (kind, manufacturer, model, serial_number, owner, state, state_at, added_at, added_by)"
        " VALUES ('glucose', 'Acme', 'One', '1', 'clinic', 'in_stock', now(), now(), %s) RETURNING item_id",
        (console.accounts["nora"],),
    )
    return {
        "item_id": str(item_id),
        "case_id": str(case_id),
        "patient_id": str(ward.patient_id),
        "assignment_id": str(rows[0][0]),
        "gateway_id": GATEWAY,
        "programme_id": "standard",
        "run_id": str(run_id),
        "address_id": str(address_id),
        "day": "2026-12-24",
        "break_glass_id": str(case_id),
        **dict.fromkeys(FOR_NOBODY, str(case_id)),
    }


def ask(person: Person, method: str, path: str, token: str) -> httpx.Response:
    """The status alone: a live stream has no end."""
    headers = {"X-CSRF-Token": token} if method in UNSAFE else {}
    with person.client.stream(method, path, headers=headers) as answer:
        return answer


def ruled() -> list[tuple[str, str]]:
    """Every route but those that are open, and those of rooms with tests of their own."""
    return [
        (method, path)
        for method, path in routes()
        if path not in OPEN and not path.startswith(ELSEWHERE) and method in ("GET", *UNSAFE)
    ]


def test_somebody_has_said_for_whom_each_route_is() -> None:
    unsaid = {f"{method} {path}" for method, path in ruled()} - set(FOR)
    assert not unsaid, f"say in FOR which roles may: {sorted(unsaid)}"


@pytest.mark.timeout(300)
def test_for_other_roles_no_page_exists(console: Console, case_id: UUID) -> None:
    admin, known = console.ward.admin, ids(console, case_id)
    admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
                  (console.ward.patient_id, console.accounts["carl"]))  # fmt: skip
    carl = console.sign_in("carl")
    token = carl.csrf_token()
    wrong = []
    for role in Role:
        patient_id = console.ward.patient_id if role is Role.PATIENT else None
        admin.execute("UPDATE account SET role = %s, patient_id = %s WHERE login = 'carl'", (role, patient_id))
        for method, path in ruled():
            may = role in FOR[f"{method} {path}"]
            if may and method in UNSAFE:
                continue
            answer = ask(carl, method, path.format(**known), token).status_code
            # What is not there for anybody says nothing of the role.
            absent = "{quarantine_id}" in path or "{run_id}" in path or "{command_id}" in path
            if answer != 404 if not may else (answer not in (200, 303, 404) if absent else answer not in (200, 303)):
                wrong.append((role.value, method, path, answer))
    assert wrong == []


def test_outside_of_the_care_team_nothing_of_a_patient_exists(console: Console, case_id: UUID) -> None:
    known = ids(console, case_id)
    eve = console.sign_in("eve")
    token = eve.csrf_token()
    of_a_patient = [(m, p) for m, p in ruled() if "{patient_id}" in p or "{case_id}" in p or "{run_id}" in p]
    seen = []
    for role in CLINICAL:
        console.ward.admin.execute("UPDATE account SET role = %s WHERE login = 'eve'", (role,))
        for method, path in of_a_patient:
            answer = ask(eve, method, path.format(**known), token).status_code
            if answer != 404:
                seen.append((role.value, method, path, answer))
    assert len(of_a_patient) > 20
    assert seen == []
