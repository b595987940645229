"""Quality audits as people come by them: drawn, audited, answered, acted upon; and who sees nothing of it."""

import csv
import io
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from alerting.tiers import Tier
from cloud.auth.models import Role
from cloud.crm.quality.models import Closed
from cloud.crm.quality.sampling import draw, frame_of
from tests.cloud.crm.quality.made import CLOSED, OCTOBER, answers, auditing, begun, called, closed_case, drawn, walked
from tests.cloud.made import Ward
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person


@pytest.fixture
def otto(console: Console, password_hash: str) -> Person:
    return auditing(console, password_hash, "otto", Role.AUDITOR)


@pytest.fixture
def lena(console: Console, password_hash: str) -> Person:
    return auditing(console, password_hash, "lena", Role.LEAD_NURSE)


def cases_of(ward: Ward) -> dict[UUID, tuple[UUID | None, str]]:
    rows = ward.rows("SELECT case_id, closed_by, stratum FROM quality_case")
    return {case_id: (closed_by, stratum) for case_id, closed_by, stratum in rows}


def a_month(console: Console) -> dict[str, UUID]:
    """Twelve routine cases and an emergency of nora, one of ben, one of nobody, one of training, one of November."""
    ward, nora, ben = console.ward, console.accounts["nora"], console.accounts["ben"]
    for n in range(12):
        closed_case(ward, nora, Tier.ROUTINE, CLOSED + timedelta(hours=n))
    ward.admin.execute("INSERT INTO patient (display_name, time_zone, training) VALUES ('TRAINING A', 'UTC', true)")
    [(trainee,)] = ward.rows("SELECT patient_id FROM patient WHERE training")
    return {
        "emergency": closed_case(ward, nora, Tier.EMERGENCY),
        "bens": closed_case(ward, ben),
        "nobodys": closed_case(ward, None, Tier.ROUTINE),
        "training": closed_case(ward, nora, patient_id=trainee),
        "later": closed_case(ward, nora, at=CLOSED + timedelta(days=20)),
    }


def test_a_month_is_drawn_once_by_a_rule_that_anybody_can_follow(console: Console, otto: Person, lena: Person) -> None:
    made = a_month(console)
    sample = drawn(otto)
    found = cases_of(console.ward)
    assert len(found) == 2 + 1 + 1 + 1  # of nora's 12 routine ones two, her emergency, ben's, nobody's
    assert {made["emergency"], made["bens"], made["nobodys"]} <= set(found)
    assert not {made["training"], made["later"]} & set(found)
    assert found[made["nobodys"]] == (None, "automatic")
    page = text(lena.get(sample))
    assert "5 of 15 closed cases" in page
    assert "Drawn once more just now: these are the same cases." in page
    # By hand: from the file, the seed and the rule, without the database.
    [(seed, frame, percent)] = console.ward.rows("SELECT seed, frame, percent FROM quality_sample")
    assert seed in page
    rows = csv.DictReader(io.StringIO(lena.get(f"{sample}/frame.csv").text))
    closed = [
        Closed(UUID(row["case_id"]), UUID(int=0), UUID(row["closed_by"]) if row["closed_by"] else None, row["tier"])
        for row in rows
    ]
    assert frame_of(closed) == frame
    assert {one.case_id for one in draw(closed, seed, percent)} == set(found)
    again = lena.post("/quality/samples", {"month": OCTOBER, "percent": "50"})
    assert again.status_code == 422
    assert "The sample of this month is drawn. There is no other." in text(again)
    assert cases_of(console.ward) == found


def test_what_is_closed_later_or_changed_does_not_change_a_sample_and_a_change_is_said(
    console: Console, otto: Person
) -> None:
    made = a_month(console)
    sample = drawn(otto)
    found = cases_of(console.ward)
    closed_case(console.ward, console.accounts["nora"], at=console.clock.time)
    assert "these are the same cases" in text(otto.get(sample))
    console.ward.admin.execute(
        "UPDATE alert_case SET resolved_at = resolved_at + interval '40 days' WHERE case_id = %s", (made["bens"],)
    )
    assert "other cases come out" in text(otto.get(sample))
    assert cases_of(console.ward) == found


def test_a_month_that_runs_or_a_smaller_sample_is_not_drawn(console: Console, otto: Person) -> None:
    for month, percent, said in (
        ("2026-11", "10", "This month is not over"),
        ("2026-10", "9", "A sample has 10 to 100 of 100 cases."),
        ("2026-10", "101", "A sample has 10 to 100 of 100 cases."),
        ("soon", "10", "This is no month"),
    ):
        answer = otto.post("/quality/samples", {"month": month, "percent": percent})
        assert answer.status_code == 422
        assert said in text(answer)
    assert cases_of(console.ward) == {}


def test_an_auditor_reads_the_case_as_it_was_while_they_audit_it_and_nobodys_name(
    console: Console, otto: Person
) -> None:
    ward, nora = console.ward, console.accounts["nora"]
    case_id = closed_case(ward, nora)
    walked(ward, case_id, nora, version=1)
    called(ward, case_id, nora)
    assert otto.get(f"/cases/{case_id}").status_code == 404
    sample = drawn(otto)
    audit = begun(otto, sample, case_id)
    page = text(otto.get(audit))
    assert "Nora Quist" in page
    assert "drank water" in page
    assert "What do the ketones in blood say?" in page  # of the version that was in force then
    assert "Drink water, measure again in two hours" in page
    assert "Patient spoken to" in page
    assert "Asta" not in page
    assert "20123456" not in page
    assert otto.post(audit, {**answers(identity="no"), "finish": "yes"}).status_code == 303
    page = text(otto.get(audit))
    assert "not asked" in page
    assert "drank water" not in page, "finished: the case is not for the auditor any more"
    console.ward.admin.execute(
        "INSERT INTO voice_theme (theme, what, thing_id, patient_id, happened_at, tagged_by, tagged_at)"
        " SELECT 'documentation', 'finding', audit_id, patient_id, begun_at, auditor, begun_at FROM quality_audit"
    )
    assert "What it is about Documentation" in text(otto.get(audit))
    assert "What it is about" not in text(console.sign_in("nora").get(audit)), "for whoever audits"
    assert otto.post(audit, answers()).status_code == 409
    told = text(console.sign_in("asta").get("/me/access"))
    assert "Quality audit of a case begun" in told
    assert "Quality audit of a case finished" in told


def test_nobody_audits_what_they_had_a_hand_in(console: Console, lena: Person, otto: Person) -> None:
    ward, mine = console.ward, console.accounts["lena"]
    closed_by_me = closed_case(ward, mine)
    touched = closed_case(ward, console.accounts["nora"], Tier.EMERGENCY)
    called(ward, touched, mine)
    sample = drawn(lena)
    assert "your own work" in text(lena.get(sample))
    for case_id in (closed_by_me, touched):
        assert lena.post(f"{sample}/cases/{case_id}/audit").status_code == 409
        begun(otto, sample, case_id)
    assert otto.post(f"{sample}/cases/{touched}/audit").status_code == 409, "begun already"
    assert lena.post(f"{sample}/cases/{UUID(int=5)}/audit").status_code == 404


def test_to_finish_each_item_has_an_answer_and_each_no_says_why(console: Console, otto: Person) -> None:
    ward, ben = console.ward, console.accounts["ben"]
    case_id = closed_case(ward, console.accounts["nora"])
    # Nora followed no script; this version was in force then, which is another than now.
    walked(ward, closed_case(ward, ben), ben, version=1)
    audit = begun(otto, drawn(otto), case_id)
    assert ward.rows("SELECT script, script_version FROM quality_audit") == [("high_glucose", 1)]
    half = {"answer-identity": "yes", "remark": "half of it"}
    assert otto.post(audit, half).status_code == 303
    page = otto.get(audit).text
    assert 'name="answer-identity" value="yes" checked' in page
    answer = otto.post(audit, {**half, "finish": "yes"})
    assert answer.status_code == 422
    assert answer.text.count('class="refusal"') == 7
    answer = otto.post(audit, {**answers(), "answer-told": "no", "finish": "yes"})
    assert answer.status_code == 422
    assert "Say what you saw" in text(answer)
    assert console.ward.rows("SELECT finished_at FROM quality_audit") == [(None,)]


def test_rates_stand_beside_how_many_cases_and_agreement_where_two_audited(
    console: Console, otto: Person, lena: Person
) -> None:
    ward, nora = console.ward, console.accounts["nora"]
    cases = [closed_case(ward, nora, at=CLOSED + timedelta(hours=n)) for n in range(5)]
    sample = drawn(otto, 100)
    for n, case_id in enumerate(cases):
        audit = begun(otto, sample, case_id)
        if n == 4:
            assert "Nora Quist 4 4 · too few for a rate 0" in text(lena.get(sample))
        assert otto.post(audit, {**answers(**({"next": "no"} if n == 4 else {})), "finish": "yes"}).status_code == 303
    page = text(lena.get(sample))
    assert "Nora Quist 5 4, 80.0 % 1" in page
    assert "Was the patient told what happens next, and when to call again? 1 of 5" in page
    console.clock.forward(minutes=1)
    second = begun(lena, sample, cases[4])
    assert lena.post(second, {**answers(identity="not_applicable"), "finish": "yes"}).status_code == 303
    page = text(lena.get(sample))
    assert "Two people audited 1 case: 6 of 8 answers are the same · too few for a rate" in page
    assert "Nora Quist 5 4, 80.0 % 1" in page, "a case counts once"


def test_whose_work_it_was_sees_what_was_found_once_it_is_finished_and_answers(console: Console, otto: Person) -> None:
    case_id = closed_case(console.ward, console.accounts["nora"])
    audit = begun(otto, drawn(otto), case_id)
    nora, ben = console.sign_in("nora"), console.sign_in("ben")
    assert nora.get(audit).status_code == 404
    otto.post(audit, {**answers(identity="no"), "finish": "yes"})
    assert audit in nora.get("/quality").text
    assert "not asked" in text(nora.get(audit))
    assert nora.post(f"{audit}/reply", {"body": ""}).status_code == 422
    assert nora.post(f"{audit}/reply", {"body": "I know her voice."}).status_code == 303
    assert "I know her voice." in text(otto.get(audit))
    assert nora.post(audit, answers()).status_code == 404
    assert ben.get(audit).status_code == 404
    assert ben.post(f"{audit}/reply", {"body": "x"}).status_code == 404
    assert otto.post(f"{audit}/reply", {"body": "x"}).status_code == 409
    assert audit not in ben.get("/quality").text


ACTION = {"kind": "script", "what": "Say for whom ketones are needed", "due_on": "2026-12-01", "check_on": "2027-01-15"}


def test_an_action_names_the_script_that_was_in_force_and_the_one_that_answers_it(
    console: Console, otto: Person, lena: Person
) -> None:
    ward, nora = console.ward, console.accounts["nora"]
    case_id = closed_case(ward, nora)
    walked(ward, case_id, nora, version=1)
    audit = begun(otto, drawn(otto), case_id)
    ada = console.sign_in("ada")
    form = {**ACTION, "owner": str(console.accounts["ada"])}
    assert otto.post(f"{audit}/actions", form).status_code == 409, "first the audit is finished"
    otto.post(audit, {**answers(script="no"), "finish": "yes"})
    assert otto.post(f"{audit}/actions", form).status_code == 303
    [(action,)] = ward.rows("SELECT action_id FROM quality_action")
    done, check = f"/quality/actions/{action}/done", f"/quality/actions/{action}/check"
    page = text(ada.get("/quality"))
    assert "Script High glucose or ketones: version 1 was in force" in page
    assert "To be done by 1 Dec 2026" in page
    assert "Say for whom" not in text(console.sign_in("ben").get("/quality"))
    assert lena.post(done, {"outcome": "x", "answered_by": "2"}).status_code == 409, "not hers to do"
    for version in ("1", "3", "", "x"):
        answer = ada.post(done, {"outcome": "Changed.", "answered_by": version})
        assert answer.status_code == 422
        assert "Until there is one, it is not done." in text(answer)
    console.clock.forward(days=12)
    ada, lena, otto = (console.sign_in(login) for login in ("ada", "lena", "otto"))
    assert "To be done by 1 Dec 2026 too late" in text(ada.get("/quality"))
    assert lena.post(check, {"effective": "yes", "check_note": "x"}).status_code == 409, "nothing was done yet"
    assert ada.post(done, {"outcome": "Changed.", "answered_by": "2"}).status_code == 303
    # However much else is to be done.
    ward.admin.execute(
        "INSERT INTO quality_action (audit_id, patient_id, kind, what, owner, due_on, check_on, made_by, made_at)"
        " SELECT audit_id, patient_id, 'briefing', 'w', owner, due_on, check_on, made_by, made_at"
        " FROM quality_action, generate_series(1, 200)"
    )
    page = text(otto.get("/quality/scripts"))
    assert "version 2 · in force" in page
    assert "Led to it: Say for whom ketones are needed found with version 1 in force" in page
    assert "Led to it" not in text(console.sign_in("ben").get("/quality/scripts"))
    ward.admin.execute("DELETE FROM quality_action WHERE kind = 'briefing'")
    assert lena.post(check, {"effective": "", "check_note": "asked"}).status_code == 422
    assert lena.post(check, {"effective": "no", "check_note": "Two in ten still do not ask."}).status_code == 303
    assert "It did not help" in text(ada.get("/quality"))
    assert lena.post(check, {"effective": "yes", "check_note": "x"}).status_code == 409


def test_nobody_says_of_what_they_did_themselves_that_it_helped(console: Console, lena: Person, otto: Person) -> None:
    case_id = closed_case(console.ward, console.accounts["nora"], condition="questionnaire_answer")
    audit = begun(otto, drawn(otto), case_id)
    otto.post(audit, {**answers(script="not_applicable"), "finish": "yes"})
    form = {**ACTION, "owner": str(console.accounts["lena"])}
    assert "There is no script for such a case." in text(otto.post(f"{audit}/actions", form))
    early = {**form, "kind": "briefing", "check_on": "2026-11-30"}
    assert "This is before the day on which it is to be done." in text(otto.post(f"{audit}/actions", early))
    nobody = {**form, "kind": "briefing", "owner": str(console.accounts["carl"])}
    assert otto.post(f"{audit}/actions", nobody).status_code == 422
    assert otto.post(f"{audit}/actions", {**form, "kind": "briefing"}).status_code == 303
    [(action,)] = console.ward.rows("SELECT action_id FROM quality_action")
    assert lena.post(f"/quality/actions/{action}/done", {"outcome": "Told everybody."}).status_code == 303
    checked = {"effective": "yes", "check_note": "Seen."}
    assert lena.post(f"/quality/actions/{action}/check", checked).status_code == 409
    assert otto.post(f"/quality/actions/{action}/check", checked).status_code == 303


# The database by itself -----------------------------------------------------------------------------------------------

SEEN: tuple[LiteralString, ...] = ("case", "alerts", "events", "calls", "walks")


def test_the_database_shows_a_case_to_its_auditor_alone_and_only_meanwhile(
    console: Console, otto: Person, lena: Person
) -> None:
    ward, nora = console.ward, console.accounts["nora"]
    case_id = closed_case(ward, nora)
    walked(ward, case_id, nora, version=2)
    called(ward, case_id, nora)
    audit = begun(otto, drawn(otto), case_id)
    audit_id = audit.rpartition("/")[2]

    def seen(login: str) -> list[int]:
        with psycopg.connect(ward.database.console_url) as console_:
            console_.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(console.accounts[login]),))
            return [
                len(console_.execute(f"SELECT FROM quality_seen_{name}(%s)", (audit_id,)).fetchall()) for name in SEEN
            ]

    assert seen("otto") == [1, 1, 4, 1, 1]
    for login in ("lena", "nora", "ada", "adam", "asta", "sam", "carl"):
        assert seen(login) == [0] * 5, login
    otto.post(audit, {**answers(), "finish": "yes"})
    assert seen("otto") == [0] * 5


def test_the_database_takes_no_case_into_a_sample_that_was_not_closed_in_its_month(
    console: Console, otto: Person
) -> None:
    made = a_month(console)
    drawn(otto)
    [(sample_id,)] = console.ward.rows("SELECT sample_id FROM quality_sample")
    with psycopg.connect(console.ward.database.console_url) as connection:
        for which in ("later", "training"):
            connection.execute("SELECT set_config('pulsepost.account_id', %s, true)", (str(otto.account_id),))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(
                    "INSERT INTO quality_case (sample_id, case_id, patient_id, closed_by, stratum, place)"
                    " SELECT %s, %s, %s, %s, 'urgent', 1",
                    (sample_id, made[which], console.ward.patient_id, console.accounts["nora"]),
                )
            connection.rollback()
