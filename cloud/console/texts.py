"""Every word that the console says about a code, in one place; templates mark theirs with ``_()`` for Babel.

Each value of each table here is a message to translate (``deploy.catalogues`` finds them); ``console.spoken`` gives the
tables in a reader's language, and nobody shows a reader this module's own. Unknown codes are spoken as they are, with
spaces: a flag that a new device sends is shown, not lost.
"""

from collections.abc import Mapping
from typing import Final

SIGN_IN_REFUSALS: Final[Mapping[str, str]] = {
    "wrong": "This login and password do not fit together.",
    "wrong_code": "This code is not right, or has been used. Wait for the next one, and type that.",
    "throttled": "Too many attempts. Wait 15 minutes, then try again.",
    "outside": "That did not sign you in here. Try again; if it goes on, ask an administrator whether you are linked.",
}

OWN_SIGN_IN_REFUSALS: Final[Mapping[str, str]] = {
    "code": "This code is not right, or has been used. Wait for the next one, and type that.",
    "throttled": "Too many attempts. Wait 15 minutes, then try again.",
    "password": "This is not your present password.",
    "too_short": "Give it at least 12 characters.",
    "too_long": "This is too long: at most 1000 characters.",
    "like_login": "It must not be your login or name, nor contain your login.",
    "too_common": "This is one of the passwords that are tried first. Choose another.",
    "not_the_same": "These two are not the same.",
}

ACCOUNT_STANDINGS: Final[Mapping[str, str]] = {
    "active": "Active",
    "invited": "Invited",
    "invitation_over": "Invitation over",
    "disabled": "Disabled",
}

ACCOUNT_REFUSALS: Final[Mapping[str, str]] = {
    "login": "A login has 2 to 100 letters from a to z, digits and . _ @ + -, and begins with a letter or digit.",
    "name": "Give it a name of at most 200 letters.",
    "role": "There is no such role of the staff.",
    "taken": "There is an account with this login already.",
    "unknown": "There is no such account.",
    "disabled": "This account is disabled. Let it in again first.",
    "yourself": "Nobody does this to their own account. Ask another administrator.",
    "last_administrator": "This is the only administrator. Add another one first.",
    "no_second_factor": "This account has no second factor.",
    "subject": "A subject has at most 255 plain characters.",
    "linked": "This subject belongs to another account.",
}

BREAK_GLASS_REFUSALS: Final[Mapping[str, str]] = {
    "reason": "Say why, in 10 to 500 characters.",
    "who": "Give the full name and the birth date, or the patient's id.",
    "nobody": "Nobody was opened: no one patient fits, or it was tried too often. Check name and birth date; after ten"
    " tries, wait an hour or ask somebody of the care team.",
}

PRIORITIES: Final[Mapping[str, str]] = {"high": "High", "medium": "Medium", "low": "Low"}

STATES: Final[Mapping[str, str]] = {
    "raised": "New",
    "acknowledged": "Acknowledged",
    "in_progress": "In progress",
    "escalated": "Escalated",
    "resolved": "Resolved",
    "expired": "Expired",
}

CONDITIONS: Final[Mapping[str, str]] = {
    "hypoglycaemia_level_2": "Very low glucose",
    "hypoglycaemia_level_1": "Low glucose",
    "hyperglycaemia_urgent": "Very high glucose",
    "hyperglycaemia": "High glucose",
    "ketones_very_high": "Very high ketones",
    "ketones_high": "High ketones",
    "severe_hypertension_systolic": "Very high systolic pressure",
    "hypertension_systolic": "High systolic pressure",
    "severe_hypertension_diastolic": "Very high diastolic pressure",
    "severe_hypotension_systolic": "Very low systolic pressure",
    "hypotension_systolic": "Low systolic pressure",
    "bradycardia": "Slow pulse",
    "tachycardia": "Fast pulse",
    "hyperglycaemia_extreme": "Extremely high glucose",
    "hypoglycaemia_repeated": "Low glucose, repeatedly",
    "fasting_mean_high": "High fasting glucose",
    "hypoglycaemia_risk": "Risk of low glucose",
    "home_average_systolic": "High average systolic pressure",
    "home_average_diastolic": "High average diastolic pressure",
    "morning_hypertension_systolic": "High systolic pressure in the morning",
    "morning_hypertension_diastolic": "High diastolic pressure in the morning",
    "morning_dominant_systolic": "Mornings higher than evenings",
    "weekly_rise_systolic": "Systolic pressure rises from week to week",
    "pregnancy_red_systolic": "Very high systolic pressure in pregnancy",
    "pregnancy_red_diastolic": "Very high diastolic pressure in pregnancy",
    "pregnancy_rise_systolic": "Systolic pressure rises in pregnancy",
    "pregnancy_orange_systolic": "High systolic pressure in pregnancy",
    "pregnancy_orange_diastolic": "High diastolic pressure in pregnancy",
    "irregular_pulse": "Irregular pulse",
    "missing_measurement": "No measurement",
    "questionnaire_answer": "Answer to a questionnaire",
}

RELATIONS: Final[Mapping[str, str]] = {"below": "below", "above": "above", "at_or_above": "at or above"}

UNITS: Final[Mapping[str, str]] = {
    "mm[Hg]": "{} mmHg",
    "/min": "{}/min",
    "mg/dL": "{} mg/dL",
    "mmol/L": "{} mmol/L",
    "kPa": "{} kPa",
}

# A figure in the reader's unit, and as the device said it.
CONVERTED: Final[Mapping[str, str]] = {"both": "{} ({})", "from": "{}, measured in {}"}

# A choice of units that names none.
UNIT_CHOICES: Final[Mapping[str, str]] = {"usual": "As is usual in my language", "device": "As each device says it"}

QUANTITY_STATES: Final[Mapping[str, str]] = {
    "above_range": "HI",
    "below_range": "LO",
    "not_a_number": "Failed measurement",
    "not_at_this_resolution": "Failed measurement",
    "positive_infinity": "Failed measurement",
    "negative_infinity": "Failed measurement",
    "reserved": "Failed measurement",
}

SAMPLES: Final[Mapping[str, str]] = {"control_solution": "Control solution", "test": "Test"}

TIME_QUALITIES: Final[Mapping[str, str]] = {
    "synchronised": "clock right",
    "mapped": "clock off, corrected",
    "stated": "time said by a person",
    "unknown_timeline": "time unknown",
    "implausible": "time implausible",
}

QUARANTINE_REASONS: Final[Mapping[str, str]] = {
    "undecodable": "Cannot be read",
    "unknown_version": "Unknown version",
    "unknown_gateway": "Unknown gateway",
    "unassigned_device": "Device without a patient",
    "impossible_value": "Impossible value",
    "impossible_time": "Impossible time",
    "unknown_timeline": "Time unknown",
    "content_mismatch": "Content does not fit",
    "refused_by_database": "Refused by the database",
}

ROLES: Final[Mapping[str, str]] = {
    "nurse": "Nurse",
    "lead_nurse": "Lead nurse",
    "doctor": "Doctor",
    "coordinator": "Coordinator",
    "support": "Support",
    "auditor": "Auditor",
    "administrator": "Administrator",
    "patient": "Patient",
}

# How it stands with a telephone that somebody asked to ring.
RINGING: Final[Mapping[str, str]] = {
    "waiting": "The telephone system is asked …",
    "asking": "The telephone system is asked …",
    "rings": "Your telephone rings, and then theirs.",
    "shown": "The number is on the card of your telephone system: dial it there, or by hand.",
    "failed": "The telephone system does not do it: dial by hand.",
    "unclear": "The telephone system did not answer. If your telephone stays silent, dial by hand.",
    "late": "It took too long, and is not done any more: dial by hand.",
}
CALL_DIRECTIONS: Final[Mapping[str, str]] = {"in": "Incoming call", "out": "Outgoing call"}
CALL_JOINED_BY: Final[Mapping[str, str]] = {
    "ring": "rung for from the case",
    "time": "by person, number and time",
    "person": "as somebody said",
}
RECORDING_DECISIONS: Final[Mapping[str, str]] = {"given": "agreed", "refused": "refused", "withdrawn": "withdrawn"}
RECORDING_METHODS: Final[Mapping[str, str]] = {"told": "asked in a conversation", "paper": "on paper"}
RECORDING_STATES: Final[Mapping[str, str]] = {
    "kept": "Recorded",
    "no_consent": "Recorded there without consent: it is not kept where that is. Have it deleted in the telephone"
    " system.",
    "withdrawn": "The patient no longer agrees: it is not kept any more where the recording is. Have it deleted in the"
    " telephone system.",
    "over": "It was recorded. Where that is was kept for as long as it may be, and is forgotten.",
}

# What was done, or looked at: the actions of the audit (cloud.audit). A patient reads those about their own data.
AUDIT_ACTIONS: Final[Mapping[str, str]] = {
    "patient.read": "Patient page opened",
    "segment_list.read": "List of segments looked at",
    "segment.read": "People of a segment looked at",
    "segment.write": "Segment written",
    "segment.retire": "Segment retired",
    "segment.export": "People of a segment exported",
    "segment.exported": "On an exported list of people",
    "strata.write": "Set of risk strata proposed",
    "strata.sign": "Set of risk strata signed",
    "patient_tag.add": "Tag put on a patient",
    "patient_tag.remove": "Tag taken off a patient",
    "household.read": "Household looked at",
    "household.join": "Said to live in a household",
    "household.leave": "Said to live in a household no more",
    "contact_consent.write": "Written down what a contact person may be told",
    "crm.add": "An outside CRM added",
    "crm.secret": "Secrets of an outside CRM changed",
    "crm.set": "Settings of an outside CRM changed",
    "crm.stop": "An outside CRM stopped",
    "crm.start": "An outside CRM taken up again",
    "crm.try": "Had an outside CRM tried again at once",
    "crm.replay": "Had events tried again that an outside CRM did not take",
    "crm.settle": "Settled an event that an outside CRM did not take",
    "break_glass.open": "Patient opened outside the care team",
    "break_glass.miss": "Tried to open a patient outside the care team",
    "break_glass.close": "Closed a patient opened outside the care team",
    "break_glass.seen": "Lead nurse has seen an opening outside the care team",
    "readings.read": "Readings looked at",
    "own_readings.read": "Own readings looked at",
    "own_plan.read": "Own plan looked at",
    "own_messages.read": "Own messages looked at",
    "messages.read": "Messages with the patient looked at",
    "messages.waiting": "List of waiting messages opened",
    "message.written": "Message to the patient written",
    "message.written_by_patient": "Message to the care team written",
    "message.settled": "Message said to need no answer",
    "telephone.add": "A telephone system added",
    "telephone.settings": "Settings of a telephone system changed",
    "telephone.secret": "Secrets of a telephone system changed",
    "telephone.stop": "A telephone system stopped",
    "telephone.start": "A telephone system taken up again",
    "telephone.set": "Own extension given",
    "telephone.remove": "Own extension removed",
    "telephone.ring": "Had the own telephone ring for the patient",
    "telephone.read": "Calls of a patient looked at",
    "telephone.join": "Said which entry of the call log a call is",
    "recording.given": "Patient agreed to recordings of calls",
    "recording.refused": "Patient refused recordings of calls",
    "recording.withdrawn": "Patient no longer agrees to recordings of calls",
    "recording.open": "Where the recording of a call is, looked at",
    "reach.words": "Words for what patients are told outside changed",
    "reach.read": "How a patient is reached looked at",
    "reach.choose": "Quiet hours of a patient set",
    "reach.add": "Address of a patient added",
    "reach.prefer": "Address of a patient put first",
    "reach.remove": "Address of a patient removed",
    "reach.given": "Way to the patient agreed to",
    "reach.withdrawn": "Way to the patient no longer wanted",
    "questionnaires.read": "Questionnaires of a patient looked at",
    "questionnaire.send": "Questionnaire sent",
    "questionnaire.withdraw": "Questionnaire withdrawn",
    "questionnaire.answer": "Questionnaire answered",
    "questionnaire.link": "Questionnaire answered by its link",
    "quality_list.read": "Quality audits looked at",
    "quality_sample.read": "Sample of closed cases looked at",
    "quality_audit.read": "Quality audit of a case looked at",
    "quality_scripts.read": "Versions of scripts looked at",
    "quality.draw": "Sample of closed cases drawn",
    "quality.frame": "List of closed cases exported",
    "quality.begin": "Quality audit of a case begun",
    "quality.write": "Quality audit of a case kept",
    "quality.finish": "Quality audit of a case finished",
    "quality.reply": "Quality audit of a case answered",
    "quality.act": "Corrective action asked for",
    "quality.done": "Corrective action done",
    "quality.check": "Corrective action looked at again",
    "survey.rule": "Rule of a survey set",
    "survey.answer": "Survey answered",
    "survey.link": "Survey answered by its link",
    "survey.staff": "Survey of the staff answered",
    "survey.allow": "Surveys allowed again",
    "survey.stop": "Surveys no longer wanted",
    "surveys.read": "Results of surveys looked at",
    "survey_comments.read": "What a patient wrote in a survey looked at",
    "survey_comment.seen": "What a patient wrote in a survey said to be read",
    "voice.tag": "Theme tagged or taken away",
    "themes.read": "Themes looked at",
    "theme.done": "What was done about a theme written down",
    "complaint_list.read": "List of complaints looked at",
    "complaints.read": "Complaints of a patient looked at",
    "own_complaints.read": "Own complaints looked at",
    "complaint.read": "Complaint looked at",
    "complaint.write": "Complaint or suggestion written",
    "complaint.link": "Complaint or suggestion written by a link",
    "complaint.ask": "Link to write a complaint sent",
    "complaint.acknowledge": "Complaint acknowledged",
    "complaint.begin": "Work on a complaint begun",
    "complaint.answer": "Complaint answered",
    "complaint.close": "Complaint closed",
    "complaint.reopen": "Complaint opened again",
    "complaint.give": "Complaint given to somebody",
    "complaint.subject": "Said whom a complaint is about",
    "complaint.harm": "Complaint said to name harm",
    "complaint.no_harm": "Complaint said to name no harm",
    "complaint.note": "Complaint noted upon",
    "complaint.export": "Case file of a complaint exported",
    "follow_up_list.read": "List of follow-ups looked at",
    "follow_ups.read": "Follow-ups of a patient looked at",
    "follow_up.plan": "Follow-up plan begun",
    "follow_up.add": "Follow-up added",
    "follow_up.done": "Follow-up done",
    "follow_up.skipped": "Follow-up skipped",
    "discharge_list.read": "Discharge documents of a patient looked at",
    "discharge.receive": "Kept a discharge document",
    "discharge.read": "Read a discharge document",
    "discharge.set_aside": "Set a discharge document aside",
    "identifier.add": "Wrote down by which number others know a patient",
    "identifier.remove": "Took a number of others away from a patient",
    "discharge.take": "Discharge summary taken",
    "hospital.begin": "Patient said to be in hospital",
    "hospital.end": "Patient said to be at home again",
    "reminders.read": "Reminders of a patient looked at",
    "reminder.choose": "Reminder switched on or off",
    "reminder.dose": "Time of a medication added",
    "reminder.end_dose": "Time of a medication removed",
    "reminder.taken": "Medication said to be taken",
    "advice_list.read": "List of advice looked at",
    "clinic.set": "What the clinic says of itself on documents changed",
    "document_list.read": "Documents of a patient looked at",
    "document.make": "Document produced",
    "document.read": "Document taken",
    "document_scan.add": "Scan of a signed paper attached",
    "document_scan.read": "Scan of a signed paper taken",
    "document_scan.withdraw": "Scan of a signed paper withdrawn",
    "document_template.write": "Draft of a document’s wording written",
    "document_template.approve": "Wording of a document approved",
    "document_template.withdraw": "Wording of a document withdrawn",
    "advice.write": "Draft of advice written",
    "advice.approve": "Advice approved",
    "advice.withdraw": "Advice withdrawn",
    "advice.read": "Own advice read",
    "library.read": "Library read",
    "article.write": "Draft of an article written",
    "article.approve": "Article approved",
    "article.review": "Article read again",
    "article.retire": "Article taken out of the library",
    "article.give": "Something to read given",
    "article.read": "Own article opened",
    "given.read": "Read what a patient was given to read",
    "own_library.read": "Own library read",
    "question.ask": "Question asked",
    "question.agree": "Agreed that a question may be published",
    "question.disagree": "No longer agreed that a question may be published",
    "question.read": "Question of a patient read",
    "question.take": "Question of a patient taken",
    "question.pass": "Question of a patient passed on",
    "question.answer": "Question of a patient answered",
    "question.turn": "Question turned into a message or follow-up",
    "question.publish": "Question proposed for the library",
    "question_list.read": "List of patients’ questions read",
    "own_questions.read": "Own questions read",
    "event_list.read": "List of lectures and activities read",
    "event.read": "Lecture or activity read",
    "event.add": "Lecture or activity announced",
    "event.change": "Lecture or activity changed",
    "event.cancel": "Lecture or activity cancelled",
    "event.invite": "Patient invited to a lecture or activity",
    "stratum.read": "People of a risk stratum looked at",
    "segment.invite": "People of a segment invited to a lecture, activity or group",
    "event.coming": "Place at a lecture or activity taken",
    "event.cannot": "Cannot come to a lecture or activity",
    "event.attended": "Was at a lecture or activity",
    "event.absent": "Was not at a lecture or activity",
    "event.evaluate": "Said how a lecture or activity was",
    "own_events.read": "Own lectures and groups read",
    "group_list.read": "List of groups read",
    "group.read": "Group read",
    "group.add": "Group made",
    "group.close": "Group closed",
    "group.ask": "Patient asked to join a group",
    "group.in": "Joined a group, or changed the name shown there",
    "group.declined": "Did not want to join a group",
    "group.left": "Left a group",
    "access.read": "Own record of access looked at",
    "patient_list.read": "List of patients opened",
    "training.read": "Page of training opened",
    "worklist.read": "Worklist opened",
    "plan.read": "Plan looked at",
    "enrolment_list.read": "List of enrolments opened",
    "enrolment.read": "Enrolment looked at",
    "consent.read": "Own consent looked at",
    "consent.given": "Consent given",
    "consent.refused": "Consent refused",
    "consent.withdrawn": "Consent taken back",
    "patient.look_for": "Looked whether a patient is here already",
    "patient.take_in": "Patient taken in",
    "patient.take_back": "Patient taken in again after closing",
    "admission.eligibility": "Eligibility form filled in",
    "admission.decision": "Eligibility decided by a doctor",
    "admission.plan": "Measurement times set from a template",
    "admission.training": "Training entered",
    "admission.readings": "Test measurements confirmed or taken back",
    "care_team.add": "Added to the care team",
    "care_team.end": "Removed from the care team",
    "participation.activate": "Activated",
    "participation.end": "Participation ended",
    "participation.notice": "Notice taken of the end",
    "participation.close": "Record closed",
    "participation.again": "Taken in again",
    "case.read": "Case looked at",
    "quarantine.read": "Item in quarantine looked at",
    "whose.read": "Readings without a patient looked at",
    "quarantine.release": "Reading from quarantine said to be a patient's",
    "quarantine.resolve": "Reading from quarantine said to be nobody's",
    "questions.read": "Questions about readings looked at",
    "held_reading.answer": "Said whose a reading is",
    "device.assignment_made": "Device assigned",
    "device.assignment_widened": "Assignment of a device widened",
    "device.shared": "Device said to be used by others, too",
    "device.not_shared": "Device said to be used by nobody else",
    "what_if.ask": "Trial of other limits begun",
    "what_if.read": "Trial of other limits looked at",
    "audit.read": "Audit looked at",
    "audit.export": "Audit exported",
    "case.acknowledge": "Case acknowledged",
    "case.start": "Work on a case begun",
    "case.hand_over": "Case offered to a colleague",
    "case.withdraw": "Offer of a case taken back",
    "case.contact": "Patient spoken to",
    "case.ask": "Patient asked for symptoms: none",
    "case.worsen": "Patient asked for symptoms: there were some",
    "case.silence": "Case silenced",
    "case.end_silence": "Silence of a case ended",
    "case.escalate": "Case escalated",
    "case.resolve": "Case resolved",
    "call.begin": "Call begun",
    "call.end": "Call ended",
    "caller.found": "Unknown caller looked up",
    "triage.answer": "Question of a script answered",
    "review.read": "Doctor's page looked at",
    "review.report": "Report made",
    "alarm_limit.set": "Own limit set",
    "alarm_limit.withdraw": "Own limit withdrawn",
    "patient_programme.change": "Programme of a patient changed",
    "patient_programme.heightened": "Heightened period changed",
    "measurement_slot.add": "Time to measure added",
    "measurement_slot.end": "Time to measure ended",
    "measurement_pause.add": "Pause of measuring added",
    "measurement_pause.end": "Pause of measuring ended",
    "device.clock_check": "Clock of a device compared",
    "emergency_card.read": "Emergency card looked at",
    "emergency_card.set": "Emergency card written",
    "contact_person.add": "Contact person added",
    "contact_person.remove": "Contact person removed",
    "medication.add": "Medication added",
    "medication.end": "Medication ended",
    "treatment.read": "Treatment looked at",
    "treatment_change.add": "Change of treatment noted",
    "treatment_change.withdraw": "Change of treatment withdrawn",
    "appointment.add_closure": "Exception to the hours added",
    "appointment.add_hours": "Hours of appointments added",
    "appointment.book": "Appointment booked",
    "appointment.calendar": "Address of a calendar made",
    "appointment.calendar_end": "Address of a calendar stopped",
    "appointment.cancelled": "Appointment cancelled",
    "appointment.confirm": "Appointment confirmed by the patient",
    "appointment.decline": "Offered time declined",
    "appointment.end_closure": "Exception to the hours withdrawn",
    "appointment.end_hours": "Hours of appointments ended",
    "appointment.link": "Link of a video consultation set",
    "appointment.move": "Appointment moved",
    "appointment.no_show": "Patient did not come",
    "appointment.took_place": "Appointment took place",
    "appointment.wish": "Put on the waiting list",
    "appointment.wish_end": "Taken off the waiting list",
    "appointments.read": "Appointments of the clinic looked at",
    "appointments.read_of": "Appointments of a patient looked at",
    "own_appointments.read": "Own appointments looked at",
    "visit.ask": "Invited to a visit",
    "visit.took_place": "Visit took place",
    "visit.did_not_happen": "Visit did not happen",
    "visit.called_off": "Visit called off",
    "visit_list.read": "List of visits looked at",
    "billing.list": "List of billing evidence opened",
    "billing.read": "Billing evidence looked at",
    "billing.export": "Billing evidence exported",
    "billing.close": "Month of billing evidence closed",
    "minutes.write": "Minutes written",
    "minutes.withdraw": "Minutes withdrawn",
    "figures.read": "Figures of the centre opened",
    "figures.export": "Figures of the centre exported",
    "programme.add": "Programme added",
    "programme.change": "Programme changed",
    "programme.terms": "Promises of a programme changed",
    "technical_alarm.acknowledge": "Technical alarm acknowledged",
    "address.add": "Address of the staff added",
    "address.remove": "Address of the staff removed",
    "address.verify": "Address of the staff confirmed",
    "duty.acknowledge_gap": "Gap in the roster seen to",
    "duty.add_absence": "Absence added",
    "duty.withdraw_absence": "Absence withdrawn",
    "duty.add_holiday": "Holiday added",
    "duty.remove_holiday": "Holiday removed",
    "duty.add_shift": "Shift added",
    "duty.end_shift": "Shift ended",
    "duty.place": "Place of the roster changed",
    "gateway.code_made": "Code for a gateway made",
    "gateway.enrolled": "Gateway enrolled",
    "gateway.enrolment_refused": "Enrolment of a gateway refused",
    "gateway.renewed": "Certificate of a gateway renewed",
    "gateway.renewal_refused": "Renewal of a certificate refused",
    "gateway.revoked": "Gateway shut out",
    "sign_in": "Signed in",
    "sign_in.refused": "Sign-in refused",
    "sign_out": "Signed out of the console",
    "session.ended": "Session ended",
    "password.changed": "Password changed",
    "second_factor.set_up": "Second factor set up",
    "second_factor.new_recovery_codes": "New recovery codes made",
    "second_factor.removed": "Second factor removed",
    "second_factor.required": "Second factor asked of somebody",
    "account.added": "Account added",
    "account.disabled": "Account shut",
    "account.enabled": "Account opened again",
    "account.invited": "Person invited",
    "invitation.used": "Invitation used",
    "identity.linked": "Identity of the clinic linked",
    "identity.unlinked": "Identity of the clinic unlinked",
    "stock.read": "Stock of devices opened",
    "stock.add": "Device added to the stock",
    "stock.hand_out": "Device handed out",
    "stock.take_back": "Device taken back",
    "stock.wipe": "Device wiped",
    "stock.lose": "Device said to be lost",
    "stock.find": "Lost device found",
    "stock.retire": "Device taken out of stock for good",
    "stock.lease": "Lease of a device changed",
    "pairing.begin": "Pairing of a device begun",
    "pairing.type": "Digits of a device handed to its gateway",
    "pairing.choose": "Device to be paired chosen",
    "pairing.stop": "Pairing of a device stopped",
    "pairing.undo": "Paired device forgotten again",
    "pairing.settle": "Paired device written down",
}

# Reaching patients ---------------------------------------------------------------------------------------------------

PATIENT_WAYS: Final[Mapping[str, str]] = {"email": "E-mail", "sms": "SMS", "webhook": "Messenger", "print": "Printed"}

REACH_DECISIONS: Final[Mapping[str, str]] = {"given": "agreed", "withdrawn": "does not want it"}
REACH_METHODS: Final[Mapping[str, str]] = {"told": "said to the care team", "screen": "on their own page"}

OUTSIDE_WHATS: Final[Mapping[str, str]] = {
    "message": "A message",
    "questionnaire": "A questionnaire",
    "measure": "Time to measure",
    "nudge": "A measurement was missed",
    "medication": "Time for medication",
    "visit": "A visit",
    "advice": "A piece of advice",
    "survey": "A survey",
    "complaint": "A complaint or a suggestion",
    "article": "Something to read",
    "event": "A lecture, an activity or a group",
    "answer": "The answer to a question",
}

OUTSIDE_STATES: Final[Mapping[str, str]] = {
    "waiting": "on its way",
    "sent": "handed over",
    "page": "on the patient’s own page",
    "failed": "did not leave",
    "withdrawn": "called off",
}

OUTSIDE_WHY: Final[Mapping[str, str]] = {
    "no_way": "no way outside that the patient agreed to",
    "refused": "every way refused it",
    "too_late": "it was too late for it",
    "needless": "it was needed no longer",
}

QUESTIONNAIRE_STANDINGS: Final[Mapping[str, str]] = {
    "open": "waits for an answer",
    "answered": "answered",
    "over": "not answered in time",
    "withdrawn": "withdrawn",
}

FOLLOW_UP_WHATS: Final[Mapping[str, str]] = {
    "call": "Call the patient",
    "questionnaire": "Questionnaire",
    "visit": "Visit",
    "check": "Look at the record",
}

# The same as the patient reads it.
OWN_FOLLOW_UPS: Final[Mapping[str, str]] = {
    "call": "Your care team calls you",
    "questionnaire": "We ask you some questions",
    "visit": "A visit",
}

QUESTIONNAIRES: Final[Mapping[str, str]] = {
    "recovery": "How you are recovering",
    "medication": "Your medication",
    "symptoms": "How you feel today",
}

FOLLOW_UP_STANDINGS: Final[Mapping[str, str]] = {
    "open": "to come",
    "due": "due today",
    "overdue": "overdue",
    "done": "done",
    "skipped": "skipped",
}

# Of a discharge document (cloud.crm.discharges): how it stands, whose it is, and what of it is not read.
DISCHARGE_STATES: Final[Mapping[str, str]] = {
    "received": "to be looked at",
    "taken": "taken",
    "set_aside": "set aside",
}

DISCHARGE_MATCHES: Final[Mapping[str, str]] = {
    "this": "One of these numbers is this patient’s.",
    "unknown": "These numbers are new here; the date of birth is this patient’s. Compare, and say so below.",
    "another": "One of these numbers is another patient’s: nothing is taken from it here.",
    "no_identifier": "It names nobody by a number, and a name is not enough: nothing is taken from it.",
    "no_birth_date": "The numbers are new here, and there is no date of birth to compare: nothing is taken from it.",
    "other_birth_date": "The date of birth is not this patient’s: nothing is taken from it.",
    "too_often": "You have asked about too many new numbers within an hour. Open it again in an hour: until then"
    " nothing is taken from it.",
}

UNREADABLE: Final[Mapping[str, str]] = {
    "not_json": "This is no JSON. FHIR in XML and papers (PDF) cannot be read here.",
    "not_fhir": "This is JSON, but no FHIR.",
    "not_a_document": "This is FHIR, but no document (a Bundle of the type document).",
    "not_in_force": "It says itself that it is not, or no longer, in force.",
    "no_fhir_inside": "It refers to a document, and no FHIR in JSON is inside of it.",
    "no_composition": "It does not begin with a Composition, as documents do.",
    "no_patient": "It does not say whom it is about, or the patient is not in it.",
    "too_much": "It has more instructions or sections than anybody looks through here. Read the file, and write down by"
    " hand what is to be done.",
    "resource_modifier": "Something in it changes what it means in a way that is not known here.",
    "resource_shape": "It is not written as FHIR R4 says.",
}

UNREAD: Final[Mapping[str, str]] = {
    "no_day": "It names no day. Choose one, if it is to be done.",
    "in_words": "It says in words when. Choose the day.",
    "repeats": "It is to be repeated, which is not read here. Choose a day, or begin a plan.",
    "before": "Its day is before the discharge.",
    "status": "It asks for nothing any more, or not yet.",
    "forbidden": "It says that this is not to be done.",
    "kind": "This kind of instruction is not read here. Read it in the document.",
    "somebody_else": "It is about somebody else than the document.",
    "modifier": "Something in it changes what it means in a way that is not known here.",
    "shape": "It is not written as FHIR R4 says.",
}

REMINDER_KINDS: Final[Mapping[str, str]] = {
    "measure": "To measure, when it is due",
    "nudge": "Of a measurement that was missed, before a nurse is asked",
    "medication": "To take medication",
}

ADVICE_STANDINGS: Final[Mapping[str, str]] = {"draft": "draft", "approved": "in force", "withdrawn": "withdrawn"}

# The library, lectures and groups, questions --------------------------------------------------------------------------

TOPICS: Final[Mapping[str, str]] = {
    "measuring": "Measuring",
    "low": "Low glucose",
    "high": "High values",
    "medication": "Medication",
    "food": "Food",
    "activity": "Moving",
    "feet": "Feet",
    "illness": "When you are ill",
    "calling": "Whom to call",
    "questions": "Questions and answers",
    "other": "Other things",
}
ARTICLE_CONDITIONS: Final[Mapping[str, str]] = {
    "any": "for everybody",
    "diabetes": "with diabetes",
    "hypertension": "with high blood pressure",
}
ARTICLE_STANDINGS: Final[Mapping[str, str]] = {
    "draft": "draft",
    "approved": "in force",
    "retired": "out of the library",
}
# Why an article went out by itself; what somebody wrote stays as they wrote it.
ARTICLE_WHYS: Final[Mapping[str, str]] = {
    "superseded": "a newer version was approved",
    "agreement_withdrawn": "the patient who asked no longer agrees",
}
QUESTION_TURNS: Final[Mapping[str, str]] = {
    "message": "goes on in messages",
    "follow_up": "became a follow-up",
}
EVENT_KINDS: Final[Mapping[str, str]] = {"lecture": "Lecture", "activity": "Activity"}
AUDIENCES: Final[Mapping[str, str]] = {
    "all": "All patients",
    "group": "A group",
    "invited": "Only those who are invited",
}
SEAT_STATES: Final[Mapping[str, str]] = {
    "invited": "invited, not answered yet",
    "coming": "comes",
    "cannot": "cannot come",
    "attended": "was there",
    "absent": "was not there",
}
# The same as the patient reads it.
OWN_SEATS: Final[Mapping[str, str]] = {
    "invited": "You are invited.",
    "coming": "You have a place.",
    "cannot": "You said that you cannot come.",
    "attended": "You were there.",
    "absent": "You were not there.",
}
MEMBER_STATES: Final[Mapping[str, str]] = {
    "asked": "asked, not answered yet",
    "in": "in the group",
    "declined": "did not want to join",
    "left": "has left",
}

ADVICE_MEASURES: Final[Mapping[str, str]] = {
    "glucose": "Glucose",
    "systolic": "Systolic pressure",
    "diastolic": "Diastolic pressure",
}

# Segments: what a condition is about, its fields, and what may be chosen in them.
SEGMENT_KINDS: Final[Mapping[str, str]] = {
    "programme": "Programme",
    "plan": "Follow-up plan",
    "tag": "Tag",
    "age": "Age",
    "control": "Blood pressure: controlled or not",
    "pressure": "Average blood pressure",
    "glucose": "Mean glucose",
    "last_reading": "Last reading",
    "open_cases": "Open cases",
    "cases": "Cases of the last days",
    "adherence": "Measured of what was due",
    "discharge": "Home from hospital",
    "heightened": "Watched more closely",
    "carer": "Somebody of the care team",
    "language": "Language",
    "household": "Household",
}

SEGMENT_FIELDS: Final[Mapping[str, str]] = {
    "programme": "Programme",
    "plan": "Follow-up plan",
    "tag": "Tag",
    "age_low": "At least (years)",
    "age_high": "At most (years)",
    "is": "Which",
    "measure": "Pressure",
    "low": "At or above",
    "high": "Below",
    "unit": "Unit",
    "relation": "Which",
    "days": "Days",
    "many": "At least how many",
    "tier": "At least as grave as",
    "percent": "Per cent",
    "carer": "Colleague",
    "language": "Language",
}

SEGMENT_CODES: Final[Mapping[str, str]] = {
    "systolic": "Systolic",
    "diastolic": "Diastolic",
    "at_least": "none for at least so many days",
    "at_most": "one within so many days",
    "below": "less than",
    "at_or_above": "at least",
}

SEGMENT_CONTROL: Final[Mapping[str, str]] = {
    "controlled": "blood pressure controlled, last 30 days",
    "not_controlled": "blood pressure not controlled, last 30 days",
    "not_enough": "not enough blood pressure readings for an average, last 30 days",
    "no_target": "the programme has no target for blood pressure",
}

SEGMENT_HOUSEHOLDS: Final[Mapping[str, str]] = {
    "with_others": "lives with another patient",
    "alone_or_unknown": "no household with another patient is known",
}

SEGMENT_AVERAGES: Final[Mapping[str, str]] = {
    "systolic": "home average, systolic,",
    "diastolic": "home average, diastolic,",
    "glucose": "mean glucose of 14 days",
}

STRATA: Final[Mapping[str, str]] = {
    "high": "High",
    "rising": "Rising",
    "stable": "Stable",
    "not_enough": "Not enough data",
}

# Those that come with Pulsepost (0027_segments.sql), and what their limits rest on.
SHIPPED_SEGMENTS: Final[Mapping[str, str]] = {
    "Emergency lately": "Emergency lately",
    "Two urgent cases lately": "Two urgent cases lately",
    "Home from hospital, not controlled": "Home from hospital, not controlled",
    "Mean glucose low": "Mean glucose low",
    "Urgent case lately": "Urgent case lately",
    "Home from hospital": "Home from hospital",
    "Blood pressure not controlled": "Blood pressure not controlled",
    "Mean glucose high": "Mean glucose high",
    "Less than half measured": "Less than half measured",
    "Blood pressure controlled": "Blood pressure controlled",
    "Mean glucose in range": "Mean glucose in range",
    "Not enough data": "Not enough data",
}

SEGMENT_SOURCES: Final[Mapping[str, str]] = {
    "ours": "Pulsepost’s proposal: nobody publishes it",
    "readmission": "30 days are what readmission programmes count; used here as a proposal",
    "regime": "The control value of the programme’s regime",
    "consensus": "A bound of the CGM consensus range; for a mean of finger-sticks a proposal",
    "sufficiency": "The least number of readings that a home average asks for",
}

# What a contact person may be told, and how the patient said so.
HOUSEHOLD_TOPICS: Final[Mapping[str, str]] = {
    "reached": "that we try to reach the patient",
    "appointments": "appointments",
    "devices": "devices and measuring",
    "readings": "readings",
    "treatment": "treatment",
}

HOUSEHOLD_METHODS: Final[Mapping[str, str]] = {"spoken": "said", "written": "in writing"}

AUDIT_REFUSALS: Final[Mapping[str, str]] = {
    "no_id": "This is no id: it has 32 digits and letters a to f, with hyphens.",
    "no_day": "This is no day, such as 2026-11-21.",
    "before_since": "This day is before the first one.",
    "too_many": "More than 10,000 rows: ask for a shorter time.",
}

# The page's script says the same while time passes; it is given these words.
SPANS: Final[Mapping[str, str]] = {
    "moment": "under 1 min",
    "seconds": "{} s",
    "minutes": "{} min",
    "hours": "{} h {} min",
    "hours_alone": "{} h",
    "days": "{} d",
    "due": "due in {}",
    "overdue": "overdue by {}",
    "left": "{} left",
    "ago": "{} ago",
}

# What the page's script says by itself.
ANNOUNCEMENTS: Final[Mapping[str, str]] = {
    "new": "New case, priority {}: {}. {}",
    "closed": "Case closed: {}",
    "failed": "That did not work. Try again.",
    "live": "Live",
    "connecting": "Connecting",
    "lost": "Not receiving",
    "signed_out": "Signed out",
}

CONFLICTS: Final[Mapping[str, str]] = {
    "taken": "{owner} was faster.",
    "not_yours": "{owner} has it. Only they can do that.",
    "not_taken": "Nobody has it yet. Acknowledge it first.",
    "closed": "Already closed.",
    "gone": "It has gone by itself.",
    "not_now": "Not possible in this state.",
    "not_offered": "It is not offered to anybody.",
    "not_silent": "It is not silenced.",
    "emergency": "An emergency cannot be silenced.",
    "too_long": "Silenced for too long. Choose a shorter time.",
    "no_end": "Say for how long it is to be silent.",
    "no_reason": "Say why.",
    "no_colleague": "Choose somebody of this patient’s care team.",
    "no_role": "Choose the doctor or the lead nurse.",
    "no_disposition": "Say what became of it.",
    "no_note": "This outcome needs a note: say why.",
    "no_answer": "Tick what the patient has, or say that there is none of it; not both.",
}


# What is technically wrong; the sentence of the alarm says the rest.
TECHNICAL_CONDITIONS: Final[Mapping[str, str]] = {
    "component_down": "Process down",
    "broker_unreachable": "Broker out of reach",
    "ingest_behind": "Readings are stored late",
    "own_certificate": "Our own certificate",
    "gateway_away": "Gateway away",
    "gateway_storage": "Gateway’s disk",
    "gateway_clock": "Gateway’s clock",
    "gateway_certificate": "Gateway’s certificate",
    "gateway_backlog": "Unsent readings",
    "device_silent": "Silent device",
    "device_battery": "Device’s battery",
    "device_unknown_model": "Unknown device",
    "reconciliation_gap": "Missing readings",
}

# Why nothing comes from a patient's device, for a nurse.
SILENCES: Final[Mapping[str, str]] = {
    "nobody_measured": "Nobody measured.",
    "device_silent": "The device does not answer: battery or pairing.",
    "gateway_away": "The gateway in the home is away.",
    "our_side_down": "Our side is down.",
}

# What keeps a patient's readings from coming, for the patient.
TROUBLES: Final[Mapping[str, str]] = {
    "our_side_down": "At the moment no readings reach us. The fault is on our side. Measure as usual: nothing is lost.",
    "gateway_away": "We hear nothing from the box in your home. Is it plugged in, and is your internet working?",
    "device_silent": "We hear nothing from this device. Is its battery good, and is it near the box?",
    "device_battery": "The battery of this device is nearly empty. Please change it.",
}

# Why a message was not sent.
MESSAGE_REFUSALS: Final[Mapping[str, str]] = {
    "empty": "Write something first.",
    "too_long": "This is too long: at most 2000 characters. It was not sent.",
    "too_many": "You have written many messages within an hour. It was not sent. Please call instead.",
    "closed": "Your record is closed: nobody of a care team reads messages here. It was not sent. Please call.",
}

# How a measurement that is due today stands.
STANDINGS: Final[Mapping[str, str]] = {
    "later": "Later: from {} on",
    "open": "Now: until {}",
    "done": "Done at {}",
    "missed": "Not measured by {}",
}

SUBJECT_KINDS: Final[Mapping[str, str]] = {
    "gateway": "gateway",
    "device": "device",
    "roster": "device",
    "component": "our process",
}

RANGES: Final[Mapping[str, str]] = {"range": "{} to {}"}

SIZES: Final[Mapping[str, str]] = {"megaoctets": "{} MB", "gigaoctets": "{} GB"}

OFF_SCALE: Final[Mapping[str, str]] = {"above_range": "HI, above {}", "below_range": "LO, below {}"}

# What meters and their users say around a measurement (Glucose Measurement Context of the Bluetooth SIG, and others).
CONTEXT: Final[Mapping[str, str]] = {
    "carbohydrate": "carbohydrate",
    "comment": "comment",
    "exercise": "exercise",
    "hba1c": "HbA1c",
    "health": "health",
    "meal": "meal",
    "medication": "medication",
    "sample_location": "taken from",
    "tester": "measured by",
}
CONTEXT_VALUES: Final[Mapping[str, str]] = {
    "preprandial": "before a meal",
    "postprandial": "after a meal",
    "fasting": "fasting",
    "casual": "casual",
    "bedtime": "at bedtime",
    "breakfast": "breakfast",
    "lunch": "lunch",
    "dinner": "dinner",
    "snack": "snack",
    "drink": "drink",
    "supper": "supper",
    "brunch": "brunch",
    "self": "self",
    "health_care_professional": "health care professional",
    "lab_test": "laboratory",
    "minor_health_issues": "minor health issues",
    "major_health_issues": "major health issues",
    "during_menses": "during menses",
    "under_stress": "under stress",
    "no_health_issues": "no health issues",
    "rapid_acting_insulin": "rapid acting insulin",
    "short_acting_insulin": "short acting insulin",
    "intermediate_acting_insulin": "intermediate acting insulin",
    "long_acting_insulin": "long acting insulin",
    "pre_mixed_insulin": "pre-mixed insulin",
    "finger": "finger",
    "alternate_site_test": "alternate site",
    "earlobe": "earlobe",
}
ANNOTATIONS: Final[Mapping[str, str]] = {
    "averaged": "averaged",
    "body_movement": "body movement",
    "clock_not_set": "clock not set",
    "cuff_too_loose": "cuff too loose",
    "failed_measurement": "failed measurement",
    "irregular_pulse": "irregular pulse",
    "improper_measurement_position": "improper measurement position",
    "pulse_rate_above_range": "pulse rate above range",
    "pulse_rate_below_range": "pulse rate below range",
    "device_battery_low": "battery low",
    "sample_size_insufficient": "sample too small",
    "strip_insertion_error": "strip inserted wrongly",
    "strip_type_incorrect": "wrong type of strip",
    "sensor_result_too_high": "result too high for the sensor",
    "sensor_result_too_low": "result too low for the sensor",
    "sensor_temperature_too_high": "too warm to measure",
    "sensor_temperature_too_low": "too cold to measure",
    "weekday_does_not_fit": "weekday does not fit",
}

CLOCK_OFFSETS: Final[Mapping[str, str]] = {"right": "right", "ahead": "{} ahead", "behind": "{} behind"}
DAYS_LEFT: Final[Mapping[str, str]] = {"days": "{} d left", "today": "ends within a day", "ended": "ended {} ago"}

# How a gateway stands, worked out from its last word and its silence.
GATEWAY_STANDINGS: Final[Mapping[str, str]] = {
    "online": "Online",
    "silent": "Silent",
    "offline": "Offline",
    "never_seen": "Never seen",
    "revoked": "Locked out",
}

CERTIFICATE_STATES: Final[Mapping[str, str]] = {
    "valid": "Valid",
    "replaced": "Replaced, still valid",
    "not_yet_valid": "Not yet valid",
    "expired": "Expired",
    "revoked": "Revoked",
}

CERTIFICATE_WAYS: Final[Mapping[str, str]] = {"enrolment": "at enrolment", "renewal": "renewed"}

# The steps of the gateway's ladder of repairs, by bond_repair's names.
REPAIRS: Final[Mapping[str, str]] = {
    "closed": "stale connection closed",
    "forgotten": "bond removed",
    "power_cycled": "adapter switched off and on",
    "given_up": "a person was asked",
}

# How the last visit to a device ended.
VISIT_OUTCOMES: Final[Mapping[str, str]] = {
    "complete": "Read to the end",
    "cut": "Broken off",
    "unreachable": "Did not answer",
    "paired": "Paired, read at its next sign of life",
    "no_profile": "Unknown device",
    "outbox_failed": "Gateway could keep nothing",
    "defect": "Our mistake",
}

# How patient and doctor meet, and what became of it.
VISIT_WAYS: Final[Mapping[str, str]] = {
    "clinic": "At the clinic",
    "telephone": "By telephone",
    "video": "By video",
    "home": "At home",
}
VISIT_ENDS: Final[Mapping[str, str]] = {
    "took_place": "Took place",
    "did_not_happen": "Did not happen",
    "called_off": "Called off",
}

# Why nothing was booked; the page offers other times below.
APPOINTMENT_REFUSALS: Final[Mapping[str, str]] = {
    "taken": "Somebody has just taken this time. Choose another one.",
    "elsewhere": "There is an appointment at this time already. Choose another one.",
    "no_slot": "This time is not to be had any more. Choose another one.",
    "over": "This is over already. Choose a later time.",
    "too_many": "You have several appointments already. Cancel one first, or call us.",
    "closed": "This record is closed: nothing can be booked. Please call.",
}
APPOINTMENT_STATES: Final[Mapping[str, str]] = {
    "offered": "Offered",
    "booked": "Booked",
    "took_place": "Took place",
    "no_show": "Did not come",
    "cancelled": "Cancelled",
    "declined": "Declined",
    "lapsed": "Not answered",
}
APPOINTMENT_DONE: Final[Mapping[str, str]] = {
    "booked": "It is booked.",
    "moved": "It is moved.",
    "cancelled": "It is cancelled.",
    "waiting": "You are on the waiting list. When a time comes free, it stands here.",
}
# What calendar programs show of it.
CALENDAR: Final[Mapping[str, str]] = {
    "with": "Appointment with {name}",
    "somebody": "Appointment: {way}",
}

# A plan -------------------------------------------------------------------------------------------------------------

TIERS: Final[Mapping[str, str]] = {
    "emergency": "Emergency",
    "urgent": "Urgent",
    "same_shift": "In this shift",
    "routine": "Routine",
    "retrospective": "In retrospect",
}

KINDS: Final[Mapping[str, str]] = {"glucose": "Glucose", "blood_pressure": "Blood pressure", "ketone": "Ketones"}

# Monday is 0, as in the schedule.
WEEKDAYS: Final[Mapping[str, str]] = {
    "0": "Mon",
    "1": "Tue",
    "2": "Wed",
    "3": "Thu",
    "4": "Fri",
    "5": "Sat",
    "6": "Sun",
}

# What is held against a limit.
FIGURES: Final[Mapping[str, str]] = {
    "reading": "a reading",
    "session_mean": "the mean of a session",
    "home_average": "the average of 7 days",
    "morning_average": "the average of the mornings",
    "morning_excess": "mornings minus evenings",
    "week_rise": "the rise from week to week",
    "session_rise": "the rise from session to session",
    "fasting_mean": "the mean of fasting readings",
    "low_glucose_index": "the low blood glucose index",
}

EVIDENCE: Final[Mapping[str, str]] = {
    "published": "published",
    "summarised": "read in a summary",
    "unconfirmed": "not confirmed by a clinician",
    "proposed": "proposal, not confirmed by a clinician",
    "prescribed": "set by a doctor",
}

REGIMES: Final[Mapping[str, str]] = {
    "aha2025": "Blood pressure, 2025 AHA/ACC",
    "esc2024": "Blood pressure, 2024 ESC",
    "pregnancy": "Blood pressure in pregnancy",
    "ada": "Glucose and ketones, ADA",
}

# What has become of a version of a doctor's limit.
LIMIT_STANDINGS: Final[Mapping[str, str]] = {
    "in_force": "In force",
    "not_applied": "Not in this programme",
    "replaced": "Replaced",
    "withdrawn": "Withdrawn",
    "withdrawal": "Withdrawal",
    "expired": "Expired",
}

CLOSING_CLASSES: Final[Mapping[str, str]] = {
    "not_confirmed": "Measured again, and no longer beyond the limit",
}

# Why a field of a form of the plan was not taken.
ENTRY_REFUSALS: Final[Mapping[str, str]] = {
    "not_a_line": "Write one line of at most {most} letters.",
    "no_fields": "Nothing can be filled in here: leave the braces away.",
    "link_once": "Write {{link}} once, where the link is to stand, and no other braces.",
    "not_an_extension": "An extension has at most 20 digits, * and #.",
    "extension_taken": "This extension is somebody else’s here.",
    "changed_meanwhile": "Somebody changed the card meanwhile. Look at it as it stands below, then save again.",
    "changed_since": "Somebody changed it meanwhile, or it is not yours. Open it again, then change it.",
    "no_condition": "Add at least one condition.",
    "bounds_crossed": "The upper bound lies below the lower one.",
    "not_a_tag": "A tag has letters, digits, spaces and hyphens.",
    "other_household": "Both are in a household already. Take one of them out of theirs first.",
    "before_the_change": "This is before the change.",
    "choose_readings": "Tick the readings, of one device, that you speak of.",
    "gone_meanwhile": "Somebody has dealt with some of them meanwhile. Look at what is left, then say it again.",
    "nobody_can_say_when": "Nothing says between which moments it was measured: nobody can say when.",
    "somebody_else_had_it": "Somebody else had this device within that time. Look at each reading by itself.",
    "percent_of_sample": "A sample has 10 to 100 of 100 cases.",
    "month_runs": "This month is not over. Its sample can be drawn once it is.",
    "drawn_already": "The sample of this month is drawn. There is no other.",
    "not_a_month": "This is no month. Write it as 2026-10.",
    "remark_on_no": "Say what you saw: whoever reads it must understand it.",
    "no_script": "There is no script for such a case.",
    "before_deadline": "This is before the day on which it is to be done.",
    "no_later_version": "Choose a version that came after the one in force then. Until there is one, it is not done.",
    "choose": "Choose one.",
    "clocks_change": "The clocks there change then: this time comes twice or not at all. Choose another.",
    "enough_or_there": "It is there already, or there are six of them. Remove one first.",
    "ends_before_it_begins": "It ends before it begins.",
    "has_ended": "It has ended already.",
    "here_already": "There is a patient with this name and birth date already. Say below who this is.",
    "future": "This lies in the future. Choose an earlier day.",
    "implausible": "No such value occurs: it must lie between {low} and {high} {unit}.",
    "last_of_team": "Nobody would be left. Add somebody else first.",
    "missing": "This is needed.",
    "nobody_back": "There is no closed record with this name, birth date and number.",
    "no_document": "Choose a file.",
    "whose": "Say that it is this patient’s, once you have compared the number and the date of birth.",
    "no_instruction": "Write at least one instruction: without one nothing follows.",
    "no_name": "Give it a name.",
    "no_reason": "Say why: whoever reads it next must know.",
    "no_regime": "Choose at least one set of limits.",
    "no_weekday": "Choose at least one weekday.",
    "not_an_email": "This is no e-mail address.",
    "not_a_name": "Write the name at that messenger: letters, digits and . _ @ + -",
    "not_a_date": "This is no date. Write it as 2026-12-31.",
    "not_a_link": "This is no link of this kind. It must begin with https:// and hold no name or password.",
    "not_a_moment": "This is no date with a time. Write it as 2026-12-31 08:00.",
    "not_a_number": "This is no number. Write it with digits, such as 145 or 7.8.",
    "not_a_phone": "This is no telephone number. Write it with its country code, such as +45 20 12 34 56.",
    "not_an_emergency_number": "Write the number as it is dialled there: digits, such as 112.",
    "not_a_time": "This is no time. Write it as 08:00.",
    "not_a_span": "Write it as 15 min, 2 h or 3 d: at least 1 min, at most 60 d.",
    "not_an_id": "Use small letters, digits and underscores only.",
    "no_such_weekday": "None of these weekdays comes before the last day.",
    "no_time_zone": "Nobody knows this time zone. Write it as Europe/Copenhagen.",
    "not_for_this_role": "This person’s account cannot be on duty for that.",
    "not_ended": "Nothing has ended, so nothing can begin again.",
    "not_on_the_way": "This patient is not on the way any more. Look at the page as it stands below.",
    "nothing_to_confirm": "Not all that the plan needs has arrived yet. See what is missing below.",
    "number_taken": "There is a patient with this number already. Is it the right number?",
    "not_in_programme": "This programme has no such limit. Choose it from the list.",
    "nothing_to_withdraw": "No limit of a doctor is in force here: there is nothing to withdraw.",
    "one_regime_each": "Two of these speak of the same measure: choose one of them.",
    "out_of_range": "It must lie between {low} and {high}.",
    "overlap": "This person is on duty for the same role then already. End that shift first, or choose other hours.",
    "past": "This is over already. Choose a later day.",
    "same_person": "Nobody stands in for themselves. Choose somebody else.",
    "something_left": "Something is left to do first. See below.",
    "steps_missing": "Not every step is done. What is missing stands at the end of the page.",
    "there_already": "This time is in the schedule already.",
    "too_often": "You have asked for many people within an hour. Nobody was looked for, and nothing was saved. Try"
    " again in {minutes} min.",
    "tolerance": "Give hours, from 0.25 to 12.",
    "too_far": "This is years away. Is the year right?",
    "too_long": "This is too long: at most {most} letters.",
    "too_many": "There are too many already: at most {most}.",
    "too_many_people": "It finds more than {most} of your patients. Build one from it with one more condition.",
    "wrong_unit": "This limit has other units: {units}.",
    "label_check_digit": "The barcode was not read whole. Scan it again, or type the serial number.",
    "label_date": "The barcode has a date that is none. Scan it again, or type the serial number.",
    "label_no_serial": "This barcode names the model alone. Scan the one beside SN, or type the serial number.",
    "known_device": "A device of this maker with this serial number is in the stock already. Search for it.",
    "not_yet": "This lies in the future. Choose an earlier moment.",
    "before_it_came_back": "Somebody else had it then: what it measured is theirs. Choose a later moment.",
    "anothers_device": "Its readings are somebody else’s now. Take it back from them first, or ask who assigned it.",
    "not_in_training": "Training patients are handed nothing real, and nobody else a training device. Choose another.",
    "no_file": "Choose the file with the scan.",
    "file_too_large": "This file is too large: at most {most} MB. Scan it with less resolution.",
    "file_of_no_kind": "This is no whole PDF, JPEG or PNG file. Scan it again, and save it as one of these.",
    "period": "A report shows at least {least} and at most {most} days.",
    "template_text_too_long": "This is too long: at most {most} letters.",
    "template_no_title": "It must begin with its title on a line of its own: # and a space, then the title, no field.",
    "template_unknown_field": "There is no such field in this document: {field}. See the list of fields.",
    "template_field_not_alone": "This field is a whole part, and must stand alone between empty lines: {field}.",
    "template_open_field": "A field begins with two braces and ends with two. Look at the braces.",
    "template_field_lacks": "The document cannot be without this field, alone between empty lines: {field}.",
    "unknown_device": "This device is not in the stock. Add it there first.",
    "several_devices": "Several devices have this number. Choose one from the list.",
    "is_handed_out": "Somebody has this device. Take it back first.",
    "is_returned": "It may hold readings of whoever had it. Wipe it first, and say so on its page.",
    "is_lost": "This device is said to be lost. Say on its page that it was found.",
    "is_retired": "This device was taken out of stock for good.",
    "no_gateway": "There is no such gateway. Look at its label, or enrol it first.",
    "gateway_away": "This gateway is away now. See that it has power and network, then try again.",
    "anothers_gateway": "This gateway reads somebody else’s devices. Look at its label again; tick if they share it.",
    "not_by_bluetooth": "This device is not paired: it is read by cable, or by nobody yet.",
    "six_digits": "It shows six digits. Type all of them.",
    "minutes_taken": "You have written minutes for a part of this time already, here or for somebody else.",
    "month_closed": "This month is closed: its minutes stay as they are.",
    "not_live": "A conversation is a call or a video call. Choose one of them, or take the tick away.",
    "too_long_ago": "This is too long ago: at most half a year.",
    "complaint_is_about_them": "It is about this person. Choose somebody else.",
    "says_of_whom": "A name or a number of the patient stands here. Write it so that nobody can know who asked.",
    "asked_already": "The patient has this one and has not answered it yet. Withdraw it first to ask anew.",
    "given_already": "The patient has it and has not opened it yet, or it is not in the library any more.",
    "no_agreement": "The patient does not agree that it is published, or it was proposed already.",
    "call_first": "Is it about how you feel? Then please call. If it is not, send it once more.",
    "team_alone": "Addresses are for the care team to write down: what is sent there lets whoever reads it answer.",
    "asked_enough": "You have written a lot today. Please call instead.",
    "record_closed": "Your record is closed: nobody of a care team reads this. Please call.",
    "for_a_doctor": "A doctor answers this: it was passed on.",
    "done_meanwhile": "Somebody has dealt with it meanwhile. Look at it as it stands.",
    "place_or_link": "Say where it is, or give a link.",
    "more_come": "{coming} people come already. Keep at least so many places.",
    "no_such_article": "No article of this name is in force in the library.",
}

# Surveys and complaints ----------------------------------------------------------------------------------------------

SURVEY_KINDS: Final[Mapping[str, str]] = {
    "contact": "After a conversation",
    "discharge": "After a stay in hospital",
    "enrolment": "After enrolment",
    "staff": "Staff",
}

SURVEY_WANTS: Final[Mapping[str, str]] = {
    "nothing": "Nothing: I only wanted to say it",
    "complaint": "It is a complaint: I want an answer",
    "suggestion": "It is a suggestion: I want an answer",
}

THEMES: Final[Mapping[str, str]] = {
    "waiting_time": "Waiting time",
    "not_reached": "Nobody to be reached",
    "attitude": "Attitude",
    "wrong_information": "Wrong information",
    "not_understood": "Not understood",
    "device": "Device",
    "software": "Page or messages",
    "treatment": "Treatment",
    "privacy": "Privacy",
    "documentation": "Documentation",
    "cost": "Cost",
    "other": "Something else",
}

COMPLAINT_KINDS: Final[Mapping[str, str]] = {"complaint": "Complaint", "suggestion": "Suggestion"}

COMPLAINT_WAYS: Final[Mapping[str, str]] = {
    "page": "on the patient’s page",
    "link": "by a link",
    "telephone": "taken down on the telephone",
    "survey": "by a survey",
}

COMPLAINT_STATES: Final[Mapping[str, str]] = {
    "received": "received",
    "acknowledged": "acknowledged",
    "in_work": "in work",
    "answered": "answered",
    "closed": "closed",
    "reopened": "opened again",
}

# The same as the patient reads it.
COMPLAINT_OWN_STATES: Final[Mapping[str, str]] = {
    "received": "we have it",
    "acknowledged": "we have read it",
    "in_work": "we are looking into it",
    "answered": "answered",
    "closed": "answered and closed",
    "reopened": "we look at it again",
}

COMPLAINT_OUTCOMES: Final[Mapping[str, str]] = {
    "justified": "Justified",
    "partly": "Justified in part",
    "not_justified": "Not justified",
    "taken_up": "Taken up",
    "not_taken_up": "Not taken up",
    "withdrawn": "Withdrawn by the patient",
}

COMPLAINT_ACTS: Final[Mapping[str, str]] = {
    "acknowledge": "The patient was told that we have it",
    "begin": "Begin work on it",
    "answer": "Answer",
    "close": "Close it",
    "reopen": "Open it again",
}

COMPLAINT_ACT_NOTES: Final[Mapping[str, str]] = {
    "acknowledge": "How they were told (may be empty)",
    "begin": "What is done first (may be empty)",
    "close": "What is left to say (may be empty)",
    "reopen": "Why it is opened again",
}

COMPLAINT_EVENTS: Final[Mapping[str, str]] = {
    "receive": "Received",
    "acknowledge": "Acknowledged",
    "begin": "Work begun",
    "answer": "Answered",
    "close": "Closed",
    "reopen": "Opened again",
    "give": "Given to somebody",
    "subject": "Said whom it is about",
    "taken_from_subject": "Taken from its owner, whom it is about",
    "harm": "Said to name harm",
    "no_harm": "Said to name no harm",
    "note": "Note",
    "overdue": "Overdue: it stands with the lead nurses",
    "export": "Case file exported",
}

COMPLAINT_CONFLICTS: Final[Mapping[str, str]] = {
    "not_now": "Not possible in this state. Look at it as it stands below.",
    "not_yours": "Only its owner and the lead nurses can do that.",
    "lead_alone": "Only the lead nurses can say that it names no harm.",
}

# Facts of a case file, by their name.
COMPLAINT_FACTS: Final[Mapping[str, str]] = {
    "number": "Number",
    "kind": "Kind",
    "way": "Came",
    "harm": "Harm or an adverse event",
    "received_at": "Received",
    "acknowledge_by": "Acknowledge by",
    "answer_by": "Answer by",
    "state": "State",
    "outcome": "Outcome",
}

TERM_SOURCES: Final[Mapping[str, str]] = {
    "england": "3 working days: S.I. 2009/309 (England), reg. 13(3); look at the law of your country",
    "russia": "30 days: Federal Law 59-FZ (Russia), art. 12(1); look at the law of your country",
    "proposal": "a proposal of this project, because it names harm",
}

# Billing evidence ----------------------------------------------------------------------------------------------------

BILLING_CODES: Final[Mapping[str, str]] = {
    "99445": "Devices supplied, readings on few days",
    "99454": "Devices supplied, readings on most days",
    "99470": "Care, the first 10 minutes",
    "99457": "Care, the first 20 minutes",
    "99458": "Care, each further 20 minutes",
}

# Of a rulebook (cloud.crm.billing.rulebooks), by its version.
BILLING_SOURCES: Final[Mapping[str, str]] = {
    "us-rpm-2026": "CMS, physician fee schedule for 2026, final rule of November 2025, as five independent summaries"
    " agree; the primary text is to be read before anybody bills by it",
}

BILLING_STATES: Final[Mapping[str, str]] = {
    "supported": "Supported",
    "reached": "Reached so far",
    "not_yet": "Not yet",
    "lacking": "Not supported",
    "excluded": "Another code instead",
    "no_rule": "No rules for this time",
}

BILLING_WHYS: Final[Mapping[str, str]] = {
    "conversation": "nobody spoke with the patient in that month",
    "no_rule": "no rules are known for all of this time: nothing is claimed",
}

MINUTE_ACTIVITIES: Final[Mapping[str, str]] = {
    "call": "Call",
    "video": "Video call",
    "message": "Message",
    "review": "Readings and case looked at",
}

MINUTE_ORIGINS: Final[Mapping[str, str]] = {
    "call": "written by the call",
    "case": "written by what was done in the case",
    "hand": "written by hand",
}

# Enrolment ----------------------------------------------------------------------------------------------------------

STAGES: Final[Mapping[str, str]] = {
    "on_the_way": "Not watched yet",
    "active": "Watched",
    "ended": "Not watched any longer",
    "closed": "Closed",
}

ADMISSION_STEPS: Final[Mapping[str, str]] = {
    "eligibility": "Can take part",
    "decision": "Doctor’s decision",
    "consent": "Consent",
    "plan": "Measurement times",
    "care_team": "Care team",
    "card": "Emergency card",
    "devices": "Devices handed out",
    "training": "Training",
    "readings": "Test measurements",
}

# What a step lacks; {kind} is a kind of measurement, {number} how many.
ADMISSION_MISSING: Final[Mapping[str, str]] = {
    "not_filled_in": "The form has not been filled in.",
    "excluded": "An answer rules taking part out.",
    "doctor_decides": "A doctor has to decide.",
    "doctor_refused": "A doctor has decided against it.",
    "no_consent": "The patient has not decided yet.",
    "consent_refused": "The patient does not agree.",
    "consent_withdrawn": "The patient has taken the consent back.",
    "no_plan": "No measurement times are set.",
    "no_nurse": "No nurse is in the care team.",
    "no_doctor": "No doctor is in the care team.",
    "no_card": "Nobody has written the emergency card.",
    "no_device": "No device has been handed out.",
    "plan_first": "Set the measurement times first.",
    "not_taught": "{kind}: {number} points of the training are open.",
    "not_arrived": "{kind}: {number} test measurements have yet to arrive.",
    "not_confirmed": "{kind}: somebody has yet to compare the test measurements with the display.",
    "notice": "Nobody of the nurses and doctors has said that they know.",
    "open_cases": "Open cases: {number}.",
    "devices_out": "Devices that have not come back: {number}.",
    "messages_waiting": "Messages of the patient that wait for an answer: {number}.",
    "appointments": "Appointments that are still booked: {number}.",
}

ELIGIBILITY_EFFECTS: Final[Mapping[str, str]] = {
    "asks_doctor": "A doctor decides",
    "excludes": "Rules taking part out",
}

DOCUMENT_KINDS: Final[Mapping[str, str]] = {
    "consent": "Consent form",
    "hand_over": "Act of handing over devices",
    "report": "Monitoring report",
    "privacy": "Privacy notice",
    "sop_programme": "Order of the monitoring programme",
    "sop_escalation": "Order of escalation",
    "sop_roles": "Roles of the monitoring centre",
}

# Why no document was made.
DOCUMENTS_UNMADE: Final[Mapping[str, str]] = {
    "enough": "Nothing was made: you have made many documents today. You can take those below once more.",
    "clinic": "No privacy notice was made: name, address and contact for data protection of the clinic are not all"
    " known. An administrator enters them under Documents, The clinic.",
    "consent_text": "No form was made: this version of the software does not have the text that the patient agreed to."
    " Ask whoever runs it for the release of that time.",
    "wording": "Nothing was made: the clinic’s own wording does not fit this version of the software. An administrator"
    " withdraws it, or writes a new one.",
    "font": "Nothing was made: a font is missing on the server. Whoever runs it finds in the log what to install.",
}

# What the clinic says of itself, on the papers that have it.
CLINIC_FACTS: Final[Mapping[str, str]] = {
    "name": "Name of the clinic",
    "address": "Address",
    "phone": "Telephone",
    "email": "E-mail",
    "hours": "Hours of the monitoring centre",
    "privacy_contact": "Contact for data protection",
    "authority": "Supervisory authority",
    "records_kept": "How long records of treatment are kept, and by which law",
}

# The privacy notice: what is kept as long as the record is.
DOCUMENT_KEPT_WITH_RECORD: Final[Mapping[str, str]] = {
    "person": "Your name, birth date, address, telephone numbers, contact persons and emergency card: as long as your"
    " record.",
    "readings": "Your readings of blood pressure, glucose and ketones, with when and by which device they were"
    " measured, and your plan with its limits: as long as your record.",
    "cases": "What was done because of them: cases, calls, messages, appointments, questionnaires, surveys, complaints,"
    " changes of treatment: as long as your record.",
    "documents": "What you agreed to and when, the documents that were made for you, and scans of what you signed: as"
    " long as your record.",
    "audit": "Who looked at your data or changed them: as long as your record, and it cannot be changed.",
}
# By the limits of ``cloud.retention``, of which each that is a time is here.
DOCUMENT_KEPT_FOR: Final[Mapping[str, str]] = {
    "idle_sessions": "That the box at your home spoke with a device which had nothing new: {span}.",
    "resolved_alarms": "That a device or the box at your home was out of order, after it was put right: {span}.",
    "ended_commands": "What the box at your home was told to do: {span}.",
    "withdrawn_octets": "What a device still measured after you took your consent back: {span}, then it is emptied.",
}
# Who sees a patient's data, by role.
DOCUMENT_SEEN_BY: Final[Mapping[str, str]] = {
    "nurse": "of your care team: your readings, cases and plan, and how to reach you. In an emergency another one, who"
    " says why.",
    "lead_nurse": "of your care team: the same; besides, that somebody opened a record outside their care team.",
    "doctor": "of your care team: the same. In an emergency another one, who says why.",
    "coordinator": "of your care team: your name, how to reach you, your devices, appointments, follow-ups, consent and"
    " documents, and the test readings at the beginning.",
    "support": "that a device or the box at your home works, not whose it is and not what was measured.",
    "auditor": "who did what and when, without names of patients and without values.",
    "administrator": "the accounts of the staff and the settings; of patients neither name nor value.",
}
# What each role does, for the centre's own order.
DOCUMENT_ROLES: Final[Mapping[str, str]] = {
    "nurse": "Works the list of cases: acknowledges, speaks with the patient, closes with what came of it. Escalates"
    " when in doubt.",
    "lead_nurse": "Is told of what nobody answers. Keeps roster and programmes, looks at breaches, figures and each"
    " opening outside a care team.",
    "doctor": "Decides who is taken in, sets limits and plans, changes treatment, is on call for escalations.",
    "coordinator": "Takes patients in, hands out devices, keeps appointments and the documents that are signed.",
    "support": "Looks after gateways and devices, without seeing patients.",
    "auditor": "Reads the audit.",
    "administrator": "Keeps accounts, settings and the wording of documents, without seeing patients.",
    "patient": "Measures at home as agreed, reads their own page, and can end it at any time.",
}

CONSENT_DECISIONS: Final[Mapping[str, str]] = {
    "given": "Agreed",
    "refused": "Did not agree",
    "withdrawn": "Took the consent back",
}

CONSENT_METHODS: Final[Mapping[str, str]] = {"paper": "on paper or by word", "screen": "on the own page"}

END_REASONS: Final[Mapping[str, str]] = {
    "consent_withdrawn": "consent taken back",
    "own_wish": "the patient’s wish",
    "goal_reached": "goal reached",
    "other_care": "cared for elsewhere",
    "moved": "moved away",
    "died": "died",
    "not_suitable": "not suitable after all",
    "other": "another reason",
}

# A review -----------------------------------------------------------------------------------------------------------

MEASURES: Final[Mapping[str, str]] = {
    "systolic": "Systolic",
    "diastolic": "Diastolic",
    "pulse": "Pulse",
    "glucose": "Glucose",
    "ketone": "Ketones",
}

# The ranges that a guideline sorts a home average into.
HOME_CATEGORIES: Final[Mapping[str, str]] = {
    "normal": "normal",
    "non_elevated": "not elevated",
    "elevated": "elevated",
    "hypertension": "of hypertension",
    "hypertension_stage_1": "of hypertension, stage 1",
    "hypertension_stage_2": "of hypertension, stage 2",
}

# Bands of LBGI and HBGI.
RISK_BANDS: Final[Mapping[str, str]] = {"minimal": "minimal", "low": "low", "moderate": "moderate", "high": "high"}

# Who says how many readings a figure asks for (the protocols of ``alerting``).
PROTOCOL_SOURCES: Final[Mapping[str, str]] = {
    "722": "722 protocol, Taiwan consensus PMC7677637; at least 3 days and 12 readings, AHA",
    "morning": "HOPE Asia Network 2022",
    "evening": "as HOPE Asia's morning (proposal)",
    "glucose": "a proposal of this project",
    "variability": "Finn-Home: at least 3 days of 2 readings",
}

# A case -------------------------------------------------------------------------------------------------------------

# Which cases a worklist shows.
SHOWS: Final[Mapping[str, str]] = {
    "open": "Open",
    "retrospect": "In retrospect",
    "automatic": "Closed automatically today",
    "training": "Training",
}

# What is true of a training patient.
TRAINING_KINDS: Final[Mapping[str, str]] = {
    "crisis": "A crisis: somebody had to act at once.",
    "worsening": "Worse for weeks: somebody had to act.",
    "false_alarm": "A false alarm: a peak that was over minutes later, or a measurement that went wrong.",
    "ordinary": "All was as usual.",
}
TRAINING_CRISES: Final[Mapping[str, str]] = {
    "severe_hypertension": "Severe high blood pressure",
    "hypotension": "Low blood pressure",
    "hypoglycaemia": "Low blood glucose",
    "hyperglycaemia": "Very high blood glucose",
}

# How a case ended.
DISPOSITIONS: Final[Mapping[str, str]] = {
    "advice_given": "Advice given",
    "technique_corrected": "Way of measuring corrected",
    "treatment_changed_by_doctor": "Treatment changed by the doctor",
    "referred_to_doctor": "Referred to the doctor",
    "emergency_service_called": "Emergency service called",
    "expected_for_this_patient": "Expected for this patient",
    "device_or_measurement_error": "Device or measurement error",
    "patient_not_reached": "Patient not reached",
    "no_action_needed": "No action needed",
}

# What happened to a case.
CASE_EVENTS: Final[Mapping[str, str]] = {
    "raise": "Opened",
    "join": "A further finding",
    "worsen": "Worsened: everybody is told again",
    "acknowledge": "Acknowledged",
    "start": "Started",
    "hand_over": "Offered",
    "withdraw": "Offer taken back",
    "contact": "Patient spoken to",
    "ask": "Asked for symptoms: none",
    "lapse": "Nobody’s again",
    "escalate": "Escalated",
    "silence": "Silenced",
    "end_silence": "Silence ended",
    "resolve": "Resolved",
    "close_automatically": "Closed automatically",
    "measured": "The patient measured again",
    "outside_done": "Somebody said in an outside CRM that it is done",
    "duty_gap": "Nobody could be told",
}

# What outside CRMs are told (cloud.crm.outbox), and why nothing is tried again.
CRM_EVENTS: Final[Mapping[str, str]] = {
    "org.pulsepost.appointment.booked.v1": "Appointment booked",
    "org.pulsepost.appointment.ended.v1": "Appointment over",
    "org.pulsepost.call.recorded.v1": "Call recorded",
    "org.pulsepost.case.escalated.v1": "Case escalated",
    "org.pulsepost.case.opened.v1": "Case opened",
    "org.pulsepost.case.resolved.v1": "Case closed",
    "org.pulsepost.case.returned.v1": "Case nobody’s again",
    "org.pulsepost.case.taken.v1": "Case taken",
    "org.pulsepost.case.worsened.v1": "Case worsened",
    "org.pulsepost.complaint.answered.v1": "Complaint answered",
    "org.pulsepost.complaint.closed.v1": "Complaint closed",
    "org.pulsepost.complaint.received.v1": "Complaint or suggestion received",
    "org.pulsepost.complaint.reopened.v1": "Complaint opened again",
    "org.pulsepost.patient.enrolled.v1": "Patient enrolled",
    "org.pulsepost.patient.withdrawn.v1": "Monitoring of a patient ended",
    "org.pulsepost.survey.answered.v1": "Survey answered",
    "org.pulsepost.visit.ended.v1": "Invitation over",
    "org.pulsepost.visit.invited.v1": "Patient invited",
}
CRM_SENT: Final[Mapping[str, str]] = {
    "values": "sentences of cases, with their figures",
    "names": "patients’ names",
    "phones": "patients’ telephone numbers",
    "surveys": "what patients answer to surveys",
}
# Why nothing goes through until a person does something, by the code of the CRM (cloud.crm.connectors.bitrix24.rest).
CRM_WHYS: Final[Mapping[str, str]] = {
    "ACCESS_DENIED": "REST is not part of the portal’s plan. Change the plan in Bitrix24.",
    "ERROR_METHOD_NOT_FOUND": "The webhook lacks a right. Give it crm and task in Bitrix24.",
    "INVALID_CREDENTIALS": "Bitrix24 does not know the webhook, or its owner was dismissed. Make a new one there.",
    "INVALID_REQUEST": "The webhook’s address has to begin with https://.",
    "NO_AUTH_FOUND": "Bitrix24 does not know the webhook. Make a new one there.",
    "OVERLOAD_LIMIT": "Bitrix24 has blocked REST for overload. Only its support opens it again: write to them.",
    "PORTAL_DELETED": "The portal is closed to the public. Open it in the settings of its main module.",
    "expired_token": "The webhook has expired. Make a new one in Bitrix24.",
    "insufficient_scope": "The webhook lacks a right. Give it crm and task in Bitrix24.",
    "no_portal": "There is no Bitrix24 at this address. Look it up there.",
    "user_access_error": "The webhook’s owner may not use REST. Give them access in Bitrix24.",
    "webhook_refused": "Bitrix24 refuses the webhook. Make a new one there.",
}
CRM_REFUSALS: Final[Mapping[str, str]] = {
    "reason": "Say why, in five letters or more.",
    "gone": "There was nothing to try again: somebody has done it.",
}

# Because of what a deadline did something to a case (alerting.escalate.Why).
CASE_WHYS: Final[Mapping[str, str]] = {
    "raised": "the case is new",
    "not_acknowledged": "nobody acknowledged it in time",
    "nobody_on_duty": "nobody is on duty",
    "nobody_in_care_team": "nobody on duty is in the patient's care team",
    "not_delivered": "nothing that was sent arrived",
    "not_contacted": "the patient was not spoken to in time",
    "lease_ended": "whoever had it did nothing with it in time",
    "silence_ended": "its silence has ended",
    "escalated": "it was escalated",
    "on_duty_now": "somebody is on duty now",
}

# Whom a case is escalated to.
ESCALATED_TO: Final[Mapping[str, str]] = {
    "nurse": "Nurse on duty",
    "doctor": "Doctor on duty",
    "lead_nurse": "Lead nurse",
    "weekly_review": "Weekly review",
}

# How the staff is reached.
CHANNELS: Final[Mapping[str, str]] = {
    "console": "Console",
    "print": "Printed",
    "email": "E-mail",
    "sms": "SMS",
    "voice": "Call",
    "webhook": "Webhook",
}

ADDRESS_REFUSALS: Final[Mapping[str, str]] = {
    "telephone": "This is no telephone number. Write it with its country code, such as +45 20 12 34 56.",
    "email": "This is no e-mail address.",
    "webhook": "Write your name at that system: letters, digits and . _ @ + -",
    "channel": "This way is not offered here.",
    "enough": "That is enough. Remove one first.",
    "under_way": "A code is on its way already. Wait for it, or try again in 10 minutes.",
    "too_many": "Too many codes were asked for within a day. Try again tomorrow.",
    "code": "This is not the code that was sent there. After 5 tries send another test.",
}

# How a page to a member of the staff stands.
NOTIFICATION_STATES: Final[Mapping[str, str]] = {
    "waiting": "on its way",
    "sent": "sent, not confirmed",
    "confirmed": "arrived",
    "failed": "did not arrive",
    "withdrawn": "called off",
}

CONFIRMATIONS: Final[Mapping[str, str]] = {
    "answer": "gateway’s answer",
    "receipt": "gateway’s receipt",
    "console": "seen by an open page",
    "acknowledged": "took the case",
    "code": "code typed",
}

ATTEMPT_OUTCOMES: Final[Mapping[str, str]] = {
    "sending": "under way",
    "sent": "handed over",
    "again": "refused for now",
    "never": "refused",
    "lost": "broken off",
    "withdrawn": "called off",
    "delivered": "delivered",
    "undelivered": "not delivered",
}

# What if ------------------------------------------------------------------------------------------------------------

RUN_STATES: Final[Mapping[str, str]] = {
    "waiting": "Waiting for its turn",
    "running": "Running",
    "done": "Done",
    "cancelled": "Cancelled",
    "failed": "Failed",
}

WHAT_IF_LINES: Final[Mapping[str, str]] = {
    "cases": "Cases that people work",
    "per_patient": "The same, per patient",
    "minutes": "Nurse minutes",
    "pages": "Pages",
    "automatic": "Closed automatically",
}

WHAT_IF_REFUSALS: Final[Mapping[str, str]] = {
    "choose": "Choose one.",
    "no_number": "Give a number, such as 65 or 3.6.",
    "nothing": "Change something: as it is, nothing would be different.",
    "other_regime": "A chosen limit is not one of the other regime. Try the regime first, then its limits.",
    "too_many": "Three of yours are still running. Wait for one, or cancel it.",
}

SPANS_OF_DAYS: Final[Mapping[str, str]] = {
    "28": "the last 28 days",
    "90": "the last 90 days",
    "365": "the last 365 days",
}

# Calls --------------------------------------------------------------------------------------------------------------

CALL_OUTCOMES: Final[Mapping[str, str]] = {"reached": "reached", "not_reached": "not reached", "voicemail": "voicemail"}

# Devices as things ---------------------------------------------------------------------------------------------------

STOCK_STATES: Final[Mapping[str, str]] = {
    "in_stock": "in stock",
    "handed_out": "handed out",
    "returned": "came back, to be wiped",
    "wiped": "wiped, in stock",
    "lost": "lost",
    "retired": "out of stock for good",
}

STOCK_OWNERS: Final[Mapping[str, str]] = {"clinic": "the clinic’s", "lessor": "leased", "patient": "the patient’s own"}

STOCK_ACTS: Final[Mapping[str, str]] = {
    "add": "Added",
    "hand_out": "Handed out",
    "take_back": "Came back",
    "wipe": "Wiped",
    "lose": "Lost",
    "find": "Found",
    "retire": "Taken out of stock for good",
    "lease": "Lease changed",
}

WAYS_TO_WIPE: Final[Mapping[str, str]] = {
    "deleted": "was deleted on the device",
    "noted": "cannot be deleted, or was not; what it held is noted here",
}

LEASE_STANDINGS: Final[Mapping[str, str]] = {"soon": "ends soon", "over": "is over"}

# Pairing: where it stands (gateway/pairing.py), why it failed and what to do, what came of it.
PAIRING_STATES: Final[Mapping[str, str]] = {
    "asked": "The gateway is asked …",
    "searching": "The gateway listens for the device. Do what stands above.",
    "several": "More than one device of this model is heard.",
    "connecting": "The device is heard, and being connected …",
    "passkey_wanted": "The device shows six digits.",
    "pairing": "The digits are with the gateway …",
    "reading": "It is paired. The gateway waits until it is heard again, and asks who it is …",
    "paired": "It is paired.",
    "failed": "It was not paired.",
}

PAIRING_WHYS: Final[Mapping[str, str]] = {
    "silent": "No device of this model was heard. Bring it near the gateway, into its pairing mode, and try again.",
    "not_chosen": "Several devices were heard, and none was chosen in time.",
    "passkey_wrong": "The digits were not those that it showed. Put it into pairing mode again: it shows new ones.",
    "no_passkey": "Nobody typed the digits in time. Put it into pairing mode again: it shows new ones.",
    "refused": "The device refused. Remove it from every phone, put it into pairing mode again, and try again.",
    "unreachable": "It was heard, and could not be connected. Bring it nearer, look at its battery, and try again.",
    "cut": "It was paired, and hung up before it said who it is. Measure once; if nothing arrives, try again.",
    "another_model": "Another model answered. Choose that one, if it is the right device.",
    "no_radio": "The gateway’s Bluetooth cannot be used now.",
    "no_room": "The gateway can keep nothing now. Look at its page first.",
    "stopped": "It was stopped.",
    "busy": "Another device is being paired at this gateway. Wait until that is done.",
    "defect": "The gateway’s program made a mistake. Tell support; its log says where.",
    "refused_by_gateway": "The gateway will not do it.",
    "no_answer": "The gateway did not answer in time. See that it has power and network, then try again.",
    "interrupted": "The gateway was interrupted. Try again.",
}

PAIRING_OUTCOMES: Final[Mapping[str, str]] = {
    "taken": "This is the patient’s device. What it measures from now on arrives by itself.",
    "another": "This is not the device that was handed out: its serial number is another.",
    "kept_from": "This device is not this patient’s: it was not handed out to them, or is somebody else’s.",
    "unknown": "This device is not in the stock. If it is the patient’s own, say so: it is theirs from then on.",
}

# Quality audits -----------------------------------------------------------------------------------------------------

QUALITY_STRATA: Final[Mapping[str, str]] = {
    "emergency": "Emergency",
    "urgent": "Urgent",
    "other": "Other tiers",
    "automatic": "Closed automatically",
}

QUALITY_ANSWERS: Final[Mapping[str, str]] = {"yes": "Yes", "no": "No", "not_applicable": "Does not apply"}

QUALITY_KINDS: Final[Mapping[str, str]] = {
    "briefing": "Briefing",
    "retraining": "Retraining",
    "script": "Change of a script",
    "limit": "Change of a limit",
    "contraindication": "Change of what speaks against taking part",
}

# The roster ---------------------------------------------------------------------------------------------------------

DUTY_ROLES: Final[Mapping[str, str]] = {"nurse": "Nurse", "doctor": "Doctor on call", "lead_nurse": "Lead nurse"}

# Why nobody could be told; {} is the role.
DUTY_GAPS: Final[Mapping[str, str]] = {
    "nobody_on_duty": "{}: nobody is on duty",
    "nobody_in_care_team": "{}: nobody on duty is in the care team of a patient with an urgent case",
}

# What deadlines rest on; the sources of limits are found where they are made.
SOURCES: Final[Mapping[str, str]] = {
    "project": "proposal of this project; no standard fixes it",
}
