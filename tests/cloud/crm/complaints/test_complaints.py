"""Complaints and suggestions from the patient to the answer: who sees them, who may do what, terms, file, themes."""

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from cloud.crm.complaints.overdue import look
from cloud.db.connect import open_connection
from deploy.receivers.gateways import Gateway
from tests.cloud.crm.made import BASE_URL, reaching
from tests.cloud.crm.quality.made import answers, begun, closed_case, drawn
from tests.cloud.crm.surveys.made import call, cleared, shared_console
from tests.cloud.made import NOW, Ward, glucose, pressure, sent
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person, csrf_token_in
from tests.fix_services import Copies

SAID = {"kind": "complaint", "body": "I waited three days for an answer.", "about": ""}
ANSWER = {"outcome": "partly", "words": "You are right about the waiting. We are sorry."}
DAYS = timedelta(days=1)


@pytest.fixture(scope="module")
def shared(copies: Copies, password_hash: str) -> Iterator[Console]:
    with shared_console(copies, password_hash) as console:
        yield console


@pytest.fixture
def console(shared: Console) -> Console:
    return cleared(shared)


def complaint(ward: Ward) -> str:
    """The address of the newest."""
    [(complaint_id,)] = ward.rows("SELECT complaint_id FROM complaint ORDER BY number DESC LIMIT 1")
    return f"/complaints/{complaint_id}"


def act(person: Person, url: str, name: str, **form: str) -> int:
    return person.post(f"{url}/acts/{name}", form).status_code


def looked(ward: Ward, at: timedelta) -> int:
    """What the job does then."""
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as connection:
        return look(connection, NOW + at)


def words_of(person: Person, path: str) -> str:
    return " ".join(text(person.get(path)).split())


def test_a_complaint_goes_from_the_patient_through_every_state_and_back(console: Console) -> None:
    lena, asta = console.sign_in("lena"), console.sign_in("asta")
    assert "is not read as an alarm" in asta.get("/me/complaints").text
    assert asta.post("/me/complaints", {**SAID, "body": " "}).status_code == 422
    assert asta.post("/me/complaints", SAID).status_code == 303
    assert "we have it" in words_of(asta, "/me/complaints")
    url = complaint(console.ward)
    assert "Asta Example" in words_of(lena, "/complaints")
    # In the order of the table alone; each of the others is refused in words.
    for name, status in (
        ("begin", 409), ("answer", 409), ("close", 409), ("reopen", 409), ("acknowledge", 303), ("close", 409),
        ("begin", 303), ("acknowledge", 409), ("answer", 303), ("answer", 303), ("begin", 409), ("close", 303),
        ("close", 409), ("answer", 409),
    ):  # fmt: skip
        assert act(lena, url, name, **ANSWER, note="by telephone") == status, name
    own = words_of(asta, "/me/complaints")
    assert "answered and closed" in own
    assert "Justified in part You are right about the waiting. We are sorry." in own
    reopening = url.replace("/complaints/", "/me/complaints/") + "/reopen"
    assert asta.post(reopening, {"note": ""}).status_code == 422
    assert asta.post(reopening, {"note": "Nobody said why."}).status_code == 303
    assert asta.post(reopening, {"note": "Again."}).status_code == 303, "a second press"
    nobodys = f"/me/complaints/{console.ward.patient_id}/reopen"
    assert asta.post(nobodys, {"note": "Again."}).status_code == 404
    page = words_of(lena, url)
    assert "We answer by 21 Dec 2026." in words_of(asta, "/me/complaints")
    assert "opened again" in page
    assert "Opened again · the patient Nobody said why." in page
    assert "Again." not in page
    for event in ("Received", "Acknowledged", "Work begun", "Answered", "Closed"):
        assert event in page
    audited = {action for (action,) in console.ward.rows("SELECT action FROM audit WHERE action ~ '^complaint'")}
    assert audited >= {f"complaint.{name}" for name in ("write", "acknowledge", "begin", "answer", "close", "reopen")}
    assert console.ward.rows("SELECT what, count(*) FROM outside_message GROUP BY 1") == [("complaint", 1)]


def test_nobody_who_is_its_subject_sees_owns_or_closes_it(console: Console) -> None:
    lena, ben, nora = console.sign_in("lena"), console.sign_in("ben"), console.sign_in("nora")
    console.sign_in("asta").post("/me/complaints", {**SAID, "about": str(console.accounts["nora"])})
    url = complaint(console.ward)
    assert nora.get(url).status_code == ben.get(url).status_code == 404
    refused = lena.post(f"{url}/owner", {"account_id": str(console.accounts["nora"])})
    assert refused.status_code == 422
    assert "It is about this person. Choose somebody else." in refused.text
    assert lena.post(f"{url}/owner", {"account_id": str(console.accounts["ben"])}).status_code == 303
    assert act(ben, url, "acknowledge") == act(ben, url, "begin") == 303
    # It turns out to be about Ben, too: it is taken from him, and he sees it no more.
    assert lena.post(f"{url}/subjects", {"account_id": str(console.accounts["ben"])}).status_code == 303
    assert console.ward.rows("SELECT owner FROM complaint") == [(None,)]
    for person in (nora, ben):
        assert person.get(url).status_code == act(person, url, "answer", **ANSWER) == 404
        assert "No. " not in words_of(person, "/complaints")
    page = words_of(lena, url)
    assert "Given to somebody · Lena Lund Ben Ortega" in page
    assert "Taken from its owner, whom it is about" in page
    # Not even by SQL.
    for column in ("owner", "closed_by", "answered_by"):
        with pytest.raises(psycopg.errors.CheckViolation):
            console.ward.admin.execute(
                f"UPDATE complaint SET {column} = %s, closed_at = now(), answered_at = now()",  # noqa: S608 -- our words
                (console.accounts["nora"],),
            )


def test_where_the_lead_nurses_are_its_subject_the_doctor_answers_for_it(console: Console) -> None:
    lena = console.sign_in("lena")
    console.sign_in("asta").post("/me/complaints", SAID)
    url, ada = complaint(console.ward), console.sign_in("ada")
    assert ada.get(url).status_code == 404
    gone = lena.post(f"{url}/subjects", {"account_id": str(console.accounts["lena"])})
    assert gone.headers["location"] == "/complaints"
    assert lena.get(url).status_code == 404
    # Nor does the database tell her whose it is.
    with psycopg.connect(console.ward.database.console_url) as own:
        own.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(console.accounts["lena"]),))
        assert own.execute("SELECT display_name FROM voice_patient").fetchall() == []
    assert act(ada, url, "acknowledge") == 303
    assert ada.post(f"{url}/file").status_code == 200


def test_one_is_taken_down_on_the_telephone_and_followed_by_who_wrote_it(console: Console) -> None:
    nora, ben = console.sign_in("nora"), console.sign_in("ben")
    listed = f"/patients/{console.ward.patient_id}/complaints"
    assert nora.post(listed, {**SAID, "kind": "suggestion", "call_me": "yes"}).status_code == 303
    url = complaint(console.ward)
    assert "taken down on the telephone: Nora Quist" in words_of(nora, url)
    assert "wants to be called back" in words_of(nora, listed)
    assert ben.get(url).status_code == 404
    # She tells the patient that it is here, and has it from then on.
    assert act(nora, url, "acknowledge") == act(nora, url, "begin") == 303
    assert act(nora, url, "answer", outcome="justified", words="x") == 422  # of a complaint
    assert act(nora, url, "answer", outcome="taken_up", words="We do so from now on.") == 303
    assert nora.post(f"{url}/file").status_code == 404
    for login in ("eve", "carl", "asta"):
        assert console.sign_in(login).post(listed, SAID).status_code == 404
    assert console.ward.count("complaint") == 1


def test_a_link_to_write_by_is_good_once_and_names_nobody(console: Console, phone_gateway: Gateway) -> None:
    lena = console.sign_in("lena")
    with reaching(console.ward, phone_gateway) as told:
        told.agree()
        assert console.sign_in("nora").post(f"/patients/{console.ward.patient_id}/complaints/link").status_code == 303
        told.look()
        said: str = json.loads(phone_gateway.requests[-1].body)["text"]
    found = re.search(rf"^There is something for you: {re.escape(BASE_URL)}(/c/\S+)$", said)
    assert found, said
    client = console.client()
    page = client.get(found[1]).text
    assert "Asta" not in page
    assert "Nora" not in page
    form = {**SAID, "harm": "yes", "csrf_token": csrf_token_in(page)}
    bare = found[1].partition("?")[0]
    assert client.post(bare, data={**form, "kind": ""}).status_code == 422
    assert "Thank you. We have it" in client.post(bare, data=form).text
    assert client.post(bare, data=form).status_code == 410
    assert console.client().post(bare, data=SAID).status_code == 403
    assert console.ward.rows("SELECT way, harm FROM complaint") == [("link", True)]
    assert "by a link" in words_of(lena, complaint(console.ward))
    for n in range(20):
        assert client.get(f"/c/guess-{n}").status_code == 410
    assert client.get("/c/guess-20").status_code == 429
    assert client.get(bare).status_code == 410, "answered, whoever else guessed"


def test_terms_have_sources_harm_has_shorter_ones_and_what_is_overdue_stands_with_the_lead_nurse(
    console: Console,
) -> None:
    lena, asta = console.sign_in("lena"), console.sign_in("asta")
    asta.post("/me/complaints", SAID)
    asta.post("/me/complaints", {**SAID, "harm": "yes", "body": "I fell because of it."})
    # NOW is a Saturday: three working days end with Wednesday.
    terms = console.ward.rows("SELECT harm, acknowledge_by::text, answer_by::text FROM complaint ORDER BY harm")
    assert terms == [
        (False, "2026-11-26 00:00:00+00", "2026-12-21 12:00:00+00"),
        (True, "2026-11-22 12:00:00+00", "2026-12-01 12:00:00+00"),
    ]
    url = complaint(console.ward)
    assert "a proposal of this project, because it names harm" in words_of(lena, url)
    assert looked(console.ward, DAYS / 2) == 0
    assert [looked(console.ward, n * DAYS) for n in (1.0, 1.5, 4.5, 9.0)] == [1, 0, 1, 0]
    console.clock.forward(days=5)
    page = words_of(console.sign_in("lena"), "/complaints").partition("Answered and closed")[0]
    overdue, _, open_ones = page.partition(" Open ")
    assert overdue.count("overdue since") == 2
    assert overdue.index("harm") < overdue.index("overdue since")
    assert "No. " not in open_ones
    lena = console.sign_in("lena")
    assert act(lena, url, "acknowledge") == 303
    assert "Overdue: it stands with the lead nurses" in words_of(lena, url)
    assert looked(console.ward, 9 * DAYS) == 0
    assert looked(console.ward, 11 * DAYS) == 1, "acknowledged, and not answered in time"


def test_one_patient_does_not_hide_what_the_others_wrote_under_a_heap_of_their_own(console: Console) -> None:
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    heap = [asta.post("/me/complaints", {**SAID, "body": f"Again, {n}."}).status_code for n in range(6)]
    assert heap == [303] * 5 + [422]
    assert "Please call instead." in asta.post("/me/complaints", SAID).text
    # What they say on the telephone is written down all the same.
    assert nora.post(f"/patients/{console.ward.patient_id}/complaints", SAID).status_code == 303
    console.clock.forward(days=1)
    assert console.sign_in("asta").post("/me/complaints", SAID).status_code == 303


def test_opened_again_by_the_patient_it_has_the_terms_of_harm_that_it_named(console: Console) -> None:
    asta, lena = console.sign_in("asta"), console.sign_in("lena")
    asta.post("/me/complaints", {**SAID, "harm": "yes"})
    url = complaint(console.ward)
    assert act(lena, url, "acknowledge") == act(lena, url, "begin") == act(lena, url, "answer", **ANSWER) == 303
    reopening = url.replace("/complaints/", "/me/complaints/") + "/reopen"
    assert asta.post(reopening, {"note": "I still cannot walk."}).status_code == 303
    assert console.ward.rows("SELECT state, (answer_by - changed_at)::text FROM complaint") == [("reopened", "10 days")]


def test_what_waits_for_somebody_is_counted_on_their_first_page(console: Console) -> None:
    lena, asta = console.sign_in("lena"), console.sign_in("asta")

    def waits(login: str) -> str:
        return words_of(console.sign_in(login), "/complaints/waiting")

    for login, path in (("lena", "/worklist"), ("ben", "/worklist"), ("ada", "/patients"), ("carl", "/enrolments")):
        assert '="/complaints/waiting"' in console.sign_in(login).get(path).text, path
    assert waits("lena") == ""
    asta.post("/me/complaints", SAID)
    asta.post("/me/complaints", {**SAID, "body": "She was rude."})
    assert waits("lena") == "2 complaints and suggestions wait for you"
    lena.post(f"{complaint(console.ward)}/subjects", {"account_id": str(console.accounts["lena"])})
    assert waits("lena") == "1 complaint or suggestion waits for you", "not the one that is about her"
    assert waits("ada") == "1 complaint or suggestion waits for you", "as there is no other lead nurse"
    assert waits("ben") == ""
    [(complaint_id,)] = console.ward.rows("SELECT complaint_id FROM complaint ORDER BY number LIMIT 1")
    lena.post(f"/complaints/{complaint_id}/owner", {"account_id": str(console.accounts["ben"])})
    assert (waits("lena"), waits("ben")) == ("", "1 complaint or suggestion waits for you")
    console.ward.admin.execute("UPDATE account SET disabled_at = now() WHERE login = 'ben'")
    assert waits("lena") == "1 complaint or suggestion waits for you", "he has left"
    console.ward.admin.execute("UPDATE account SET disabled_at = NULL WHERE login = 'ben'")
    console.clock.forward(days=5)
    assert waits("lena") == waits("ben") == "1 complaint or suggestion waits for you, 1 is overdue"
    assert act(console.sign_in("ben"), f"/complaints/{complaint_id}", "acknowledge") == 303
    assert (waits("lena"), waits("ben")) == ("", "1 complaint or suggestion waits for you")
    console.ward.admin.execute(
        "INSERT INTO survey_comment (patient_id, kind, concerned, body, written_at)"
        " VALUES (%s, 'contact', %s, 'b', %s)",
        (console.ward.patient_id, console.accounts["nora"], NOW),
    )
    assert waits("lena") == "1 comment of a survey is not read yet"
    assert [waits(login) for login in ("nora", "eve", "carl")] == ["", "", ""]


def test_who_presses_twice_has_written_once(console: Console) -> None:
    asta, nora = console.sign_in("asta"), console.sign_in("nora")
    listed = f"/patients/{console.ward.patient_id}/complaints"
    for person, path in ((asta, "/me/complaints"), (nora, listed)):
        assert [person.post(path, SAID).status_code for _ in range(2)] == [303, 303]
    assert console.ward.rows("SELECT way FROM complaint ORDER BY number") == [("page",), ("telephone",)]
    sent_to = {nora.post(f"{listed}/link").headers["location"] for _ in range(2)}
    assert console.ward.count("complaint_ask") == console.ward.count("outside_message") == 1
    assert "The link goes out" in words_of(nora, sent_to.pop())
    console.clock.forward(minutes=11)
    asta.post("/me/complaints", SAID)
    nora.post(f"{listed}/link")
    assert (console.ward.count("complaint"), console.ward.count("complaint_ask")) == (3, 2)


def test_terms_of_what_was_opened_again_run_from_then_and_harm_stays_harm(console: Console) -> None:
    lena = console.sign_in("lena")
    console.sign_in("asta").post("/me/complaints", {**SAID, "harm": "yes"})
    url = complaint(console.ward)
    for name in ("acknowledge", "begin", "answer"):
        assert act(lena, url, name, **ANSWER) == 303
    console.clock.forward(days=40)
    lena, asta = console.sign_in("lena"), console.sign_in("asta")
    assert asta.post(f"/me{url}/reopen", {"note": "It still hurts."}).status_code == 303

    def terms() -> tuple[object, ...]:
        [row] = console.ward.admin.execute(
            "SELECT (acknowledge_by - %(at)s)::text, (answer_by - %(at)s)::text FROM complaint", {"at": console.clock()}
        )
        return row

    assert terms() == ("1 day", "10 days")
    assert lena.post(f"{url}/harm", {"harm": "no", "note": "Another patient."}).status_code == 303
    assert terms()[1] == "30 days"
    assert lena.post(f"{url}/harm", {"harm": "yes", "note": "Of this one, too."}).status_code == 303
    assert terms() == ("1 day", "10 days")


def test_whoever_handles_it_marks_harm_and_only_the_lead_takes_the_mark_away(console: Console) -> None:
    lena, nora = console.sign_in("lena"), console.sign_in("nora")
    nora.post(f"/patients/{console.ward.patient_id}/complaints", SAID)
    url = complaint(console.ward)
    assert nora.post(f"{url}/harm", {"harm": "yes", "note": ""}).status_code == 422
    assert nora.post(f"{url}/harm", {"harm": "yes", "note": "She fell."}).status_code == 303
    assert console.ward.rows("SELECT harm, (answer_by - received_at)::text FROM complaint") == [(True, "10 days")]
    assert nora.post(f"{url}/harm", {"harm": "no", "note": "Not so."}).status_code == 409
    assert lena.post(f"{url}/harm", {"harm": "no", "note": "Another patient."}).status_code == 303
    assert console.ward.rows("SELECT harm, (answer_by - received_at)::text FROM complaint") == [(False, "30 days")]
    assert "She fell." in words_of(lena, url)


def test_the_case_file_holds_what_belongs_to_it_and_is_audited(console: Console) -> None:
    ward, lena = console.ward, console.sign_in("lena")
    ward.receive(sent(glucose("263")), sent(pressure("151", "92")), at=NOW)
    call(ward, console.accounts["nora"], NOW - DAYS)
    asta = console.sign_in("asta")
    asta.post("/me/messages", {"body": "=SUM(1) Nobody calls.", "message_id": str(ward.patient_id), "seen": ""})
    asta.post("/me/complaints", {**SAID, "about": str(console.accounts["ben"])})
    url = complaint(ward)
    lena.post(f"{url}/theme", {"theme": "waiting_time"})
    assert lena.post(f"{url}/file", {"first": "2026-12-01", "last": "2026-11-01"}).status_code == 422
    answer = lena.post(f"{url}/file")
    assert answer.headers["content-type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert "I waited three days for an answer." in files["complaint.txt"]
    assert "Asta Example" in files["complaint.txt"]
    tables = {name: list(csv.DictReader(io.StringIO(content))) for name, content in files.items() if name[-3:] == "csv"}
    assert [one["name"] for one in tables["subjects.csv"]] == ["Ben Ortega (nurse)"]
    assert sorted(one["value"] or one["systolic"] for one in tables["readings.csv"]) == ["151", "263"]
    assert [one["by"] for one in tables["calls.csv"]] == ["Nora Quist (nurse)"]
    assert [one["body"] for one in tables["messages.csv"]] == ["'=SUM(1) Nobody calls."]
    assert len(tables["cases.csv"]) == 1
    assert {one["event"] for one in tables["history.csv"]} == {"receive"}
    assert [one["theme"] for one in tables["themes.csv"]] == ["waiting_time"]
    for line in tables["manifest.csv"]:
        assert hashlib.sha256(files[line["file"]].encode()).hexdigest() == line["sha256"]
        assert int(line["rows"]) == (1 if line["file"] == "complaint.txt" else len(tables[line["file"]]))
    [(account_id, patient_id, detail)] = ward.rows(
        "SELECT account_id, patient_id, detail FROM audit WHERE action = 'complaint.export'"
        " ORDER BY audit_id DESC LIMIT 1"
    )
    assert (account_id, patient_id) == (console.accounts["lena"], ward.patient_id)
    assert detail["rows"]["readings"] == 2
    assert "Case file of a complaint exported" in words_of(asta, "/me/access")
    # Of a span before anything happened there is nothing, and each table says so by being there.
    early = lena.post(f"{url}/file", {"first": "2025-01-01", "last": "2025-01-02"})
    assert zipfile.ZipFile(io.BytesIO(early.content)).read("readings.csv") == b"none\r\n"


def test_themes_are_counted_by_month_with_what_was_done(console: Console) -> None:
    ward, lena, nora = console.ward, console.sign_in("lena"), console.sign_in("nora")
    for n in range(2):
        nora.post(f"/patients/{ward.patient_id}/complaints", {**SAID, "body": f"It is slow, {n}."})
        assert nora.post(f"{complaint(ward)}/theme", {"theme": "waiting_time"}).status_code == 303
    nora.post(f"{complaint(ward)}/theme", {"theme": "waiting_time"})  # twice
    nora.post(f"{complaint(ward)}/theme", {"theme": "device"})
    nora.post(f"{complaint(ward)}/theme", {"theme": "device", "remove": "yes"})
    assert nora.post(f"{complaint(ward)}/theme", {"theme": "nonsense"}).status_code == 422
    ward.admin.execute(
        "WITH made AS (INSERT INTO survey_comment (patient_id, kind, body, written_at) VALUES (%(p)s, 'contact', 'b',"
        " %(at)s) RETURNING comment_id) INSERT INTO voice_theme (theme, what, thing_id, patient_id, happened_at,"
        " tagged_by, tagged_at) SELECT 'waiting_time', 'comment', comment_id, %(p)s, %(at)s, %(by)s, %(at)s FROM made",
        {"p": ward.patient_id, "at": NOW - 40 * DAYS, "by": console.accounts["ben"]},
    )
    assert lena.post("/themes", {"theme": "waiting_time", "body": "", "done_on": "2026-11-20"}).status_code == 422
    assert lena.post("/themes", {"theme": "waiting_time", "body": "x", "done_on": "2027-11-20"}).status_code == 422
    done = {"theme": "waiting_time", "body": "Two more hours on Mondays.", "done_on": "2026-11-22"}
    assert lena.post("/themes", done).status_code == 422, "tomorrow"
    # Where the clinic is, it is tomorrow already.
    ward.admin.execute("UPDATE duty_site SET time_zone = 'Pacific/Auckland'")
    assert lena.post("/themes", done).status_code == 303
    page = words_of(lena, "/themes")
    assert "Waiting time 2026-11 2 0 0" in page
    assert "Waiting time 2026-10 0 fewer than 5 0" in page
    assert "Device 2026" not in page
    assert "Two more hours on Mondays." in page
    assert nora.get("/themes").status_code == 404


def test_what_an_audit_found_is_counted_with_the_themes(console: Console) -> None:
    lena, nora = console.sign_in("lena"), console.sign_in("nora")
    case_id = closed_case(console.ward, console.accounts["nora"])
    audit = begun(lena, drawn(lena, percent=100), case_id)
    audit_id = audit.rpartition("/")[2]
    assert lena.post(f"/themes/findings/{audit_id}", {"theme": "x"}).status_code == 422
    assert lena.post(f"/themes/findings/{audit_id}", {"theme": "documentation"}).headers["location"] == audit
    assert nora.post(f"/themes/findings/{audit_id}", {"theme": "documentation"}).status_code == 404
    assert lena.post(f"/themes/findings/{case_id}", {"theme": "documentation"}).status_code == 404
    assert "Documentation 2026-11 0 0 1" in words_of(lena, "/themes")
    assert lena.post(audit, {**answers(), "finish": "yes"}).status_code == 303
    page = lena.get(audit).text
    assert "Take away" in page
    assert page.count('value="documentation"') == 1, "to be taken away, and not to be said once more"
    assert lena.post(f"/themes/findings/{audit_id}", {"theme": "documentation", "remove": "yes"}).status_code == 303
    assert "Take away" not in lena.get(audit).text
