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
from cloud.crm.appointments.models import BOOKING
from cloud.crm.appointments.models import KEEPING as KEEPING_HOURS
from cloud.crm.documents.models import APPROVING, CARING, READING
from cloud.crm.quality.models import AUDITING, CONCERNED
from cloud.oversight.models import OVERSEEING
from cloud.stock.routes import KEEPING
from tests.cloud.console.test_every_route import routes
from tests.cloud.crm.groups.planted import planted_learning
from tests.cloud.crm.telephony.made import planted_call
from tests.cloud.made import GATEWAY, NOW
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

ALL = frozenset(Role)
LEADING = frozenset({Role.LEAD_NURSE, Role.DOCTOR, Role.ADMINISTRATOR})
EDITING = frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR})
PROPOSING = frozenset({Role.LEAD_NURSE, Role.DOCTOR})
INVITING = NURSING | {Role.COORDINATOR}
ADMINISTERING = frozenset({Role.ADMINISTRATOR})

# Not for anybody in particular: before signing in, or by a signature.
OPEN: Final = frozenset(
    {
        "/healthz",
        "/login",
        "/receipts/{channel}",
        "/crm/inbound/{destination_id}",
        "/telephone/{system_id}/events",
        "/calendar/{token}",
    }
)
# Rooms that say so in tests of their own.
ELSEWHERE: Final = ("/q/", "/s/", "/c/", "/login/", "/me/sign-in", "/invitation/")

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
    **{f"GET /figures{form}": frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR}) for form in ("", ".csv", ".parquet")},
    "GET /quality": CONCERNED,
    "GET /quality/scripts": CONCERNED,
    "GET /quality/audits/{audit_id}": CONCERNED,
    "POST /quality/audits/{audit_id}/reply": CONCERNED,
    "POST /quality/actions/{action_id}/done": CONCERNED,
    **{f"{way}": AUDITING for way in (
        "POST /quality/samples", "GET /quality/samples/{sample_id}", "GET /quality/samples/{sample_id}/frame.csv",
        "POST /quality/samples/{sample_id}/cases/{case_id}/audit", "POST /quality/audits/{audit_id}",
        "POST /quality/audits/{audit_id}/actions", "POST /quality/actions/{action_id}/check",
    )},
    "GET /billing": frozenset({Role.LEAD_NURSE, Role.COORDINATOR, Role.ADMINISTRATOR}),
    "GET /billing.csv": frozenset({Role.LEAD_NURSE, Role.COORDINATOR}),
    "POST /billing/close": frozenset({Role.LEAD_NURSE, Role.COORDINATOR}),
    "GET /patients/{patient_id}/billing": CLINICAL | {Role.COORDINATOR},
    "POST /patients/{patient_id}/billing/minutes": CLINICAL,
    "POST /patients/{patient_id}/billing/minutes/{entry_id}/withdraw": CLINICAL,
    "POST /patients/{patient_id}/billing/close": frozenset({Role.LEAD_NURSE, Role.COORDINATOR}),
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
    **{f"{method} /patients/{{patient_id}}/reach{rest}": CLINICAL | {Role.COORDINATOR} for method, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/ways"), ("POST", "/ways/{channel_id}/first"),
        ("POST", "/ways/{channel_id}/remove"), ("POST", "/consent"),
    )},
    **{f"{way} /me/reach{rest}": frozenset({Role.PATIENT}) for way, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/consent"),
    )},
    "GET /appointments": BOOKING,
    "GET /appointments/hours": BOOKING | KEEPING_HOURS,
    "POST /appointments/hours": KEEPING_HOURS,
    "POST /appointments/hours/{hours_id}/end": KEEPING_HOURS,
    "POST /appointments/closures": KEEPING_HOURS,
    "POST /appointments/closures/{closure_id}/end": KEEPING_HOURS,
    "GET /patients/{patient_id}/appointments": BOOKING,
    "POST /patients/{patient_id}/appointments": BOOKING,
    "POST /patients/{patient_id}/appointments/invitations": frozenset({Role.DOCTOR}),
    **{f"POST /patients/{{patient_id}}/appointments/{rest}": BOOKING for rest in (
        "invitations/{visit_id}/end", "wishes", "wishes/{wish_id}/end", "{appointment_id}/move", "{appointment_id}/end",
        "{appointment_id}/link", "{appointment_id}/answer",
    )},
    "GET /me/appointments": frozenset({Role.PATIENT}),
    "POST /me/appointments": frozenset({Role.PATIENT}),
    **{f"POST /me/appointments/{rest}": frozenset({Role.PATIENT}) for rest in (
        "wishes", "wishes/{wish_id}/end", "{appointment_id}/move", "{appointment_id}/cancel",
        "{appointment_id}/confirm", "{appointment_id}/answer",
    )},
    "GET /me/appointments/{appointment_id}/file": frozenset({Role.PATIENT}),
    "POST /me/calendar": CLINICAL | {Role.PATIENT},
    "POST /me/calendar/end": CLINICAL | {Role.PATIENT},
    **{f"{method} /patients/{{patient_id}}/questionnaires{rest}": CLINICAL for method, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{sent_id}"), ("POST", "/{sent_id}"), ("POST", "/{sent_id}/withdraw"),
    )},
    "GET /surveys": CLINICAL | {Role.ADMINISTRATOR},
    "POST /surveys/rules/{survey_kind}": frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR}),
    "POST /surveys/comments/{comment_id}/seen": CLINICAL,
    "POST /surveys/comments/{comment_id}/theme": CLINICAL,
    "GET /surveys/staff": STAFF,
    "POST /surveys/staff": STAFF,
    "POST /patients/{patient_id}/surveys/wish": CLINICAL | {Role.COORDINATOR},
    "POST /me/surveys/wish": frozenset({Role.PATIENT}),
    "GET /me/surveys/{survey_id}": frozenset({Role.PATIENT}),
    "POST /me/surveys/{survey_id}": frozenset({Role.PATIENT}),
    "GET /complaints": CLINICAL | {Role.COORDINATOR},
    "GET /complaints/waiting": CLINICAL | {Role.COORDINATOR},
    "GET /complaints/{complaint_id}": CLINICAL | {Role.COORDINATOR},
    **{f"POST /complaints/{{complaint_id}}/{act}": CLINICAL | {Role.COORDINATOR} for act in (
        "acts/{act}", "owner", "subjects", "harm", "notes", "theme",
    )},
    "POST /complaints/{complaint_id}/file": frozenset({Role.LEAD_NURSE, Role.DOCTOR}),
    **{f"{method} /patients/{{patient_id}}/complaints{rest}": CLINICAL | {Role.COORDINATOR} for method, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/link"),
    )},
    "GET /me/complaints": frozenset({Role.PATIENT}),
    "POST /me/complaints": frozenset({Role.PATIENT}),
    "POST /me/complaints/{complaint_id}/reopen": frozenset({Role.PATIENT}),
    "GET /themes": frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR}),
    "POST /themes": frozenset({Role.LEAD_NURSE, Role.ADMINISTRATOR}),
    "POST /themes/findings/{audit_id}": frozenset({Role.LEAD_NURSE}),
    "GET /me/questionnaires/{sent_id}": frozenset({Role.PATIENT}),
    "POST /me/questionnaires/{sent_id}": frozenset({Role.PATIENT}),
    **{f"{method} /patients/{{patient_id}}/reminders{rest}": CLINICAL for method, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/doses"), ("POST", "/doses/{time_id}/end"),
    )},
    "POST /me/medication/{time_id}": frozenset({Role.PATIENT}),
    "GET /segments": CLINICAL,
    "GET /segments/new": CLINICAL,
    "POST /segments/form": CLINICAL,
    "GET /segments/{segment_id}": CLINICAL,
    "GET /segments/{segment_id}/people.csv": PROPOSING,
    "GET /segments/{segment_id}/edit": CLINICAL,
    "POST /segments/{segment_id}/retire": CLINICAL,
    "POST /segments/{segment_id}/invite": CLINICAL,
    "GET /strata/{stratum}": CLINICAL,
    "POST /strata": PROPOSING,
    "POST /strata/{set_no}/sign": frozenset({Role.DOCTOR}),
    "POST /patients/{patient_id}/tags": CLINICAL,
    "POST /patients/{patient_id}/tags/{tag_id}/remove": CLINICAL,
    "GET /patients/{patient_id}/household": INVITING | {Role.DOCTOR},
    "POST /patients/{patient_id}/household/search": INVITING | {Role.DOCTOR},
    "POST /patients/{patient_id}/household/members": INVITING | {Role.DOCTOR},
    "POST /patients/{patient_id}/household/members/{member_id}/leave": INVITING | {Role.DOCTOR},
    "POST /patients/{patient_id}/household/consents/{contact_id}": INVITING | {Role.DOCTOR},
    "GET /advice": CLINICAL,
    "POST /advice": CLINICAL,
    "POST /advice/{snippet_id}/approve": frozenset({Role.DOCTOR}),
    "POST /advice/{snippet_id}/withdraw": frozenset({Role.DOCTOR}),
    "GET /me/advice": frozenset({Role.PATIENT}),
    **{f"GET /library{rest}": CLINICAL | {Role.COORDINATOR} for rest in ("", "/{article_id}")},
    **{f"POST /library{rest}": CLINICAL for rest in ("", "/proposals/{name}", "/{article_id}/retire")},
    **{f"POST /library/{{article_id}}/{act}": frozenset({Role.DOCTOR}) for act in ("approve", "review")},
    **{f"{way} /{of}/library": CLINICAL for way in ("GET", "POST") for of in (
        "patients/{patient_id}", "cases/{case_id}",
    )},
    "GET /me/library": frozenset({Role.PATIENT}),
    "GET /me/library/{article_id}": frozenset({Role.PATIENT}),
    **{f"{way} /me/ask": frozenset({Role.PATIENT}) for way in ("GET", "POST")},
    "POST /me/ask/{question_id}/publishing": frozenset({Role.PATIENT}),
    **{f"GET /asked{rest}": CLINICAL for rest in ("", "/waiting", "/{question_id}")},
    **{f"POST /asked/{{question_id}}/{act}": CLINICAL for act in (
        "take", "pass", "answer", "message", "follow-up", "publish",
    )},
    **{f"{way} /events{rest}": CLINICAL | {Role.COORDINATOR} for way, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{event_id}"), ("POST", "/{event_id}"), ("POST", "/{event_id}/cancel"),
        ("POST", "/{event_id}/invite"), ("POST", "/{event_id}/seats/{patient_id}"), ("GET", "/{event_id}/file"),
    )},
    **{f"{way} /groups{rest}": CLINICAL | {Role.COORDINATOR} for way, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{group_id}"), ("POST", "/{group_id}/close"), ("POST", "/{group_id}/ask"),
        ("POST", "/{group_id}/members/{patient_id}"), ("POST", "/{group_id}/members/{patient_id}/leave"),
    )},
    **{f"{way} /me/events{rest}": frozenset({Role.PATIENT}) for way, rest in (
        ("GET", ""), ("POST", "/{event_id}"), ("POST", "/{event_id}/evaluation"), ("GET", "/{event_id}/file"),
    )},
    **{f"POST /me/groups/{{group_id}}{rest}": frozenset({Role.PATIENT}) for rest in ("", "/leave")},
    "GET /follow-ups": CLINICAL | {Role.COORDINATOR},
    "GET /follow-ups/due": CLINICAL | {Role.COORDINATOR},
    **{f"{method} /patients/{{patient_id}}/follow-ups{rest}": CLINICAL | {Role.COORDINATOR} for method, rest in (
        ("GET", ""), ("POST", ""), ("POST", "/plan"), ("POST", "/discharge"), ("POST", "/hospital"),
        ("POST", "/{follow_up_id}/end"),
    )},
    **{f"{way}/discharge-documents{rest}": CLINICAL | {Role.COORDINATOR} for way, rest in (
        ("GET /patients/{patient_id}", ""), ("POST /patients/{patient_id}", ""),
        ("GET /patients/{patient_id}", "/{document_id}"), ("GET /patients/{patient_id}", "/{document_id}/file"),
        ("POST /patients/{patient_id}", "/{document_id}/take"), ("POST /patients/{patient_id}", "/{document_id}/aside"),
    )},
    "POST /patients/{patient_id}/identifiers/{identifier_id}/remove": CLINICAL | {Role.COORDINATOR},
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
    "GET /crm": SUPPORTING,
    "POST /crm/{destination_id}/try": SUPPORTING,
    "POST /crm/{destination_id}/replay": SUPPORTING,
    "POST /crm/{destination_id}/settle": SUPPORTING,
    "GET /crm/open/{reference}": CLINICAL,
    **{f"{method} /documents{rest}": READING for method, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{document_id}"), ("GET", "/wording/{kind}"),
        ("GET", "/wording/{template_id}/preview/{language}"))},
    **{f"POST /documents/{rest}": ADMINISTERING for rest in (
        "clinic", "wording/{kind}", "wording/{template_id}/withdraw")},
    "POST /documents/wording/{template_id}/approve": APPROVING,
    **{f"{method} /patients/{{patient_id}}/documents{rest}": CARING for method, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{document_id}"), ("POST", "/{document_id}/scans"),
        ("GET", "/scans/{scan_id}"), ("POST", "/scans/{scan_id}/withdraw"))},
    **{f"{method} /me/documents{rest}": frozenset({Role.PATIENT}) for method, rest in (
        ("GET", ""), ("POST", ""), ("GET", "/{document_id}"), ("GET", "/scans/{scan_id}"))},
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
    "GET /me/calls": STAFF,
    "POST /me/telephone": CLINICAL,
    "POST /me/telephone/remove": CLINICAL,
    "POST /patients/{patient_id}/ring": CLINICAL,
    "GET /patients/{patient_id}/calls": CLINICAL,
    "POST /patients/{patient_id}/calls/recording": CLINICAL,
    "POST /patients/{patient_id}/calls/{telephone_call_id}/join": CLINICAL,
    "GET /callers/{telephone_call_id}": CLINICAL,
    "POST /callers/{telephone_call_id}/case": CLINICAL,
    "GET /recordings/{recording_id}": CLINICAL,
    "GET /outside-texts": EDITING,
    "POST /outside-texts": EDITING,
}  # fmt: skip


# Ids that nothing has.
FOR_NOBODY: Final = (
    "slot_id", "pause_id", "absence_id", "gap_id", "alarm_id", "quarantine_id", "contact_id", "medication_id",
    "sample_id", "audit_id", "action_id",
    "change_id", "account_id", "destination_id", "call_id", "command_id", "visit_id", "reading_id",
    "appointment_id", "entry_id", "hours_id", "closure_id", "wish_id",
    "channel_id", "follow_up_id", "time_id", "snippet_id",
    "comment_id", "identifier_id", "document_id", "scan_id", "template_id",
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
    [(reference,)] = ward.admin.execute(
        "WITH made AS (INSERT INTO crm_destination (name, kind, added_at) VALUES ('c', 'printing', now())"
        " RETURNING destination_id)"
        " INSERT INTO crm_outbox (event_id, destination_id, patient_id, subject, type, at, what, thing_id, reference,"
        " data, next_at, since) SELECT gen_random_uuid(), destination_id, %s, %s, 't', now(), 'case', %s, %s, '{}',"
        " now(), now() FROM made RETURNING reference",
        (ward.patient_id, case_id, case_id, case_id),
    )
    [(survey_id,)] = ward.admin.execute(
        "INSERT INTO survey_sent (patient_id, kind, about, survey, version, sent_at, until)"
        " VALUES (%s, 'contact', gen_random_uuid(), 'contact', 1, now(), now() + interval '1 day') RETURNING sent_id",
        (ward.patient_id,),
    )
    # Whoever has the role of carl wrote it down.
    [(complaint_id,)] = ward.admin.execute(
        "SELECT keep_complaint(%s, 'complaint', 'telephone', 'b', false, false, %s, NULL, ARRAY[now(), now()], now())",
        (ward.patient_id, console.accounts["carl"]),
    )
    [(sent_id,)] = ward.admin.execute(
        "INSERT INTO questionnaire_sent (patient_id, questionnaire, version, sent_at, until)"
        " VALUES (%s, 'recovery', 1, now(), now() + interval '1 day') RETURNING sent_id",
        (ward.patient_id,),
    )
    # Whoever has the role of carl made this segment.
    [(segment_id,)] = ward.admin.execute(
        "WITH made AS (INSERT INTO segment (owner, shared, made_at) VALUES (%s, false, now())"
        " RETURNING segment_id, owner)"
        " INSERT INTO segment_version (segment_id, version, name, conditions, written_by, written_at)"
        """ SELECT segment_id, 1, 'n', '[{"kind": "heightened"}]', owner, now() FROM made RETURNING segment_id""",
        (console.accounts["carl"],),
    )
    heard = planted_call(ward.admin, ward.patient_id, console.accounts["nora"], NOW)
    learning = planted_learning(ward.admin, ward.patient_id, console.accounts, NOW)
    return {
        **{f"{name}_id": learning[name] for name in ("article", "event", "group")},
        "question_id": learning["asked"],
        "name": "none",
        "telephone_call_id": heard["telephone_call"],
        "recording_id": heard["recording"],
        "survey_id": str(survey_id),
        "complaint_id": str(complaint_id),
        "survey_kind": "contact",
        "act": "acknowledge",
        "sent_id": str(sent_id),
        "segment_id": str(segment_id),
        "set_no": str(2**40),
        "stratum": "high",
        "reference": str(reference),
        "item_id": str(item_id),
        "case_id": str(case_id),
        "patient_id": str(ward.patient_id),
        "assignment_id": str(rows[0][0]),
        "gateway_id": GATEWAY,
        "programme_id": "standard",
        "kind": "consent",
        "language": "en",
        "run_id": str(run_id),
        "address_id": str(address_id),
        "day": "2026-12-24",
        "break_glass_id": str(case_id),
        **dict.fromkeys(("member_id", "tag_id"), str(case_id)),
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
            absent = any(
                f"{{{name}}}" in path
                for name in ("sample_id", "audit_id",
                             "quarantine_id", "appointment_id", "run_id", "command_id", "document_id", "scan_id",
                             "template_id")
            )  # fmt: skip
            fine = (200, 204, 303, 404) if absent else (200, 204, 303)
            if answer not in fine if may else answer != 404:
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
