"""Whatever is typed into a form, or sent in its place: an answer in words, and a page that still opens afterwards."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest

from alerting.familiarity import NEEDED
from alerting.tiers import Tier
from cloud.notify_config import HttpSettings, NotifySettings
from tests.cloud.crm.appointments.made import open_hours
from tests.cloud.crm.discharges.made import octets, summary
from tests.cloud.crm.education.made import typed
from tests.cloud.crm.groups.made import LECTURE
from tests.cloud.crm.groups.planted import planted_learning
from tests.cloud.crm.quality.made import CLOSED, closed_case
from tests.cloud.crm.telephony.made import planted_call
from tests.cloud.made import CUFF, GATEWAY, NOW, pressure, sent, session
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

HOSTILE = (
    "a\0b",
    "\ud83d",  # as a browser never sends it
    "9" * 5000,
    "-1e999",
    "NaN",
    "٣",  # a digit, and not ours
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "10000-01-01",
    "24:00",
    "00:00+14:00",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {owner} %(num)s %s \r\nX-Injected: 1 \u202e",
)

LIMIT = {
    "condition": "hypertension_systolic",
    "unit": "mm[Hg]",
    "value": "145",
    "priority": "high",
    "expires_on": "2026-12-31",
    "reason": "frail",
}
SHIFT = {
    "role": "nurse",
    "account_id": "",
    "weekday_0": "1",
    "starts": "07:00",
    "ends": "19:00",
    "first_day": "2026-11-23",
    "last_day": "2026-12-23",
    "order": "1",
}
PROGRAMME = {
    "programme_id": "gentle",
    "display_name": "Gentle",
    "regime_esc2024": "1",
    "late_after": "6",
    "heightened_for": "14",
    "alert_budget": "0.1",
}


@pytest.fixture
def notify() -> NotifySettings:
    """Telephones, so that somebody can type a number."""
    return NotifySettings(base_url="https://pulsepost.example", sms=HttpSettings(url="https://sms.example/send"))


@pytest.fixture
def case_id(console: Console) -> UUID:
    """One that nora has."""
    case_id = planted_case(console.ward, Tier.SAME_SHIFT)
    assert console.sign_in("nora").post(f"/cases/{case_id}/acknowledge").status_code == 200
    return case_id


def forms(console: Console, case_id: UUID) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Who sends which form where, each as it would be taken."""
    case, plan = f"/cases/{case_id}", f"/patients/{console.ward.patient_id}/plan"
    nora = str(console.accounts["nora"])
    yield "nora", f"{case}/hand-over", {"to": str(console.accounts["ben"])}
    yield "nora", f"{case}/silence", {"minutes": "15", "reason": "she sleeps"}
    yield "nora", f"{case}/escalate", {"to": "doctor", "reason": "I am not sure"}
    yield "nora", f"{case}/red-flags", {"flag": "chest_pain", "answer": "some"}
    yield "nora", f"{case}/resolve", {"disposition": "other", "note": "spoken with the daughter"}
    yield "nora", "/language", {"language": "en", "back": "/worklist"}
    yield "nora", "/me/settings", {"glucose": "mmol/L", "pressure": "device"}
    yield "nora", f"/patients/{console.ward.patient_id}/messages", {"body": "Yes.", "message_id": nora, "seen": ""}
    yield "nora", f"/patients/{console.ward.patient_id}/messages/settle", {"seen": "2026-11-21T12:00:00+00:00"}
    yield "asta", "/me/messages", {"body": "May I?", "message_id": nora, "seen": ""}
    reach = f"/patients/{console.ward.patient_id}/reach"
    yield "nora", reach, {"quiet_from": "21:00", "quiet_until": "08:00", "language": "ru"}
    yield "nora", f"{reach}/ways", {"channel": "sms", "address": "+4520123456"}
    yield "nora", f"{reach}/consent", {"channel": "sms", "decision": "given"}
    yield "lena", "/outside-texts", {"language": "en", "subject": "News", "body": "News: {link}"}
    heard = planted_call(console.ward.admin, console.ward.patient_id, console.accounts["nora"], NOW)
    calls = f"/patients/{console.ward.patient_id}/calls"
    yield "nora", f"{calls}/recording", {"decision": "given", "method": "told", "asked_at": "2026-11-21T08:00"}
    yield "nora", f"{calls}/{heard['telephone_call']}/join", {"call_id": nora}
    yield "nora", "/me/telephone", {"system": heard["telephone_system"], "extension": "12"}
    yield "nora", f"/patients/{console.ward.patient_id}/ring", {"to": "patient:+4520123456", "case_id": "", "back": "/"}
    yield "nora", f"/callers/{heard['telephone_call']}/case", {"case_id": str(case_id)}
    yield "asta", "/me/reach", {"quiet_from": "21:00", "quiet_until": "08:00", "language": "ru"}
    asking = f"/patients/{console.ward.patient_id}/questionnaires"
    yield "nora", asking, {"questionnaire": "recovery"}
    assert console.sign_in("nora").post(asking, {"questionnaire": "recovery"}).status_code == 303
    [(sent_id,)] = console.ward.rows("SELECT sent_id FROM questionnaire_sent LIMIT 1")
    yield "nora", f"{asking}/{sent_id}", {"q-general": "same", "q-chest": "no"}
    yield "asta", f"/me/questionnaires/{sent_id}", {"q-general": "same", "q-chest": "no"}
    said = {"kind": "complaint", "body": "Nobody called.", "about": nora, "call_me": "yes", "harm": "yes"}
    yield "asta", "/me/complaints", said
    listed = f"/patients/{console.ward.patient_id}/complaints"
    yield "nora", listed, said
    assert console.sign_in("nora").post(listed, {"kind": "complaint", "body": "Nobody called."}).status_code == 303
    [(complaint_id,)] = console.ward.rows("SELECT complaint_id FROM complaint WHERE body = 'Nobody called.' AND way ="
                                          " 'telephone' ORDER BY number DESC LIMIT 1")  # fmt: skip
    handled = f"/complaints/{complaint_id}"
    yield "lena", f"{handled}/owner", {"account_id": nora}
    yield "lena", f"{handled}/subjects", {"account_id": str(console.accounts["sam"])}
    yield "nora", f"{handled}/harm", {"harm": "yes", "note": "She fell."}
    yield "nora", f"{handled}/notes", {"note": "I called."}
    yield "nora", f"{handled}/theme", {"theme": "device", "remove": ""}
    yield "lena", f"{handled}/acts/acknowledge", {"note": ""}
    yield "lena", f"{handled}/acts/begin", {"note": ""}
    yield "lena", f"{handled}/acts/answer", {"outcome": "justified", "words": "We are sorry."}
    yield "lena", f"{handled}/file", {"first": "2026-11-01", "last": "2026-11-21"}
    yield "asta", f"/me{handled}/reopen", {"note": "Nobody said why."}
    yield "lena", "/themes", {"theme": "device", "body": "New cuffs.", "done_on": "2026-11-20"}
    yield "lena", "/surveys/rules/contact", {"is_on": "yes", "after_days": "1", "percent": "10", "apart_days": "30"}
    yield "nora", f"/patients/{console.ward.patient_id}/surveys/wish", {"wants": "yes"}
    [(survey_id,)] = console.ward.admin.execute(
        "INSERT INTO survey_sent (patient_id, kind, about, survey, version, sent_at, until) VALUES (%s, 'contact',"
        " gen_random_uuid(), 'contact', 1, %s, %s) RETURNING sent_id",
        (console.ward.patient_id, NOW, NOW + timedelta(days=9)),
    )
    yield "asta", f"/me/surveys/{survey_id}", {
        "q-overall": "very", "q-understood": "yes", "body": "Well.", "wants": "nothing", "call_me": "yes"
    }  # fmt: skip
    console.ward.admin.execute(
        "INSERT INTO staff_round (survey, version, begins_on, until) VALUES ('staff', 1, '2026-11-21', %s)",
        (NOW + timedelta(days=9),),
    )
    yield "nora", "/surveys/staff", {"q-overall": "very", "q-tools": "yes", "q-load": "no", "body": "Well."}
    after = f"/patients/{console.ward.patient_id}/follow-ups"
    yield "nora", after, {"what": "call", "due_on": "2026-12-01", "note": "ask", "owner": nora}
    yield "nora", f"{after}/plan", {"plan": "diabetes", "begins_on": "2026-11-21"}
    yield "nora", f"{after}/discharge", {
        "discharged_on": "2026-11-20", "about": "a fall", "what_0": "call", "days_0": "2", "note_0": "ask"
    }  # fmt: skip
    came = f"/patients/{console.ward.patient_id}/discharge-documents"
    [(document_id,)] = console.ward.admin.execute(
        "INSERT INTO discharge_document (patient_id, octets, received_by, received_at) VALUES (%s, %s, %s, now())"
        " RETURNING document_id",
        (console.ward.patient_id, octets(summary()), nora),
    )
    yield "nora", f"{came}/{document_id}/take", {
        "discharged_on": "2026-11-20", "about": "a fall", "same": "yes",
        "take_0": "yes", "what_0": "call", "on_0": "2026-11-22", "note_0": "ask",
    }  # fmt: skip
    yield "nora", f"{came}/{document_id}/aside", {"why": "typed by hand"}
    yield "nora", f"{after}/{case_id}/end", {"state": "done", "why": "spoken with her"}
    reminders = f"/patients/{console.ward.patient_id}/reminders"
    yield "nora", reminders, {"kind": "measure", "on": "yes"}
    yield "nora", f"{reminders}/doses", {"medication": nora, "at": "08:00"}
    yield "ada", "/segments/form", {
        "do": "save", "name": "Some", "description": "x", "shared": "yes", "segment_id": "", "version": "1",
        "kind_0": "age", "low_0": "70", "high_0": "80", "source_0": "x", "kind_1": "pressure", "measure_1": "systolic",
        "low_1": "135", "high_1": "", "unit_1": "mm[Hg]", "kind_2": "tag", "tag_2": "frail", "kind_3": "last_reading",
        "relation_3": "at_least", "days_3": "3",
    }  # fmt: skip
    yield "ada", "/segments/form", {"do": "count", "kind": "age", "kind_0": "carer", "carer_0": str(nora)}
    [(segment_id,)] = console.ward.rows("SELECT segment_id FROM segment WHERE owner IS NULL LIMIT 1")
    yield "ada", "/strata", {"stratum_0": "high", "segment_0": str(segment_id)}
    yield "nora", f"/segments/{segment_id}/invite", {"to": f"groups/{segment_id}"}
    yield "nora", f"/patients/{console.ward.patient_id}/tags", {"tag": "frail"}
    house = f"/patients/{console.ward.patient_id}/household"
    yield "nora", f"{house}/search", {"name": "Bo"}
    yield "nora", f"{house}/members", {"patient_id": str(segment_id), "relation": "wife", "own_relation": "husband"}
    yield "nora", f"{house}/consents/{segment_id}", {"topic_reached": "1", "said_on": "2026-11-20", "method": "spoken"}
    yield "nora", "/advice", {
        "name": "salt", "measure": "systolic", "relation": "at_or_above", "bound": "135", "unit": "mm[Hg]",
        "text_en": "Less salt.", "text_ru": "Меньше соли.", "text_zh": "少盐。",
    }  # fmt: skip
    papers = f"/patients/{console.ward.patient_id}/documents"
    yield "nora", papers, {"kind": "consent", "language": "en"}
    yield "nora", papers, {"kind": "hand_over", "language": "en", f"condition:{case_id}": "new"}
    yield "ada", papers, {"kind": "report", "language": "en", "first_day": "2026-11-01", "last_day": "2026-11-21"}
    yield "nora", f"{papers}/{case_id}/scans", {"signed_on": "2026-11-20"}  # of nothing
    yield "nora", f"{papers}/scans/{case_id}/withdraw", {"why": "another patient's"}
    yield "nora", "/documents", {"kind": "sop_roles", "language": "en"}
    yield "asta", "/me/documents", {"kind": "privacy"}
    there = planted_learning(console.ward.admin, console.ward.patient_id, console.accounts, NOW)
    article, asked = f"/library/{there['article']}", f"/asked/{there['asked']}"
    yield "nora", "/library", typed()
    yield "nora", "/library/proposals/low_glucose", {"name": "low_glucose"}
    yield "ada", f"{article}/approve", {"review_on": "2027-11-21"}
    yield "ada", f"{article}/review", {"review_on": "2027-11-21"}
    yield "ada", f"{article}/retire", {"why": "it is old"}
    yield "nora", f"/patients/{console.ward.patient_id}/library", {"article": there["article"]}
    yield "nora", f"/cases/{case_id}/library", {"article": there["article"]}
    yield "asta", "/me/ask", {"body": "May I?", "symptoms": "", "may_publish": "yes", "warned": ""}
    yield "asta", f"/me{asked.replace('asked', 'ask')}/publishing", {"allow": "yes"}
    yield "nora", f"{asked}/message", {"body": "Which?"}
    yield "nora", f"{asked}/follow-up", {"what": "call", "due_on": "2026-12-01"}
    yield "nora", f"{asked}/answer", {"answer": "In the tin."}
    yield "nora", f"{asked}/publish", {"name": "strips"}  # whose other fields are those of the library
    yield "nora", "/events", LECTURE
    yield "nora", f"/events/{there['event']}", {"capacity": "9"}
    yield "nora", f"/events/{there['event']}/invite", {"patient": str(console.ward.patient_id), "whole": ""}
    yield "nora", f"/events/{there['event']}/seats/{console.ward.patient_id}", {"state": "cannot"}
    yield "asta", f"/me/events/{there['event']}", {"comes": "yes"}
    yield "asta", f"/me/events/{there['event']}/evaluation", {"useful": "5", "clear": "4", "said": "good"}
    yield "nora", "/groups", {"name": "Walkers", "about": "We walk.", "programme": "standard"}
    yield "nora", f"/groups/{there['group']}/ask", {"patient": str(console.ward.patient_id)}
    member = f"/groups/{there['group']}/members/{console.ward.patient_id}"
    yield "nora", member, {"answer": "yes", "shown_as": "A."}
    yield "asta", f"/me/groups/{there['group']}", {"answer": "yes", "shown_as": "A."}
    yield "nora", "/me/addresses", {"channel": "sms", "address": "+4520123456"}
    held_id, item = waiting(console)
    whose = {"answer": "patient", "patient": str(console.ward.patient_id), "reason": "she told me", "item": str(item)}
    yield "nora", f"/patients/{console.ward.patient_id}/questions/{held_id}", {
        "answer": "other", "other": str(console.ward.patient_id), "reason": "she told me"
    }  # fmt: skip
    yield "nora", "/whose/answer", {**whose, f"time-{item}": "2026-11-21T08:00", "and_after": "yes", "device": "x"}
    yield "ada", f"{plan}/limits", LIMIT
    yield "ada", f"{plan}/limits/withdraw", {"condition": "hypertension_systolic", "unit": "mm[Hg]", "reason": "well"}
    yield "ada", f"{plan}/programme", {"programme_id": "standard", "reason": "new"}
    yield "ada", f"{plan}/heightened", {"until": "2026-12-24", "reason": "home from hospital"}
    yield "ada", f"{plan}/slots", {"kind": "glucose", "at": "08:00", "before": "3", "after": "2", "day0": "1"}
    yield "ada", f"{plan}/pauses", {"since": "2026-11-22T08:00", "until": "2026-12-01T08:00", "reason": "hospital"}
    yield (
        "ada",
        "/what-if",
        {"programme_id": "standard", "patient_id": "", "days": "28", "limit_0": "hypoglycaemia_level_1 mg/dL",
         "value_0": "60", "regime_0": "esc2024"},
    )  # fmt: skip
    yield "nora", f"/patients/{console.ward.patient_id}/billing/minutes", {
        "starts_at": "2026-11-20T10:00", "minutes": "12", "activity": "call", "interactive": "yes",
        "note": "x", "month": "",
    }  # fmt: skip
    entry = f"/patients/{console.ward.patient_id}/billing/minutes/{case_id}/withdraw"  # of nothing
    yield "nora", entry, {"why": "it was ten"}
    yield "lena", "/billing/close", {"month": "2026-10"}
    yield from _quality(console)
    yield "lena", "/roster/shifts", {**SHIFT, "account_id": nora}
    yield "lena", "/roster/shifts/end", {"shift_ids": str(case_id), "last_day": "2026-12-23"}
    yield (
        "lena",
        "/roster/absences",
        {"account_id": nora, "starts": "2026-11-22T08:00", "ends": "2026-11-23T08:00",
         "cover": str(console.accounts["ben"])},
    )  # fmt: skip
    yield "lena", "/roster/holidays", {"day": "2026-12-24", "name": "Christmas Eve", "own_roster": "1"}
    yield "lena", "/roster/site", {"time_zone": "Europe/Copenhagen", "weekday_0": "1", "phone": "+4533112233"}
    open_hours(console.ward.admin, console.accounts["ada"])
    whom, slot = str(console.accounts["ada"]), f"{console.accounts['ada']} 2026-11-23T08:00:00Z"
    appointments = f"/patients/{console.ward.patient_id}/appointments"
    yield "asta", "/me/appointments", {"slot": slot, "way": "video", "visit": ""}
    wish = {"way": "clinic", "seen_by": whom, "first_day": "2026-11-23", "last_day": "2026-12-23"}
    yield "asta", "/me/appointments/wishes", wish
    yield "nora", f"{appointments}/wishes", wish
    yield "nora", appointments, {
        "other": "yes", "starts_at": "2026-12-01T10:00", "minutes": "20", "way": "video", "seen_by": whom,
        "place": "Room 4", "link": "https://video.example", "visit": "",
    }  # fmt: skip
    [(booked,)] = console.ward.rows("SELECT appointment_id FROM appointment WHERE state = 'booked' LIMIT 1")
    yield "nora", f"{appointments}/{booked}/link", {"link": "https://video.example/r"}
    yield "nora", f"{appointments}/{booked}/move", {"slot": slot, "way": "video"}
    yield "ada", f"{appointments}/invitations", {"way": "clinic", "by_day": "2026-12-05", "why": "to talk"}
    yield "lena", "/appointments/hours", {
        "account_id": whom, "way_clinic": "on", "place": "Room 4", "link": "", "starts": "09:00", "ends": "10:00",
        "slot_minutes": "20", "weekday_0": "on", "first_day": "2026-11-23", "last_day": "2026-12-23",
    }  # fmt: skip
    yield "lena", "/appointments/closures", {
        "account_id": whom, "starts": "2026-11-23T08:00", "ends": "2026-11-23T09:00"
    }  # fmt: skip
    nobodys = {
        "profile": "other", "manufacturer": "Acme", "model": "One", "kind": "glucose", "serial_number": "7",
        "owner": "lessor", "lessor": "Lease Ltd", "lease_ends_on": "2027-01-01", "note": "blue box", "gtin": "",
    }  # fmt: skip
    yield "nora", "/stock", nobodys
    made = console.sign_in("nora").post(
        "/stock", {"profile": "roche-accu-chek-guide", "serial_number": "92312001", "owner": "clinic"}
    )
    thing, devices = made.headers["location"], f"/patients/{console.ward.patient_id}/devices"
    yield "nora", f"{thing}/lease", {"lessor": "Lease Ltd", "lease_ends_on": "2027-01-01"}
    yield "nora", f"{thing}/wipe", {"way": "noted"}
    yield "nora", devices, {"scan": "92312001", "item_id": "", "since": "2026-11-21T08:00"}
    console.ward.admin.execute("UPDATE gateway SET state = 'online'")
    pair = {"what": "model", "profile": "roche-accu-chek-guide", "gateway_id": GATEWAY, "shared": ""}
    yield "nora", f"{devices}/pair", pair
    begun = console.sign_in("nora").post(f"{devices}/pair", pair).headers["location"]
    yield "nora", f"{begun}/digits", {"passkey": "123456"}
    yield "nora", f"{begun}/choose", {"number": "1"}
    crm = f"/crm/{not_taken(console)}"
    yield "sam", f"{crm}/replay", {"seq": "1", "reason": "put right over there"}
    yield "sam", f"{crm}/settle", {"seq": "2", "reason": "put right over there"}
    yield "lena", "/programmes", PROGRAMME
    yield "lena", "/programmes/standard", PROGRAMME
    yield "lena", "/programmes/standard/terms", {"tier": "urgent", "acknowledge_within": "15 min", "lease": "2 h"}


def not_taken(console: Console) -> UUID:
    """A CRM that did not take something."""
    [(destination_id,)] = console.ward.admin.execute(
        "INSERT INTO crm_destination (name, kind, added_at) VALUES ('CRM', 'printing', now()) RETURNING destination_id"
    )
    planted_case(console.ward, Tier.ROUTINE, condition="another")
    planted_case(console.ward, Tier.ROUTINE, condition="one more")
    console.ward.admin.execute("UPDATE crm_outbox SET state = 'dead', ended_at = now()")
    found: UUID = destination_id
    return found


def waiting(console: Console) -> tuple[UUID, UUID]:
    """A reading that looks like somebody else's, and one in quarantine whose time nobody knows."""
    ward = console.ward
    ward.receive(sent(*(pressure("125", at=NOW - timedelta(days=n + 1)) for n in range(NEEDED))))
    ward.admin.execute("UPDATE device_assignment SET shared = true")
    ward.receive(sent(pressure("165")))
    ward.receive(sent(pressure("131", at=NOW - timedelta(days=4000)), visit=session(CUFF, clock=None)))
    ward.admin.execute("UPDATE quarantine SET measured_after = %s", (NOW - timedelta(days=2),))
    [(held_id, item)] = ward.rows("SELECT h.reading_id, q.quarantine_id FROM held_reading h, quarantine q")
    return held_id, item


@pytest.fixture
def people_of(console: Console, case_id: UUID) -> Mapping[str, Person]:
    """Whoever sends a form."""
    made = {login: console.sign_in(login) for login in ("nora", "ada", "asta", "sam")}
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'eve'")
    return {**made, "lena": console.sign_in("eve")}


@pytest.mark.timeout(600)
def test_a_hostile_field_is_refused_in_words_and_spoils_no_page(
    console: Console, case_id: UUID, people_of: Mapping[str, Person]
) -> None:
    tokens = {login: person.csrf_token() for login, person in people_of.items()}
    failed = []
    for login, path, form in forms(console, case_id):
        for name in form:
            for text in HOSTILE:
                typed = {**form, "csrf_token": tokens[login], name: text}
                body = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in typed.items())
                answer = people_of[login].client.post(
                    path, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
                )
                if answer.status_code >= 500 or "<script>alert" in answer.text:
                    failed.append((path, name, text[:30], answer.status_code))
    assert failed == []
    for login, path in (
        ("nora", "/worklist"),
        ("nora", "/stock"),
        ("nora", f"/patients/{console.ward.patient_id}/devices"),
        ("nora", f"/patients/{console.ward.patient_id}/devices/pair"),
        ("nora", f"/cases/{case_id}"),
        ("nora", "/me/reached"),
        ("nora", "/questions"),
        ("nora", f"/patients/{console.ward.patient_id}/questions"),
        ("nora", "/whose"),
        ("ada", f"/patients/{console.ward.patient_id}"),
        ("ada", f"/patients/{console.ward.patient_id}/plan"),
        ("ada", "/what-if"),
        ("nora", f"/patients/{console.ward.patient_id}/messages"),
        ("nora", f"/patients/{console.ward.patient_id}/reach"),
        ("nora", f"/patients/{console.ward.patient_id}/billing"),
        ("asta", "/me/reach"),
        ("nora", "/segments"),
        ("nora", f"/patients/{console.ward.patient_id}/household"),
        ("nora", f"/patients/{console.ward.patient_id}"),
        ("nora", "/advice"),
        ("nora", "/library"),
        ("nora", "/asked"),
        ("nora", "/events"),
        ("nora", "/groups"),
        ("asta", "/me/events"),
        ("asta", "/me/ask"),
        ("nora", "/documents"),
        ("nora", f"/patients/{console.ward.patient_id}/documents"),
        ("asta", "/me/documents"),
        ("nora", f"/patients/{console.ward.patient_id}/reminders"),
        ("nora", f"/patients/{console.ward.patient_id}/follow-ups"),
        ("nora", "/follow-ups"),
        ("nora", f"/patients/{console.ward.patient_id}/discharge-documents"),
        ("nora", f"/patients/{console.ward.patient_id}/questionnaires"),
        ("asta", "/me/messages"),
        ("asta", "/me/appointments"),
        ("nora", f"/patients/{console.ward.patient_id}/appointments"),
        ("nora", "/appointments?day=2026-11-23"),
        ("lena", "/appointments/hours"),
        ("asta", "/me/settings"),
        ("sam", "/crm"),
        ("lena", "/roster"),
        ("lena", "/programmes"),
        ("lena", "/billing"),
        ("lena", "/figures"),
        ("lena", "/quality"),
        ("lena", "/quality/scripts"),
        ("lena", "/surveys"),
        ("lena", "/complaints"),
        ("lena", "/themes"),
        ("nora", "/surveys/staff"),
        ("nora", f"/patients/{console.ward.patient_id}/complaints"),
        ("asta", "/me/complaints"),
    ):
        for language in ("en", "ru", "zh"):
            console.ward.admin.execute("UPDATE account SET language = %s", (language,))
            answer = people_of[login].get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text


def test_a_form_in_parts_is_none_of_ours_whatever_its_alphabet(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("csrf_token", nora.csrf_token()), ("minutes", "15"), ("reason", "\\ud800"))
    )
    for charset in ("utf-8", "unicode_escape", "utf-16", "utf-7", "punycode", "undefined"):
        answer = nora.client.post(
            f"/cases/{case_id}/silence",
            content=(parts + "--b--\r\n").encode(),
            headers={"Content-Type": f"multipart/form-data; boundary=b; charset={charset}"},
        )
        assert answer.status_code == 415, charset


def test_a_hostile_address_is_refused_in_words(console: Console) -> None:
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'ben'")
    people = [console.sign_in("ben"), console.sign_in("sam")]
    for path in (
        "/what-if?programme_id=%00",
        "/what-if?programme_id=standard&condition=%00&unit=%00&value=%00",
        "/what-if?patient_id=%00",
        "/worklist?show=%00",
        "/quarantine?show=%00",
        "/gateways?search=%00&page=99999999999999999999",
        "/gateways/%00",
        "/patients/{patient}/plan?limit=%00",
        "/patients/{patient}/plan?limit=%ED%A0%80",
        "/patients/{patient}/series.json?days=99999999999999999999",
        "/appointments?day=%00&seen_by=%00&view=%00",
        "/appointments?day=0001-01-01&view=week",
        "/appointments?day=9999-12-31",
        "/patients/{patient}/appointments?from=9999-12-31&way=%00&seen_by=%00&visit=%00&move=%00",
        "/calendar/%00",
        "/login?language=%00",
        "/nowhere/%00",
    ):
        for person in people:
            assert person.get(path.format(patient=console.ward.patient_id)).status_code < 500, path


def test_an_origin_that_is_none_is_refused(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    for origin in ("http://[", "http://[::1", "null", "http://", "//", "http://\x7f"):
        headers = {"Origin": origin, "X-CSRF-Token": nora.csrf_token()}
        assert nora.client.post(f"/cases/{case_id}/start", headers=headers).status_code == 403, origin


def _quality(console: Console) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """An audit of nora's work that lena (who is eve) goes on with, one that she has finished, and what is done."""
    ward, nora, lena = console.ward, console.accounts["nora"], console.accounts["eve"]
    cases = [closed_case(ward, nora, at=CLOSED + timedelta(hours=n)) for n in range(2)]
    given = {"by": lena, "nora": nora, "now": NOW}
    [(sample_id,)] = ward.admin.execute(
        "INSERT INTO quality_sample (month, starts, ends, rule, percent, seed, closed, frame, drawn_by, drawn_at)"
        " VALUES ('2026-09-01', '2026-09-01', '2026-10-01', 'r', 10, repeat('0', 32), 2, repeat('0', 64), %(by)s,"
        " %(now)s) RETURNING sample_id",
        given,
    )
    audits = []
    for n, case_id in enumerate(cases):
        of = {**given, "sample": sample_id, "case": case_id, "patient": ward.patient_id}
        ward.admin.execute(
            "INSERT INTO quality_case (sample_id, case_id, patient_id, closed_by, stratum, place)"
            " VALUES (%(sample)s, %(case)s, %(patient)s, %(nora)s, 'urgent', 1)",
            of,
        )
        [(audit_id,)] = ward.admin.execute(
            "INSERT INTO quality_audit (sample_id, case_id, patient_id, auditor, checklist, script, script_version,"
            " begun_at, finished_at) VALUES (%(sample)s, %(case)s, %(patient)s, %(by)s, 1, 'high_glucose', 1, %(now)s,"
            " CASE WHEN %(done)s THEN %(now)s::timestamptz END) RETURNING audit_id",
            {**of, "done": n == 1},
        )
        audits.append(f"/quality/audits/{audit_id}")
    [(action_id,)] = ward.admin.execute(
        "INSERT INTO quality_action (audit_id, patient_id, kind, what, owner, due_on, check_on, script, script_version,"
        " made_by, made_at) VALUES (%s, %s, 'script', 'w', %s, '2026-12-01', '2026-12-02', 'high_glucose', 1, %s, %s)"
        " RETURNING action_id",
        (audits[1].rpartition("/")[2], ward.patient_id, nora, lena, NOW),
    )
    yield "lena", "/quality/samples", {"month": "2026-10", "percent": "10"}
    yield "lena", audits[0], {"answer-identity": "no", "remark-identity": "r", "remark": "r", "finish": "yes"}
    yield "lena", f"{audits[1]}/actions", {
        "kind": "briefing", "what": "w", "owner": str(nora), "due_on": "2026-12-01", "check_on": "2026-12-02",
    }  # fmt: skip
    yield "nora", f"{audits[1]}/reply", {"body": "b"}
    yield "nora", f"/quality/actions/{action_id}/done", {"outcome": "o", "answered_by": "2"}
    yield "lena", f"/quality/actions/{action_id}/check", {"effective": "yes", "check_note": "c"}


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))
