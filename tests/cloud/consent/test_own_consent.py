"""A patient's own consent: given or refused on the own page, and taken back, so that nobody watches from then on."""

from datetime import timedelta

import pytest

from cloud.db.connect import open_connection
from tests.cloud.made import NOW, Ward, glucose, sent
from tests.fix_console import Console, Person

HERE = "/me/consent"


@pytest.fixture
def asta(console: Console) -> Person:
    return console.sign_in("asta")


def decisions(ward: Ward) -> list[tuple[str, str, str, bool]]:
    rows = ward.rows(
        "SELECT c.decision, c.method, c.language, a.role = 'patient' FROM consent c"
        " JOIN account a ON a.account_id = c.entered_by ORDER BY c.decision_no"
    )
    return [(decision, method, language, alone) for decision, method, language, alone in rows]


def test_a_patient_reads_the_text_in_their_language_and_agrees(console: Console, asta: Person) -> None:
    console.ward.admin.execute("UPDATE account SET language = 'ru' WHERE login = 'asta'")
    page = asta.get(HERE).text
    assert "Наблюдение на дому" in page
    assert asta.post(HERE, {"decision": "given", "version": "1"}).status_code == 303
    assert decisions(console.ward) == [("given", "screen", "ru", True)]
    assert 'value="given"' not in asta.get(HERE).text


def test_who_is_watched_does_not_disagree_and_stay_watched_unknown_to_everybody(console: Console, asta: Person) -> None:
    page = asta.get(HERE).text
    assert 'value="refused"' not in page
    assert "If you do not agree, take your consent back below." in page
    assert asta.post(HERE, {"decision": "refused", "version": "1"}).status_code == 422
    assert decisions(console.ward) == []


def test_a_patient_who_does_not_agree_may_change_their_mind(console: Console, asta: Person) -> None:
    console.ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at) VALUES (%s, %s)", (console.ward.patient_id, NOW)
    )
    asta.post(HERE, {"decision": "refused", "version": "1"})
    console.clock.forward(minutes=1)
    assert "You can change your mind." in asta.get(HERE).text
    asta.post(HERE, {"decision": "given", "version": "1"})
    assert [row[0] for row in decisions(console.ward)] == ["refused", "given"]


def test_what_is_no_decision_about_this_text_is_not_written_down(console: Console, asta: Person) -> None:
    for form in (
        {},
        {"decision": "given", "version": "2"},
        {"decision": "given", "version": ""},
        {"decision": "withdrawn", "version": "1"},
        {"decision": "yes", "version": "1"},
    ):
        assert asta.post(HERE, form).status_code == 422, form
    assert decisions(console.ward) == []


def test_taking_it_back_ends_everything_at_once(console: Console, asta: Person) -> None:
    ward = console.ward
    ward.receive(sent(glucose("62", NOW - timedelta(minutes=8))))
    assert ward.rows("SELECT count(*) FROM assessment_due") != [(0,)]
    asta.post(HERE, {"decision": "given", "version": "1"})
    assert asta.post(f"{HERE}/withdraw", {}).status_code == 422
    console.clock.forward(minutes=1)
    assert asta.post(f"{HERE}/withdraw", {"sure": "yes", "note": "too much"}).status_code == 303
    page = asta.get(HERE).text
    assert "Nobody watches your readings any longer." in page
    assert "Took the consent back" in page
    assert [row[0] for row in decisions(ward)] == ["given", "withdrawn"]
    assert ward.rows("SELECT end_reason, end_note, watched_from FROM participation") == [
        ("consent_withdrawn", "too much", None)
    ]
    assert ward.rows("SELECT count(*) FROM assessment_due") == [(0,)]
    assert ward.rows("SELECT count(*) FROM remeasure WHERE answer = 'waiting'") == [(0,)]
    assert ward.rows("SELECT count(*) FROM device_assignment WHERE upper_inf(valid)") == [(0,)]
    notice = f"/patients/{ward.patient_id}/participation/notice"
    worklist = console.sign_in("nora").get("/worklist").text
    assert notice in worklist
    # What waited to be confirmed opens no case any more; whoever calls them knows of it.
    assert "1 reading beyond a limit had still to be measured again" in worklist
    assert {row[0] for row in ward.rows("SELECT action FROM audit WHERE patient_id IS NOT NULL")} >= {
        "consent.given", "consent.withdrawn", "participation.end",
    }  # fmt: skip


def test_taking_it_back_twice_changes_nothing(console: Console, asta: Person) -> None:
    for _ in range(2):
        asta.post(f"{HERE}/withdraw", {"sure": "yes"})
        console.clock.forward(minutes=1)
    assert len(decisions(console.ward)) == 1
    assert asta.post(HERE, {"decision": "given", "version": "1"}).status_code == 422


def test_a_patient_ends_nobody_elses_participation(console: Console, asta: Person) -> None:
    ward = console.ward
    with open_connection(ward.database.console_url, "test console") as conn:
        conn.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(asta.account_id),))
        found = conn.execute(
            "SELECT end_participation(%s, 'consent_withdrawn', '', now())", (console.other_patient_id,)
        ).fetchone()
        assert found == (None,)
        own = conn.execute("SELECT end_participation(%s, 'moved', '', now())", (ward.patient_id,)).fetchone()
        assert own == (None,)


def test_the_care_team_enters_what_a_patient_says_on_the_telephone(console: Console) -> None:
    nora, url = console.sign_in("nora"), f"/enrolments/{console.ward.patient_id}/consent"
    said = {"decision": "withdrawn", "signed_on": "2026-11-21", "note": "by telephone"}
    assert nora.post(url, said).status_code == 303
    assert [row[0] for row in decisions(console.ward)] == ["withdrawn"]
    answer = nora.post(url, said | {"decision": "given"})
    assert answer.status_code == 422
    assert "It has ended already." in answer.text


def agreed_to(console: Console, version: int) -> None:
    """On paper, to this version."""
    console.ward.admin.execute(
        "INSERT INTO consent (patient_id, text_id, version, language, text_sha256, decision, method, entered_by,"
        " entered_at)"
        " VALUES (%s, 'monitoring', %s, 'en', '', 'given', 'paper', %s, %s)",
        (console.ward.patient_id, version, console.accounts["nora"], NOW - timedelta(days=90)),
    )


def test_who_agreed_to_an_older_text_is_reminded_until_they_answer_and_nothing_changes(
    console: Console, asta: Person
) -> None:
    nora, ward = console.sign_in("nora"), console.ward
    agreed_to(console, 0)  # the newest is version 1
    of_team = ("/patients", f"/patients/{ward.patient_id}", f"/enrolments/{ward.patient_id}")
    for path in ("/me", HERE):
        assert "There is a newer text. Please read it and say whether you agree." in asta.get(path).text, path
    for path in of_team:
        assert "newer consent text" in nora.get(path).text, path
    assert ward.rows("SELECT decision, version FROM consent") == [("given", 0)]
    assert ward.rows("SELECT count(*) FROM participation WHERE ended_at IS NOT NULL") == [(0,)]
    console.clock.forward(minutes=1)
    assert asta.post(HERE, {"decision": "given", "version": "1"}).status_code == 303
    for path in ("/me", HERE):
        assert "There is a newer text." not in asta.get(path).text, path
    for path in of_team:
        assert "newer consent text" not in nora.get(path).text, path


def test_of_an_older_text_only_the_care_team_is_told_and_nobody_once_it_has_ended(
    console: Console, asta: Person
) -> None:
    agreed_to(console, 0)
    console.ward.admin.execute("DELETE FROM care_team WHERE account_id = %s", (console.accounts["ben"],))
    assert "newer consent text" not in console.sign_in("ben").get("/patients").text
    asta.post(f"{HERE}/withdraw", {"sure": "yes"})
    assert "newer consent text" not in console.sign_in("nora").get("/patients").text
    assert "newer consent text" not in console.sign_in("nora").get(f"/patients/{console.ward.patient_id}").text
