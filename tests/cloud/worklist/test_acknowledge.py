"""Taking a case on, and closing it: once, by one person, on record."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from cloud.db.connect import open_connection
from tests.cloud.made import NOW, glucose, sent, wait_for_a_lock
from tests.fix_console import Console

ADVICE = {"disposition": "advice_given"}


@pytest.fixture
def case_id(console: Console) -> UUID:
    """A case of the ward's patient, in state raised."""
    console.ward.receive(sent(glucose("48")))
    [(found,)] = console.ward.rows("SELECT case_id FROM alert_case")
    made: UUID = found
    return made


def test_acknowledging_takes_ownership_and_leaves_an_event_and_an_audit_row(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    answer = nora.post(f"/cases/{case_id}/acknowledge")
    assert answer.status_code == 200
    assert f'id="case-{case_id}"' in answer.text
    assert 'data-state="acknowledged"' in answer.text
    assert 'data-mine="true"' in answer.text
    assert console.ward.rows("SELECT state, owner, changed_at FROM alert_case") == [
        ("acknowledged", nora.account_id, console.clock.time)
    ]
    assert _changes(console) == [("acknowledge", "raised", "acknowledged", nora.account_id)]
    assert console.ward.rows("SELECT action, subject, account_id, patient_id FROM audit WHERE action LIKE 'case%'") == [
        ("case.acknowledge", f"case:{case_id}", nora.account_id, console.ward.patient_id)
    ]


def test_acknowledging_twice_changes_nothing_more(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    for _ in range(2):
        assert nora.post(f"/cases/{case_id}/acknowledge").status_code == 200
    assert len(_changes(console)) == 1


def test_who_comes_second_is_told_who_was_faster(console: Console, case_id: UUID) -> None:
    console.sign_in("nora").post(f"/cases/{case_id}/acknowledge")
    answer = console.sign_in("ben").post(f"/cases/{case_id}/acknowledge")
    assert answer.status_code == 409
    assert "Nora Quist was faster." in answer.text
    assert len(_changes(console)) == 1


def test_of_two_at_the_same_moment_exactly_one_gets_the_case(console: Console, case_id: UUID) -> None:
    people = [console.sign_in("nora"), console.sign_in("ben")]
    with ThreadPoolExecutor(len(people)) as pool:
        answers = pool.map(lambda person: person.post(f"/cases/{case_id}/acknowledge").status_code, people)
    assert sorted(answers) == [200, 409]
    assert len(_changes(console)) == 1


def test_nobody_waits_for_a_case_whose_taker_waits_for_a_page_that_is_being_sent(
    console: Console, case_id: UUID
) -> None:
    nora = console.sign_in("nora")
    nora.csrf_token()
    with (
        ThreadPoolExecutor(1) as pool,
        open_connection(console.ward.database.jobs_url, "sending", autocommit=True) as sending,
    ):
        with sending.transaction():
            sending.execute("SELECT pg_advisory_xact_lock_shared(paging_lock(%s))", (case_id,))
            answer = pool.submit(nora.post, f"/cases/{case_id}/acknowledge")
            wait_for_a_lock(console.ward)
            console.ward.admin.execute("SELECT FROM alert_case WHERE case_id = %s FOR UPDATE NOWAIT", (case_id,))
        assert answer.result().status_code == 200


def test_who_waited_for_the_faster_one_is_told_their_name(console: Console, case_id: UUID) -> None:
    ben = console.sign_in("ben")
    ben.csrf_token()
    with (
        ThreadPoolExecutor(1) as pool,
        open_connection(console.ward.database.admin_url, "nora", autocommit=True) as faster,
    ):
        with faster.transaction():
            faster.execute(
                "UPDATE alert_case SET state = 'acknowledged', owner = %s, lease_until = %s WHERE case_id = %s",
                (console.accounts["nora"], NOW + timedelta(minutes=30), case_id),
            )
            waiting = pool.submit(ben.post, f"/cases/{case_id}/acknowledge")
            wait_for_a_lock(console.ward)
        answer = waiting.result()

    assert (answer.status_code, "Nora Quist was faster." in answer.text) == (409, True)


def test_a_doctor_of_the_care_team_may_take_a_case(console: Console, case_id: UUID) -> None:
    assert console.sign_in("ada").post(f"/cases/{case_id}/acknowledge").status_code == 200


@pytest.mark.parametrize("login", ["eve", "asta", "sam", "carl"])
@pytest.mark.parametrize("verb", ["acknowledge", "resolve"])
def test_a_case_that_is_none_of_ones_business_does_not_exist(
    console: Console, case_id: UUID, login: str, verb: str
) -> None:
    person = console.sign_in(login)
    forbidden = person.post(f"/cases/{case_id}/{verb}")
    unknown = person.post(f"/cases/{uuid4()}/{verb}")
    assert forbidden.status_code == unknown.status_code == 404
    assert forbidden.text == unknown.text
    assert _changes(console) == []


@pytest.mark.parametrize("case", ["not-a-uuid", "00000000", "%00"])
def test_an_id_that_is_none_looks_like_one_that_does_not_exist(console: Console, case: str) -> None:
    assert console.sign_in("nora").post(f"/cases/{case}/acknowledge").status_code == 404


def test_the_owner_resolves_a_case_and_it_leaves_the_worklist(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    nora.post(f"/cases/{case_id}/acknowledge")
    answer = nora.post(f"/cases/{case_id}/resolve", ADVICE)
    assert answer.status_code == 200
    assert 'data-open="false"' in answer.text
    assert nora.post(f"/cases/{case_id}/resolve", ADVICE).status_code == 200
    assert [change[0] for change in _changes(console)] == ["acknowledge", "resolve"]
    assert str(case_id) not in nora.get("/worklist").text


def test_nobody_resolves_the_case_of_another(console: Console, case_id: UUID) -> None:
    console.sign_in("nora").post(f"/cases/{case_id}/acknowledge")
    answer = console.sign_in("ben").post(f"/cases/{case_id}/resolve")
    assert answer.status_code == 409
    assert "Nora Quist has it." in answer.text


def test_a_case_is_taken_before_it_is_resolved(console: Console, case_id: UUID) -> None:
    answer = console.sign_in("nora").post(f"/cases/{case_id}/resolve")
    assert (answer.status_code, "Acknowledge it first" in answer.text) == (409, True)


def test_a_closed_case_cannot_be_taken(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    nora.post(f"/cases/{case_id}/acknowledge")
    nora.post(f"/cases/{case_id}/resolve", ADVICE)
    answer = nora.post(f"/cases/{case_id}/acknowledge")
    assert (answer.status_code, "Already closed" in answer.text) == (409, True)


def test_a_case_that_worsens_can_be_taken_by_somebody_else(console: Console, case_id: UUID) -> None:
    console.sign_in("nora").post(f"/cases/{case_id}/acknowledge")
    console.ward.admin.execute("UPDATE alert_case SET state = 'raised', owner = NULL")
    ben = console.sign_in("ben")
    assert ben.post(f"/cases/{case_id}/acknowledge").status_code == 200
    assert console.ward.rows("SELECT owner FROM alert_case") == [(ben.account_id,)]


def test_without_a_script_the_button_is_an_ordinary_form(console: Console, case_id: UUID) -> None:
    nora = console.sign_in("nora")
    form = {"csrf_token": nora.csrf_token()}
    answer = nora.client.post(f"/cases/{case_id}/acknowledge", data=form)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/cases/{case_id}"


def _changes(console: Console) -> list[tuple[object, ...]]:
    """What people did to the case."""
    return console.ward.rows(
        "SELECT event, from_state, to_state, actor FROM case_event WHERE actor IS NOT NULL ORDER BY event_id"
    )
