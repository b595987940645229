"""Documents end to end: each made from the data of a real ward, kept as it was given out, for those who may have it."""

from datetime import UTC, datetime
from hashlib import sha256

import psycopg
import pytest

from cloud.consent import documents as consent_texts
from cloud.crm.documents.templates import LINE
from tests.cloud.crm.documents.made import (
    CLINIC,
    JPEG,
    PDF,
    PNG,
    administrator,
    attach,
    dense,
    made,
    newest,
    of,
    said,
    set_clinic,
)
from tests.cloud.made import NOW
from tests.cloud.review.made import glucose_weeks, pressure_weeks
from tests.fix_console import Console, Person

METER = {"profile": "roche-accu-chek-guide", "serial_number": "92312001", "owner": "lessor", "lessor": "Lease Ltd",
         "lease_ends_on": "2027-01-31"}  # fmt: skip
PERIOD = {"first_day": "2026-10-25", "last_day": "2026-11-14"}


@pytest.fixture
def nora(console: Console) -> Person:
    return console.sign_in("nora")


def audited(console: Console, action: str) -> list[tuple[object, ...]]:
    return console.ward.admin.execute(
        "SELECT subject, patient_id, detail FROM audit WHERE action = %s", (action,)
    ).fetchall()


# Each document --------------------------------------------------------------------------------------------------------


def test_a_consent_form_has_the_text_in_use_until_one_was_agreed_to_and_then_that_one(
    console: Console, nora: Person
) -> None:
    before = said(made(console, nora, "consent"))
    text = consent_texts.newest("en")
    assert text.title in before
    assert f"How it was agreed to {LINE}" in before
    asta = console.sign_in("asta")
    assert asta.post("/me/consent", {"decision": "given", "version": str(text.version)}).status_code == 303

    after = said(made(console, nora, "consent"))

    assert "Agreed by the patient on their own page on 21 Nov 2026, 13:00 (Europe/Copenhagen), signed in." in after
    assert "It was read in: English." in after
    assert f"version {text.version}" in after
    assert "同意的方式" in dense(made(console, nora, "consent", "zh"))
    assert "Как было дано согласие" in said(made(console, nora, "consent", "ru"))


def test_a_text_that_is_not_the_one_that_was_agreed_to_is_not_put_in_its_place(console: Console, nora: Person) -> None:
    console.ward.admin.execute(
        "INSERT INTO consent (patient_id, text_id, version, language, text_sha256, decision, method, entered_by,"
        " entered_at) VALUES (%s, 'monitoring', 1, 'en', 'another', 'given', 'paper', %s, %s)",
        (console.ward.patient_id, console.accounts["nora"], NOW),
    )
    answer = nora.post(of(console), {"kind": "consent", "language": "en"})
    assert answer.status_code == 409
    assert "does not have the text that the patient agreed to" in answer.text
    assert console.ward.count("document") == 0


def test_an_act_of_handing_over_names_each_device_and_leaves_room_for_what_nobody_typed(
    console: Console, nora: Person
) -> None:
    devices = f"/patients/{console.ward.patient_id}/devices"
    assert said(made(console, nora, "hand_over")).count("92312001") == 0
    added = nora.post("/stock", METER)
    nora.post(devices, {"scan": "92312001", "item_id": "", "since": "2026-11-20T08:00"})
    assert f"{of(console)}#make-hand_over" in nora.get(devices).text
    item = added.headers["location"].rpartition("/")[2]

    act = said(made(console, nora, "hand_over", **{f"condition:{item}": "as new"}))

    for words in ("Asta Example", "Accu-Chek Guide", "92312001", "leased, Lease Ltd", "31 Jan 2027", "20 Nov 2026",
                  "as new", "Received by", "Given back"):  # fmt: skip
        assert words in act, words
    assert LINE in act, "the clinic has not said its name"
    assert "Акт приёма-передачи приборов" in said(made(console, nora, "hand_over", "ru"))


def test_a_report_shows_the_chosen_period_with_plan_limits_and_changes_of_that_time(console: Console) -> None:
    pressure_weeks(console.ward, 60)
    glucose_weeks(console.ward, 40)
    ada = console.sign_in("ada")
    treatment = f"/patients/{console.ward.patient_id}/treatment/changes"
    for day, what in (("2026-11-02", "Amlodipine 10 mg"), ("2026-11-18", "Metformin stopped")):
        ada.post(treatment, {"changed_on": day, "what": what, "why": "home average"})
    plan = f"/patients/{console.ward.patient_id}/plan"
    ada.post(f"{plan}/slots", {"kind": "glucose", "at": "08:00", "before": "3", "after": "2", "day0": "1"})

    report = said(made(console, ada, "report", **PERIOD))

    assert "25 Oct 2026 to 14 Nov 2026" in report
    assert "Readings of 25 Oct 2026 to 14 Nov 2026." in report, "the review’s page is of the same days"
    assert "in 21 days" in report, "the chart's own words"
    assert "Amlodipine 10 mg" in report
    assert "Metformin stopped" not in report
    assert "Alarm limits at the end of the period" in report
    assert "Programme: Standard" in report
    assert "Glucose, Mon" not in report, "set after the period"
    late = said(made(console, ada, "report", first_day="2026-11-15", last_day="2026-11-21"))
    assert "Metformin stopped" in late
    assert "Amlodipine 10 mg" not in late
    assert "08:00 Glucose, Mon" in late
    assert "监测报告" in dense(made(console, ada, "report", "zh", **PERIOD))
    console.clock.time = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)  # half past two where the patient lives
    night = said(made(console, console.sign_in("ada"), "report", first_day="2026-11-15", last_day="2026-11-22"))
    assert night.count("15 Nov 2026 to 21 Nov 2026") == 2, "the document’s words and the review’s are of the same days"


def test_a_privacy_notice_is_made_of_what_the_retention_does_and_of_what_the_clinic_said(
    console: Console, nora: Person
) -> None:
    answer = nora.post(of(console), {"kind": "privacy", "language": "en"})
    assert answer.status_code == 409
    assert "An administrator enters them under Documents" in answer.text
    ben = administrator(console)
    assert ben.post("/documents/clinic", CLINIC).status_code == 303

    notice = said(made(console, nora, "privacy"))

    for words in (
        *CLINIC.values(),
        "180 days",
        "30 days",
        "Nurse: of your care team",
        "supervisory authority: The Authority",
    ):
        if words != CLINIC["hours"]:
            assert words in notice, words
    assert LINE not in notice
    assert "隐私告知书" in dense(made(console, nora, "privacy", "zh"))


def test_documents_of_the_centre_say_what_is_configured_and_nothing_of_a_patient(
    console: Console, nora: Person
) -> None:
    set_clinic(console)
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'eve'")
    terms = {"tier": "urgent", "acknowledge_within": "17 min", "lease": "2 h"}
    assert console.sign_in("eve").post("/programmes/standard/terms", terms).status_code == 303
    for kind, words in (
        ("sop_programme", ("Standard", "Taking a patient in")),
        ("sop_escalation", ("Emergency", "5 min", "17 min", "Doctor on duty", "proposal of this project")),
        ("sop_roles", ("Lead nurse", "Reads the audit.")),
        ("privacy", ("dpo@clinic.example",)),
    ):
        assert nora.post("/documents", {"kind": kind, "language": "en"}).status_code == 303
        text = said(nora.get(f"/documents/{newest(console)}").content)
        for word in words:
            assert word in text, word
        assert "Asta" not in text
        assert "TRAINING" not in text
    assert {patient_id for _, patient_id, _ in audited(console, "document.make")} == {None}
    console.ward.admin.execute("UPDATE duty_site SET time_zone = 'Asia/Shanghai'")
    assert "21 Nov 2026, 20:00" in nora.get("/documents").text, "by the clock on the clinic’s wall"


# Kept -----------------------------------------------------------------------------------------------------------------


def test_what_was_given_out_is_given_out_again_unchanged_and_each_time_is_in_the_audit(
    console: Console, nora: Person
) -> None:
    first = made(console, nora, "consent")
    console.ward.admin.execute("UPDATE patient SET display_name = 'Another Name'")
    console.clock.forward(days=30)
    again = console.sign_in("nora").get(f"{of(console)}/{newest(console)}")
    assert again.content == first
    assert again.headers["content-disposition"].startswith('attachment; filename="consent-')
    assert again.headers["x-content-type-options"] == "nosniff"
    assert again.headers["cache-control"] == "no-store"
    [(digest, kind, template, language)] = console.ward.rows(
        "SELECT sha256, kind, template_version, language FROM document"
    )
    assert (bytes(digest), kind, template, language) == (sha256(first).digest(), "consent", 1, "en")
    [(_, patient_id, detail)] = audited(console, "document.make")
    assert patient_id == console.ward.patient_id
    assert detail == {"kind": "consent", "language": "en", "template": "shipped", "version": 1}
    assert len(audited(console, "document.read")) == 2
    assert sha256(first).hexdigest() in console.sign_in("nora").get(of(console)).text


def test_the_console_cannot_change_what_was_given_out(console: Console, nora: Person) -> None:
    made(console, nora, "consent")
    with psycopg.connect(console.ward.database.console_url) as conn:
        conn.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(console.accounts["nora"]),))
        assert conn.execute("SELECT count(*) FROM document").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("UPDATE document SET octets = 'x', sha256 = sha256('x')")
    with pytest.raises(psycopg.errors.CheckViolation):
        console.ward.admin.execute("UPDATE document SET octets = 'x'")


def test_a_coordinator_gets_what_is_signed_and_no_report_with_readings(console: Console) -> None:
    pressure_weeks(console.ward, 20)
    ada = console.sign_in("ada")
    made(console, ada, "report", **PERIOD)
    report = newest(console)
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.ward.patient_id, console.accounts["carl"]),
    )
    carl = console.sign_in("carl")
    assert "Monitoring report" not in carl.get(of(console)).text
    assert carl.get(f"{of(console)}/{report}").status_code == 404
    assert attach(carl, f"{of(console)}/{report}/scans", PDF).status_code == 404
    assert carl.post(of(console), {"kind": "report", "language": "en", **PERIOD}).status_code == 422
    assert said(made(console, carl, "consent"))


def test_patients_find_their_own_documents_and_make_some_in_their_language(console: Console, nora: Person) -> None:
    set_clinic(console)
    made(console, nora, "hand_over")
    console.ward.admin.execute("UPDATE account SET language = 'ru' WHERE login = 'asta'")
    asta = console.sign_in("asta")
    theirs = newest(console)
    assert asta.get(f"/me/documents/{theirs}").status_code == 200
    assert asta.post("/me/documents", {"kind": "privacy"}).status_code == 303
    own = newest(console)
    assert "Уведомление об обработке персональных данных" in said(asta.get(f"/me/documents/{own}").content)
    assert [str(theirs) in asta.get("/me/documents").text, str(own) in nora.get(of(console)).text] == [True, True]
    assert asta.post("/me/documents", {"kind": "report"}).status_code == 404
    nora.post("/documents", {"kind": "sop_roles", "language": "en"})
    assert asta.get(f"/me/documents/{newest(console)}").status_code == 404
    console.ward.admin.execute("UPDATE account SET patient_id = %s WHERE login = 'asta'", (console.other_patient_id,))
    assert asta.get(f"/me/documents/{own}").status_code == 404


def test_a_document_of_one_patient_is_not_found_under_another(console: Console, nora: Person) -> None:
    made(console, nora, "consent")
    document_id = newest(console)
    assert nora.get(f"/documents/{document_id}").status_code == 404
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)",
        (console.other_patient_id, console.accounts["nora"]),
    )
    assert nora.get(f"/patients/{console.other_patient_id}/documents/{document_id}").status_code == 404


def test_a_period_that_cannot_be_shown_is_said_at_its_field(console: Console) -> None:
    ada = console.sign_in("ada")
    for field, typed, words in (
        ("first_day", "2026-11-10", "at least 7 and at most 92 days"),
        ("first_day", "2026-01-01", "at least 7 and at most 92 days"),
        ("last_day", "2026-11-22", "This lies in the future"),
        ("last_day", "soon", "This is no date"),
    ):
        answer = ada.post(of(console), {"kind": "report", "language": "en", **PERIOD, field: typed})
        assert (answer.status_code, words in answer.text) == (422, True), typed


# Scans ----------------------------------------------------------------------------------------------------------------


def test_a_signed_paper_is_attached_once_read_as_a_file_and_withdrawn_with_a_reason(
    console: Console, nora: Person
) -> None:
    made(console, nora, "consent")
    there = f"{of(console)}/{newest(console)}/scans"
    for _ in range(2):
        assert attach(nora, there, PNG).status_code == 303
    assert attach(nora, there, JPEG).status_code == 303
    assert console.ward.count("document_scan") == 2
    assert len(audited(console, "document_scan.add")) == 2
    [(scan_id,)] = console.ward.rows("SELECT scan_id FROM document_scan WHERE media_type = 'image/png'")
    asta = console.sign_in("asta")
    for answer in (nora.get(f"{of(console)}/scans/{scan_id}"), asta.get(f"/me/documents/scans/{scan_id}")):
        assert answer.content == PNG
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["content-disposition"].startswith('attachment; filename="consent-')
        assert "Asta" not in answer.headers["content-disposition"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert len(audited(console, "document_scan.read")) == 2

    withdraw = f"{of(console)}/scans/{scan_id}/withdraw"
    assert nora.post(withdraw, {"why": ""}).status_code == 422
    assert nora.post(withdraw, {"why": "it is somebody else's paper"}).status_code == 303

    assert nora.post(withdraw, {"why": "again"}).status_code == 404
    assert nora.get(f"{of(console)}/scans/{scan_id}").status_code == 404
    assert asta.get(f"/me/documents/scans/{scan_id}").status_code == 404
    assert "it is somebody else&#39;s paper" in nora.get(of(console)).text
    assert str(scan_id) not in asta.get("/me/documents").text


def test_what_is_no_scan_is_refused_by_what_it_holds_whatever_it_calls_itself(console: Console, nora: Person) -> None:
    made(console, nora, "consent")
    for octets, words in (
        (b"<html><script>alert(1)</script></html>", "no whole PDF, JPEG or PNG"),
        (b"", "Choose the file"),
        (PDF[:-6], "no whole PDF"),
    ):
        answer = attach(nora, f"{of(console)}/{newest(console)}/scans", octets)
        assert (answer.status_code, words in answer.text) == (422, True), octets
    assert console.ward.count("document_scan") == 0


def test_a_scan_may_not_be_larger_nor_of_the_future_nor_sent_in_another_alphabet(
    console: Console, nora: Person
) -> None:
    made(console, nora, "consent")
    there = f"{of(console)}/{newest(console)}/scans"
    limit = 10 * 1024 * 1024
    assert attach(nora, there, JPEG[:4] + bytes(limit - len(JPEG)) + JPEG[4:]).status_code == 303
    assert attach(nora, there, JPEG[:4] + bytes(limit - len(JPEG) + 1) + JPEG[4:]).status_code == 422
    assert attach(nora, there, bytes(limit + 40_000)).status_code == 413
    assert attach(nora, there, PNG, signed_on="2026-11-22").status_code == 422
    kind = "multipart/form-data; boundary=b; charset=utf-7"
    assert nora.client.post(there, content=b"--b--\r\n", headers={"Content-Type": kind}).status_code == 415
    assert attach(nora, f"{of(console)}/messages", PNG).status_code in (404, 405, 415)


# Wording --------------------------------------------------------------------------------------------------------------


def test_the_clinics_own_wording_is_a_draft_until_somebody_else_approves_it(console: Console, nora: Person) -> None:
    ben, eve = administrator(console), administrator(console, "eve")
    page = ben.get("/documents/wording/hand_over").text
    assert "{{devices}}" in page
    texts = {
        f"text_{code}": f"# {title}\n\nOur own words, {{{{patient_name}}}}.\n\n{{{{devices}}}}\n\n__ {title}"
        for code, title in (("en", "Our act"), ("ru", "Наш акт"), ("zh", "我们的单据"))
    }
    bad = ben.post("/documents/wording/hand_over", {**texts, "text_ru": "# Акт\n\n{{name}}"})
    assert bad.status_code == 422
    assert "There is no such field in this document: name." in bad.text
    assert ben.post("/documents/wording/hand_over", texts).status_code == 303
    [(template_id,)] = console.ward.rows("SELECT template_id FROM document_template")
    here = f"/documents/wording/{template_id}"

    preview = said(eve.get(f"{here}/preview/en").content)
    assert "not to be handed out" in preview
    assert "«patient_name»" in preview
    assert "Our own words" not in said(made(console, nora, "hand_over"))
    assert ben.post(f"{here}/approve").status_code == 404, "one's own"
    assert nora.post(f"{here}/approve").status_code == 404
    assert eve.post(f"{here}/approve", {"kind": "hand_over"}).headers["location"] == "/documents/wording/hand_over"

    own = said(made(console, nora, "hand_over"))
    assert "Our own words, Asta Example." in own
    assert "the clinic’s wording 1" in own
    assert "我们的单据" in dense(made(console, nora, "hand_over", "zh"))
    assert ben.post(f"{here}/withdraw").status_code == 303
    assert "Our own words" not in said(made(console, nora, "hand_over"))
    rows = console.ward.rows("SELECT template_id IS NULL, template_version FROM document ORDER BY document_no")
    assert rows == [(True, 1), (False, 1), (False, 1), (True, 1)]
    for action in ("write", "approve", "withdraw"):
        assert len(audited(console, f"document_template.{action}")) == 1


def test_a_wording_that_this_software_no_longer_understands_makes_nothing(console: Console, nora: Person) -> None:
    console.ward.admin.execute(
        "INSERT INTO document_template (kind, version, texts, written_by, written_at, approved_by, approved_at)"
        " VALUES ('consent', 1, '{\"en\": \"# x\"}', %s, now(), %s, now())",
        (console.accounts["ben"], console.accounts["eve"]),
    )
    answer = nora.post(of(console), {"kind": "consent", "language": "en"})
    assert answer.status_code == 409
    assert "does not fit this version" in answer.text
    assert nora.get("/documents/wording/consent").status_code == 200


def test_nothing_of_a_patient_is_in_the_audit_of_documents(console: Console, nora: Person) -> None:
    made(console, nora, "consent")
    rows = console.ward.rows("SELECT subject || coalesce(detail::text, '') FROM audit WHERE action LIKE 'document%'")
    assert rows
    assert not any("Asta" in row for (row,) in rows)


def test_a_patient_does_not_fill_the_database_with_documents_that_are_kept_for_ever(
    console: Console, nora: Person
) -> None:
    made(console, nora, "consent")
    console.ward.admin.execute(
        "INSERT INTO document (document_id, patient_id, kind, template_version, language, octets, sha256, made_by,"
        " made_at) SELECT gen_random_uuid(), patient_id, kind, 1, 'en', octets, sha256, %s, made_at FROM document,"
        " generate_series(1, 20)",
        (console.accounts["asta"],),
    )
    refused = console.sign_in("asta").post("/me/documents", {"kind": "consent"})
    assert refused.status_code == 409
    assert "many documents today" in refused.text
    made(console, nora, "consent")
    console.clock.forward(days=1)
    assert console.sign_in("asta").post("/me/documents", {"kind": "consent"}).status_code == 303
