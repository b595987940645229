"""Care-team access as the database itself keeps it: by raw SQL, under the roles that our processes have."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from cloud.db.acting import act_for, acting
from cloud.db.connect import Connection, one
from cloud.db.pool import Pool, make_pool
from tests.cloud.made import NOW, Ward, glucose, ketone, new_patient, pressure, sent
from tests.fix_services import Database

# What the console may do with each other table, whoever is set: none says anything of a patient who is known.
OPEN: Final[Mapping[str, str]] = {
    # who works here, how they sign in, when they are on duty
    "appointment_closure": "SIU",
    "appointment_freed": "",
    "appointment_hours": "SIU",
    "calendar_address": "SIUD",
    "duty_absence": "SIU",
    "advice_snippet": "SIU",
    # what patients read, and what they may come to; who does stands in article_given, event_seat and group_member
    "article": "SIU",
    "learning_event": "SIU",
    "patient_group": "SIU",
    "duty_gap": "SU",
    "duty_holiday": "SID",
    "duty_shift": "SIU",
    "duty_site": "SU",
    "invitation": "SID",  # of whom one may invite: below
    "login_failure": "SID",
    "login_session": "SIUD",
    "outside_identity": "SID",
    "outside_sign_in": "SID",
    "recovery_code": "SIUD",
    "second_factor": "SIUD",
    "second_factor_rule": "SID",
    "staff_address": "SIU",
    "waiting_sign_in": "SID",
    # programmes, and how much they ask of people
    "alert_budget_spent": "S",
    "figures_month": "S",
    "training_course": "S",
    "programme": "SIU",
    # what a segment asks names no patient; whom it finds is asked of the guarded tables
    "segment": "SIU",
    "segment_version": "SI",
    "strata_member": "SI",
    "strata_set": "SIU",
    "programme_terms": "SID",
    # quality: which month was drawn, how; its cases stand in quality_case
    "quality_sample": "SI",
    # outside CRMs: what each is told stands in crm_outbox
    "crm_destination": "SU",
    # telephone systems, and whose telephone is where: what they tell of calls stands in telephone_call
    "telephone_system": "S",
    "telephone_extension": "SIUD",
    "telephone_event": "",
    # what all patients are told outside
    "outside_text": "SI",
    # our own processes
    "component": "SIUD",
    # the wording of documents, and what the clinic says of itself on them
    "clinic_facts": "SI",
    "document_template": "SIU",
    # machines: whose a device is stands in device_assignment
    "device": "SI",
    "device_session": "S",
    "gateway": "S",
    "gateway_certificate": "S",
    "gateway_command": "SIU",
    "gateway_command_secret": "I",
    "gateway_device": "S",
    # devices as things: who has one stands in stock_holding
    "stock_event": "SI",
    "stock_item": "SIU",
    "ledger": "S",
    "quarantine": "SU",
    "technical_alarm": "SU",
    # nothing at all
    "alembic_version": "",
    "audit_link": "",
    "blood_pressure_observation": "",
    "break_glass_miss": "",
    "questionnaire_miss": "",
    # surveys of the staff: who has answered, and what was answered, are for functions alone
    "staff_answer": "",
    "staff_round": "",
    "staff_taken": "",
    "survey_rule": "SI",
    "theme_action": "SI",
    "enrolment_code": "",
    "enrolment_failure": "",
    "glucose_observation": "",
    "ketone_observation": "",
    "identifier_look_up": "",
    "patient_look_up": "",
}

# Tables that belong to a case, or to what was told of one: for whoever cares for its patient, not for the patient.
OF_A_CASE: Final[Mapping[str, str]] = {
    "case_event": "case_id",
    "case_page": "case_id",
    "duty_gap_case": "case_id",
    "notification": "case_id",
    "notification_attempt": "notification_id",
}
# What the console may do, for patients that it may do it for.
VERBS: Final[Mapping[str, str]] = {
    "account": "SIU",
    "admission_entry": "SI",
    "advice_given": "SU",
    "alarm_limit": "SIU",
    "alert": "SI",
    "alert_case": "SU",
    "appointment": "SIU",
    "appointment_event": "S",
    "appointment_wish": "SIU",
    "article_given": "SIU",
    "assessment_due": "",
    "audit": "SI",
    "billing_month": "SI",
    "break_glass": "S",
    "call": "SIU",
    "call_recording": "S",
    "care_minutes": "SIU",
    "care_team": "SIU",
    "case_event": "SI",
    "case_page": "S",
    "channel_consent": "SI",
    "complaint": "SU",
    "complaint_ask": "SI",
    "complaint_event": "SI",
    "complaint_link": "",
    "complaint_subject": "SI",
    "consent": "SI",
    "contact_consent": "SI",
    "contact_person": "SIU",
    "crm_inbox": "",
    "crm_outbox": "S",
    "crm_remote": "S",
    "device_assignment": "SIU",
    "discharge_document": "SIU",
    "discharge_summary": "SI",
    "patient_identifier": "SIU",
    "document": "SI",
    "document_scan": "SIU",
    "duty_gap_case": "S",
    "emergency_card": "SIU",
    "event_evaluation": "SI",
    "event_seat": "SIU",
    "follow_up": "SIU",
    "group_member": "SIU",
    "held_reading": "SU",
    "household_member": "SIU",
    "hospital_stay": "SIU",
    "measurement_pause": "SIUD",
    "measurement_silence": "S",
    "measurement_slot": "SIUD",
    "medication": "SIU",
    "medication_taken": "SI",
    "medication_time": "SIU",
    "notification": "SIU",
    "notification_attempt": "SU",
    "outside_attempt": "S",
    "outside_message": "SI",
    "pairing": "SIU",
    "participation": "SIU",
    "patient": "S",
    "patient_channel": "SIU",
    "patient_message": "SIU",
    "patient_measures": "S",
    "patient_programme": "SIU",
    "patient_question": "SIU",
    "patient_reach": "SI",
    "patient_tag": "SIU",
    "patient_zone": "S",
    "quality_action": "SIU",
    "quality_audit": "SIU",
    "quality_case": "SI",
    "quality_finding": "SIU",
    "quality_reply": "SI",
    "questionnaire_answer": "SI",
    "questionnaire_link": "",
    "questionnaire_sent": "SIU",
    "reading_release": "SI",
    "recording_consent": "SI",
    "remeasure": "S",
    "reminder_choice": "SI",
    "stock_holding": "SI",
    "telephone_call": "SU",
    "telephone_ring": "SI",
    "survey_answer": "S",
    "survey_choice": "SI",
    "survey_comment": "SU",
    "survey_link": "",
    "survey_sent": "S",
    "training_patient": "S",
    "training_truth": "",
    "treatment_change": "SIU",
    "triage_walk": "SIU",
    "visit": "SIU",
    "voice_theme": "SIU",
    "what_if_run": "SIU",
}
VIEWS: Final = ("glucose", "ketone", "blood_pressure")

# Who is in the care team of the patient, or was, or has broken the glass; and who has nothing to do with them.
CARE: Final = frozenset({"nurse", "doctor", "coordinator", "glass"})
ACTORS: Final = (
    "nurse", "doctor", "coordinator", "glass", "patient", "lead", "stranger", "left", "coming", "glass_over",
    "disabled", "support", "auditor", "administrator", "other_patient", "unknown", "nobody",
)  # fmt: skip
ROLES: Final[Mapping[str, str]] = {
    "lead": "lead_nurse", "stranger": "nurse", "left": "nurse", "coming": "nurse", "glass_over": "nurse",
    "disabled": "nurse", "glass": "nurse", "other_patient": "patient",
}  # fmt: skip
QUALITY: Final = ("quality_action", "quality_audit", "quality_case", "quality_finding", "quality_reply")
READERS: Final[Mapping[str, frozenset[str]]] = {
    "audit": frozenset({"auditor", "administrator", "patient"}),
    "break_glass": CARE | {"patient", "lead", "glass_over"},  # the lead nurses are told; one's own remains one's own
    "what_if_run": frozenset({"nurse"}),  # who asked
    # A complaint: who wrote it down, whose it is, and the lead nurses; not the others of the care team.
    "complaint": frozenset({"nurse", "lead", "patient"}),
    "complaint_event": frozenset({"nurse", "lead"}),
    "complaint_subject": frozenset({"nurse", "lead"}),
    "voice_theme": frozenset({"nurse", "lead"}),
    "survey_answer": frozenset({"patient"}),
    "survey_comment": CARE | {"lead"},
    # who audits, and whose work it was
    **dict.fromkeys(QUALITY, frozenset({"nurse", "lead", "auditor"})),
    **dict.fromkeys(OF_A_CASE, CARE),
}
WRITERS: Final[Mapping[str, frozenset[str]]] = {
    "audit": frozenset(ACTORS),  # also before anybody is signed in
    "care_team": CARE - {"glass"},  # nobody makes themselves one of the team
    "complaint": frozenset({"nurse", "lead"}),
    "complaint_event": frozenset({"nurse"}),  # in their own name, and the row is hers
    "complaint_subject": frozenset({"nurse", "lead"}),
    "voice_theme": frozenset({"nurse", "lead"}),
    "survey_comment": CARE | {"lead"},
    "what_if_run": frozenset({"nurse"}),
    **dict.fromkeys(QUALITY, frozenset()),  # by whoever audits, as who they are: tests/cloud/crm/quality
}
# Where that differs from verb to verb.
DOERS: Final[Mapping[str, frozenset[str]]] = {
    "INSERT account": CARE - {"glass"},  # a way in for the patient
    "UPDATE account": frozenset({"patient"}),  # their own password and language
    "INSERT appointment": frozenset({"nurse"}),  # in their own name, and the rows are hers
    "INSERT appointment_wish": frozenset({"nurse"}),
    "UPDATE appointment": CARE | {"patient"},  # who moves it, or comes after all
    "UPDATE appointment_wish": CARE | {"patient"},
    "INSERT patient_message": frozenset({"nurse"}),  # everybody writes as who they are, and the row is hers
    "INSERT notification": frozenset({"nurse"}),  # of the columns that the console may fill: a test page to oneself
    "INSERT care_minutes": frozenset({"nurse"}),  # everybody their own, and the row is hers
    "UPDATE care_minutes": frozenset(),  # withdrawn by somebody, who says who they are
    "INSERT recording_consent": frozenset({"nurse"}),  # in their own name, and the row is hers
    "INSERT telephone_ring": frozenset({"nurse"}),  # one's own telephone, and the row is hers
    "INSERT quality_reply": frozenset({"nurse"}),  # whose work it was, and the row is hers
    "INSERT billing_month": frozenset(),  # by lead nurses and coordinators, each in their own name
    "UPDATE advice_given": CARE | {"patient"},  # they have read it
    "INSERT article_given": frozenset({"nurse"}),  # in their own name, and the row is hers
    "UPDATE article_given": CARE | {"patient"},  # they have opened it
    "INSERT group_member": frozenset({"nurse"}),
    "UPDATE group_member": CARE | {"patient"},  # they join, and leave
    "INSERT event_seat": frozenset({"nurse"}),
    "UPDATE event_seat": CARE | {"patient"},  # they come after all, or cannot
    "INSERT event_evaluation": frozenset({"patient"}),  # how it was is theirs to say
    "INSERT patient_question": frozenset({"nurse"}),  # everybody as who they are, and the row is hers
    "UPDATE patient_question": CARE | {"patient"},  # they have read the answer, and agree or not
    "INSERT document": frozenset({"nurse"}),  # everybody in their own name, and the row is hers
    "INSERT document_scan": frozenset({"nurse"}),
    "INSERT medication_taken": CARE | {"patient"},
    "INSERT patient_channel": CARE - {"glass"},  # what is sent there lets its reader answer, long after the hour
    "INSERT questionnaire_answer": frozenset({"nurse"}),  # everybody as who they are, and the row is hers
    "UPDATE patient_message": CARE | {"patient"},  # they have read what was written to them
}


@dataclass(frozen=True)
class Hospital:
    """Two patients with a row of everything, and people of all kinds around the first of them."""

    ward: Ward
    keys: Mapping[str, UUID]  # of the first patient, by the name of a column
    people: Mapping[str, UUID]
    console: Connection

    def act_for(self, actor: str) -> None:
        """A new transaction for this person; 'nobody' sets nothing, 'unknown' is an account that does not exist."""
        self.console.rollback()
        if actor != "nobody":
            account_id = self.people.get(actor, uuid4())
            self.console.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(account_id),))


@pytest.fixture
def hospital(ward: Ward) -> Iterator[Hospital]:
    people = {"nurse": ward.nurse_id}
    other = new_patient(ward.admin, "Other Patient")
    for actor in ACTORS[1:-2]:
        whose = {"patient": ward.patient_id, "other_patient": other}.get(actor)
        people[actor] = one(
            ward.admin.execute(
                "INSERT INTO account (login, display_name, role, password_hash, patient_id, disabled_at)"
                " VALUES (%s, %s, %s, '-', %s, CASE WHEN %s = 'disabled' THEN now() END) RETURNING account_id",
                (actor, actor, ROLES.get(actor, actor), whose, actor),
            ).fetchone()
        )[0]
    # Support, the auditor and the administrator stand in the team by mistake: their roles see no patient all the same.
    for actor in (
        "nurse",
        "doctor",
        "coordinator",
        "disabled",
        "support",
        "auditor",
        "administrator",
        "left",
        "coming",
    ):
        ward.admin.execute(
            "INSERT INTO care_team (patient_id, account_id, since, until) VALUES (%s, %s,"
            " now() + CASE WHEN %s = 'coming' THEN 1 ELSE -2 END * interval '1 hour',"
            " CASE WHEN %s = 'left' THEN now() - interval '1 hour' END)",
            (ward.patient_id, people[actor], actor, actor),
        )
    ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (other, people["lead"]))
    keys = _fill(ward, ward.patient_id, people)
    _fill(ward, other, people)
    ward.admin.execute(
        "INSERT INTO break_glass (account_id, patient_id, reason, since, until) VALUES"
        " (%(glass)s, %(a)s, 'An emergency', now() - interval '1 minute', now() + interval '9 minutes'),"
        " (%(over)s, %(a)s, 'An emergency', now() - interval '9 minutes', now() - interval '1 minute')",
        {"glass": people["glass"], "over": people["glass_over"], "a": ward.patient_id},
    )
    _measure(ward, other)
    with psycopg.connect(ward.database.console_url) as console:
        yield Hospital(ward, keys, people, console)


def _fill(ward: Ward, patient_id: UUID, people: Mapping[str, UUID]) -> Mapping[str, UUID]:
    """A row of everything for a patient; the keys by which they are found."""
    case_id, told = uuid4(), uuid4()
    given = {
        "patient": patient_id,
        "nurse": people["nurse"],
        "lead": people["lead"],
        "now": NOW,
        "case": case_id,
        "told": told,
    }
    for statement in FILLED:
        ward.admin.execute(statement, given)
    return {"patient_id": patient_id, "case_id": case_id, "notification_id": told}


FILLED: Final[tuple[LiteralString, ...]] = (
    "INSERT INTO patient_zone VALUES (%(patient)s, 'UTC', tstzrange(NULL, %(now)s))",
    "INSERT INTO survey_choice (patient_id, wants, method, set_by, set_at)"
    " VALUES (%(patient)s, true, 'told', %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO survey_sent (patient_id, kind, about, survey, version, sent_at, until)"
    " VALUES (%(patient)s, 'contact', gen_random_uuid(), 'contact', 1, %(now)s, %(now)s + interval '1 day')"
    " RETURNING sent_id, patient_id), way AS (INSERT INTO survey_link (token_hash, sent_id, patient_id, made_at)"
    " SELECT uuid_send(sent_id), sent_id, patient_id, %(now)s FROM made)"
    " INSERT INTO survey_answer (sent_id, patient_id, survey, version, answers, answered_at)"
    " SELECT sent_id, patient_id, 'contact', 1, '{}', %(now)s FROM made",
    "INSERT INTO survey_comment (patient_id, kind, body, written_at) VALUES (%(patient)s, 'contact', 'b', %(now)s)",
    "WITH made AS (INSERT INTO complaint (patient_id, kind, way, body, wants_call, harm, taken_by, received_at,"
    " acknowledge_by, answer_by, changed_at) VALUES (%(patient)s, 'complaint', 'telephone', 'b', false, false,"
    " %(nurse)s, %(now)s, %(now)s, %(now)s, %(now)s) RETURNING complaint_id, patient_id),"
    " event AS (INSERT INTO complaint_event (complaint_id, patient_id, at, account_id, event, to_state)"
    " SELECT complaint_id, patient_id, %(now)s, %(nurse)s, 'receive', 'received' FROM made),"
    " tagged AS (INSERT INTO voice_theme (theme, what, thing_id, patient_id, happened_at, tagged_by, tagged_at)"
    " SELECT 'device', 'complaint', complaint_id, patient_id, %(now)s, %(nurse)s, %(now)s FROM made),"
    " asked AS (INSERT INTO complaint_ask (patient_id, asked_by, asked_at, until)"
    " VALUES (%(patient)s, %(nurse)s, %(now)s, %(now)s + interval '1 day') RETURNING ask_id, patient_id),"
    " way AS (INSERT INTO complaint_link (token_hash, ask_id, patient_id, made_at)"
    " SELECT uuid_send(ask_id), ask_id, patient_id, %(now)s FROM asked)"
    " INSERT INTO complaint_subject (complaint_id, patient_id, account_id, added_at)"
    " SELECT complaint_id, made.patient_id, a.account_id, %(now)s FROM made, account a WHERE a.login = 'administrator'",
    "INSERT INTO alarm_limit (patient_id, condition, unit, value, priority, reason, set_by, set_at)"
    " VALUES (%(patient)s, 'hyperglycaemia', 'mg/dL', 200, 'high', 'r', %(nurse)s, %(now)s)",
    "INSERT INTO alert_case (case_id, patient_id, condition, priority, tier, state, sentence, reason, opened_at,"
    " raised_at, deadline, changed_at, next_at) VALUES (%(case)s, %(patient)s, 'c', 'high', 'urgent', 'raised', 's',"
    " '{}', %(now)s, %(now)s, %(now)s, %(now)s, %(now)s)",
    "INSERT INTO alert (case_id, patient_id, condition, priority, tier, effective_time, reason, sentence, raised_at)"
    " VALUES (%(case)s, %(patient)s, 'c', 'high', 'urgent', %(now)s, '{}', 's', %(now)s)",
    "INSERT INTO case_event (case_id, at, event, to_state) VALUES (%(case)s, %(now)s, 'raised', 'raised')",
    "INSERT INTO audit (at, action, subject, patient_id) VALUES (%(now)s, 'patient.read', 'patient:x', %(patient)s)",
    "INSERT INTO remeasure (patient_id, condition, measure, reading_id, first, first_at, earliest, due)"
    " VALUES (%(patient)s, 'c', 'glucose', gen_random_uuid(), '{}', %(now)s, %(now)s, %(now)s)",
    "INSERT INTO assessment_due VALUES (%(patient)s, 'day', %(now)s, %(now)s, %(now)s)"
    " ON CONFLICT (patient_id, what) DO NOTHING",
    "INSERT INTO patient_programme (patient_id, programme_id, valid)"
    " VALUES (%(patient)s, 'standard', tstzrange(%(now)s, NULL))",
    "INSERT INTO measurement_slot (patient_id, kind, at, valid) VALUES (%(patient)s, 'glucose', '08:00', '[,]')",
    "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%(patient)s, '[,]', 'holiday')",
    "INSERT INTO measurement_silence VALUES (%(patient)s, 'glucose', %(now)s, 'call_patient', %(now)s, false)",
    "INSERT INTO case_page VALUES (%(case)s, 1, 0, %(nurse)s, 'nurse', %(now)s)",
    "INSERT INTO duty_gap (role, why, opened_at) VALUES ('nurse', 'nobody_on_duty', %(now)s) ON CONFLICT DO NOTHING",
    "INSERT INTO duty_gap_case SELECT gap_id, %(case)s, %(now)s FROM duty_gap",
    "INSERT INTO notification (notification_id, subject, account_id, case_id, round, step, created_at, next_at)"
    " VALUES (%(told)s, 'case', %(nurse)s, %(case)s, 1, 0, %(now)s, %(now)s)",
    "INSERT INTO notification_attempt (notification_id, channel, idempotency_key, began_at)"
    " VALUES (%(told)s, 'sms', gen_random_uuid(), %(now)s)",
    "INSERT INTO what_if_run (asked_by, asked_at, patient_id, days, proposal)"
    " VALUES (%(nurse)s, %(now)s, %(patient)s, 30, '{}')",
    "INSERT INTO emergency_card (patient_id, address, emergency_number, set_by, set_at)"
    " VALUES (%(patient)s, 'a', '+45112', %(nurse)s, %(now)s)",
    "INSERT INTO contact_person (patient_id, place, name, relation, phones, may_be_told, added_by, added_at)"
    " VALUES (%(patient)s, 1, 'n', 'r', '{+4520123456}', true, %(nurse)s, %(now)s)",
    "INSERT INTO patient_measures (patient_id, control, due, made, counted_at)"
    " VALUES (%(patient)s, 'not_enough', 0, 0, %(now)s)",
    "INSERT INTO patient_tag (patient_id, tag, added_by, added_at) VALUES (%(patient)s, 'frail', %(nurse)s, %(now)s)",
    "INSERT INTO household_member (household_id, patient_id, added_by, added_at)"
    " VALUES (gen_random_uuid(), %(patient)s, %(nurse)s, %(now)s)",
    "INSERT INTO contact_consent (patient_id, contact_id, topics, said_on, method, entered_by, entered_at)"
    " SELECT patient_id, contact_id, '{readings}', '2026-11-01', 'spoken', %(nurse)s, %(now)s FROM contact_person"
    " WHERE patient_id = %(patient)s",
    "INSERT INTO medication (patient_id, drug, dose, entered_by, entered_at)"
    " VALUES (%(patient)s, 'd', '1', %(nurse)s, %(now)s)",
    "INSERT INTO treatment_change (patient_id, changed_on, what, why, noted_by, noted_at)"
    " VALUES (%(patient)s, '2026-11-01', 'w', 'w', %(nurse)s, %(now)s)",
    "INSERT INTO call (patient_id, case_id, account_id, started_at) VALUES (%(patient)s, %(case)s, %(nurse)s, %(now)s)",
    "INSERT INTO triage_walk (case_id, patient_id, script, version, path, account_id, started_at, changed_at)"
    " VALUES (%(case)s, %(patient)s, 's', 1, '[]', %(nurse)s, %(now)s, %(now)s)",
    "WITH made AS (INSERT INTO training_course (started_at) VALUES (%(now)s) RETURNING course_id)"
    " INSERT INTO training_patient SELECT %(patient)s, course_id FROM made",
    "INSERT INTO training_truth VALUES (%(patient)s, 'ordinary', NULL, %(now)s)",
    "INSERT INTO participation (patient_id, begun_at) VALUES (%(patient)s, %(now)s)",
    "INSERT INTO admission_entry (participation_id, patient_id, step, outcome, entered_by, entered_at)"
    " SELECT participation_id, patient_id, 'plan', 'done', %(nurse)s, %(now)s FROM participation"
    " WHERE patient_id = %(patient)s",
    "INSERT INTO consent (patient_id, text_id, version, language, text_sha256, decision, method, entered_by,"
    " entered_at) VALUES (%(patient)s, 't', 1, 'en', '', 'given', 'paper', %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO questionnaire_sent (patient_id, questionnaire, version, sent_at, until)"
    " VALUES (%(patient)s, 'recovery', 1, %(now)s, %(now)s + interval '1 day') RETURNING sent_id, patient_id),"
    " way AS (INSERT INTO questionnaire_link (token_hash, sent_id, patient_id, made_at)"
    " SELECT sent_id::text::bytea, sent_id, patient_id, %(now)s FROM made)"
    " INSERT INTO questionnaire_answer (sent_id, patient_id, answers, entered_by, answered_at)"
    " SELECT sent_id, patient_id, '{}', %(nurse)s, %(now)s FROM made",
    "WITH made AS (INSERT INTO document (document_id, patient_id, kind, template_version, language, octets, sha256,"
    " made_by, made_at) VALUES (gen_random_uuid(), %(patient)s, 'consent', 1, 'en', 'x', sha256('x'), %(nurse)s,"
    " %(now)s)"
    " RETURNING document_id, patient_id)"
    " INSERT INTO document_scan (document_id, patient_id, media_type, octets, sha256, signed_on, attached_by,"
    " attached_at) SELECT document_id, patient_id, 'image/png', 'x', sha256('x'), '2026-11-01', %(nurse)s, %(now)s"
    " FROM made",
    "INSERT INTO hospital_stay (patient_id, since, entered_by) VALUES (%(patient)s, %(now)s, %(nurse)s)",
    "WITH made AS (INSERT INTO discharge_summary (patient_id, discharged_on, about, entered_by, entered_at)"
    " VALUES (%(patient)s, '2026-11-01', 'a', %(nurse)s, %(now)s) RETURNING summary_id, patient_id)"
    " INSERT INTO follow_up (patient_id, summary_id, what, due_on, made_by, made_at)"
    " SELECT patient_id, summary_id, 'call', '2026-11-03', %(nurse)s, %(now)s FROM made",
    "INSERT INTO patient_identifier (patient_id, system, value, added_by, added_at)"
    " VALUES (%(patient)s, 'urn:x', %(patient)s, %(nurse)s, %(now)s)",
    "INSERT INTO discharge_document (patient_id, octets, received_by, received_at)"
    " VALUES (%(patient)s, '{}', %(nurse)s, %(now)s)",
    "INSERT INTO reminder_choice (patient_id, what, is_on, set_by, set_at)"
    " VALUES (%(patient)s, 'measure', true, %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO medication_time (patient_id, medication_id, at, set_by, set_at)"
    " SELECT patient_id, medication_id, '08:00', %(nurse)s, %(now)s FROM medication WHERE patient_id = %(patient)s"
    " RETURNING time_id, patient_id)"
    " INSERT INTO medication_taken SELECT time_id, patient_id, '2026-11-03', %(now)s FROM made",
    "WITH made AS (INSERT INTO advice_snippet (name, version, measure, relation, bound, unit, texts, written_by,"
    " written_at) SELECT 'salt', 1 + count(*), 'systolic', 'below', 1, 'mm[Hg]', '{}', %(nurse)s, %(now)s"
    " FROM advice_snippet RETURNING snippet_id)"
    " INSERT INTO advice_given (patient_id, snippet_id, mean, unit, readings, given_at)"
    " SELECT %(patient)s, snippet_id, 1, 'mm[Hg]', 6, %(now)s FROM made",
    "WITH made AS (INSERT INTO article (name, version, topic, condition, titles, bodies, sources, written_by,"
    " written_at, approved_by, approved_at, review_on) SELECT 'a' || count(*), 1, 'food', 'any', '{}', '{}', 's',"
    " %(nurse)s, %(now)s, %(lead)s, %(now)s, '2027-01-01' FROM article RETURNING article_id)"
    " INSERT INTO article_given (patient_id, article_id, given_by, given_at)"
    " SELECT %(patient)s, article_id, %(nurse)s, %(now)s FROM made",
    "WITH made AS (INSERT INTO patient_group (name, made_by, made_at) VALUES ('g', %(nurse)s, %(now)s)"
    " RETURNING group_id) INSERT INTO group_member (group_id, patient_id, asked_by, asked_at)"
    " SELECT group_id, %(patient)s, %(nurse)s, %(now)s FROM made",
    "WITH made AS (INSERT INTO learning_event (kind, title, language, place, starts_at, ends_at, capacity, audience,"
    " made_by, made_at, changed_at) VALUES ('lecture', 't', 'en', 'p', %(now)s, %(now)s::timestamptz"
    " + interval '1 hour', 9, 'all', %(nurse)s, %(now)s, %(now)s) RETURNING event_id)"
    " INSERT INTO event_seat (event_id, patient_id, state, entered_by, entered_at, changed_by, changed_at)"
    " SELECT event_id, %(patient)s, 'coming', %(nurse)s, %(now)s, %(nurse)s, %(now)s FROM made",
    "INSERT INTO event_evaluation (seat_id, patient_id, useful, clear, answered_at)"
    " SELECT seat_id, patient_id, 5, 5, %(now)s FROM event_seat WHERE patient_id = %(patient)s",
    "INSERT INTO patient_question (patient_id, body, asked_by, asked_at, about_symptoms, due_at, may_publish,"
    " may_publish_at) VALUES (%(patient)s, 'b', %(nurse)s, %(now)s, false, %(now)s, false, %(now)s)",
    "INSERT INTO patient_reach (patient_id, quiet_from, quiet_until, language, set_by, set_at)"
    " VALUES (%(patient)s, '21:00', '08:00', 'en', %(nurse)s, %(now)s)",
    "INSERT INTO channel_consent (patient_id, channel, decision, method, entered_by, entered_at)"
    " VALUES (%(patient)s, 'sms', 'given', 'told', %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO outside_message (patient_id, what, reason, created_at, next_at)"
    " VALUES (%(patient)s, 'visit', 'v', %(now)s, %(now)s) RETURNING message_id, patient_id),"
    " way AS (INSERT INTO patient_channel (patient_id, channel, address, place, added_by, added_at)"
    " VALUES (%(patient)s, 'sms', '+4520123456', 1, %(nurse)s, %(now)s) RETURNING channel_id)"
    " INSERT INTO outside_attempt (message_id, patient_id, channel, channel_id, idempotency_key, began_at)"
    " SELECT message_id, patient_id, 'sms', channel_id, gen_random_uuid(), %(now)s FROM made, way",
    "INSERT INTO recording_consent (patient_id, decision, method, asked_at, entered_by, entered_at)"
    " VALUES (%(patient)s, 'given', 'told', %(now)s, %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO telephone_system (name, kind, added_at) VALUES (%(patient)s::uuid::text, 'printing',"
    " %(now)s) RETURNING system_id), rung AS ("
    " INSERT INTO telephone_ring (patient_id, account_id, system_id, extension, number, asked_at)"
    " SELECT %(patient)s, %(nurse)s, system_id, '1', '+4520123456', %(now)s FROM made), spoken AS ("
    " INSERT INTO telephone_call (system_id, remote_id, direction, patient_id, started_at)"
    " SELECT system_id, 'c', 'in', %(patient)s, %(now)s FROM made RETURNING telephone_call_id, patient_id)"
    " INSERT INTO call_recording (telephone_call_id, patient_id, state, told_at, keep_until)"
    " SELECT telephone_call_id, patient_id, 'no_consent', %(now)s, %(now)s FROM spoken",
    "INSERT INTO visit (patient_id, way, by_day, why, asked_by, asked_at)"
    " VALUES (%(patient)s, 'clinic', '2026-12-01', 'w', %(nurse)s, %(now)s)",
    "INSERT INTO appointment_wish (patient_id, way, first_day, last_day, asked_by, asked_at)"
    " VALUES (%(patient)s, 'clinic', '2026-12-01', '2026-12-02', %(nurse)s, %(now)s)",
    # One behind the other, as nobody sees two patients at once.
    "INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, booked_by, booked_at, changed_at)"
    " SELECT %(patient)s, %(nurse)s, 'clinic', %(now)s + n * interval '1 hour', %(now)s + (n + 1) * interval '1 hour',"
    " 'booked', %(nurse)s, %(now)s, %(now)s FROM (SELECT count(*) AS n FROM appointment) before",
    "INSERT INTO care_minutes (patient_id, account_id, during, activity, interactive, origin, written_by, written_at)"
    " SELECT %(patient)s, %(nurse)s, tstzrange(t, t + interval '1 minute'), 'review', false, 'hand', %(nurse)s, %(now)s"
    " FROM (SELECT %(now)s::timestamptz - interval '2 minutes' * count(*) AS t FROM care_minutes) x",
    "INSERT INTO quality_sample (month, starts, ends, rule, percent, seed, closed, frame, drawn_by, drawn_at)"
    " VALUES ('2020-01-01', '2020-01-01', '2020-02-01', 'r', 10, repeat('0', 32), 2, repeat('0', 64), %(nurse)s,"
    " %(now)s)"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO quality_case (sample_id, case_id, patient_id, closed_by, stratum, place)"
    " SELECT sample_id, %(case)s, %(patient)s, %(nurse)s, 'urgent', 1 FROM quality_sample",
    "WITH made AS (INSERT INTO quality_audit (sample_id, case_id, patient_id, auditor, checklist, begun_at,"
    " finished_at)"
    " SELECT sample_id, %(case)s, %(patient)s, %(nurse)s, 1, %(now)s, %(now)s FROM quality_sample"
    " RETURNING audit_id, patient_id), found AS (INSERT INTO quality_finding (audit_id, patient_id, item, answer)"
    " SELECT audit_id, patient_id, 'identity', 'no' FROM made), said AS (INSERT INTO quality_reply (audit_id,"
    " patient_id, written_by, written_at, body) SELECT audit_id, patient_id, %(nurse)s, %(now)s, 'b' FROM made)"
    " INSERT INTO quality_action (audit_id, patient_id, kind, what, owner, due_on, check_on, made_by, made_at)"
    " SELECT audit_id, patient_id, 'briefing', 'w', %(nurse)s, '2026-12-01', '2026-12-02', %(nurse)s, %(now)s"
    " FROM made",
    "INSERT INTO billing_month (patient_id, month, during, rulebook, evidence, closed_by, closed_at)"
    " VALUES (%(patient)s, '2020-01-01', '[2020-01-01, 2020-02-01)', 'r', '{}', %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO crm_destination (name, kind, added_at)"
    " VALUES (%(patient)s::uuid::text, 'printing', %(now)s) RETURNING destination_id), kept AS ("
    " INSERT INTO crm_remote (destination_id, kind, reference, patient_id, thing_id, remote_id, made_at)"
    " SELECT destination_id, 'contact', %(patient)s, %(patient)s, %(patient)s, 'r', %(now)s FROM made"
    " ), heard AS ("
    " INSERT INTO crm_inbox (destination_id, event_id, kind, remote_id, heard_at, patient_id, next_at)"
    " SELECT destination_id, 'e', 'k', 'r', %(now)s, %(patient)s, %(now)s FROM made)"
    " INSERT INTO crm_outbox (event_id, destination_id, patient_id, subject, type, at, what, thing_id, reference, data,"
    " next_at, since) SELECT gen_random_uuid(), destination_id, %(patient)s, %(patient)s, 't', %(now)s, 'patient',"
    " %(patient)s, %(patient)s, '{}', %(now)s, %(now)s FROM made",
    "INSERT INTO patient_message (patient_id, from_patient, written_by, written_at, body)"
    " VALUES (%(patient)s, false, %(nurse)s, %(now)s, 'b')",
    "INSERT INTO device (device_id, manufacturer, model) VALUES (%(patient)s::uuid::text, 'm', 'm')",
    "INSERT INTO device_assignment (device_id, patient_id, valid) VALUES (%(patient)s::uuid::text, %(patient)s, '[,]')",
    "INSERT INTO held_reading (reading_id, patient_id, device_id, gateway_id, effective_time, time_quality,"
    " reported_time, received_at, unit, reason, payload, asked_at) VALUES (gen_random_uuid(), %(patient)s,"
    " %(patient)s::uuid::text, 'g', %(now)s, 'q', 't', %(now)s, 'mm[Hg]', '{}', '', %(now)s)",
    "INSERT INTO reading_release (reading_id, origin, patient_id, why, said_by, said_at)"
    " VALUES (gen_random_uuid(), 'quarantine', %(patient)s, 'w', %(nurse)s, %(now)s)",
    "WITH made AS (INSERT INTO stock_item (kind, manufacturer, model, serial_number, owner, state, state_at, added_at,"
    " added_by) VALUES ('glucose', 'm', 'm', %(patient)s::uuid::text, 'clinic', 'handed_out', %(now)s, %(now)s,"
    " %(nurse)s) RETURNING item_id)"
    " INSERT INTO stock_holding (item_id, patient_id, assignment_id, since, handed_by)"
    " SELECT item_id, a.patient_id, a.assignment_id, %(now)s, %(nurse)s FROM made, device_assignment a"
    " WHERE a.patient_id = %(patient)s ORDER BY a.assignment_id LIMIT 1",
    "INSERT INTO gateway (gateway_id) VALUES ('gw-access') ON CONFLICT DO NOTHING",
    "WITH made AS (INSERT INTO gateway_command (gateway_id, kind, created_at, expires_at)"
    " VALUES ('gw-access', 'pair', %(now)s, %(now)s::timestamptz + interval '1 minute') RETURNING command_id)"
    " INSERT INTO pairing (command_id, patient_id, profile, name, begun_at, begun_by)"
    " SELECT command_id, %(patient)s, 'p', 'n', %(now)s, %(nurse)s FROM made",
)


def _measure(ward: Ward, other: UUID) -> None:
    """Readings of both patients."""
    ward.receive(sent(glucose("100"), ketone("0.1")), sent(pressure()))
    for table in ("glucose_observation", "ketone_observation", "blood_pressure_observation"):
        name = sql.Identifier(table)
        ward.admin.execute(sql.SQL("CREATE TEMP TABLE taken AS SELECT * FROM {}").format(name))
        ward.admin.execute("UPDATE taken SET patient_id = %s, reading_id = gen_random_uuid()", (other,))
        ward.admin.execute(sql.SQL("INSERT INTO {} SELECT * FROM taken").format(name))
        ward.admin.execute("DROP TABLE taken")


# The catalogue -------------------------------------------------------------------------------------------------------

# Tables with a patient_id, and those that refer to one of them; a hypertable cannot have row security. Who refers to an
# account says nothing of a patient: who signs in, and what is their own.
OF_PATIENTS: Final = """
WITH RECURSIVE of_patients AS (
    SELECT attrelid AS oid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attname IN ('patient_id', 'last_patient') AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
      AND c.relnamespace = 'public'::regnamespace
    UNION
    SELECT k.conrelid FROM of_patients t JOIN pg_constraint k ON k.confrelid = t.oid AND k.contype = 'f'
    WHERE t.oid <> 'account'::regclass)
SELECT c.relname::text, c.relrowsecurity AND c.relforcerowsecurity FROM of_patients JOIN pg_class c USING (oid)
WHERE c.relname NOT IN (SELECT hypertable_name FROM timescaledb_information.hypertables)
ORDER BY 1
"""


def test_every_table_with_patients_is_guarded(ward: Ward) -> None:
    tables: dict[str, bool] = dict(ward.admin.execute(OF_PATIENTS).fetchall())
    unguarded = [table for table, guarded in tables.items() if not guarded]
    assert not unguarded, f"call guard_patients or guard_cases for {unguarded} in their migration (0016_access.sql)"
    assert list(tables) == sorted(VERBS), "write down in VERBS what the console may do with it"


def test_of_every_table_it_is_said_what_the_console_may(ward: Ward) -> None:
    """The matrix leaves no table out: the guarded ones are tried below, row by row; of the others grants are said."""
    rows = ward.rows(
        """SELECT c.relname::text,
                  CASE WHEN has_any_column_privilege('pulsepost_console', c.oid, 'SELECT') THEN 'S' ELSE '' END
                  || CASE WHEN has_any_column_privilege('pulsepost_console', c.oid, 'INSERT') THEN 'I' ELSE '' END
                  || CASE WHEN has_any_column_privilege('pulsepost_console', c.oid, 'UPDATE') THEN 'U' ELSE '' END
                  || CASE WHEN has_table_privilege('pulsepost_console', c.oid, 'DELETE') THEN 'D' ELSE '' END
                  || CASE WHEN has_table_privilege('pulsepost_console', c.oid, 'TRUNCATE') THEN 'T' ELSE '' END
           FROM pg_class c
           WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
             AND c.relname NOT LIKE 'procrastinate%'"""
    )
    assert dict(rows) == {**VERBS, **OPEN}, "write down in VERBS or OPEN what the console may do with each table"


def test_the_chain_of_the_audit_is_not_guarded(ward: Ward) -> None:
    """Its trigger looks for the end as the owner, who must see it whatever the owner's rights are."""
    assert ward.rows("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'audit_link'::regclass") == [
        (False, False)
    ]


def test_a_role_has_a_policy_where_it_has_a_grant_and_nowhere_else(ward: Ward) -> None:
    rows = ward.rows(
        """SELECT c.relname || ' ' || r.rolname FROM pg_class c CROSS JOIN pg_roles r
           WHERE c.relrowsecurity AND r.rolname LIKE 'pulsepost\\_%'
             AND has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')
                 <> EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND r.oid = ANY (p.polroles))"""
        ""
    )
    assert rows == []


def test_no_policy_is_for_everybody(ward: Ward) -> None:
    assert ward.rows("SELECT polrelid::regclass FROM pg_policy WHERE 0 = ANY (polroles)") == []


def test_none_of_our_roles_owns_anything_or_goes_around_row_security(ward: Ward) -> None:
    assert ward.rows("SELECT rolname FROM pg_roles WHERE rolname ~ '^pulsepost_' AND (rolsuper OR rolbypassrls)") == []
    assert (
        ward.rows("SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE rolname ~ '^pulsepost_'")
        == []
    )


def test_the_console_holds_no_grant_on_a_hypertable_or_a_chunk(hospital: Hospital) -> None:
    tables = hospital.ward.rows(
        """SELECT c.oid::regclass::text, has_any_column_privilege('pulsepost_console', c.oid,
                                                                  'SELECT, INSERT, UPDATE, REFERENCES')
           FROM pg_class c
           WHERE c.relname ~ '_observation$' OR relkind = 'r' AND c.relname ~ '^_hyper_|^compress_hyper_'"""
    )
    assert len(tables) > 3, tables
    assert [name for name, granted in tables if granted] == []


def test_every_view_with_patients_that_the_console_reads_is_a_barrier(ward: Ward) -> None:
    rows = ward.rows(
        """SELECT c.relname, coalesce(c.reloptions @> '{security_barrier=true}', false) FROM pg_class c
           WHERE c.relkind IN ('v', 'm') AND c.relnamespace = 'public'::regnamespace
             AND has_table_privilege('pulsepost_console', c.oid, 'SELECT')
             AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'patient_id')"""
    )
    told = "training_told"  # of patients who do not exist, once their course is over
    assert dict(rows) == dict.fromkeys(
        ("acting_account", "acting_care", "acting_glass", told, "voice_patient", *VIEWS), True
    )


# Role × table × verb -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("actor", ACTORS)
def test_what_a_person_may_do_with_each_table(hospital: Hospital, actor: str) -> None:
    wrong = {
        f"{verb} {table}": outcome
        for table in VERBS
        for verb, outcome in _outcomes(hospital, actor, table).items()
        if outcome != _expected(actor, table, verb)
    }
    assert wrong == {}


def test_before_anybody_is_set_an_account_is_found_by_what_opens_it(hospital: Hospital) -> None:
    hospital.act_for("nobody")
    hospital.ward.admin.execute(
        "INSERT INTO login_session (token_hash, account_id, csrf_token, created_at, last_seen_at, expires_at)"
        " VALUES ('abc', %s, '', now(), now(), now())",
        (hospital.people["patient"],),
    )
    for function, key in (("login", "patient"), ("session", b"abc")):
        query = sql.SQL("SELECT patient_id FROM {}(%s)").format(sql.Identifier(f"account_of_{function}"))
        assert hospital.console.execute(query, (key,)).fetchall() == [(hospital.keys["patient_id"],)], function
        assert hospital.console.execute(query, (key[:-1],)).fetchall() == [], function
    roles = {role for (role,) in hospital.console.execute("SELECT role FROM account")}
    assert "nurse" in roles
    assert "patient" not in roles


@pytest.mark.parametrize("actor", ACTORS)
def test_whose_readings_a_person_sees(hospital: Hospital, actor: str) -> None:
    for view in VIEWS:
        hospital.act_for(actor)
        query = sql.SQL("SELECT patient_id FROM {} GROUP BY 1").format(sql.Identifier(view))
        seen = {patient_id for (patient_id,) in hospital.console.execute(query)}
        mine = hospital.keys["patient_id"]
        assert (mine in seen) == (actor in CARE or actor == "patient"), view
        assert len(seen - {mine}) == (actor in ("lead", "other_patient")), view


def _expected(actor: str, table: str, verb: str) -> str:
    """What is to come of it: 'done', 'nothing', 'no grant'."""
    if verb[0] not in VERBS[table]:
        return "no grant"
    if verb == "SELECT":
        allowed = READERS.get(table, CARE | {"patient"})
    else:
        allowed = DOERS.get(f"{verb} {table}", WRITERS.get(table, CARE))
    return "done" if actor in allowed else "nothing"


def _outcomes(hospital: Hospital, actor: str, table: str) -> dict[str, str]:
    """What came of each verb on the first patient's rows: 'done', 'nothing' (or a policy refused it), 'no grant'."""
    column = OF_A_CASE.get(table, "patient_id")
    key, name = hospital.keys[column], sql.Identifier(table)
    of_patient = sql.SQL("WHERE {} = {}").format(sql.Identifier(column), sql.Literal(key))
    [(row,)] = hospital.ward.admin.execute(
        sql.SQL("SELECT to_jsonb(t) FROM {} t {} LIMIT 1").format(name, of_patient)
    ).fetchall()
    columns = _columns(hospital, table, "INSERT")
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    update = [*_columns(hospital, table, "UPDATE"), "patient_id"][0]
    statements = {
        "SELECT": sql.SQL("SELECT FROM {} {}").format(name, of_patient),
        "INSERT": sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_record(NULL::{0}, {2})").format(
            name, listed, sql.Literal(Jsonb(row))
        ),
        "UPDATE": sql.SQL("UPDATE {0} SET {1} = {1} {2}").format(name, sql.Identifier(update), of_patient),
        "DELETE": sql.SQL("DELETE FROM {} {}").format(name, of_patient),
    }
    return {verb: _outcome(hospital, actor, statement) for verb, statement in statements.items()}


def _outcome(hospital: Hospital, actor: str, statement: sql.Composed) -> str:
    hospital.act_for(actor)
    try:
        return "done" if hospital.console.execute(statement).rowcount else "nothing"
    except psycopg.IntegrityError:
        return "done"  # the row is there already: the policy has let it through
    except psycopg.errors.InsufficientPrivilege as error:
        return "nothing" if "row-level security" in str(error) else "no grant"


def _columns(hospital: Hospital, table: str, verb: str) -> list[str]:
    """Those that the console may write; for a verb that it has no grant for, all."""
    rows = hospital.ward.admin.execute(
        """SELECT attname::text, has_column_privilege('pulsepost_console', attrelid, attnum, %s) FROM pg_attribute
           WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' ORDER BY attnum""",
        (verb, table),
    ).fetchall()
    return [name for name, granted in rows if granted] or [name for name, _ in rows]


# Transactions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def in_care(ward: Ward) -> UUID:
    """The nurse of the ward, who cares for its patient."""
    ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, now() - interval '1 hour')",
        (ward.patient_id, ward.nurse_id),
    )
    return ward.nurse_id


@pytest.fixture
async def one_connection(ward: Ward) -> AsyncIterator[Pool]:
    """A pool whose transactions all come one after the other on the same connection."""
    async with make_pool(ward.database.console_url, "test", min_size=1, max_size=1) as pool:
        yield pool


async def test_a_connection_that_is_given_back_carries_nobody(ward: Ward, in_care: UUID, one_connection: Pool) -> None:
    async with acting(one_connection, in_care) as connection:
        assert await _patients(connection) == [ward.patient_id]
        backend = connection.info.backend_pid
    async with one_connection.connection() as connection:
        assert connection.info.backend_pid == backend
        assert await _patients(connection) == []
        await act_for(connection, in_care)
        assert await _patients(connection) == [ward.patient_id]
        await connection.commit()
        assert await _patients(connection) == []
        await act_for(connection, in_care)
        await connection.rollback()
        assert await _patients(connection) == []


async def test_nobody_of_the_staff_writes_as_the_patient_or_as_a_colleague(
    ward: Ward, in_care: UUID, one_connection: Pool
) -> None:
    (other,) = ward.admin.execute(
        "INSERT INTO account (login, display_name, role) VALUES ('colleague', 'C', 'nurse') RETURNING account_id"
    ).fetchone() or (None,)
    for from_patient, written_by in ((True, in_care), (False, other)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with acting(one_connection, in_care) as connection:
                await connection.execute(
                    "INSERT INTO patient_message (patient_id, from_patient, written_by, written_at, body)"
                    " VALUES (%s, %s, %s, now(), 'b')",
                    (ward.patient_id, from_patient, written_by),
                )


@pytest.mark.parametrize("statement", [None, "SELECT 1 / 0"])
async def test_nor_does_one_whose_work_failed(
    ward: Ward, in_care: UUID, one_connection: Pool, statement: LiteralString | None
) -> None:
    backends = []

    async def request() -> None:
        async with acting(one_connection, in_care) as connection:
            assert await _patients(connection) == [ward.patient_id]
            backends.append(connection.info.backend_pid)
            if statement is not None:
                await connection.execute(statement)
            raise RuntimeError

    with pytest.raises((RuntimeError, psycopg.errors.DivisionByZero)):
        await request()
    async with one_connection.connection() as connection:
        assert [connection.info.backend_pid] == backends
        assert await _patients(connection) == []


@pytest.mark.parametrize("statement", [None, "SELECT pg_sleep(60)"])
async def test_nor_does_one_whose_request_was_cancelled(
    ward: Ward, in_care: UUID, one_connection: Pool, statement: LiteralString | None
) -> None:
    """The browser went away: while the console thought, and while the database did."""
    acted = asyncio.Event()

    async def request() -> None:
        async with acting(one_connection, in_care) as connection:
            assert await _patients(connection) == [ward.patient_id]
            acted.set()
            if statement is not None:
                await connection.execute(statement)
            await asyncio.Event().wait()

    working = asyncio.create_task(request())
    await acted.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    async with one_connection.connection() as connection:
        assert await _patients(connection) == []


async def test_people_at_work_at_once_see_each_their_own(ward: Ward) -> None:
    """Ten people and nobody, in turns on three connections; some fail, some are cancelled, none sees another's."""
    whose: dict[UUID | None, list[UUID]] = {None: []}
    for n in range(10):
        patient_id = new_patient(ward.admin, f"Patient {n}")
        person = one(
            ward.admin.execute(
                "INSERT INTO account (login, display_name, role, password_hash) VALUES (%s, 'n', 'nurse', '-')"
                " RETURNING account_id",
                (f"nurse{n}",),
            ).fetchone()
        )[0]
        ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, person))
        whose[person] = [patient_id]

    async with make_pool(ward.database.console_url, "test", min_size=3, max_size=3) as pool:

        async def request(person: UUID | None, turn: int) -> list[list[UUID]]:
            async with pool.connection() as connection:
                if person is not None:
                    await act_for(connection, person)
                seen = [await _patients(connection) for _ in range(3)]
                if turn % 3 == 1:
                    raise RuntimeError
                if turn % 3 == 2:
                    current = asyncio.current_task()
                    assert current is not None
                    current.cancel()
                    await asyncio.Event().wait()
                return seen

        asked = [(person, turn) for turn in range(12) for person in whose]
        answers = await asyncio.gather(*(request(*one_) for one_ in asked), return_exceptions=True)
    for (person, turn), answer in zip(asked, answers, strict=True):
        if turn % 3 == 0:
            assert answer == [whose[person]] * 3, (person, turn)
        else:
            assert isinstance(answer, RuntimeError if turn % 3 == 1 else asyncio.CancelledError), answer


async def _patients(connection: psycopg.AsyncConnection[Any]) -> list[UUID]:
    return [
        patient_id for (patient_id,) in await (await connection.execute("SELECT patient_id FROM patient")).fetchall()
    ]


def test_a_row_does_not_leak_through_an_expression_that_fails(hospital: Hospital) -> None:
    """The barrier: whoever asks cannot make the database look at a row that is not theirs and tell by an error."""
    for table, column in (("patient", "birth_date::text || display_name"), ("glucose", "reading_id::text")):
        hospital.act_for("stranger")
        query = sql.SQL("SELECT FROM {} WHERE 1 / (length({}) - length({})) = 1").format(
            sql.Identifier(table),
            sql.SQL(column),
            sql.SQL(column),
        )
        assert hospital.console.execute(query).fetchall() == []


def test_a_migration_needs_somebody_who_sees_all_rows(database: Database) -> None:
    with psycopg.connect(database.admin_url) as connection:
        assert one(connection.execute("SELECT sees_all_patients()").fetchone()) == (True,)
    with psycopg.connect(database.console_url) as connection:
        assert one(connection.execute("SELECT sees_all_patients()").fetchone()) == (False,)


def test_a_reading_that_was_held_is_released_by_whoever_sees_it(hospital: Hospital) -> None:
    """An id is no right: a reading of somebody else's patient does not become one's own patient's."""
    [(theirs,), (other,)] = (
        hospital.ward.admin.execute("SELECT reading_id FROM held_reading WHERE patient_id = %s", (whose,)).fetchone()
        or (None,)
        for whose in (hospital.ward.patient_id, _other(hospital))
    )
    said = (
        "INSERT INTO reading_release (reading_id, origin, patient_id, why, said_by, said_at)"
        " VALUES (%s, 'held', %s, 'w', %s, now())"
    )
    hospital.act_for("lead")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        hospital.console.execute(said, (theirs, _other(hospital), hospital.people["lead"]))
    hospital.act_for("lead")
    hospital.console.execute(said, (other, _other(hospital), hospital.people["lead"]))
    hospital.console.rollback()


# What goes together --------------------------------------------------------------------------------------------------

# Rows with a case, a person or a step of one patient, in the name of another.
MIXED: Final[Mapping[str, LiteralString]] = {
    "call": "INSERT INTO call (patient_id, case_id, account_id, started_at)"
    " SELECT %(mine)s, c.case_id, %(who)s, now() FROM alert_case c WHERE c.patient_id = %(theirs)s",
    "contact of a call": "INSERT INTO call (patient_id, case_id, account_id, contact_id, started_at)"
    " SELECT c.patient_id, c.case_id, %(who)s, x.contact_id, now() FROM alert_case c, contact_person x"
    " WHERE c.patient_id = %(mine)s AND x.patient_id = %(theirs)s",
    "triage_walk": "INSERT INTO triage_walk (case_id, patient_id, script, version, path, account_id, started_at,"
    " changed_at) SELECT c.case_id, %(mine)s, 's', 1, '[]', %(who)s, now(), now() FROM alert_case c"
    " WHERE c.patient_id = %(theirs)s",
    "alert": "INSERT INTO alert (case_id, patient_id, condition, priority, tier, effective_time, reason, sentence,"
    " raised_at) SELECT c.case_id, %(mine)s, 'c', 'high', 'urgent', now(), '{}', 's', now() FROM alert_case c"
    " WHERE c.patient_id = %(theirs)s",
    "admission_entry": "INSERT INTO admission_entry (participation_id, patient_id, step, outcome, entered_by,"
    " entered_at) SELECT x.participation_id, %(mine)s, 'plan', 'done', %(who)s, now() FROM participation x"
    " WHERE x.patient_id = %(theirs)s",
    "stock_holding": "INSERT INTO stock_holding (item_id, patient_id, assignment_id, since, until, handed_by)"
    " SELECT i.item_id, %(mine)s, a.assignment_id, now(), now(), %(who)s FROM stock_item i, device_assignment a"
    " WHERE a.patient_id = %(theirs)s LIMIT 1",
    "appointment": "INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, visit_id, booked_by,"
    " booked_at, changed_at) SELECT %(mine)s, %(who)s, 'clinic', '2020-02-01', '2020-02-01 00:30', 'booked',"
    " v.visit_id, %(who)s, now(), now() FROM visit v WHERE v.patient_id = %(theirs)s",
    "quality_reply": "INSERT INTO quality_reply (audit_id, patient_id, written_by, written_at, body)"
    " SELECT x.audit_id, %(mine)s, %(who)s, now(), 'b' FROM quality_audit x WHERE x.patient_id = %(theirs)s",
    "follow_up": "INSERT INTO follow_up (patient_id, summary_id, what, due_on, made_by, made_at)"
    " SELECT %(mine)s, s.summary_id, 'call', '2026-11-03', %(who)s, now() FROM discharge_summary s"
    " WHERE s.patient_id = %(theirs)s",
    "medication_time": "INSERT INTO medication_time (patient_id, medication_id, at, set_by, set_at)"
    " SELECT %(mine)s, m.medication_id, '09:00', %(who)s, now() FROM medication m WHERE m.patient_id = %(theirs)s",
    "medication_taken": "INSERT INTO medication_taken (time_id, patient_id, day, taken_at)"
    " SELECT t.time_id, %(mine)s, '2020-02-01', now() FROM medication_time t WHERE t.patient_id = %(theirs)s",
}


def test_nothing_of_one_patient_is_written_down_as_anothers(hospital: Hospital) -> None:
    """A colleague who cares for both could mix them up, and whoever reads one of them would see the other."""
    nurse, ward = hospital.people["nurse"], hospital.ward
    ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (_other(hospital), nurse))
    ward.admin.execute("UPDATE call SET ended_at = now(), outcome = 'reached'")
    mixed = {"mine": ward.patient_id, "theirs": _other(hospital), "who": nurse}
    for statement in MIXED.values():
        hospital.act_for("nurse")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            hospital.console.execute(statement, mixed)


def test_who_ends_a_broken_glass_and_who_takes_notice_of_it(hospital: Hospital) -> None:
    """Whoever broke it ends it, and a lead nurse takes notice of another's; nobody writes anything else into it."""
    [(glass,)] = hospital.ward.rows("SELECT break_glass_id FROM break_glass WHERE until > now()")
    for function, who in (("close_break_glass", "glass"), ("see_break_glass", "lead")):
        query = sql.SQL("SELECT {}(%s)").format(sql.Identifier(function))
        done = {actor for actor in ACTORS if _answer(hospital, actor, query, (glass,)) is not None}
        assert done == {who}, function
    for actor in ACTORS:
        hospital.act_for(actor)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            hospital.console.execute("UPDATE break_glass SET seen_at = now(), seen_by = %s", (hospital.people["lead"],))


def _answer(hospital: Hospital, actor: str, query: sql.Composed, given: tuple[object, ...]) -> object:
    """What a function tells this person; what it did is taken back by the next one."""
    hospital.act_for(actor)
    return one(hospital.console.execute(query, given).fetchone())[0]


def test_what_a_lead_nurse_has_seen_stands_in_her_name_and_only_once(hospital: Hospital) -> None:
    [(glass,)] = hospital.ward.rows("SELECT break_glass_id FROM break_glass WHERE until > now()")
    hospital.act_for("lead")
    assert one(hospital.console.execute("SELECT see_break_glass(%s)", (glass,)).fetchone())[0]
    seen = hospital.console.execute("SELECT seen_by FROM break_glass WHERE break_glass_id = %s", (glass,)).fetchone()
    assert seen == (hospital.people["lead"],)
    assert one(hospital.console.execute("SELECT see_break_glass(%s)", (glass,)).fetchone())[0] is None


def test_whose_business_a_patient_is_nobody_learns_who_works_for_somebody(hospital: Hospital) -> None:
    """The live stream asks while nobody is set, and of those who look; whoever acts for a person asks in vain."""
    ask = "SELECT account_id FROM audience(%s, %s)"
    looking = [hospital.people[name] for name in ("nurse", "stranger", "glass", "patient", "left")]
    for actor in ACTORS:
        hospital.act_for(actor)
        seen = {account_id for (account_id,) in hospital.console.execute(ask, ([hospital.ward.patient_id], looking))}
        expected = {"nurse", "glass", "patient"} if actor == "nobody" else set()
        assert seen == {hospital.people[name] for name in expected}, actor
    assert hospital.console.execute(ask, ([hospital.ward.patient_id], [])).fetchall() == []


INVITE: Final = (
    "INSERT INTO invitation (code_hash, account_id, created_by, created_at, expires_at)"
    " VALUES (%s, %s, %s, now(), now() + interval '1 day')"
)


def test_who_invites_whom(hospital: Hospital) -> None:
    """Administrators the staff, the care team a patient, each in their own name: a link lets its holder in."""
    for whose, code, those in (
        ("auditor", b"a", frozenset({"administrator"})),
        ("patient", b"p", CARE - {"glass"}),
    ):
        invited = hospital.people[whose]
        hospital.ward.admin.execute(INVITE, (code, invited, hospital.people["nurse"]))
        for actor in ACTORS:
            may, own = actor in those, hospital.people.get(actor, uuid4())
            assert _is_let(hospital, actor, INVITE, (b"new", invited, own)) == may, (whose, actor)
            assert actor == "lead" or not _is_let(hospital, actor, INVITE, (b"new", invited, hospital.people["lead"]))
            hospital.act_for(actor)
            assert len(hospital.console.execute("SELECT FROM invitation").fetchall()) == may, (whose, actor)
            assert hospital.console.execute("DELETE FROM invitation").rowcount == may, (whose, actor)
            hospital.act_for(actor)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                hospital.console.execute("UPDATE invitation SET used_at = NULL")
        hospital.ward.admin.execute("DELETE FROM invitation")


def test_an_invitation_is_found_and_used_by_its_code_alone_and_once(hospital: Hospital) -> None:
    hospital.ward.admin.execute(INVITE, (b"code", hospital.people["patient"], None))
    hospital.act_for("nobody")
    find, use = "SELECT account_id FROM account_of_invitation(%s, now())", "SELECT use_invitation(%s, now())"
    assert hospital.console.execute(find, (b"other",)).fetchall() == []
    assert hospital.console.execute(find, (b"code",)).fetchall() == [(hospital.people["patient"],)]
    assert [hospital.console.execute(use, (code,)).fetchone() for code in (b"other", b"code", b"code")] == [
        (False,),
        (True,),
        (False,),
    ]
    assert hospital.console.execute(find, (b"code",)).fetchall() == []
    hospital.console.rollback()


def _is_let(hospital: Hospital, actor: str, statement: LiteralString, given: tuple[object, ...]) -> bool:
    """Whether a policy lets it through; taken back."""
    hospital.act_for(actor)
    try:
        hospital.console.execute(statement, given)
    except psycopg.errors.InsufficientPrivilege:
        return False
    finally:
        hospital.console.rollback()
    return True


def test_who_takes_nobody_in_learns_of_nobody_and_who_does_asks_thirty_times(hospital: Hospital) -> None:
    hospital.ward.admin.execute("UPDATE patient SET mrn = 'B-1' WHERE patient_id = %s", (_other(hospital),))
    fitting = "SELECT fits FROM fitting_patients('Other Patient', NULL, 'B-1')"
    for actor in ("patient", "disabled", "support", "auditor", "unknown", "nobody"):
        hospital.act_for(actor)
        assert hospital.console.execute(fitting).fetchall() == [], actor
    hospital.act_for("nurse")
    assert [hospital.console.execute(fitting).fetchall() for _ in range(31)] == [[("mrn",)]] * 30 + [[("too_often",)]]
    hospital.console.rollback()


@pytest.mark.parametrize("actor", ["patient", "other_patient", "auditor", "disabled", "unknown", "nobody"])
def test_who_keeps_no_stock_takes_no_device_back(hospital: Hospital, actor: str) -> None:
    [(item_id, by)] = hospital.ward.rows("SELECT item_id, handed_by FROM stock_holding ORDER BY item_id LIMIT 1")
    take_back = "SELECT take_back(%s, now(), %s)"
    hospital.act_for(actor)
    assert one(hospital.console.execute(take_back, (item_id, by)).fetchone())[0] is None
    hospital.act_for("support")
    assert one(hospital.console.execute(take_back, (item_id, by)).fetchone())[0] is not None
    hospital.console.rollback()


def _other(hospital: Hospital) -> UUID:
    """The second patient, whom the lead nurse cares for."""
    [(patient_id,)] = hospital.ward.rows("SELECT patient_id FROM patient WHERE display_name = 'Other Patient'")
    found: UUID = patient_id
    return found
